import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import * as d from '#crypto/der';
import { fromHex, toHex } from '#formats/bytes';
import { fuzz } from '../formats/mutate.js';

const reader = (hex: string): d.DerReader => new d.DerReader(fromHex(hex), 'x');
const malformed = expect.objectContaining({ code: 'E_DER_MALFORMED', exitCode: 65 }) as Error;

describe('DER', () => {
  it.each([
    ['1.3.101.112', '06032b6570'],
    ['2.16.840.1.101.3.4.3.18', '0609608648016503040312'],
    ['1.3.6.1.4.1.62253.25722', '060b2b0601040183e62d81c87a'],
    ['2.999.3', '0603883703'],
    ['0.39', '060127'],
  ])('writes and reads the object identifier %s', (dotted, hex) => {
    expect(toHex(d.derOid(dotted))).toBe(hex);
    expect(reader(hex).oid()).toBe(dotted);
  });

  it.each(['', '1', '3.1', '1.40', '1.x', '1.-1', '1.2.1.5e30'])(
    'writes no object identifier %j',
    (dotted) => {
      expect(() => d.derOid(dotted)).toThrow(
        expect.objectContaining({ code: 'E_OID_MALFORMED' }) as Error,
      );
    },
  );

  it('comes back whatever its length', () => {
    fc.assert(
      fc.property(fc.nat(70_000), (length) => {
        const content = new Uint8Array(length).fill(5);
        const encoded = d.derSequence(d.derOctetString(content), d.derBitString(content));
        const outer = new d.DerReader(encoded, 'x');
        const inner = outer.sequence();
        outer.end();
        expect(inner.octetString().length).toBe(length);
        expect(inner.bitString().length).toBe(length);
        inner.end();
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['an indefinite length', '04800000'],
    ['a long length for a short one', '04810100'],
    ['a length with a leading zero', `04820080${'00'.repeat(128)}`],
    ['a length beyond the input', '04020'.padEnd(6, '0')],
    ['a huge length', '0484ffffffff'],
    ['a length of five bytes', '04850000000001'],
    ['nothing', ''],
    ['a tag alone', '04'],
    ['another type', '0500'],
  ])('refuses %s', (_, hex) => {
    expect(() => reader(hex).octetString()).toThrow(malformed);
  });

  it.each(['0600', '06018', '0601ff', '06022b80', '06028001', '06062bffffffff7f'])(
    'refuses the object identifier %s',
    (hex) => {
      expect(() => reader(hex.padEnd(hex.length + (hex.length % 2), '0')).oid()).toThrow(malformed);
    },
  );

  it('refuses integers, bit strings and ends that are not as expected', () => {
    for (const hex of ['0200', '020180', '02020001']) {
      expect(() => reader(hex).smallInteger()).toThrow(malformed);
    }
    for (const hex of ['0300', '030107', '03020100']) {
      expect(() => reader(hex).bitString()).toThrow(malformed);
    }
    expect(() => reader('00').end()).toThrow(malformed);
  });

  it('lends views, so that secrets stay in one place', () => {
    const input = fromHex('0402aabb');
    const content = new d.DerReader(input, 'x').octetString();
    input.fill(0);
    expect([...content]).toEqual([0, 0]);
  });

  it('survives mutations', async () => {
    const valid = d.derSequence(
      d.derSmallInteger(0),
      d.derSequence(d.derOid('1.3.101.112')),
      d.derOctetString(new Uint8Array(200)),
      d.derBitString(new Uint8Array(3)),
    );
    await fuzz([valid], (input) => {
      const outer = new d.DerReader(input, 'fuzzed');
      const inner = outer.sequence();
      outer.end();
      inner.smallInteger();
      inner.sequence().oid();
      inner.octetString();
      inner.bitString();
      inner.end();
    });
  });
});
