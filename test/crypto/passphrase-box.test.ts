import { createDecipheriv, hkdfSync, scryptSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  normalisePassphrase,
  openWithPassphrase,
  type PassphraseBox,
  sealWithPassphrase,
} from '#crypto/passphrase-box';
import { toHex, utf8 } from '#formats/bytes';
import { SecretBytes } from '#formats/secret-bytes';
import { seededSource } from '../formats/mutate.js';

const secret = (text: string): SecretBytes =>
  SecretBytes.adopt(normalisePassphrase(text), 'passphrase');
const plaintext = utf8('the seed');
const aad = utf8('record');
const random = seededSource(1);
const seal = (): PassphraseBox =>
  sealWithPassphrase({ passphrase: secret('correct horse'), plaintext, aad, logN: 10, random });
const wrong = expect.objectContaining({ code: 'E_PASSPHRASE_WRONG', exitCode: 77 }) as Error;
const changed = expect.objectContaining({ code: 'E_NOT_AUTHENTIC', exitCode: 1 }) as Error;

function flip(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[0] = (copy[0] as number) ^ 1;
  return copy;
}

describe('a passphrase box', () => {
  it('opens with its passphrase', () => {
    expect(openWithPassphrase(seal(), secret('correct horse'), aad, 'x')).toEqual(plaintext);
  });

  it('is what its description says, by node:crypto alone', () => {
    const { kdf, nonce, check, sealed } = seal();
    const stretched = scryptSync('correct horse', kdf.salt, 32, { N: 1024, r: 8, p: 1 });
    const derived = Buffer.from(
      hkdfSync('sha256', stretched, '', 'conclave/passphrase-box/v1', 40),
    );
    expect(toHex(derived.subarray(32))).toBe(toHex(check));
    const gcm = createDecipheriv('aes-256-gcm', derived.subarray(0, 32), nonce);
    gcm.setAAD(aad).setAuthTag(sealed.subarray(-16));
    const opened = Buffer.concat([gcm.update(sealed.subarray(0, -16)), gcm.final()]);
    expect(opened.toString()).toBe('the seed');
  });

  it('tells a wrong passphrase from a changed box', () => {
    const box = seal();
    const right = secret('correct horse');
    expect(() => openWithPassphrase(box, secret('wrong horse'), aad, 'x')).toThrow(wrong);
    expect(() => openWithPassphrase({ ...box, check: flip(box.check) }, right, aad, 'x')).toThrow(
      wrong,
    );
    expect(() => openWithPassphrase({ ...box, sealed: flip(box.sealed) }, right, aad, 'x')).toThrow(
      changed,
    );
    expect(() => openWithPassphrase({ ...box, nonce: flip(box.nonce) }, right, aad, 'x')).toThrow(
      changed,
    );
    expect(() => openWithPassphrase(box, right, utf8('another'), 'x')).toThrow(changed);
    const salted = { ...box, kdf: { ...box.kdf, salt: flip(box.kdf.salt) } };
    expect(() => openWithPassphrase(salted, right, aad, 'x')).toThrow(wrong);
  });

  it('can cover its own head', () => {
    const cover = (head: Pick<PassphraseBox, 'kdf' | 'nonce' | 'check'>): Uint8Array =>
      utf8(`${head.kdf.logN} ${toHex(head.nonce)} ${toHex(head.check)}`);
    const passphrase = secret('p');
    const box = sealWithPassphrase({ passphrase, plaintext, aad: cover, logN: 10, random });
    expect(openWithPassphrase(box, secret('p'), cover, 'x')).toEqual(plaintext);
    expect(() => openWithPassphrase(box, secret('p'), () => utf8('other'), 'x')).toThrow(changed);
  });

  it.each([
    ['logN', { logN: 9 }],
    ['logN', { logN: 19 }],
    ['logN', { logN: 10.5 }],
    ['r', { r: 1 }],
    ['p', { p: 0 }],
    ['p', { p: 5 }],
  ])('with another %s than its limits is refused before any work: %j', (_, cost) => {
    const box = seal();
    const greedy = { ...box, kdf: { ...box.kdf, ...cost } };
    expect(() => openWithPassphrase(greedy, secret('correct horse'), aad, 'x')).toThrow(
      expect.objectContaining({ code: 'E_KDF_REFUSED', exitCode: 65 }) as Error,
    );
  });

  it('with parts of other lengths is malformed', () => {
    const box = seal();
    const right = secret('correct horse');
    for (const bad of [
      { ...box, nonce: box.nonce.subarray(1) },
      { ...box, check: box.check.subarray(1) },
      { ...box, sealed: box.sealed.subarray(0, 15) },
      { ...box, kdf: { ...box.kdf, salt: new Uint8Array(15) } },
    ]) {
      expect(() => openWithPassphrase(bad, right, aad, 'x')).toThrow(
        expect.objectContaining({ code: 'E_LENGTH_WRONG', exitCode: 65 }) as Error,
      );
    }
  });

  it('cannot be written so that it would not be read', () => {
    const passphrase = secret('p');
    expect(() => sealWithPassphrase({ passphrase, plaintext, aad, logN: 9, random })).toThrow(
      expect.objectContaining({ code: 'E_KDF_REFUSED' }) as Error,
    );
  });

  it('takes a passphrase as typed on any keyboard', () => {
    expect(toHex(normalisePassphrase('e\u0301'))).toBe(toHex(normalisePassphrase('\u00e9')));
    expect(toHex(normalisePassphrase('\ufb01'))).toBe(toHex(utf8('fi')));
    expect(toHex(normalisePassphrase(' a '))).toBe(toHex(utf8(' a ')));
  });

  it('is another each time', () => {
    expect(toHex(seal().sealed)).not.toBe(toHex(seal().sealed));
  });
});
