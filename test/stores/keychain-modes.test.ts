/**
 * Every way in which a desktop has no keychain to offer, for real and by both modules: no bus, a bus without the service, a service
 * without a keyring, a locked keyring whose question nobody answers. Each in a process of its own, since a module that found a bus once
 * does not look for another.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backendNames, loadBackends } from '#carriage/stores/keychain/backend';
import { needs, root } from '../support/require.js';
import { type Keyring, keyringPrograms, startKeyring, waitFor } from './keyring-daemon.js';

/** What a process that asks everything of a module gets: codes of errors, or what it was given. */
const ASKS = `
const { loadBackends } = await import(${JSON.stringify(pathToFileURL(join(root, 'dist/carriage/stores/keychain/backend.js')).href)});
const [backend] = await loadBackends(process.argv[1]);
const said = {};
for (const [what, ask] of Object.entries({
  get: () => backend.get('conclave-modes', 'x'),
  set: () => backend.set('conclave-modes', 'x', 'AAAA'),
  remove: () => backend.remove('conclave-modes', 'x'),
  find: () => backend.find('conclave-modes'),
})) {
  try { said[what] = { value: (await ask()) ?? null }; }
  catch (error) { said[what] = [error.code, error.exitCode, error.message]; }
}
process.stdout.write(JSON.stringify(said));
`;

type Said = Record<'get' | 'set' | 'remove' | 'find', unknown>;

