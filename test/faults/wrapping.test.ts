/**
 * Wrapping on a disk that fills up, and ended by signal 9: nothing half released under its name, nothing left behind for ever,
 * and a key is destroyed only after its receipt, wherever the process died.
 */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '#cli/main';
import { type FsPort, nodeFs } from '#host/fs-port';
import { createHost } from '#host/node-host';
import { fullAfter } from '../support/disks.js';
import { root, spread, thorough } from '../support/require.js';
import { KilledSession } from './session.js';

const work = mkdtempSync(join(tmpdir(), 'conclave-wrapping-faults-'));
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

const temporaries = (folder: string): readonly string[] =>
  readdirSync(folder).filter((name) => name.endsWith('.tmp'));

/** A session in a folder of its own, on a copy of what `made` left on the disk. */
function sessionOn(made?: KilledSession): KilledSession {
  const session = new KilledSession(mkdtempSync(join(work, 'place-')));
  if (made !== undefined) cpSync(made.disk, session.disk, { recursive: true });
  return session;
}

/** Runs where nobody kills, and must end well. */
async function done(session: KilledSession, ...words: readonly string[]): Promise<void> {
  const { code, output } = await session.goOn(words);
  expect(`${words.join(' ')}: ${code}\n${output}`).toContain(': 0\n');
}

const at = (session: KilledSession, name: string): string => join(session.disk, name);
const CONTENT = randomBytes(700_000);

/** A key to open with, and a container of a file in three chunks. */
async function packed(): Promise<KilledSession> {
  const session = sessionOn();
  writeFileSync(at(session, 'in'), CONTENT);
  await done(
    session,
    ...['key', 'generate', '--algorithm', 'ml-kem-768', '--no-passphrase'],
    ...['--out', at(session, 'to.key'), '--public-out', at(session, 'to.pub')],
  );
  const to = at(session, 'to.pub');
  await done(session, 'wrap', '--in', at(session, 'in'), '--to', to, '--out', at(session, 'w'));
  return session;
}
const unwrapping = (session: KilledSession): readonly string[] => [
  ...['unwrap', '--in', at(session, 'w'), '--key', at(session, 'to.key')],
  ...['--out', at(session, 'plain')],
];

describe('a full disk', () => {
  let made: KilledSession;
  beforeAll(async () => {
    made = await packed();
  });

  async function on(fs: FsPort, words: readonly string[]): Promise<[number, string]> {
    const chunks: string[] = [];
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, written) => {
        chunks.push(chunk.toString());
        written();
      },
    }) as never;
    const code = await main([...words, '--home', at(made, 'home'), '--no-input'], {
      host: createHost({ fs }),
      stdout: sink,
      stderr: sink,
      scryptLogN: 10,
      env: { NO_COLOR: '1' },
    });
    return [code, chunks.join('')];
  }

  it.each(['unwrap', 'wrap'])('%s ends with 73, and leaves nothing at any change', async (verb) => {
    const out = at(made, verb === 'wrap' ? 'w2' : 'plain');
    const words =
      verb === 'unwrap'
        ? unwrapping(made)
        : ['wrap', '--in', at(made, 'in'), '--to', at(made, 'to.pub'), '--out', out];
    const count = { changes: 0 };
    expect((await on(fullAfter(Infinity, count), words))[0]).toBe(0);
    rmSync(out);
    // The log's own entry comes last; without it the file is there and the command has failed all the same.
    const rooms = [...Array(count.changes).keys()];
    expect(rooms.length).toBeGreaterThan(4);
    for (const room of spread(rooms, thorough ? rooms.length : 5)) {
      const [code, said] = await on(fullAfter(room, { changes: 0 }), words);
      expect([room, code, said]).toEqual([room, 73, expect.stringContaining('the medium is full')]);
      expect([room, temporaries(made.disk)]).toEqual([room, []]);
      if (existsSync(out)) {
        if (verb === 'unwrap') expect(readFileSync(out).equals(CONTENT)).toBe(true);
        rmSync(out);
      }
    }
    expect(await on(nodeFs, words)).toEqual([0, expect.any(String)]);
    rmSync(out);
  });
});

