/** Drawn passphrases are uniform and state their entropy; chosen ones are estimated low where they look like people. */
import { describe, expect, it } from 'vitest';
import { fc } from '../support/property.js';
import { fromUtf8 } from '#formats/bytes';
import {
  DEFAULT_WORDS,
  drawPassphrase,
  estimatePassphrase,
  FLOOR_BITS,
} from '#protocols/sharing/passphrase';
import { SLIP39_WORDS } from '#protocols/sharing/slip39-words';
import { randomFrom } from '../custody/people.js';

/** The same stream in every run: once in some thousand an unlucky draw reads like language, and is rightly called weak. */
const random = randomFrom('passphrases');

function draw(words?: number): { text: string; bits: number } {
  const { passphrase, bits } = drawPassphrase(random, words);
  const text = passphrase.use((bytes) => fromUtf8(bytes, 'passphrase'));
  passphrase.dispose();
  return { text, bits };
}

describe('drawn words', () => {
  it('are of the list, as many as asked for, and state what they are worth', () => {
    for (const words of [6, 8, 12, 16]) {
      const { text, bits } = draw(words);
      expect(text.split('-').length).toBe(words);
      expect(text.split('-').every((word) => SLIP39_WORDS.includes(word))).toBe(true);
      expect(bits).toBe(10 * words);
    }
    expect(draw().text.split('-').length).toBe(DEFAULT_WORDS);
    for (const words of [0, 5, 17, 7.5]) {
      expect(() => drawPassphrase(random, words)).toThrow(/6 to 16 words/);
    }
  });

  it('are uniform: each word of the list about equally often', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 4096; i++) {
      for (const word of draw(16).text.split('-')) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    // 65,536 words over 1,024 places: chi-square with 1,023 degrees of freedom has deviation 45.
    const chi = SLIP39_WORDS.reduce(
      (sum, word) => sum + ((counts.get(word) ?? 0) - 64) ** 2 / 64,
      0,
    );
    expect(Math.abs(chi - 1023)).toBeLessThan(8 * 45);
  });

  it('take every bit from the source: a stuck source gives one word', () => {
    const { passphrase } = drawPassphrase((length) => new Uint8Array(length), 6);
    expect(passphrase.use((bytes) => fromUtf8(bytes, 'p'))).toBe(
      Array.from({ length: 6 }, () => SLIP39_WORDS[0]).join('-'),
    );
  });
});

describe('the estimate', () => {
  it.each([
    '',
    'a',
    'password',
    'Password1',
    'qwertyuiop',
    '1234567890123456',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    'abcdefghijklmnopqrstuvwxyz',
    'abababababababababababababab',
    'summer2024',
    'correct horse',
    'the passphrase of ann',
    'academic academic academic academic academic academic academic',
    'Пароль',
  ])('calls %j weak', (text) => {
    expect(estimatePassphrase(text).weak).toBe(true);
  });

  it('calls what was drawn by chance strong, and what it was worth exactly', () => {
    for (let i = 0; i < 200; i++) {
      const { text, bits } = draw(8);
      const distinct = new Set(text.split('-')).size;
      expect(estimatePassphrase(text).bits).toBe(bits - 10 * (8 - distinct));
      expect(estimatePassphrase(text).weak).toBe(false);
    }
    // 25 characters of 32, as slips in rehearsals have; and 20 bytes in hexadecimal, 18 in base64.
    const letters = 'abcdefghijkmnpqrstuvwxyz23456789';
    for (let i = 0; i < 200; i++) {
      const slip = Array.from(random(25), (byte) => letters.charAt(byte & 31)).join('');
      expect(estimatePassphrase(slip).weak).toBe(false);
      expect(estimatePassphrase(Buffer.from(random(20)).toString('hex')).weak).toBe(false);
      expect(estimatePassphrase(Buffer.from(random(18)).toString('base64')).weak).toBe(false);
    }
  });

  it('never says more than the characters could carry, never less for a longer text, and repeats nothing of it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' }), (text) => {
        const { bits, weak, findings } = estimatePassphrase(text);
        expect(bits).toBeLessThanOrEqual(text.length * Math.log2(95) + 1);
        expect(bits).toBeGreaterThanOrEqual(0);
        expect(weak).toBe(bits < FLOOR_BITS);
        if (text.length > 12) expect(findings.join().includes(text)).toBe(false);
      }),
    );
  });
});
