/** Golden transcripts of the command line: `test/transcripts/*.txtar`. Those named `bin-…` run through the built program. */
import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { exitCodes } from '#cli/exit';
import { root } from '../support/require.js';
import { parseTxtar, runScript } from '../support/txtar.js';
import { withSoftHsm } from '../tokens/softhsm.js';
import { inProcess, throughBin } from './runners.js';

const folder = join(root, 'test/transcripts');
const seen = new Set<number>();
let ran = 0;
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.txtar'))
  .filter((name) => name !== 'hsm.txtar' || withSoftHsm);

/** Codes that a transcript without a keyboard, an optional module and a bug in the program cannot bring about. */
const ELSEWHERE = new Map([
  [70, 'test/cli/output.test.ts'],
  [130, 'test/cli/signals.test.ts'],
]);

describe('transcripts', () => {
  it.each(names)('%s', async (name) => {
    const work = realpathSync(mkdtempSync(join(tmpdir(), 'conclave-transcript-')));
    try {
      const archive = parseTxtar(readFileSync(join(folder, name), 'utf8'));
      const run = name.startsWith('bin-') ? throughBin : inProcess(name);
      for (const code of await runScript(archive, work, run)) seen.add(code);
      ran++;
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  });
});

afterAll(() => {
  if (ran < names.length) return;
  const missing = exitCodes
    .map(({ code }) => code)
    .filter((code) => !seen.has(code) && !ELSEWHERE.has(code));
  expect(missing, 'exit codes that no transcript shows').toEqual([]);
});
