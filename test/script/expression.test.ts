/** References and conditions: total, and wrong ones point at the character. */
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import type { Json } from '#formats/canonical-json';
import { InputError } from '#formats/errors';
import {
  evaluate,
  ExpressionError,
  holds,
  parseCondition,
  parseText,
  type Resolve,
} from '#script/expression';

const values: Readonly<Record<string, Json>> = {
  'parameters.mode': 'paper',
  'parameters.count': 3,
  'parameters.fast': true,
  'steps.a.list': ['x', 'y'],
};
const resolve: Resolve = ({ text }) => values[text];

describe('text with references', () => {
  it('is the value itself when it is one reference, and text otherwise', () => {
    expect(evaluate('${{ parameters.count }}', resolve)).toBe(3);
    expect(evaluate('n=${{ parameters.count }}, ${{parameters.mode}}', resolve)).toBe('n=3, paper');
    expect(evaluate('${{ steps.a.list }}', resolve)).toEqual(['x', 'y']);
    expect(evaluate(['${{ steps.a.list }}', 'z'], resolve)).toEqual(['x', 'y', 'z']);
    expect(evaluate('costs $5 {{ }}', resolve)).toBe('costs $5 {{ }}');
  });

  it('has no value where a reference has none, or a list stands inside a text', () => {
    expect(() => evaluate('${{ parameters.none }}', resolve)).toThrow(InputError);
    expect(() => evaluate('a ${{ steps.a.list }}', resolve)).toThrow(/not a single value/);
  });

  it.each([
    ['abc ${{ parameters.x', 4, /never closed/],
    ['${{ }}', 3, /must start with/],
    ['ab ${{ secrets.x }}', 7, /must start with/],
    ['${{ parameters }}', 4, /of the form parameters.NAME/],
    ['${{ steps.a.b.c }}', 4, /of the form steps/],
    ['${{ steps.A.b }}', 4, /of the form steps/],
  ])('%s is refused at character %i', (text, offset, message) => {
    try {
      parseText(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ExpressionError);
      expect((error as ExpressionError).message).toMatch(message);
      expect((error as ExpressionError).offset).toBe(offset);
    }
  });
});

describe('a condition', () => {
  it.each([
    ["parameters.mode == 'paper'", true],
    ["parameters.mode != 'paper'", false],
    ['parameters.count == 3 and parameters.fast', true],
    ['not parameters.fast or parameters.count == 4', false],
    ['not (parameters.fast and parameters.count == 4)', true],
    ['not not true', true],
    ['parameters.count == -3', false],
    ['true or false and false', true],
  ])('%s is %s', (text, value) => {
    expect(holds(parseCondition(text), resolve)).toBe(value);
  });

  it.each([
    ['', 0, /ends too early/],
    ['parameters.mode ==', 18, /ends too early/],
    ['parameters.mode = 3', 16, /"=" was not expected/],
    ["parameters.mode == 'x", 19, /single quotes/],
    ['${{ parameters.fast }}', 0, /without "\$\{\{"/],
    ['(parameters.fast', 16, /"\)" was expected/],
    ['parameters.fast parameters.fast', 16, /was not expected here/],
    ['and', 0, /was not expected here/],
    ['1 == 1.5', 5, /was not expected/],
    ['('.repeat(40), 16, /nesting/],
    ['not '.repeat(40), 64, /nesting/],
  ])('%s is refused at character %i', (text, offset, message) => {
    try {
      parseCondition(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ExpressionError);
      expect((error as ExpressionError).message).toMatch(message);
      expect((error as ExpressionError).offset).toBe(offset);
    }
  });

  it('is total: whatever is typed has a value, or an error that points into it', () => {
    const word = fc.constantFrom(
      'parameters.fast',
      'parameters.count',
      'and',
      'or',
      'not',
      '==',
      '!=',
      '(',
      ')',
      "'a'",
      '3',
      'true',
      '$',
      ' ',
      'x',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        const text = words.join(' ');
        try {
          expect(typeof holds(parseCondition(text), resolve)).toBe('boolean');
        } catch (error) {
          if (error instanceof ExpressionError) {
            expect(error.offset).toBeGreaterThanOrEqual(0);
            expect(error.offset).toBeLessThanOrEqual(text.length);
          } else expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
