/** A D-Bus session and a gnome-keyring of the test's own: its folders, its password, nobody else's secrets. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasProgram, needs } from '../support/require.js';

/** Programs of the real thing. */
export const keyringPrograms = needs(
  'a keyring daemon',
  ['dbus-daemon', 'dbus-send', 'gnome-keyring-daemon', 'secret-tool'].every(hasProgram),
  'gnome-keyring, dbus and libsecret-tools bring it',
);

/** A running keyring; `env` is what a program needs to find it. */
export interface Keyring {
  readonly env: Readonly<Record<string, string>>;
  lock(): void;
  /** The attributes of all items of a service, as secret-tool prints them. */
  search(service: string): string;
  stop(): void;
}

const PASSWORD = 'only for tests\n';

/** Starts one, unlocked, with a default collection. */
export function startKeyring(): Keyring {
  const place = mkdtempSync(join(tmpdir(), 'conclave-keyring-'));
  const [home, runtime] = [join(place, 'home'), join(place, 'runtime')];
  mkdirSync(home, { mode: 0o700 });
  mkdirSync(runtime, { mode: 0o700 });
  const base = { PATH: process.env['PATH'] ?? '', HOME: home, XDG_RUNTIME_DIR: runtime };
  const [address = '', pid = ''] = execFileSync(
    'dbus-daemon',
    ['--session', '--fork', '--print-address=1', '--print-pid=1'],
    { env: base, encoding: 'utf8' },
  )
    .trim()
    .split('\n');
  const env = { ...base, DBUS_SESSION_BUS_ADDRESS: address };
  // It goes into the background by itself, and ends with the bus.
  spawnSync('gnome-keyring-daemon', ['--daemonize', '--unlock', '--components=secrets'], {
    env,
    input: PASSWORD,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const call = (method: string, ...args: readonly string[]): string =>
    execFileSync(
      'dbus-send',
      [
        ...['--session', '--dest=org.freedesktop.secrets', '--print-reply'],
        ...['/org/freedesktop/secrets', `org.freedesktop.Secret.Service.${method}`, ...args],
      ],
      { env, encoding: 'utf8' },
    );
  const collection = '/org/freedesktop/secrets/collection/login';
  waitFor(() => {
    const asked = spawnSync(
      'dbus-send',
      [
        ...['--session', '--dest=org.freedesktop.secrets', '--print-reply'],
        ...['/org/freedesktop/secrets', 'org.freedesktop.Secret.Service.ReadAlias'],
        'string:default',
      ],
      { env, encoding: 'utf8' },
    );
    return asked.stdout.includes(collection);
  }, 'the keyring daemon did not come up');
  return {
    env,
    lock: () => {
      call('Lock', `array:objpath:${collection}`);
    },
    search: (service) => {
      const { stdout, stderr } = spawnSync('secret-tool', ['search', '--all', 'service', service], {
        env,
        encoding: 'utf8',
      });
      return `${stdout}${stderr}`;
    },
    stop: () => {
      spawnSync('kill', [pid]);
      rmSync(place, { recursive: true, force: true });
    },
  };
}

/** Waits, blocking, until something is so. @param otherwise - what is said when it is not in two minutes */
export function waitFor(condition: () => boolean, otherwise: string): void {
  const end = performance.now() + 120_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(otherwise);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
}
