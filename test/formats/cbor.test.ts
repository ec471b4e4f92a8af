import * as cborg from 'cborg';
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '#formats/bytes';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { fuzz } from './mutate.js';

const key = fc.oneof(fc.maxSafeInteger(), fc.string({ unit: 'grapheme', maxLength: 12 }));
const cbor = fc.letrec<{ value: Cbor }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.integer({ min: -70_000, max: 70_000 }),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map((entries) => new Map(entries)),
  ),
})).value;

const strict = {
  ...cborg.rfc8949EncodeOptions,
  strict: true,
  allowIndefinite: false,
  rejectDuplicateMapKeys: true,
  useMaps: true,
};
const decode = (hex: string): Cbor => decodeCbor(fromHex(hex), 'x');

describe('deterministic CBOR', () => {
  it('encodes as cborg does under RFC 8949 §4.2.1', () => {
    fc.assert(
      fc.property(cbor, (value) => {
        const theirs = cborg.encode(value, cborg.rfc8949EncodeOptions);
        expect(toHex(encodeCbor(value))).toBe(toHex(theirs));
      }),
      { numRuns: 500 },
    );
  });

  it('reads what cborg writes, and cborg reads what it writes', () => {
    fc.assert(
      fc.property(cbor, (value) => {
        const bytes = cborg.encode(value, cborg.rfc8949EncodeOptions);
        const ours = decodeCbor(bytes, 'x');
        expect(ours).toEqual(cborg.decode(bytes, strict));
        expect(toHex(encodeCbor(ours))).toBe(toHex(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it('gives the examples of RFC 8949 appendix A', () => {
    const examples: readonly (readonly [Cbor, string])[] = [
      [0, '00'],
      [23, '17'],
      [24, '1818'],
      [1000, '1903e8'],
      [1_000_000, '1a000f4240'],
      [1_000_000_000_000, '1b000000e8d4a51000'],
      [-1, '20'],
      [-1000, '3903e7'],
      [false, 'f4'],
      [null, 'f6'],
      [fromHex('01020304'), '4401020304'],
      ['\u6c34', '63e6b0b4'],
      [[1, [2, 3], [4, 5]], '8301820203820405'],
      [
        new Map([
          [1, 2],
          [3, 4],
        ]),
        'a201020304',
      ],
    ];
    for (const [value, hex] of examples) {
      expect(toHex(encodeCbor(value))).toBe(hex);
      expect(decode(hex)).toEqual(value);
    }
  });

  it.each([
    ['a head that is not the shortest', '1817'],
    ['a two-byte length for one', '5900014a'],
    ['an eight-byte integer for four', '1b00000000ffffffff'],
    ['an indefinite string', '5f4101ff'],
    ['an indefinite array', '9f01ff'],
    ['an indefinite map', 'bf0102ff'],
    ['map keys out of order', 'a203040102'],
    ['a repeated map key', 'a201020103'],
    ['a longer key before a shorter', 'a2186401' + '0102'],
    ['a map key that is an array', 'a18001'],
    ['a float', 'f93c00'],
    ['undefined', 'f7'],
    ['a simple value', 'f8ff'],
    ['a tag', 'c000'],
    ['an integer beyond 2^53-1', '1b0020000000000000'],
    ['a negative beyond -(2^53-1)', '3b001fffffffffffff'],
    ['text that is not UTF-8', '61ff'],
    ['an array longer than its bytes', '9affffffff'],
    ['a byte string longer than its bytes', '5affffffff00'],
    ['a map longer than its bytes', 'bb001fffffffffffff'],
    ['bytes after the end', '0000'],
    ['nothing', ''],
    ['deep nesting', '81'.repeat(20) + '00'],
  ])('refuses %s', (_, hex) => {
    expect(() => decode(hex)).toThrow(expect.objectContaining({ exitCode: 65 }) as Error);
  });

  it('refuses what it cannot carry', () => {
    for (const value of [1.5, 2 ** 53, '\ud800', undefined, new Date(0), { a: 1 }]) {
      expect(() => encodeCbor(value as unknown as Cbor)).toThrow(
        expect.objectContaining({ code: 'E_CBOR_UNREPRESENTABLE' }) as Error,
      );
    }
  });

  it('gives byte strings of its own, also from a Buffer', () => {
    const input = Buffer.from('4401020304', 'hex');
    const bytes = decodeCbor(input, 'x');
    input.fill(0);
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  it('refuses input beyond its limit', () => {
    expect(() => decodeCbor(new Uint8Array(11), 'x', { maxBytes: 10 })).toThrow(
      expect.objectContaining({ code: 'E_CBOR_TOO_LARGE' }) as Error,
    );
  });

  it('survives mutations; what it accepts is canonical', async () => {
    const valid = encodeCbor(
      new Map<number | string, Cbor>([
        [1, 1],
        [2, new Uint8Array(300).fill(7)],
        [3, ['text', -70_000, null, true, new Map([['k', 1]])]],
        ['name', 2 ** 40],
      ]),
    );
    await fuzz([valid], (input) => {
      const value = decodeCbor(input, 'fuzzed');
      expect(toHex(encodeCbor(value))).toBe(toHex(input));
    });
  });
});
