import { createPrivateKey, generateKeyPairSync, privateDecrypt, publicEncrypt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type OaepHash,
  oaepLimit,
  readRsaPublicKey,
  rsaOaepOpen,
  rsaOaepSeal,
  spkiOfRsaJwk,
} from '#crypto/rsa-oaep';
import { concat } from '#formats/bytes';

const der = { format: 'der' } as const;
const pairOf = (bits: number, publicExponent = 65537): { spki: Uint8Array; pkcs8: Uint8Array } => {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: bits,
    publicExponent,
    publicKeyEncoding: { type: 'spki', ...der },
    privateKeyEncoding: { type: 'pkcs8', ...der },
  });
  return { spki: new Uint8Array(pair.publicKey), pkcs8: new Uint8Array(pair.privateKey) };
};
const pair = pairOf(2048);
const key = readRsaPublicKey(pair.spki, 'key');
const hashes: readonly OaepHash[] = ['sha1', 'sha224', 'sha256', 'sha384', 'sha512'];
const withCode = (code: string): Error => expect.objectContaining({ code }) as Error;
const refused = expect.objectContaining({ code: 'E_NOT_AUTHENTIC', exitCode: 1 }) as Error;

describe.each(hashes)('RSA-OAEP with %s', (hash) => {
  const payload = new Uint8Array(32).fill(7);

  it('opens what it sealed, at every length that fits', () => {
    for (const length of [1, 32, oaepLimit(key, hash)]) {
      const sealed = rsaOaepSeal(key, hash, new Uint8Array(length).fill(9));
      expect(sealed.length).toBe(256);
      expect(rsaOaepOpen(pair.pkcs8, hash, sealed, { what: 'x' })).toEqual(
        new Uint8Array(length).fill(9),
      );
    }
  });

  it('opens nothing with another hash, and nothing that was changed', () => {
    const sealed = rsaOaepSeal(key, hash, payload);
    for (const other of hashes.filter((each) => each !== hash)) {
      expect(() => rsaOaepOpen(pair.pkcs8, other, sealed, { what: 'x' })).toThrow(refused);
    }
    const changed = new Uint8Array(sealed);
    changed[100] = (changed[100] as number) ^ 1;
    expect(() => rsaOaepOpen(pair.pkcs8, hash, changed, { what: 'x' })).toThrow(refused);
    for (const length of [0, 255, 257]) {
      const cut = new Uint8Array(length);
      expect(() => rsaOaepOpen(pair.pkcs8, hash, cut, { what: 'x' })).toThrow(refused);
    }
  });

  it('takes a label when opening, and then that label only', () => {
    const oaepLabel = Buffer.from('label');
    const publicKey = { key: key.key, oaepHash: hash, oaepLabel };
    const sealed = publicEncrypt(publicKey, payload);
    expect(rsaOaepOpen(pair.pkcs8, hash, sealed, { what: 'x', label: oaepLabel })).toEqual(payload);
    expect(() => rsaOaepOpen(pair.pkcs8, hash, sealed, { what: 'x' })).toThrow(refused);
  });
});

describe('RSA-OAEP', () => {
  it('has the limits that the standard gives', () => {
    const sizes = [2048, 3072, 4096].map((bits) => oaepLimit({ bytes: bits / 8 }, 'sha256'));
    expect(sizes).toEqual([190, 318, 446]);
    expect(() => rsaOaepSeal(key, 'sha256', new Uint8Array(191))).toThrow(
      withCode('E_WRAP_TOO_LONG'),
    );
    expect(() => rsaOaepSeal(key, 'sha256', new Uint8Array(0))).toThrow(withCode('E_WRAP_EMPTY'));
  });

  it('uses the same hash for MGF1', () => {
    const sealed = rsaOaepSeal(key, 'sha384', new Uint8Array(4));
    const privateKey = createPrivateKey({ key: Buffer.from(pair.pkcs8), type: 'pkcs8', ...der });
    expect(privateDecrypt({ key: privateKey, oaepHash: 'sha384' }, sealed)).toHaveLength(4);
  });

  it('refuses keys that no provider hands out', () => {
    const read = (spki: Uint8Array) => (): unknown => readRsaPublicKey(spki, 'key.pem');
    expect(read(pairOf(1024).spki)).toThrow(withCode('E_RSA_KEY_WEAK'));
    expect(read(pairOf(2048, 3).spki)).toThrow(withCode('E_RSA_KEY_WEAK'));
    expect(read(concat(pair.spki, Uint8Array.of(0)))).toThrow(withCode('E_RSA_KEY_MALFORMED'));
    expect(read(pair.spki.subarray(1))).toThrow(withCode('E_RSA_KEY_MALFORMED'));
    expect(read(new Uint8Array(10_000))).toThrow(withCode('E_RSA_KEY_MALFORMED'));
    const ec = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', ...der },
      privateKeyEncoding: { type: 'pkcs8', ...der },
    });
    expect(read(new Uint8Array(ec.publicKey))).toThrow(/^key\.pem is no RSA key that can wrap/);
    const pss = generateKeyPairSync('rsa-pss', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', ...der },
      privateKeyEncoding: { type: 'pkcs8', ...der },
    });
    expect(read(new Uint8Array(pss.publicKey))).toThrow(withCode('E_RSA_KEY_MALFORMED'));
  });

  it('refuses private keys that are none', () => {
    const open = (pkcs8: Uint8Array) => (): unknown =>
      rsaOaepOpen(pkcs8, 'sha256', new Uint8Array(256), { what: 'x' });
    expect(open(pair.spki)).toThrow(withCode('E_RSA_KEY_MALFORMED'));
    expect(open(new Uint8Array(0))).toThrow(withCode('E_RSA_KEY_MALFORMED'));
  });

  it('reads modulus and exponent of a JWK', () => {
    const { n = '', e = '' } = key.key.export({ format: 'jwk' });
    expect(spkiOfRsaJwk(n, e, 'kek.json')).toEqual(key.spki);
    expect(() => spkiOfRsaJwk('', e, 'kek.json')).toThrow(/^kek\.json/);
    expect(() => spkiOfRsaJwk(n, '', 'kek.json')).toThrow(/^kek\.json/);
  });
});