describe.skipIf(!keyringPrograms)('a desktop without a keychain', () => {
  let folder: string;
  let keyring: Keyring;
  const pids: string[] = [];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'conclave-modes-'));
    keyring = startKeyring();
  });
  afterAll(() => {
    keyring.stop();
    for (const pid of pids) spawnSync('kill', [pid]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** A home and a runtime folder with nothing in them. */
  const bareEnvironment = (name: string): Record<string, string> => {
    const [home, runtime] = [join(folder, name), join(folder, `${name}-runtime`)];
    mkdirSync(home, { mode: 0o700 });
    mkdirSync(runtime, { mode: 0o700 });
    return { PATH: process.env['PATH'] ?? '', HOME: home, XDG_RUNTIME_DIR: runtime };
  };

  /** Whether somebody on this bus is the service. */
  const serves = (env: Record<string, string>): boolean =>
    spawnSync(
      'dbus-send',
      [
        ...['--session', '--dest=org.freedesktop.DBus', '--print-reply', '/org/freedesktop/DBus'],
        ...['org.freedesktop.DBus.NameHasOwner', 'string:org.freedesktop.secrets'],
      ],
      { env, encoding: 'utf8' },
    ).stdout.includes('boolean true');

  /** A bus on which nothing is started by being asked for. */
  const busAlone = (env: Record<string, string>): Record<string, string> => {
    const config = join(env['HOME'] ?? '', 'bus.conf');
    writeFileSync(
      config,
      `<busconfig><type>session</type><listen>unix:tmpdir=${env['XDG_RUNTIME_DIR'] ?? ''}</listen>` +
        '<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>',
    );
    const args = ['--fork', '--print-address=1', '--print-pid=1', `--config-file=${config}`];
    const [address = '', pid = ''] = execFileSync('dbus-daemon', args, { env, encoding: 'utf8' })
      .trim()
      .split('\n');
    pids.push(pid);
    return { ...env, DBUS_SESSION_BUS_ADDRESS: address };
  };

  const modes: readonly (readonly [string, () => Record<string, string>, string, number])[] = [
    ['no bus', () => bareEnvironment('no-bus'), 'E_KEYCHAIN_NO_BUS', 69],
    ['a bus without the service', () => busAlone(bareEnvironment('bus')), 'E_KEYCHAIN_ABSENT', 69],
    [
      'a service without a keyring',
      () => {
        const env = busAlone(bareEnvironment('service'));
        const run = ['--start', '--foreground', '--components=secrets'];
        const start = `gnome-keyring-daemon ${run.join(' ')} >/dev/null 2>&1 &`;
        execFileSync('sh', ['-c', start], { env });
        waitFor(() => serves(env), 'the service did not come up');
        return env;
      },
      'E_KEYCHAIN_ABSENT',
      69,
    ],
    [
      'a locked keyring, and nobody answers',
      () => {
        keyring.lock();
        return keyring.env;
      },
      'E_KEYCHAIN_LOCKED',
      77,
    ],
  ];

  const present = new Set<string>();
  beforeAll(async () => {
    for (const name of backendNames) {
      const found = await loadBackends(name).then(
        () => true,
        () => false,
      );
      if (needs(name, found, 'npm ci and npm run native install the modules')) present.add(name);
    }
  });

  for (const [mode, environment, code, exit] of modes) {
    it(`${mode} is said, whatever is asked and by whichever module`, () => {
      const env = environment();
      for (const name of present) {
        const ran = spawnSync(process.execPath, ['--input-type=module', '-e', ASKS, name], {
          env,
          encoding: 'utf8',
          timeout: 120_000,
        });
        expect(`${name} ${ran.signal ?? ran.status} ${ran.stderr}`).toBe(`${name} 0 `);
        const said = JSON.parse(ran.stdout) as Said;
        for (const what of ['get', 'set', 'remove', 'find'] as const) {
          expect([name, what, said[what]]).toEqual([name, what, [code, exit, expect.any(String)]]);
        }
      }
    });
  }
});

describe.skipIf(!keyringPrograms)('what the program puts into a real keyring', () => {
  let keyring: Keyring;
  let folder: string;
  beforeAll(() => {
    keyring = startKeyring();
    folder = mkdtempSync(join(tmpdir(), 'conclave-read-back-'));
  });
  afterAll(() => {
    keyring.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const conclave = (...argv: readonly string[]): string => {
    const env = { ...keyring.env, CONCLAVE_HOME: join(folder, 'home') };
    const ran = spawnSync(process.execPath, [join(root, 'bin/conclave.js'), ...argv], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    expect([ran.status, ran.stderr]).toEqual([0, '']);
    return ran.stdout;
  };

  it('is read back by secret-tool, each module in its own schema', async () => {
    for (const [name, attribute] of [
      ['keytar', 'account'],
      ['keyring', 'username'],
    ] as const) {
      const here = await loadBackends(name).then(
        () => true,
        () => false,
      );
      if (!needs(name, here, 'npm ci and npm run native install the modules')) continue;
      const key = ['--name', name, '--dev', '--no-passphrase', '--algorithm', 'ed25519'];
      const made = JSON.parse(
        conclave('key', 'generate', ...key, '--store', `keychain:${name}`, '--json'),
      ) as { key: string; id: string };
      const id = made.id.replace('sha256:', '');
      const account = `dev-${id}`;
      const found = spawnSync(
        'secret-tool',
        ['lookup', 'service', 'conclave-key', attribute, account],
        { env: keyring.env, encoding: 'utf8' },
      );
      expect(found.status).toBe(0);
      // Deterministic CBOR [1, id, name, mark, record, form, private part], as base64url.
      const bytes = Buffer.from(found.stdout.trim(), 'base64url');
      expect([bytes[0], bytes[1]]).toEqual([0x87, 0x01]);
      expect(bytes.includes(Buffer.from(id))).toBe(true);
      expect(bytes.includes(Buffer.from('BEGIN PRIVATE KEY'))).toBe(true);
      conclave('key', 'destroy', made.key, '--yes');
      const gone = spawnSync(
        'secret-tool',
        ['lookup', 'service', 'conclave-key', attribute, account],
        {
          env: keyring.env,
          encoding: 'utf8',
        },
      );
      expect(
        Buffer.from(gone.stdout.trim(), 'base64url').includes(Buffer.from('PRIVATE KEY')),
      ).toBe(false);
    }
  });
});
