import { createDecipheriv, createHash, createHmac, randomBytes, scryptSync } from 'node:crypto';
import { fc } from '../support/property.js';
import { decode } from 'cborg';
import { describe, expect, it } from 'vitest';
import {
  decodeKeyFile,
  encodeKeyFile,
  IDENTITY_LABEL,
  KEY_LABEL,
  type KeyFile,
  openKeyFile,
  sealKeyFile,
} from '#carriage/stores/key-file';
import { encodeCbor } from '#formats/cbor';
import { utf8 } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { decodePem } from '#formats/pem';
import { SecretBytes } from '#formats/secret-bytes';
import { fuzz } from '../support/mutations.js';
import { mutationCount } from '../support/require.js';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const RECORD = utf8('{"id":"00","type":"conclave/key-record"}\n');
const PASSPHRASE = 'correct horse battery staple';
const SECRET = Uint8Array.from({ length: 64 }, (_, i) => i);

const secretOf = (bytes: Uint8Array): SecretBytes => SecretBytes.copyOf(bytes, 'test');

function seal(changes: Partial<Parameters<typeof sealKeyFile>[0]> = {}): Uint8Array {
  return sealKeyFile({
    label: KEY_LABEL,
    record: RECORD,
    secret: secretOf(SECRET),
    passphrase: secretOf(utf8(PASSPHRASE)),
    mark: '',
    logN: 10,
    random,
    ...changes,
  });
}

function codeOf(work: () => unknown): [string, number] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConclaveError) return [error.code, error.exitCode];
    throw error;
  }
  return ['nothing', 0];
}

const open = (bytes: Uint8Array, passphrase = PASSPHRASE): Uint8Array =>
  openKeyFile(decodeKeyFile(bytes, 'k'), secretOf(utf8(passphrase)), 'k').use((raw) => raw.slice());

describe('key file', () => {
  it('gives back record and key', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.uint8Array({ minLength: 2, maxLength: 2000 }),
        fc.constantFrom(KEY_LABEL, IDENTITY_LABEL),
        (secret, record, label) => {
          const file = decodeKeyFile(seal({ secret: secretOf(secret), record, label }), 'k');
          expect(file.label).toBe(label);
          expect(Buffer.from(file.record).equals(record)).toBe(true);
          const opened = openKeyFile(file, secretOf(utf8(PASSPHRASE)), 'k');
          expect(opened.use((raw) => Buffer.from(raw).equals(secret))).toBe(true);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('is what its document says, read by other code', () => {
    const text = Buffer.from(seal({ mark: 'DEV KEY - NOT FOR PRODUCTION' })).toString();
    expect(text.split('\n')[0]).toBe('DEV KEY - NOT FOR PRODUCTION');
    const der = Buffer.from(
      text
        .split('\n')
        .filter((line) => /^[A-Za-z0-9+/=]+$/.test(line))
        .join(''),
      'base64',
    );
    const map = decode(der, { useMaps: true }) as Map<number, unknown>;
    expect([...map.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const [logN, r, p, salt] = map.get(3) as [number, number, number, Uint8Array];
    const stretched = scryptSync(PASSPHRASE, salt, 32, { N: 2 ** logN, r, p });
    // HKDF by hand (RFC 5869): extract with an empty salt, two blocks of expansion.
    const extracted = createHmac('sha256', Buffer.alloc(32)).update(stretched).digest();
    const info = Buffer.from('conclave/passphrase-box/v1');
    const first = createHmac('sha256', extracted)
      .update(info)
      .update(Buffer.from([1]))
      .digest();
    const second = createHmac('sha256', extracted)
      .update(first)
      .update(info)
      .update(Buffer.from([2]))
      .digest();
    expect(Buffer.from(map.get(5) as Uint8Array)).toEqual(second.subarray(0, 8));
    const sealed = Buffer.from(map.get(6) as Uint8Array);
    const cipher = createDecipheriv('aes-256-gcm', first, map.get(4) as Uint8Array);
    // The associated data is the file's own map, shortened to members 1 to 5: a5 for a7, and what comes before member 6.
    const clear = encodeCbor(new Map([...map].slice(0, 5)) as never);
    expect(der.subarray(1, clear.length)).toEqual(Buffer.from(clear.subarray(1)));
    cipher.setAAD(clear);
    cipher.setAuthTag(sealed.subarray(-16));
    const plain = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
    expect(plain).toEqual(Buffer.from(SECRET));
    const six = encodeCbor(new Map([...map].slice(0, 6)) as never);
    const sum = createHash('sha256').update(six).digest().subarray(0, 8);
    expect(Buffer.from(map.get(7) as Uint8Array)).toEqual(sum);
  });

  it('tells a wrong passphrase, an accident and a forgery apart', () => {
    const bytes = seal();
    expect(codeOf(() => open(bytes, 'wrong'))).toEqual(['E_PASSPHRASE_WRONG', 77]);
    const file = decodeKeyFile(bytes, 'k');
    const forged = (change: Partial<KeyFile>): Uint8Array => encodeKeyFile({ ...file, ...change });
    const record = utf8('{"id":"01","type":"conclave/key-record"}\n');
    expect(codeOf(() => open(forged({ record })))).toEqual(['E_NOT_AUTHENTIC', 1]);
    const sealed = file.box.sealed.slice();
    sealed[0] = (sealed[0] ?? 0) ^ 1;
    expect(codeOf(() => open(forged({ box: { ...file.box, sealed } })))).toEqual([
      'E_NOT_AUTHENTIC',
      1,
    ]);
    const nonce = random(12);
    expect(codeOf(() => open(forged({ box: { ...file.box, nonce } })))).toEqual([
      'E_NOT_AUTHENTIC',
      1,
    ]);
    const der = decodePem(bytes, 'k').bytes;
    const at = der.length - 30;
    der[at] = (der[at] ?? 0) ^ 1;
    const damaged = utf8(
      `-----BEGIN ${KEY_LABEL}-----\n${(
        Buffer.from(der)
          .toString('base64')
          .match(/.{1,64}/g) ?? []
      ).join('\n')}\n-----END ${KEY_LABEL}-----\n`,
    );
    expect(codeOf(() => decodeKeyFile(damaged, 'k'))).toEqual(['E_KEY_FILE_DAMAGED', 1]);
  });

  it('refuses costs that would take the machine away', () => {
    const file = decodeKeyFile(seal(), 'k');
    for (const kdf of [{ logN: 30 }, { logN: 9 }, { r: 9 }, { p: 5 }]) {
      const box = { ...file.box, kdf: { ...file.box.kdf, ...kdf } };
      expect(codeOf(() => open(encodeKeyFile({ ...file, box })))).toEqual(['E_KDF_REFUSED', 65]);
    }
  });

  it('refuses other labels, versions and members', () => {
    const relabelled = Buffer.from(seal()).toString().replaceAll(KEY_LABEL, 'PRIVATE KEY');
    expect(codeOf(() => decodeKeyFile(utf8(relabelled), 'k'))).toEqual([
      'E_KEY_FILE_MALFORMED',
      65,
    ]);
  });

  it('survives mutations', async () => {
    const tally = await fuzz(
      seal(),
      (bytes) => openKeyFile(decodeKeyFile(bytes, 'k'), secretOf(utf8(PASSPHRASE)), 'k'),
      { codes: [65, 1, 77] },
    );
    expect(tally['77'] ?? 0).toBe(0);
    expect((tally['65'] ?? 0) + (tally['1'] ?? 0)).toBeGreaterThan(0.9 * mutationCount);
  });
});
