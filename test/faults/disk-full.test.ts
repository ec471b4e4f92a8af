/**
 * A real disk that is full from some change on: the command ends with 73, and goes on once there is room. A sample only;
 * test/ceremony fails every write of a session against a machine in memory.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '#cli/main';
import { type FsPort, nodeFs } from '#host/fs-port';
import { createHost } from '#host/node-host';
import { fullAfter } from '../support/disks.js';
import { spread, thorough } from '../support/require.js';

let work: string;
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'conclave-full-'));
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

async function conclave(
  place: string,
  fs: FsPort,
  args: readonly string[],
): Promise<{ readonly code: number; readonly output: string }> {
  const chunks: string[] = [];
  const sink = (): Writable =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        chunks.push(chunk.toString());
        done();
      },
    });
  const code = await main([...args, '--home', join(place, 'home'), '--no-input'], {
    host: createHost({ fs }),
    stdout: sink() as never,
    stderr: sink() as never,
    scryptLogN: 10,
    env: { NO_COLOR: '1' },
  });
  return { code, output: chunks.join('') };
}

describe('a full disk', () => {
  it('stops quickstart with 73 at any change, and the session goes on later', async () => {
    const counted = { changes: 0 };
    const place = mkdtempSync(join(work, 'whole-'));
    const start = (folder: string): readonly string[] => [
      ...['run', 'quickstart', '--out-dir', join(folder, 'session')],
    ];
    const whole = await conclave(place, fullAfter(Infinity, counted), start(place));
    expect(whole.code, whole.output).toBe(0);

    const rooms = [...Array(counted.changes).keys()];
    const problems: string[] = [];
    for (const room of spread(rooms, thorough ? 10 : 3)) {
      const folder = mkdtempSync(join(work, 'full-'));
      const stopped = await conclave(folder, fullAfter(room, { changes: 0 }), start(folder));
      if (stopped.code !== 73)
        problems.push(`${room}: ended with ${stopped.code}\n${stopped.output}`);
      const begun = existsSync(join(folder, 'session/journal.jsonl'));
      const again = [...start(folder), ...(begun ? ['--resume'] : [])];
      const resumed = await conclave(folder, nodeFs, again);
      if (resumed.code !== 0)
        problems.push(`${room}: resuming ended with ${resumed.code}\n${resumed.output}`);
      const verify = ['verify', join(folder, 'session'), '--allow-unpinned'];
      const verified = await conclave(folder, nodeFs, verify);
      if (verified.code !== 0)
        problems.push(`${room}: verify ended with ${verified.code}\n${verified.output}`);
      rmSync(folder, { recursive: true, force: true });
    }
    expect(problems).toEqual([]);
  }, 300_000);
});
