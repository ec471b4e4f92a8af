import { aeskw } from '@noble/ciphers/aes.js';
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { aesKwUnwrap, aesKwWrap } from '#crypto/aes-kw';
import { fromHex, toHex } from '#formats/bytes';

const refused = expect.objectContaining({ code: 'E_NOT_AUTHENTIC', exitCode: 1 }) as Error;
const wrongLength = expect.objectContaining({ code: 'E_LENGTH_WRONG', exitCode: 65 }) as Error;
const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
/** Both have 16, 24 or 32 bytes where they are keys; what is wrapped may have up to 512. */
const keks = fc.constantFrom(16, 24, 32).chain(bytes);
const payloads = fc.integer({ min: 2, max: 64 }).chain((blocks) => bytes(8 * blocks));

describe('AES key wrap', () => {
  it.each([
    // RFC 3394 §4.1 to §4.6: the key to wrap is the first so many bytes of one text.
    [16, 16, '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5'],
    [24, 16, '96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d'],
    [32, 16, '64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7'],
    [24, 24, '031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2'],
    [32, 24, 'a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1'],
    [32, 32, '28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21'],
  ])('gives the example of RFC 3394 §4 with a KEK of %i and a key of %i bytes', (kek, key, out) => {
    const wrapping = Uint8Array.from({ length: kek }, (_, i) => i);
    const text = '00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f';
    const secret = fromHex(text).slice(0, key);
    expect(toHex(aesKwWrap(wrapping, secret))).toBe(out);
    expect(aesKwUnwrap(wrapping, fromHex(out), 'x')).toEqual(secret);
  });

  it('unwraps what it wrapped, agrees with a second implementation, and opens nothing that was changed', () => {
    fc.assert(
      fc.property(keks, payloads, fc.nat(), (kek, payload, bit) => {
        const wrapped = aesKwWrap(kek, payload);
        expect(wrapped.length).toBe(payload.length + 8);
        expect(toHex(aeskw(kek).encrypt(payload))).toBe(toHex(wrapped));
        expect(aesKwUnwrap(kek, wrapped, 'x')).toEqual(payload);
        const at = (bit >> 3) % wrapped.length;
        wrapped[at] = (wrapped[at] as number) ^ (1 << (bit & 7));
        expect(() => aesKwUnwrap(kek, wrapped, 'x')).toThrow(refused);
        const other = kek.map((byte) => byte ^ 1);
        expect(() => aesKwUnwrap(other, aesKwWrap(kek, payload), 'x')).toThrow(refused);
      }),
      { numRuns: 200 },
    );
  });

  it('refuses lengths that it does not wrap, before anything is computed', () => {
    const kek = new Uint8Array(32);
    for (const length of [0, 8, 15, 17, 23, 511, 520, 1024]) {
      expect(() => aesKwWrap(kek, new Uint8Array(length)), `${length}`).toThrow(wrongLength);
      expect(() => aesKwUnwrap(kek, new Uint8Array(length + 8), 'x')).toThrow(wrongLength);
    }
    expect(() => aesKwUnwrap(kek, new Uint8Array(0), 'x')).toThrow(wrongLength);
    expect(aesKwUnwrap(kek, aesKwWrap(kek, new Uint8Array(512)), 'x').length).toBe(512);
    for (const length of [0, 8, 15, 20, 31, 33, 64]) {
      expect(() => aesKwWrap(new Uint8Array(length), kek), `${length}`).toThrow(wrongLength);
      expect(() => aesKwUnwrap(new Uint8Array(length), new Uint8Array(40), 'x')).toThrow(
        wrongLength,
      );
    }
  });
});
