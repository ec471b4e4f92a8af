import { aeskwp } from '@noble/ciphers/aes.js';
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { aesKwpUnwrap, aesKwpWrap, MAX_KWP_PAYLOAD, wrappedLength } from '#crypto/aes-kwp';
import { fromHex, toHex } from '#formats/bytes';

const withCode = (code: string): Error => expect.objectContaining({ code }) as Error;
const refused = expect.objectContaining({ code: 'E_NOT_AUTHENTIC', exitCode: 1 }) as Error;
const kek = fromHex('5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8');

describe('AES key wrap with padding', () => {
  it('gives the two examples of RFC 5649 §6', () => {
    const twenty = fromHex('c37b7e6492584340bed12207808941155068f738');
    const wrapped = '138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a';
    expect(toHex(aesKwpWrap(kek, twenty))).toBe(wrapped);
    expect(aesKwpUnwrap(kek, fromHex(wrapped), 'x')).toEqual(twenty);
    const seven = fromHex('466f7250617369');
    expect(toHex(aesKwpWrap(kek, seven))).toBe('afbeb0f07dfbf5419200f2ccb50bb24f');
    expect(aesKwpUnwrap(kek, fromHex('afbeb0f07dfbf5419200f2ccb50bb24f'), 'x')).toEqual(seven);
  });

  it('unwraps what it wrapped, agrees with a second implementation, and opens nothing that was changed', () => {
    const keys = fc
      .constantFrom(16, 24, 32)
      .chain((n) => fc.uint8Array({ minLength: n, maxLength: n }));
    const payloads = fc.uint8Array({ minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(
        keys,
        payloads,
        fc.nat(),
        fc.integer({ min: 0, max: 7 }),
        (key, payload, at, bit) => {
          const wrapped = aesKwpWrap(key, payload);
          expect(wrapped.length).toBe(wrappedLength(payload.length));
          expect(toHex(aeskwp(key).encrypt(payload))).toBe(toHex(wrapped));
          expect(toHex(aesKwpUnwrap(key, aeskwp(key).encrypt(payload), 'x'))).toBe(toHex(payload));
          const changed = new Uint8Array(wrapped);
          changed[at % changed.length] = (changed[at % changed.length] as number) ^ (1 << bit);
          expect(() => aesKwpUnwrap(key, changed, 'x')).toThrow(refused);
        },
      ),
    );
  });

  it('refuses an empty payload, which Node would wrap to nothing', () => {
    expect(() => aesKwpWrap(kek, new Uint8Array(0))).toThrow(withCode('E_WRAP_EMPTY'));
  });

  it('refuses payloads and inputs that are longer than any key', () => {
    const longest = new Uint8Array(MAX_KWP_PAYLOAD);
    expect(aesKwpUnwrap(kek, aesKwpWrap(kek, longest), 'x')).toEqual(longest);
    const tooLong = new Uint8Array(MAX_KWP_PAYLOAD + 1);
    expect(() => aesKwpWrap(kek, tooLong)).toThrow(withCode('E_WRAP_TOO_LONG'));
    const input = new Uint8Array(MAX_KWP_PAYLOAD + 16);
    expect(() => aesKwpUnwrap(kek, input, 'x')).toThrow(withCode('E_WRAP_TOO_LONG'));
  });

  it('says the same of every input that is no wrapped key, and names it', () => {
    for (const length of [0, 8, 15, 17, 23, 24]) {
      expect(() => aesKwpUnwrap(kek, new Uint8Array(length), 'box.bin')).toThrow(refused);
    }
    expect(() => aesKwpUnwrap(kek, new Uint8Array(16), 'box.bin')).toThrow(
      /^box\.bin: integrity check failed/,
    );
    expect(() => aesKwpUnwrap(new Uint8Array(24), aesKwpWrap(kek, kek), 'x')).toThrow(refused);
  });

  it('refuses keys of other lengths', () => {
    for (const length of [0, 15, 31, 33, 64]) {
      expect(() => aesKwpWrap(new Uint8Array(length), kek)).toThrow(withCode('E_LENGTH_WRONG'));
    }
  });
});
