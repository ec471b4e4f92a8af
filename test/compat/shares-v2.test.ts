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
    ['shares-feldman/set.json', 'share-set', 0],
    ['shares-pedersen/share-2.cbor', 'share', 0],
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

  it.each([
    ['feldman', 'bda8a0040cec48e3892396d99fa3d5c6c1233e8d8580b71c7fa2221b81065805'],
    ['pedersen', 'f3de6eaee4287c4d684b37c075be50f2b7cc7f5623d40b597ddfe1f4741acc0b'],
  ])('shares of a scalar by %s give the key back', async (scheme, id) => {
    const shares = [1, 3].map((n) => `shares-${scheme}/share-${n}.cbor`).join(' ');
    const { code, out } = await conclave(
      `share combine ${shares} --passphrase-file words.txt --no-passphrase --out ${scheme}.key --json`,
    );
    expect(code).toBe(0);
    expect(out).toContain(`"keyId":"${id}"`);
  });

  it('cards as they were printed give the file back: two as text, and one as it was scanned', async () => {
    const cards = fileURLToPath(new URL('v2/share-card', import.meta.url));
    cpSync(cards, join(folder, 'cards'), { recursive: true });
    const scan = 'qr scan --image cards/card-3.png --out cards/share-3.cbor';
    expect((await conclave(scan)).code).toBe(0);
    const words = '--passphrase-file cards/passphrase.txt';
    const check = await conclave(`share check cards/card-1.txt ${words} --json`);
    expect(check.code).toBe(0);
    expect((await conclave('show cards/card-2.txt')).out).toContain('any 2 of 3');
    const combine = `share combine cards/card-2.txt cards/share-3.cbor ${words} --out cards/back`;
    expect((await conclave(combine)).code).toBe(0);
    expect(readFileSync(join(folder, 'cards/back'))).toEqual(
      readFileSync(join(folder, 'cards/message.txt')),
    );
  });
});
