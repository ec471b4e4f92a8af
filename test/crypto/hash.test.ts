import { fc } from '../support/property.js';
import { expand, extract, hkdf as nobleHkdf } from '@noble/hashes/hkdf.js';
import { hmac as nobleHmac } from '@noble/hashes/hmac.js';
import { pbkdf2 as noblePbkdf2 } from '@noble/hashes/pbkdf2.js';
import { scrypt as nobleScrypt } from '@noble/hashes/scrypt.js';
import * as sha2 from '@noble/hashes/sha2.js';
import { shake256 as nobleShake256 } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import * as hash from '#crypto/hash';
import { concat, toHex, utf8 } from '#formats/bytes';

const bytes = fc.uint8Array({ maxLength: 200 });
const names = ['sha256', 'sha384', 'sha512'] as const;

// noble is the peer here: our hashes are OpenSSL's.
describe('hashes', () => {
  it('agree with noble, over the parts one after another', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        for (const name of names) expect(hash[name](a, b)).toEqual(sha2[name](concat(a, b)));
        expect(hash.hmacSha256(a, b, a)).toEqual(nobleHmac(sha2.sha256, a, concat(b, a)));
      }),
    );
  });

  it('hash text as its UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        expect(hash.sha256OfText(text)).toBe(toHex(sha2.sha256(utf8(text))));
      }),
    );
  });

  it('squeeze any length', () => {
    fc.assert(
      fc.property(bytes, fc.nat(500), (a, length) => {
        expect(hash.shake256(length, a)).toEqual(nobleShake256(a, { dkLen: length }));
      }),
    );
  });

  it('return arrays of their own, not pieces of a shared pool', () => {
    for (const out of [hash.sha256(), hash.hmacSha256(utf8('k')), hash.shake256(8)])
      expect(out.buffer.byteLength).toBe(out.length);
  });
});

describe('HKDF', () => {
  it.each(names)('agrees with noble under %s', (name) => {
    fc.assert(
      fc.property(bytes, bytes, bytes, fc.nat(300), (ikm, salt, info, length) => {
        const theirs = nobleHkdf(sha2[name], ikm, salt, info, length);
        expect(hash.hkdf(name, ikm, salt, info, length)).toEqual(theirs);
        const prk = hash.hkdfExtract(name, salt, ikm);
        expect(prk).toEqual(extract(sha2[name], ikm, salt));
        expect(hash.hkdfExpand(name, prk, info, length)).toEqual(
          expand(sha2[name], prk, info, length),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('takes info beyond what node allows', () => {
    const info = new Uint8Array(5000).fill(1);
    const theirs = nobleHkdf(sha2.sha256, utf8('ikm'), utf8('salt'), info, 40);
    expect(hash.hkdfSha256(utf8('ikm'), utf8('salt'), info, 40)).toEqual(theirs);
  });

  it('refuses more than 255 blocks', () => {
    const empty = new Uint8Array(0);
    expect(hash.hkdfSha256(empty, empty, empty, 255 * 32).length).toBe(255 * 32);
    for (const length of [255 * 32 + 1, -1, 1.5]) {
      const refused = expect.objectContaining({ code: 'E_KDF_LENGTH' }) as Error;
      expect(() => hash.hkdfSha256(empty, empty, empty, length)).toThrow(refused);
      expect(() => hash.hkdfExpand('sha256', empty, empty, length)).toThrow(refused);
    }
  });
});

describe('password hashes', () => {
  it('give the examples of RFC 7914 §12', () => {
    const empty = hash.scrypt(new Uint8Array(0), new Uint8Array(0), { logN: 4, r: 1, p: 1 }, 64);
    expect(toHex(empty).slice(0, 32)).toBe('77d6576238657b203b19ca42c18a0497');
    const nacl = hash.scrypt(utf8('password'), utf8('NaCl'), { logN: 10, r: 8, p: 16 }, 64);
    expect(toHex(nacl).slice(0, 32)).toBe('fdbabe1c9d3472007856e7190d01e9fe');
    const pbkdf2 = hash.pbkdf2Sha256(utf8('passwd'), utf8('salt'), 1, 64);
    expect(toHex(pbkdf2).slice(0, 32)).toBe('55ac046e56e3089fec1691c22544b605');
  });

  it('agree with noble', () => {
    const salt = utf8('salt');
    const cost = { logN: 11, r: 8, p: 2 };
    expect(hash.scrypt(utf8('pass'), salt, cost, 40)).toEqual(
      nobleScrypt(utf8('pass'), salt, { N: 2048, r: 8, p: 2, dkLen: 40 }),
    );
    for (const name of names) {
      expect(hash.pbkdf2(name, utf8('pass'), salt, 100, 70)).toEqual(
        noblePbkdf2(sha2[name], utf8('pass'), salt, { c: 100, dkLen: 70 }),
      );
    }
  });

  it('give scrypt the memory that it needs', () => {
    expect(hash.scrypt(utf8('x'), utf8('y'), { logN: 17, r: 8, p: 1 }, 32).length).toBe(32);
  });
});
