import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { equal, utf8 } from '#formats/bytes';
import {
  canonicalJson,
  canonicalJsonBytes,
  type Json,
  parseCanonicalJson,
  parseJson,
} from '#formats/canonical-json';
import type { InputError } from '#formats/errors';
import { mutations } from '../support/mutations.js';
import { fuzz } from './mutate.js';
import { mutationCount } from '../support/require.js';

const text = fc.string({ unit: 'binary' });
const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    text,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(text, tie('value'), { maxKeys: 5 }),
  ),
})).value;

const parse = (input: string): Json => parseJson(input, 'x');
const canonical = (input: string): Json => parseCanonicalJson(utf8(input), 'x');

describe('the encoder', () => {
  it('agrees with JSON.stringify where members are sorted', () => {
    fc.assert(
      fc.property(json, (value) => {
        // JSON.stringify writes members in insertion order, except for array-like names; so it is asked value by value.
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('gives one text per value, however its members were inserted', () => {
    fc.assert(
      fc.property(fc.dictionary(text, fc.integer()), (members) => {
        const backwards = Object.fromEntries(Object.entries(members).reverse());
        expect(canonicalJson(backwards)).toBe(canonicalJson(members));
      }),
    );
  });

  it('sorts by UTF-16 code units, the order of RFC 8785 §3.2.3', () => {
    const members = {
      '\u20ac': 5,
      '\r': 1,
      '\ufb33': 7,
      '1': 2,
      '\ud83d\ude00': 6,
      '\u0080': 3,
      '\u00f6': 4,
    };
    expect(Object.values(JSON.parse(canonicalJson(members)) as object).sort()).toEqual([
      1, 2, 3, 4, 5, 6, 7,
    ]);
    expect(canonicalJson(members).replaceAll(/[^1-7]/g, '')).toBe('11234567');
  });

  it('escapes as RFC 8785 §3.2.2.2 wants', () => {
    expect(canonicalJson('\u20ac$\u000f\nA\'B"\\\\"/\u007f\u2028')).toBe(
      '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\u007f\u2028"',
    );
  });

  it('escapes the line separators only when asked', () => {
    expect(canonicalJson({ a: '\u2028\u2029' }, { escapeLineSeparators: true })).toBe(
      '{"a":"\\u2028\\u2029"}',
    );
    expect(canonicalJson({ '\u2028': 1 }, { escapeLineSeparators: true })).toBe('{"\\u2028":1}');
  });

  it.each([
    ['fractions', 1.5],
    ['numbers beyond 2^53-1', 2 ** 53],
    ['not a number', Number.NaN],
    ['lone surrogates', '\ud800'],
    ['lone surrogates in names', { '\udc00': 1 }],
    ['dates', new Date(0)],
    ['undefined', undefined],
    ['functions', () => 1],
  ])('refuses %s', (_, value) => {
    expect(() => canonicalJson(value as Json)).toThrow(
      expect.objectContaining({ code: 'E_JSON_UNREPRESENTABLE' }) as Error,
    );
  });
});

describe('the reader', () => {
  it('reads what the encoder wrote, and accepts it as canonical', () => {
    fc.assert(
      fc.property(json, (value) => {
        const bytes = canonicalJsonBytes(value);
        expect(canonicalJson(parseCanonicalJson(bytes, 'x'))).toBe(canonicalJson(value));
      }),
    );
  });

  it('reads all JSON that JSON.parse reads, if its numbers are integers', () => {
    fc.assert(
      fc.property(json, fc.nat(8), (value, indent) => {
        const pretty = JSON.stringify(value, undefined, indent);
        expect(canonicalJson(parse(pretty))).toBe(canonicalJson(value));
      }),
    );
  });

  it.each([
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"__proto__":1,"__proto__":2}',
    '1.0',
    '1e3',
    '-0',
    '01',
    '9007199254740992',
    '"\\ud800"',
    '"\\x41"',
    '"\u0001"',
    '"a',
    "'a'",
    '[1,]',
    '{"a":1,}',
    '{a:1}',
    '[1 2]',
    '',
    ' ',
    '1 1',
    '\ufeff{}',
    'nul',
    'NaN',
    '/**/1',
    '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]',
  ])('refuses %j', (input) => {
    expect(() => parse(input)).toThrow(
      expect.objectContaining({ code: 'E_JSON_MALFORMED', exitCode: 65 }) as Error,
    );
  });

  it('says where', () => {
    expect(() => parse('{\n  "a": 1,\n  "a": 2\n}')).toThrow(/"a" appears twice.*line 3, column 6/);
  });

  it('keeps __proto__ an ordinary member', () => {
    const value = parse('{"__proto__":{"polluted":1}}') as Record<string, Json>;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(canonicalJson(value)).toBe('{"__proto__":{"polluted":1}}');
  });

  it('refuses bytes that are not UTF-8 and input beyond its limit', () => {
    expect(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22), 'x')).toThrow(
      expect.objectContaining({ code: 'E_UTF8_MALFORMED' }) as Error,
    );
    expect(() => parseJson('[1,2]', 'x', { maxBytes: 4 })).toThrow(
      expect.objectContaining({ code: 'E_JSON_TOO_LARGE' }) as Error,
    );
    expect(() => parseJson('[[1]]', 'x', { maxDepth: 1 })).toThrow(/nesting deeper/);
  });

  it.each(['{"b":1,"a":2}', '{"a": 1}', ' 1', '"\\u0041"', '"\\/"', '1\n\n', '1\r\n'])(
    'refuses %j as not canonical',
    (input) => {
      expect(() => canonical(input)).toThrow(
        expect.objectContaining({ code: 'E_JSON_NOT_CANONICAL' }) as Error,
      );
    },
  );

  it('allows one final line feed in canonical files', () => {
    expect(canonical('{"a":1}\n')).toEqual(canonical('{"a":1}'));
  });

  it('survives mutations', async () => {
    const valid = canonicalJsonBytes({
      a: [1, -2, true, null, 'text \u{1f511} "quoted" \\ \n'],
      nested: { deeper: { deepest: [[[0]]] } },
      signatures: [{ keyid: 'ab', sig: 'AAAA' }],
    });
    const outcome = await fuzz([valid], (input) => parseJson(input, 'fuzzed'));
    expect(outcome.refused).toBeGreaterThan(0.5 * mutationCount);
    await fuzz([valid], (input) => parseCanonicalJson(input, 'fuzzed'), { seed: 2 });
  });

  it('takes for canonical what its strict half takes, and nothing else', () => {
    // What reads canonical text in one go must answer as the strict reader and the encoder do, one after the other.
    const strictly = (input: Uint8Array): string => {
      const body = input.at(-1) === 0x0a ? input.subarray(0, -1) : input;
      const value = parseJson(input, 'x');
      return equal(canonicalJsonBytes(value), body) ? canonicalJson(value) : 'E_JSON_NOT_CANONICAL';
    };
    const answer = (work: () => string): string => {
      try {
        return work();
      } catch (error) {
        return (error as InputError).code;
      }
    };
    const valid = canonicalJsonBytes({
      '': ['', '\b\t\n\f\r"\\/\u001f\u007f\u2028\ud83d\ude00', 9007199254740991, -1, 0],
      '1': { '10': 1, '2': [[], {}, [true, false, null]] },
      __proto_: { __proto__x: 'constructor' },
    });
    const own = utf8('{"__proto__":{"toString":1},"constructor":[2]}');
    let taken = 0;
    for (const bytes of [
      valid,
      own,
      ...mutations(valid, mutationCount),
      ...mutations(own, 2_000, 3),
    ]) {
      const ours = answer(() => canonicalJson(parseCanonicalJson(bytes, 'x')));
      expect(ours).toBe(answer(() => strictly(bytes)));
      if (ours.startsWith('{')) taken++;
    }
    expect(taken).toBeGreaterThan(2);
    for (const text of [
      '9007199254740993',
      '1.5',
      '-0',
      '1e2',
      '"\\ud800"',
      '{"a":1,"a":1}',
      '\ufeff1',
    ])
      expect(answer(() => canonicalJson(canonical(text)))).toBe(answer(() => strictly(utf8(text))));
  });

  it.each([31, 32, 33, 34])('stops at the same depth, %i', (depth) => {
    for (const core of ['', '1', '"[[[["', '{}']) {
      const input = `${'['.repeat(depth)}${core}${']'.repeat(depth)}`;
      const read = (work: () => Json): string => {
        try {
          return canonicalJson(work());
        } catch (error) {
          return (error as InputError).message;
        }
      };
      expect(read(() => canonical(input))).toBe(read(() => parse(input)));
    }
  });

  it('refuses what opens and never closes before it costs anything', () => {
    expect(() => canonical('['.repeat(4_000_000))).toThrow(/nesting deeper than 32/);
  });
});
