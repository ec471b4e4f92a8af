/**
 * What people throw, draw or read from a second device, typed as text: how it is read, how much it is worth at most, and whether it
 * looks as if somebody had made it up. What is said against it names places and never values: it may end in a log.
 */

/** Where people's entropy comes from. */
export type EntropySource = 'dice' | 'coins' | 'cards' | 'hex';

/** What was typed, read. */
export interface Throws {
  /** Each throw by its number among all that were possible. */
  readonly values: readonly number[];
  /** How many outcomes one throw has. */
  readonly outcomes: number;
  /** At most so many bits, if every outcome was as likely as another. */
  readonly bits: number;
}

/** Why something that was typed is not taken. */
export class UnfitThrows extends Error {}

const SUITS = 'SHDC';
const RANKS = ['A', '2', '3', '4', '5', '6', '7', '8', '9', '10', 'J', 'Q', 'K'] as const;
const DECK = SUITS.length * RANKS.length;

/**
 * Reads what was typed; spaces, commas and hyphens only separate.
 * @throws UnfitThrows
 */
export function readThrows(source: EntropySource, typed: string): Throws {
  const text = typed.toUpperCase();
  if (source === 'cards') return readCards(text);
  const [alphabet, what] = {
    dice: ['123456', 'a die shows 1 to 6'],
    coins: ['HT', 'a coin shows H or T'],
    hex: ['0123456789ABCDEF', 'hexadecimal digits are 0 to 9 and A to F'],
  }[source] as [string, string];
  const values = [...text.replaceAll(/[\s,-]/g, '')].map((sign, i) => {
    const value = alphabet.indexOf(sign);
    if (value < 0) throw new UnfitThrows(`sign ${i + 1} is none of them: ${what}`);
    return value;
  });
  const outcomes = alphabet.length;
  return { values, outcomes, bits: values.length * Math.log2(outcomes) };
}

/** Cards of one shuffled deck, such as `AS 10H QD`: none of them twice. */
function readCards(text: string): Throws {
  const words = text.split(/[\s,-]+/).filter((word) => word !== '');
  const values = words.map((word, i) => {
    const rank = RANKS.indexOf(word.slice(0, -1).replace(/^T$/, '10') as (typeof RANKS)[number]);
    const suit = SUITS.indexOf(word.slice(-1));
    if (rank < 0 || suit < 0)
      throw new UnfitThrows(`card ${i + 1} is none: rank and suit, such as AS or 10H`);
    return suit * RANKS.length + rank;
  });
  const twice = values.findIndex((value, i) => values.indexOf(value) < i);
  if (twice >= 0) throw new UnfitThrows(`card ${twice + 1} was drawn before, and it is one deck`);
  let bits = 0;
  for (let i = 0; i < values.length; i++) bits += Math.log2(DECK - i);
  return { values, outcomes: DECK, bits };
}

/** Honest throws look as bad as this once in a million times. */
const ONCE_IN = 1e6;
/** The normal quantile that belongs to it. */
const QUANTILE = 4.753;

/**
 * Why throws do not look thrown; undefined when nothing is against them. Passing proves nothing: whoever makes numbers up with care
 * passes as well.
 */
export function biasOf({ values, outcomes }: Throws): string | undefined {
  const n = values.length;
  const period = periodOf(values);
  if (period !== undefined) return `it repeats itself every ${period}`;
  const run = longestRun(values);
  if (n * outcomes ** -(run - 1) < 1 / ONCE_IN) return `the same comes ${run} times in a row`;
  const steps = values.slice(1).map((value, i) => value - (values[i] as number));
  if (n >= 12 && new Set(steps).size === 1) return 'it counts up or down';
  // Of a deck nothing comes twice; how often each comes says nothing then.
  if (outcomes === DECK || n < 5 * outcomes) return undefined;
  const counts = Array.from({ length: outcomes }, (_, outcome) =>
    values.reduce((count, value) => count + (value === outcome ? 1 : 0), 0),
  );
  const expected = n / outcomes;
  const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  return chi > chiSquareLimit(outcomes - 1) ? 'some come far more often than others' : undefined;
}

/** Wilson and Hilferty's approximation of the quantile of chi square. */
function chiSquareLimit(degrees: number): number {
  const part = 2 / (9 * degrees);
  return degrees * (1 - part + QUANTILE * Math.sqrt(part)) ** 3;
}

function longestRun(values: readonly number[]): number {
  let longest = 0;
  let run = 0;
  values.forEach((value, i) => {
    run = value === values[i - 1] ? run + 1 : 1;
    longest = Math.max(longest, run);
  });
  return longest;
}

/** The shortest period that the whole text keeps to, three times at least and long enough to be no chance. */
function periodOf(values: readonly number[]): number | undefined {
  if (values.length < 12) return undefined;
  for (let period = 1; period <= values.length / 3; period++)
    if (values.every((value, i) => i < period || value === values[i - period])) return period;
  return undefined;
}