describe('unwrap, ended by signal 9', () => {
  it('leaves at most a private file without a name, which the next run takes away', async () => {
    const made = await packed();
    const counted = sessionOn(made);
    const whole = await counted.run('count', unwrapping(counted));
    expect(whole.code, whole.output).toBe(0);
    const writes = counted
      .changes()
      .map(({ operation, path, bytes }, n) => ({ n, operation, path, bytes }))
      .filter(({ operation, path }) => operation === 'write' && path.includes('.plain.conclave-'));
    expect(writes.length).toBeGreaterThanOrEqual(3);
    for (const { n } of thorough ? writes : spread(writes, 2)) {
      const session = sessionOn(made);
      const killed = await session.run(`torn:${n}`, unwrapping(session));
      expect(killed.signal).toBe('SIGKILL');
      expect(existsSync(at(session, 'plain'))).toBe(false);
      const [left, ...more] = temporaries(session.disk);
      expect(more).toEqual([]);
      expect(statSync(at(session, left ?? '')).mode & 0o777).toBe(0o600);
      await done(session, ...unwrapping(session));
      expect(temporaries(session.disk)).toEqual([]);
      expect(readFileSync(at(session, 'plain')).equals(CONTENT)).toBe(true);
    }
  });
});

describe('a hand-over, ended by signal 9', () => {
  const verifying = (session: KilledSession): readonly string[] => [
    ...['handover', 'verify', '--challenge', at(session, 'challenge.json'), '--key', 'release'],
    ...['--public', at(session, 'answers/public-key.json')],
    ...['--answer', at(session, 'answers/signature.json'), '--identity', 'ada'],
    ...['--out', at(session, 'imported.dsse.json')],
  ];
  const destroying = (session: KilledSession): readonly string[] => [
    ...['key', 'destroy', 'release', '--yes'],
    ...['--after-import', at(session, 'imported.dsse.json')],
  ];

  /** Wrapped, imported by a program of its own, and answered. */
  async function answeredSession(): Promise<KilledSession> {
    const session = sessionOn();
    const far = join(root, 'ceremonies/answers/cloud-import/far-side.pem');
    const provider = (...args: readonly string[]): void => {
      const program = join(root, 'test/far-side/provider.mjs');
      const { status, stderr } = spawnSync(process.execPath, [program, ...args, '--key', far], {
        cwd: session.disk,
        encoding: 'utf8',
      });
      expect(status, stderr).toBe(0);
    };
    await done(session, 'identity', 'new', '--name', 'ada', '--no-passphrase');
    const generate = ['key', 'generate', '--algorithm', 'p256', '--name', 'release'];
    await done(session, ...generate, '--no-passphrase');
    provider('offer', 'azure', '--out', 'kek.json');
    await done(
      session,
      ...['wrap', '--key', 'release', '--to', at(session, 'kek.json')],
      ...['--out', at(session, 'w')],
    );
    await done(
      session,
      ...['handover', 'challenge', '--key', 'release', '--container', at(session, 'w')],
      ...['--out', at(session, 'challenge.json')],
    );
    const files = ['--container', 'w', '--challenge', 'challenge.json', '--out', 'answers'];
    provider('import', 'azure', ...files);
    return session;
  }

  const stateOf = async (session: KilledSession): Promise<string> => {
    const { output } = await session.goOn(['key', 'show', 'release', '--json']);
    return (JSON.parse(output) as { record: { state: string } }).record.state;
  };

  it('while it is verified: the key is there, and the same answer gives the receipt', async () => {
    const made = await answeredSession();
    const counted = sessionOn(made);
    const whole = await counted.run('count', verifying(counted));
    expect(whole.code, whole.output).toBe(0);
    const places = counted.changes().map((_, n) => n);
    for (const n of spread(places, thorough ? 8 : 3)) {
      const session = sessionOn(made);
      expect((await session.run(`before:${n}`, verifying(session))).signal).toBe('SIGKILL');
      expect([n, await stateOf(session)]).toEqual([n, 'active']);
      if (!existsSync(at(session, 'imported.dsse.json'))) {
        // Nothing but the receipt of a verification counts, and there is none yet.
        expect([n, (await session.goOn(destroying(session))).code]).toEqual([n, 66]);
      }
      await done(session, ...verifying(session), '--force');
      await done(session, ...destroying(session));
      expect([n, await stateOf(session)]).toEqual([n, 'destroyed']);
    }
  });

  it('while it is destroyed: it is active or destroyed, and destroying it goes on', async () => {
    const made = await answeredSession();
    await done(made, ...verifying(made));
    const counted = sessionOn(made);
    const again = counted.disk;
    const whole = await counted.run('count', destroying(counted));
    expect(whole.code, `${again}\n${whole.output}`).toBe(0);
    const places = counted.changes().map((_, n) => n);
    for (const n of spread(places, thorough ? 8 : 3)) {
      const session = sessionOn(made);
      expect((await session.run(`before:${n}`, destroying(session))).signal).toBe('SIGKILL');
      const before = await stateOf(session);
      const { code, output } = await session.goOn(destroying(session));
      expect([n, code, before === 'destroyed' ? 77 : 0, output]).toEqual([
        ...[n, before === 'destroyed' ? 77 : 0, code, output],
      ]);
      expect([n, await stateOf(session)]).toEqual([n, 'destroyed']);
    }
  });
});
