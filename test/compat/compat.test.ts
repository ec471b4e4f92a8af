/** Whatever any landed version wrote must be read for ever: every sample, through the command line. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../cli/runners.js';

describe('samples of v1', () => {
  const run = inProcess('compat');
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
    cpSync(fileURLToPath(new URL('v1', import.meta.url)), folder, { recursive: true });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['sealed.key', 'key-file'],
    ['plain.key', 'key-file'],
    ['plain.record.json', 'key-record'],
    ['x-wing.key', 'key-file'],
    ['aes.key', 'key-file'],
    ['ratify.key', 'key-file'],
    ['ratify.json', 'public-key'],
    ['sealed.pub', 'public-key'],
    ['x-wing.pub', 'public-key'],
    ['ada.key.pub', 'identity'],
    ['message.dsse.json', 'signed-file'],
    ['shares-passphrase/set.json', 'share-set'],
    ['shares-passphrase/share-1.cbor', 'share'],
    ['shares-identity/share-2.cbor', 'share'],
    ['shares-unsealed/share-3.cbor', 'share'],
    ['shares-groups/share-2-1.cbor', 'share'],
    ['shares-slip39/share-1.txt', 'share'],
    ['quickstart/transcript.json', 'transcript'],
    ['quickstart/definition.yaml', 'definition'],
  ])('%s is shown as %s', async (path, kind) => {
    const { code, out, err } = await conclave(`show ${path} --json`);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toContain(`"${kind}"`);
  });

  it.each([
    'verify --key sealed.pub --in message.txt --signature message.sig --context compat',
    'verify --key sealed.pub --in message.txt --signature message.dsse.json',
    'verify message.dsse.json --signer sealed.pub',
    'verify shares-passphrase/set.json --signer ada.key.pub',
    'verify shares-unsealed/set.json shares-groups/set.json shares-slip39/set.json',
    'verify quickstart --allow-unpinned',
    'share check shares-passphrase/share-1.cbor shares-passphrase/share-2.cbor --passphrase-file passphrase.txt',
  ])('%s', async (line) => {
    const { code, err } = await conclave(line);
    expect(err).toBe('');
    expect(code).toBe(0);
  });

  it('the keys still sign', async () => {
    for (const key of ['sealed', 'plain']) {
      const sign = `sign --key ./${key}.key --in message.txt --out ${key}.new`;
      const secret = key === 'sealed' ? ' --passphrase-file passphrase.txt' : '';
      expect((await conclave(sign + secret)).code).toBe(0);
      const verify = `verify --key ${key}.pub --in message.txt --signature ${key}.new`;
      expect((await conclave(verify)).code).toBe(0);
    }
  });

  it.each([
    ['shares-unsealed', 'cbor', '1', '3', ''],
    ['shares-groups', 'cbor', '', '', ''],
    ['shares-identity', 'cbor', '1', '2', ' --identity ./ada.key --identity-passphrase-file passphrase.txt'],
  ])('%s give the file back', async (set, extension, a, b, opener) => {
    const names = a === '' ? ['1-1', '1-3', '3-1', '3-2'] : [a, b];
    const files = names.map((name) => `${set}/share-${name}.${extension}`).join(' ');
    const out = `${set}.back`;
    const { code, err } = await conclave(`share combine ${files} --out ${out}${opener}`);
    expect([code, err]).toEqual([0, expect.any(String)]);
    expect(readFileSync(join(folder, out))).toEqual(readFileSync(join(folder, 'message.txt')));
  });

  it.each([
    ['shares-passphrase', 'cbor', 'sealed.pub', ' --passphrase-file passphrase.txt'],
    ['shares-slip39', 'txt', 'plain.pub', ' --no-passphrase'],
  ])('%s give the key back', async (set, extension, publicKey, secret) => {
    const files = `${set}/share-2.${extension} ${set}/share-3.${extension}`;
    const combine = `share combine ${files} --set ${set}/set.json --out ${set}.key${secret}`;
    expect((await conclave(combine)).code).toBe(0);
    expect(
      (await conclave(`key public ./${set}.key --format spki-pem --out ${set}.pub`)).code,
    ).toBe(0);
    expect(readFileSync(join(folder, `${set}.pub`))).toEqual(
      readFileSync(join(folder, publicKey)),
    );
  });

  it('are refused once a byte is another', async () => {
    const bytes = readFileSync(join(folder, 'message.dsse.json'));
    const text = bytes.toString().replace('"payload":"Y', '"payload":"Z');
    writeFileSync(join(folder, 'forged.json'), text);
    expect((await conclave('verify forged.json --signer sealed.pub')).code).toBe(1);
    expect((await conclave('verify message.dsse.json --signer plain.pub')).code).toBe(1);
    expect((await conclave('verify message.dsse.json')).code).toBe(1);
  });
});
