import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import * as b from '#formats/bytes';
import { nearest } from '#formats/nearest';

describe('bytes and their texts', () => {
  it('come back from every text form, which is node’s own', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const node = Buffer.from(bytes);
        expect(b.toHex(bytes)).toBe(node.toString('hex'));
        expect(b.fromHex(b.toHex(bytes))).toEqual(bytes);
        expect(b.fromBase64(b.toBase64(bytes))).toEqual(bytes);
        expect(b.fromBase64Url(b.toBase64Url(bytes))).toEqual(bytes);
      }),
    );
  });

  it('have exactly one spelling', () => {
    for (const text of ['AA', 'AA=', 'AB==', 'AA==\n', ' AA==', '_w==', 'A===']) {
      expect(() => b.fromBase64(text)).toThrow(/canonical base64/);
    }
    for (const text of ['AA==', 'AB', '/w', '_w ', 'A']) {
      expect(() => b.fromBase64Url(text)).toThrow(/canonical base64url/);
    }
    for (const text of ['0', '0g', '0x00', ' 00']) {
      expect(() => b.fromHex(text)).toThrow(/not hexadecimal/);
    }
  });

  it('compare', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (x, y) => {
        const same = Buffer.compare(x, y) === 0;
        expect(b.equal(x, y)).toBe(same);
        expect(b.equalConstantTime(x, y)).toBe(same);
        expect(b.equalConstantTime(x, new Uint8Array(x))).toBe(true);
      }),
    );
  });

  it('prefix and join', () => {
    expect(b.toHex(b.lengthPrefixed(b.utf8('ab')))).toBe('000000026162');
    expect(b.toHex(b.concat(b.u16be(0x102), b.u32be(0x3040506)))).toBe('010203040506');
    expect(() => b.u16be(65_536)).toThrow(RangeError);
    expect(() => b.u32be(-1)).toThrow(RangeError);
  });

  it('know text that is not Unicode', () => {
    expect(b.isWellFormed('a\u{1f511}')).toBe(true);
    expect(b.isWellFormed('\ud83d')).toBe(false);
    expect(b.isWellFormed('\udd11\ud83d')).toBe(false);
    expect(() => b.fromUtf8(Uint8Array.of(0xc0, 0x80))).toThrow(/not valid UTF-8/);
  });
});

describe('the nearest word', () => {
  const names = ['ed25519', 'ml-dsa-44', 'ml-dsa-65', 'x-wing'];

  it.each([
    ['ml-dsa65', 'ml-dsa-65'],
    ['ED25519', 'ed25519'],
    ['xwing', 'x-wing'],
    ['ed2559', 'ed25519'],
  ])('to %s is %s', (typed, expected) => {
    expect(nearest(typed, names)).toBe(expected);
  });

  it('is none when nothing is near', () => {
    expect(nearest('blowfish', names)).toBeUndefined();
    expect(nearest('x'.repeat(10_000), names)).toBeUndefined();
  });
});
