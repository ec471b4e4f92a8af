import { describe, expect, it } from 'vitest';
import { openUnderRsa, sealUnderRsa } from '#carriage/wrapping/rsa-aes';
import { readRsaPublicKey, rsaOaepSeal } from '#crypto/rsa-oaep';
import { aesKwpWrap } from '#crypto/aes-kwp';
import { concat } from '#formats/bytes';
import { decodePem } from '#formats/pem';
import { seededSource } from '../formats/mutate.js';
import { farKey } from './far-keys.js';

const far = farKey(2048);
const key = readRsaPublicKey(far.spki, 'far');
const pkcs8 = decodePem(Buffer.from(far.privatePem), 'far.pem').bytes;
const profile = { steps: 'two-step', hash: 'sha256' } as const;
const refused = expect.objectContaining({ code: 'E_NOT_AUTHENTIC', exitCode: 1 }) as Error;

describe('the core of the import formats', () => {
  const payload = new Uint8Array(1800).fill(3);

  it('opens what it sealed; the length is that of both halves', () => {
    const blob = sealUnderRsa(profile, key, payload, seededSource(1));
    expect(blob.length).toBe(256 + 1808);
    expect(openUnderRsa(profile, pkcs8, 256, blob, 'x')).toEqual(payload);
  });

  it('wraps every payload under a key of its own', () => {
    const random = seededSource(2);
    const [a, b] = [1, 2].map(() => sealUnderRsa(profile, key, payload, random).subarray(256));
    expect(a).not.toEqual(b);
  });

  it('opens nothing that was cut, changed, or put together from two', () => {
    const random = seededSource(3);
    const blob = sealUnderRsa(profile, key, payload, random);
    const other = sealUnderRsa(profile, key, payload, random);
    const mixed = concat(blob.subarray(0, 256), other.subarray(256));
    const changed = blob.map((byte, i) => (i === 300 ? byte ^ 1 : byte));
    const bad = [mixed, changed, blob.subarray(0, 256), blob.subarray(0, -8), new Uint8Array(0)];
    for (const each of bad) {
      expect(() => openUnderRsa(profile, pkcs8, 256, each, 'x')).toThrow(refused);
    }
    expect(() => openUnderRsa({ ...profile, hash: 'sha1' }, pkcs8, 256, blob, 'x')).toThrow(
      refused,
    );
  });

  it('opens no blob whose inner key is no AES-256 key', () => {
    const short = new Uint8Array(16).fill(1);
    const blob = concat(rsaOaepSeal(key, 'sha256', short), aesKwpWrap(short, payload));
    expect(() => openUnderRsa(profile, pkcs8, 256, blob, 'x')).toThrow(refused);
  });

  it('seals directly only what fits', () => {
    const direct = { steps: 'direct', hash: 'sha256' } as const;
    const blob = sealUnderRsa(direct, key, payload.subarray(0, 32), seededSource(4));
    expect(openUnderRsa(direct, pkcs8, 256, blob, 'x')).toEqual(payload.subarray(0, 32));
    expect(() => sealUnderRsa(direct, key, payload, seededSource(4))).toThrow(
      /takes 190 bytes, and the key has 1800/,
    );
  });
});
