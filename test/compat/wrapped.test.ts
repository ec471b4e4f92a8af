/** What any landed version wrapped must open for ever. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../cli/runners.js';

describe('samples of v2: wrapped', () => {
  const run = inProcess('compat-wrapped');
  let folder: string;

  const conclave = async (line: string): Promise<{ code: number; out: string; err: string }> => {
    const { code, stdout, stderr } = await run(line.split(' '), {
      cwd: folder,
      stdin: new Uint8Array(0),
      env: {},
    });
    return { code, out: stdout.toString(), err: stderr.toString() };
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'conclave-compat-'));
    cpSync(fileURLToPath(new URL('v2/wrapped', import.meta.url)), folder, { recursive: true });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['key.wrapped', 'container'],
    ['file.wrapped', 'container'],
    ['again.wrapped', 'container'],
    ['file.age', 'age-file'],
    ['key.cms', 'cms-message'],
    ['key.envelope', 'envelope'],
  ])('%s is shown as %s, and verifies as far as it can', async (path, kind) => {
    const shown = await conclave(`show ${path} --json`);
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toContain(`"${kind}"`);
    const verified = await conclave(`verify ${path}`);
    expect(verified).toMatchObject({ code: 0, err: '' });
    expect(verified.out).toContain('only a key it is sealed to can tell');
  });

  it.each([
    ['file.wrapped', 'x-wing.key'],
    ['file.wrapped', 'ml-kem.key'],
    ['again.wrapped', 'x-wing.key'],
    ['file.age', 'x-wing.key'],
  ])('%s opens with %s', async (path, key) => {
    const out = `${path}.${key}.out`;
    expect((await conclave(`unwrap --in ${path} --key ./${key} --out ${out}`)).code).toBe(0);
    const content = readFileSync(join(folder, 'content.txt'), 'utf8');
    expect(readFileSync(join(folder, out), 'utf8')).toBe(content);
  });

  it.each([
    ['key.wrapped', 'x-wing.key'],
    ['key.cms', 'ml-kem.key'],
    ['key.envelope', 'x-wing.key'],
  ])('%s gives its key back with %s', async (path, key) => {
    const line = `unwrap --in ${path} --key ./${key} --out ${path}.key --no-passphrase --json`;
    const { code, out } = await conclave(line);
    expect(code).toBe(0);
    const { keyId, environment } = JSON.parse(out) as { keyId: string; environment: string };
    const record = JSON.parse(readFileSync(join(folder, 'ed25519.record.json'), 'utf8')) as {
      id: string;
    };
    expect({ keyId, environment }).toEqual({ keyId: record.id, environment: 'dev' });
  });
});
