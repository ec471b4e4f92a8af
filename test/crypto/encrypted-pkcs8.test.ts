/** EncryptedPrivateKeyInfo: both ways with openssl, and what its reader refuses. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrivateKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { der, derOctetString, derOid, derSequence, TAG } from '#crypto/der';
import { decryptPkcs8, encryptPkcs8, parseEncryptedPkcs8 } from '#crypto/encodings/encrypted-pkcs8';
import { derCount } from '#crypto/encodings/der-integer';
import { encodePkcs8 } from '#crypto/encodings/pkcs8';
import { resolve } from '#crypto/registry';
import { utf8 } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { fuzz, seededSource } from '../formats/mutate.js';
import { hasProgram, mutationCount, needs } from '../support/require.js';

const random = seededSource(61);
const passphrase = SecretBytes.adopt(utf8('correct horse'), 'passphrase');
const wrong = SecretBytes.adopt(utf8('wrong horse'), 'passphrase');
const pkcs8 = encodePkcs8(await resolve('ed25519'), random(32));

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ConclaveError) return `${error.code} ${error.exitCode}`;
    throw error;
  }
  return 'nothing';
}

describe('encrypted PKCS#8', () => {
  it('opens again, and not under another passphrase', () => {
    const file = parseEncryptedPkcs8(encryptPkcs8(pkcs8, passphrase, random, 1000), 'f');
    expect(file).toMatchObject({
      cipher: 'aes-256-cbc',
      kdf: { kdf: 'pbkdf2', prf: 'sha256', iterations: 1000 },
    });
    expect(decryptPkcs8(file, passphrase, 'f')).toEqual(pkcs8);
    expect(codeOf(() => decryptPkcs8(file, wrong, 'f'))).toBe('E_PASSPHRASE_WRONG 77');
    const changed = { ...file, encrypted: file.encrypted.map((b, i) => (i === 20 ? b ^ 1 : b)) };
    expect(codeOf(() => decryptPkcs8(changed, passphrase, 'f'))).toBe('nothing');
    const cut = { ...file, encrypted: file.encrypted.slice(0, -16) };
    expect(codeOf(() => decryptPkcs8(cut, passphrase, 'f'))).toBe('E_PASSPHRASE_WRONG 77');
  });

  it('of a wrong passphrase is told, hundreds of times over', () => {
    const file = parseEncryptedPkcs8(encryptPkcs8(pkcs8, passphrase, random, 1), 'f');
    for (let i = 0; i < 600; i++) {
      using other = SecretBytes.adopt(random(8), 'passphrase');
      expect(codeOf(() => decryptPkcs8(file, other, 'f'))).toBe('E_PASSPHRASE_WRONG 77');
    }
  });

  it('is read by node:crypto', () => {
    const key = createPrivateKey({
      key: Buffer.from(encryptPkcs8(pkcs8, passphrase, random, 1000)),
      format: 'der',
      type: 'pkcs8',
      passphrase: 'correct horse',
    });
    expect(new Uint8Array(key.export({ format: 'der', type: 'pkcs8' }))).toEqual(pkcs8);
  });

  it('is refused with a cost or a method beyond the limits', () => {
    const salt = derOctetString(random(8));
    const scheme = derSequence(derOid('2.16.840.1.101.3.4.1.42'), derOctetString(random(16)));
    const file = (kdf: Uint8Array, cipher = scheme): Uint8Array =>
      derSequence(
        derSequence(derOid('1.2.840.113549.1.5.13'), derSequence(kdf, cipher)),
        derOctetString(random(64)),
      );
    const pbkdf2 = (...rest: Uint8Array[]): Uint8Array =>
      derSequence(derOid('1.2.840.113549.1.5.12'), derSequence(salt, ...rest));
    const scrypt = (n: number, r: number, p: number): Uint8Array =>
      derSequence(
        derOid('1.3.6.1.4.1.11591.4.11'),
        derSequence(salt, derCount(n), derCount(r), derCount(p)),
      );
    const read = (bytes: Uint8Array): string => codeOf(() => parseEncryptedPkcs8(bytes, 'f'));
    expect(read(file(pbkdf2(derCount(2048))))).toBe('nothing');
    expect(read(file(pbkdf2(derCount(2048), derCount(32))))).toBe('nothing');
    expect(read(file(pbkdf2(derCount(2048), derCount(16))))).toBe('E_DER_MALFORMED 65');
    for (const iterations of [0, 10_000_001, 2 ** 50]) {
      expect(read(file(pbkdf2(derCount(iterations))))).toBe('E_KDF_REFUSED 65');
    }
    expect(read(file(scrypt(16384, 8, 1)))).toBe('nothing');
    for (const [n, r, p] of [
      [16384, 8, 5],
      [2 ** 20, 8, 1],
      [16385, 8, 1],
      [16384, 33, 1],
      [1, 8, 1],
      [2 ** 16, 1, 1],
    ] as const) {
      expect(read(file(scrypt(n, r, p)))).toBe('E_KDF_REFUSED 65');
    }
    const md5 = derSequence(derOid('1.2.840.113549.2.6'), der(TAG.null));
    expect(read(file(pbkdf2(derCount(1), md5)))).toBe('E_ENCRYPTION_UNSUPPORTED 65');
    const des = derSequence(derOid('1.2.840.113549.3.7'), derOctetString(random(8)));
    expect(read(file(pbkdf2(derCount(1)), des))).toBe('E_ENCRYPTION_UNSUPPORTED 65');
  });

  it('survives mutations', async () => {
    const valid = encryptPkcs8(pkcs8, passphrase, random, 1);
    const { refused } = await fuzz([valid], (bytes) => parseEncryptedPkcs8(bytes, 'f'));
    expect(refused).toBeGreaterThan(0.4 * mutationCount);
  });
});

describe.skipIf(!needs('openssl', hasProgram('openssl'), 'the program is not installed'))(
  'openssl',
  () => {
    let folder: string;
    const path = (name: string): string => join(folder, name);
    const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { cwd: folder });
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'conclave-encrypted-'));
      writeFileSync(path('plain.der'), pkcs8);
    });
    afterAll(() => {
      rmSync(folder, { recursive: true });
    });

    it('decrypts what we encrypt', () => {
      writeFileSync(path('ours.der'), encryptPkcs8(pkcs8, passphrase, random));
      const args = ['-in', 'ours.der', '-inform', 'DER', '-passin', 'pass:correct horse'];
      expect(new Uint8Array(openssl('pkcs8', ...args, '-outform', 'DER'))).toEqual(pkcs8);
    });

    it.each([
      ['aes-256-cbc', ['-v2', 'aes-256-cbc']],
      ['aes-192-cbc', ['-v2', 'aes-192-cbc']],
      ['aes-128-cbc', ['-v2', 'aes-128-cbc']],
      ['sha1', ['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA1']],
      ['sha512', ['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA512', '-iter', '5000']],
      ['scrypt', ['-scrypt']],
    ])('encrypts what we decrypt: %s', (_, how) => {
      const args = ['-topk8', '-in', 'plain.der', '-inform', 'DER', '-outform', 'DER'];
      openssl('pkcs8', ...args, ...how, '-out', 'theirs.der', '-passout', 'pass:correct horse');
      const theirs = parseEncryptedPkcs8(readFileSync(path('theirs.der')), 'theirs.der');
      expect(decryptPkcs8(theirs, passphrase, 'theirs.der')).toEqual(pkcs8);
    });
  },
);
