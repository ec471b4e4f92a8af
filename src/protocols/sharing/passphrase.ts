/**
 * Passphrases that seal shares: drawn as words, and estimated when a person chose one. A stolen card can be attacked for
 * years on other people's machines, so what counts is how many guesses a passphrase costs, not how odd it looks.
 */
import type { RandomSource } from '#crypto/descriptor';
import { utf8 } from '#formats/bytes';
import { InternalError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { SLIP39_WORDS } from './slip39-words.js';

/** What one drawn word is worth: the list has 2^10. */
export const BITS_PER_WORD = 10;
/** Words that are drawn unless somebody says otherwise: 80 bits. */
export const DEFAULT_WORDS = 8;
/** Fewest words that are drawn, 60 bits; most, well below the 20 words of the shortest SLIP-39 share. */
export const WORD_LIMITS = { min: 6, max: 16 } as const;
/**
 * Below this estimate a person's passphrase is called weak. With scrypt at its default cost 2^50 guesses take a rack of
 * machines some centuries; a passphrase that people find acceptable and that is drawn by chance lies well above.
 */
export const FLOOR_BITS = 50;

/** A drawn passphrase. */
export interface DrawnPassphrase {
  /** ASCII words joined by hyphens; disposed by the receiver. */
  readonly passphrase: SecretBytes;
  readonly words: number;
  /** Exactly log2 of the number of equally likely outcomes. */
  readonly bits: number;
}

/** What a passphrase is worth, as far as its form tells. */
export interface PassphraseEstimate {
  /** log2 of the guesses it takes somebody who knows these patterns; rounded down. */
  readonly bits: number;
  /** Whether that is below {@link FLOOR_BITS}. */
  readonly weak: boolean;
  /** What was found in it, one phrase each, never a part of it. */
  readonly findings: readonly string[];
}

/**
 * Draws words uniformly and independently from the 1,024 of SLIP-39: common words, at most eight letters, told apart by
 * their first four. Repetitions are left in; taking them out would lose entropy.
 * @param words - from 6 to 16
 * @throws {@link InternalError} `E_PASSPHRASE_WORDS`
 */
export function drawPassphrase(random: RandomSource, words = DEFAULT_WORDS): DrawnPassphrase {
  if (!Number.isInteger(words) || words < WORD_LIMITS.min || words > WORD_LIMITS.max) {
    throw new InternalError({
      code: 'E_PASSPHRASE_WORDS',
      message: `a passphrase has ${WORD_LIMITS.min} to ${WORD_LIMITS.max} words`,
    });
  }
  const bytes = random(2 * words);
  try {
    // Ten of sixteen bits: 1,024 divides 65,536, so every word is equally likely.
    const text = Array.from({ length: words }, (_, i) => {
      const number = (((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number)) & 0x3ff;
      return SLIP39_WORDS[number] as string;
    }).join('-');
    return {
      passphrase: SecretBytes.adopt(utf8(text), 'drawn passphrase'),
      words,
      bits: words * BITS_PER_WORD,
    };
  } finally {
    bytes.fill(0);
  }
}

/**
 * Estimates a passphrase from its form alone: no list of leaked passwords is consulted, so a quotation or the name of a dog
 * is overrated. It errs on the low side for what looks like language, and never forbids anything by itself.
 * @param text - NFKC
 */
export function estimatePassphrase(text: string): PassphraseEstimate {
  const tokens = text.split(/[\s\-_.,;:]+/u).filter((token) => token !== '');
  const listed = tokens.filter((token) => isListed(token));
  const findings = new Set<string>();
  let bits: number;
  if (tokens.length > 1 && listed.length === tokens.length) {
    const distinct = new Set(tokens.map((token) => token.toLowerCase())).size;
    if (distinct < tokens.length) findings.add('words are repeated');
    findings.add(`${tokens.length} words of the list`);
    bits = distinct * BITS_PER_WORD;
  } else {
    bits = estimateCharacters(text, findings);
  }
  const rounded = Math.floor(bits);
  return { bits: rounded, weak: rounded < FLOOR_BITS, findings: [...findings] };
}

const KEYBOARD_ROWS = ['qwertyuiop', 'qwertzuiop', 'azertyuiop', 'asdfghjkl', 'zxcvbnm', 'yxcvbnm'];
/** What one letter of running text is worth; a random one is worth 4.7. */
const LANGUAGE_LETTER = 2;
const FOLLOWING = 1;

let list: ReadonlySet<string> | undefined;

function isListed(token: string): boolean {
  list ??= new Set(SLIP39_WORDS);
  return list.has(token.toLowerCase());
}

/** Character by character, cheaper where one follows from what stands before it. */
function estimateCharacters(text: string, findings: Set<string>): number {
  const block = repeatedBlock(text);
  if (block !== undefined) {
    findings.add('one part is repeated');
    return estimateCharacters(block, findings) + Math.log2(text.length / block.length);
  }
  const characters = [...text];
  const pool = poolOf(text);
  // Where there are only words and what separates them, short words and separators belong to the sentence as well.
  const sentence = /\p{L}[^\p{L}\p{N}]+\p{L}/u.test(text) && !/\p{N}/u.test(text);
  const cost = characters.map((character, i) => {
    const before = characters[i - 1];
    if (before === undefined) return pool;
    if (sentence && !/\p{L}/u.test(character)) return FOLLOWING;
    if (follows(before, character)) {
      findings.add('characters repeat or follow each other in order');
      return FOLLOWING;
    }
    if (characters.slice(Math.max(0, i - 64), i).includes(character)) return Math.max(1, pool - 1);
    return pool;
  });
  for (const { index, 0: run } of text.matchAll(sentence ? /\p{L}+/gu : /\p{L}{4,}/gu)) {
    if (!looksLikeLanguage(run) && !(sentence && run.length < 5)) continue;
    findings.add('it reads like language');
    const start = [...text.slice(0, index)].length;
    for (let i = start; i < start + [...run].length; i++) {
      cost[i] = Math.min(cost[i] as number, LANGUAGE_LETTER);
    }
  }
  for (const { index, 0: year } of text.matchAll(/(?:19|20)\d\d/g)) {
    findings.add('it holds a year');
    const start = [...text.slice(0, index)].length;
    for (let i = start; i < start + year.length; i++) cost[i] = Math.min(cost[i] as number, 1.75);
  }
  return cost.reduce((sum, each) => sum + each, 0);
}

/** log2 of the number of characters that the classes seen have between them. */
function poolOf(text: string): number {
  let size = 0;
  if (/[a-z]/.test(text)) size += 26;
  if (/[A-Z]/.test(text)) size += 26;
  if (/[0-9]/.test(text)) size += 10;
  if (/[^A-Za-z0-9\u0080-\u{10ffff}]/u.test(text)) size += 12;
  if (/[\u0080-\u{10ffff}]/u.test(text)) size += 64;
  return Math.log2(Math.max(size, 2));
}

/** The shortest block that the text is a repetition of; undefined when it is none. */
function repeatedBlock(text: string): string | undefined {
  for (let length = 1; length <= text.length / 2; length++) {
    if (text.length % length !== 0) continue;
    const block = text.slice(0, length);
    if (block.repeat(text.length / length) === text) return block;
  }
  return undefined;
}

function follows(before: string, after: string): boolean {
  const a = before.toLowerCase();
  const b = after.toLowerCase();
  if (Math.abs((a.codePointAt(0) as number) - (b.codePointAt(0) as number)) <= 1) return true;
  return KEYBOARD_ROWS.some((row) => row.includes(a + b) || row.includes(b + a));
}

/**
 * Vowels where language has them, capitals at most at the beginning. Random letters pass now and then and are then
 * underrated, which does no harm.
 */
function looksLikeLanguage(run: string): boolean {
  if (!/^(?:\p{Lu}?\P{Lu}*|\P{Ll}*)$/u.test(run)) return false;
  const letters = [...run.toLowerCase().normalize('NFD').replaceAll(/\p{M}/gu, '')];
  const vowels = letters.filter((letter) => 'aeiouy'.includes(letter)).length / letters.length;
  // Letters of other scripts have no vowels to count: there every run counts as language.
  if (letters.some((letter) => letter > 'z')) return true;
  return vowels >= 0.2 && vowels <= 0.75 && !/[^aeiouy]{6}/.test(run.toLowerCase());
}
