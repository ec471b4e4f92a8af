import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { aesGcmOpen, aesGcmSeal, chaChaPolyOpen, chaChaPolySeal } from '#crypto/aead';
import { fromHex, toHex, utf8 } from '#formats/bytes';

const ciphers = [
  ['AES-256-GCM', 32, aesGcmSeal, aesGcmOpen],
  ['AES-128-GCM', 16, aesGcmSeal, aesGcmOpen],
  ['ChaCha20-Poly1305', 32, chaChaPolySeal, chaChaPolyOpen],
] as const;

describe.each(ciphers)('%s', (_, keyLength, seal, open) => {
  const key = new Uint8Array(keyLength).fill(1);
  const nonce = new Uint8Array(12).fill(2);
  const notAuthentic = expect.objectContaining({ code: 'E_NOT_AUTHENTIC', exitCode: 1 }) as Error;

  it('opens what it sealed, and only that', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), fc.nat(), (plaintext, aad, at) => {
        const sealed = seal(key, nonce, plaintext, aad);
        expect(sealed.length).toBe(plaintext.length + 16);
        expect(open(key, nonce, sealed, aad, 'x')).toEqual(plaintext);
        const changed = new Uint8Array(sealed);
        changed[at % changed.length] = (changed[at % changed.length] as number) ^ 1;
        expect(() => open(key, nonce, changed, aad, 'x')).toThrow(notAuthentic);
        expect(() => open(key, nonce, sealed, Uint8Array.of(...aad, 0), 'x')).toThrow(notAuthentic);
        expect(() => open(key, nonce, sealed.subarray(1), aad, 'x')).toThrow(notAuthentic);
      }),
    );
  });

  it('refuses other keys, short input, and names the input', () => {
    const sealed = seal(key, nonce, utf8('secret'), utf8('aad'));
    const other = new Uint8Array(keyLength);
    expect(() => open(other, nonce, sealed, utf8('aad'), 'box.bin')).toThrow(/^box\.bin does not/);
    expect(() => open(key, nonce, new Uint8Array(15), utf8('aad'), 'x')).toThrow(notAuthentic);
  });

  it('refuses keys and nonces of other lengths', () => {
    const wrongLength = expect.objectContaining({ code: 'E_LENGTH_WRONG' }) as Error;
    const none = new Uint8Array(0);
    for (const length of [0, 11, 13, 16])
      expect(() => seal(key, new Uint8Array(length), none, none)).toThrow(wrongLength);
    for (const length of [0, 15, 23, 33])
      expect(() => seal(new Uint8Array(length), nonce, none, none)).toThrow(wrongLength);
    expect(() => open(key, none, new Uint8Array(16), none, 'x')).toThrow(wrongLength);
  });

  it('returns plaintext of its own', () => {
    const opened = open(key, nonce, seal(key, nonce, utf8('secret'), key), key, 'x');
    expect(opened.buffer.byteLength).toBe(6);
  });
});

it('AES-256-GCM gives test case 16 of the GCM specification', () => {
  const key = fromHex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308');
  const plaintext = fromHex(
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  );
  const aad = fromHex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
  const sealed = aesGcmSeal(key, fromHex('cafebabefacedbaddecaf888'), plaintext, aad);
  expect(toHex(sealed.subarray(-16))).toBe('76fc6ece0f4e1768cddf8853bb2d551b');
});

it('ChaCha20-Poly1305 gives the example of RFC 8439 §2.8.2', () => {
  const key = Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i);
  const text = utf8(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  );
  const nonce = fromHex('070000004041424344454647');
  const sealed = chaChaPolySeal(key, nonce, text, fromHex('50515253c0c1c2c3c4c5c6c7'));
  expect(toHex(sealed.subarray(-16))).toBe('1ae10b594f09e26a7e902ecbd0600691');
});
