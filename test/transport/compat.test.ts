/** Codes of every landed version are read for ever: pictures and text as they were made, through the command line. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { inProcess } from '../cli/runners.js';

const samples = fileURLToPath(new URL('../compat/v2/qr', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'conclave-qr-compat-'));
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

describe('samples of v2', () => {
  const run = inProcess('qr-compat');
  const conclave = async (...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(argv, {
      cwd: work,
      stdin: new Uint8Array(),
      env: {},
    });
    expect(stderr.toString()).toBe('');
    expect(code).toBe(0);
    return stdout.toString();
  };

  it.each([
    ['--image', 'note.png', 'note.txt'],
    ['--text', 'note.ur.txt', 'note.txt'],
    ['--text', 'parts.ur.txt', 'ten-lines.txt'],
  ])('%s %s gives %s', async (option, sample, file) => {
    const out = join(work, `${sample}.out`);
    await conclave('qr', 'scan', option, join(samples, sample), '--out', out);
    expect(readFileSync(out)).toEqual(readFileSync(join(samples, file)));
  });

  it('a digest names its file', async () => {
    const argv = ['--image', join(samples, 'digest.png'), '--check', join(samples, 'note.txt')];
    expect(await conclave('qr', 'scan', ...argv)).toContain(
      'the file is the one that the code names',
    );
  });
});
