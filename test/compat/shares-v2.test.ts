/** Share files and set descriptions of version 2, as the first program that wrote them left them. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../cli/runners.js';

describe('shares of version 2', () => {
  const run = inProcess('compat');
  let folder: string;

  const conclave = async (line: string): Promise<{ code: number; out: string }> => {
    const given = { cwd: folder, stdin: new Uint8Array(0), env: {} };
    const { code, stdout } = await run(line.split(' '), given);
    return { code, out: stdout.toString() };
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'conclave-compat-'));
    cpSync(fileURLToPath(new URL('v2/shares', import.meta.url)), folder, { recursive: true });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['shares-refreshed/set.json', 'share-set', 1],
    ['shares-refreshed/share-1.cbor', 'share', 1],
    ['shares-reshared/set.json', 'share-set', 1],
    ['shares-reshared/share-2-1.cbor', 'share', 1],
    ['shares-repaired/set.json', 'share-set', 1],
    ['shares-repaired/share-1-3.cbor', 'share', 1],
  ])('%s is shown as %s', async (path, kind, epoch) => {
    const { code, out } = await conclave(`show ${path} --json`);
    expect(code).toBe(0);
    expect(out).toContain(`"${kind}"`);
    expect(out).toContain(`"epoch":${epoch}`);
    expect((await conclave(`verify ${path}`)).code).toBe(0);
  });

  it.each([
    ['shares-refreshed/share-1.cbor shares-refreshed/share-3.cbor --passphrase-file passphrase.txt'],
    ['shares-reshared/share-1-1.cbor shares-reshared/share-1-2.cbor shares-reshared/share-2-2.cbor'],
    [
      'shares-repaired/share-1-3.cbor shares-reshared/share-1-2.cbor shares-reshared/share-2-2.cbor --set shares-repaired/set.json',
    ],
  ])('%s give the file back', async (files) => {
    expect((await conclave(`share combine ${files} --out back --force`)).code).toBe(0);
    expect(readFileSync(join(folder, 'back'))).toEqual(readFileSync(join(folder, 'message.txt')));
  });
});
