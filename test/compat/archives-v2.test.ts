/** The archive of a session that an earlier version wrote: read for ever, and made again byte by byte. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../cli/runners.js';
import { hasProgram, needs, root } from '../support/require.js';

const python = needs('python3', hasProgram('python3'), 'the second verifier is written in it');
const run = inProcess('archives-v2');
const sample = fileURLToPath(new URL('v2/archives/quickstart.tar', import.meta.url));
let work: string;

beforeAll(() => {
  work = realpathSync(mkdtempSync(join(tmpdir(), 'conclave-archives-')));
  cpSync(fileURLToPath(new URL('v1/quickstart', import.meta.url)), join(work, 'quickstart'), {
    recursive: true,
  });
  cpSync(sample, join(work, 'kept.tar'));
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

describe('an archive of v2', () => {
  it.each([
    ['show kept.tar', /^kept\.tar: session-archive\n {2}mark: DEV: /],
    ['verify kept.tar --allow-unpinned', /^OK: kept\.tar \(session-archive\): DEV: /],
    ['ceremony archive quickstart --out again.tar', /^DEV: .*again\.tar: 5 files/],
  ])('conclave %s', async (line, first) => {
    const ran = await run(line.split(' '), { cwd: work, stdin: new Uint8Array(0), env: {} });
    expect([ran.code, ran.stdout.toString()]).toEqual([0, expect.stringMatching(first)]);
  });

  it('is what the same session gives today', () => {
    expect(readFileSync(join(work, 'again.tar')).equals(readFileSync(sample))).toBe(true);
  });

  it.skipIf(!python)('is read by the second verifier', () => {
    const program = join(root, 'test/independent/verify_transcript.py');
    const done = spawnSync('python3', ['-B', program, sample], { encoding: 'utf8' });
    expect([done.status, done.stdout]).toEqual([0, expect.stringMatching(/^ok .*: DEV: /)]);
  });
});
