/**
 * Bytes as numbered lines that a person can type from paper: base32 in groups of four, or words, each line with its own four
 * check characters. Number, data and check are one Reed-Solomon codeword over GF(32): whatever is wrong in up to four
 * characters of a line is always found, a line typed under a wrong number too, anything worse with odds of 1 in 1,048,576.
 * @see docs/spec/share-card.md, "Lines"
 */
import { InputError, InternalError } from '#formats/errors';

/** What a line carries: bytes of the share, words of a SLIP-39 share, bytes of the sealed package. */
export type LineKind = 'share' | 'words' | 'package';

/** Data bytes of every line but the last. */
export const LINE_BYTES = 15;
/** Words of every line but the last. */
export const LINE_WORDS = 5;
/** Most lines of one kind. */
export const MAX_LINES = 255;

/** Without I, L, O and U: what is read as those is taken for 1, 1, 0 or refused. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUP = 4;
const CHECKS = 4;
const LINE_SYMBOLS = (LINE_BYTES * 8) / 5;

/** Kinds have their numbers apart, so that a line of one never passes for a line of another. */
const OFFSETS: Readonly<Record<LineKind, number>> = { share: 0, words: 256, package: 512 };

/** A line as it was printed: its number among its kind, from 1, and its text without the number. */
export interface PrintedLine {
  readonly kind: LineKind;
  readonly number: number;
  /** Groups or words, the check characters last. */
  readonly groups: readonly string[];
}

/** A line as it was typed. */
export type TypedLine =
  | {
      readonly ok: true;
      readonly kind: LineKind;
      readonly number: number;
      /** Bytes, or numbers of words. */
      readonly data: Uint8Array | readonly number[];
    }
  | {
      readonly ok: false;
      /** As typed; undefined when there was none. */
      readonly number: number | undefined;
      /** One sentence for the person who typed it, without what was typed. */
      readonly problem: string;
    };

/** GF(32) modulo x^5 + x^2 + 1, by powers of x. */
const EXP: readonly number[] = (() => {
  const powers: number[] = [];
  for (let i = 0, value = 1; i < 62; i++) {
    powers.push(value);
    value <<= 1;
    if (value & 32) value ^= 0b100101;
  }
  return powers;
})();
const LOG: readonly number[] = (() => {
  const logs = new Array<number>(32).fill(0);
  for (let i = 0; i < 31; i++) logs[EXP[i] as number] = i;
  return logs;
})();

function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : (EXP[(LOG[a] as number) + (LOG[b] as number)] as number);
}

/** (y − x)(y − x²)(y − x³)(y − x⁴), the highest power left out. */
const GENERATOR: readonly number[] = (() => {
  let polynomial = [1];
  for (let root = 1; root <= CHECKS; root++) {
    const next = [...polynomial, 0];
    polynomial.forEach((coefficient, i) => {
      next[i + 1] = (next[i + 1] as number) ^ times(coefficient, EXP[root] as number);
    });
    polynomial = next;
  }
  return polynomial.slice(1);
})();

/** The four check symbols behind number and data. */
function checkSymbols(symbols: readonly number[]): readonly number[] {
  const remainder = [0, 0, 0, 0];
  for (const symbol of symbols) {
    const factor = symbol ^ (remainder[0] as number);
    for (let i = 0; i < CHECKS; i++) {
      remainder[i] =
        (i + 1 < CHECKS ? (remainder[i + 1] as number) : 0) ^ times(factor, GENERATOR[i] as number);
    }
  }
  return remainder;
}

/** Values of a codeword at the four roots; all zero for a right one. */
function syndromes(codeword: readonly number[]): readonly number[] {
  return Array.from({ length: CHECKS }, (_, j) =>
    codeword.reduce((sum, symbol) => times(sum, EXP[j + 1] as number) ^ symbol, 0),
  );
}

function numberSymbols(kind: LineKind, number: number): readonly number[] {
  const value = OFFSETS[kind] + number;
  return [value >> 5, value & 31];
}

function spelled(symbols: readonly number[]): string {
  return symbols.map((symbol) => ALPHABET.charAt(symbol)).join('');
}

/**
 * Bytes as printed lines.
 * @param bytes - 1 to 3,825 bytes
 */
export function linesOf(bytes: Uint8Array, kind: 'share' | 'package'): PrintedLine[] {
  const count = Math.ceil(bytes.length / LINE_BYTES);
  assertFits(count);
  return Array.from({ length: count }, (_, i) => {
    const data = symbolsOf(bytes.subarray(i * LINE_BYTES, (i + 1) * LINE_BYTES));
    const check = checkSymbols([...numberSymbols(kind, i + 1), ...data]);
    const groups = spelled(data).match(/.{1,4}/g) as string[];
    return { kind, number: i + 1, groups: [...groups, spelled(check)] };
  });
}

/**
 * Words as printed lines.
 * @param words - numbers of words, 0 to 1023
 * @param list - the 1,024 words
 */
export function wordLinesOf(words: readonly number[], list: readonly string[]): PrintedLine[] {
  const count = Math.ceil(words.length / LINE_WORDS);
  assertFits(count);
  return Array.from({ length: count }, (_, i) => {
    const own = words.slice(i * LINE_WORDS, (i + 1) * LINE_WORDS);
    const data = own.flatMap((word) => [word >> 5, word & 31]);
    const check = spelled(checkSymbols([...numberSymbols('words', i + 1), ...data]));
    return { kind: 'words', number: i + 1, groups: [...own.map((w) => list[w] as string), check] };
  });
}

function assertFits(count: number): void {
  if (count >= 1 && count <= MAX_LINES) return;
  throw new InternalError({ code: 'E_CARD_LINES', message: `${count} lines do not fit a card` });
}

/** How a line's number is printed: `07`, for the package `P07`. */
export function lineNumber({ kind, number }: Pick<PrintedLine, 'kind' | 'number'>): string {
  return `${kind === 'package' ? 'P' : ''}${String(number).padStart(2, '0')}`;
}

/** A line as plain text, number first. */
export function lineText(line: PrintedLine): string {
  const gap = line.kind === 'words' ? ' ' : '  ';
  return `${lineNumber(line)}  ${line.groups.slice(0, -1).join(' ')}${gap}${line.groups.at(-1) ?? ''}`;
}

function symbolsOf(bytes: Uint8Array): number[] {
  const symbols: number[] = [];
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      symbols.push((held >> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) symbols.push((held << (5 - bits)) & 31);
  return symbols;
}

/** The bytes behind symbols; undefined when bits are left over that are not zero, or whole symbols too many. */
function bytesOf(symbols: readonly number[]): Uint8Array | undefined {
  const out = new Uint8Array(Math.floor((symbols.length * 5) / 8));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const symbol of symbols) {
    held = (held << 5) | symbol;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = held >> bits;
      held &= (1 << bits) - 1;
    }
  }
  return bits < 5 && held === 0 ? out : undefined;
}

/** Whether a text begins like a numbered line; cheap. */
export function looksLikeLine(text: string): boolean {
  return /^\s*P?\d{1,3}[.:)]?\s+\S/i.test(text) && text.length <= MAX_TYPED;
}

const MAX_TYPED = 200;

/**
 * One line as a person typed it, checked by itself. Either case; O stands for 0, I and L for 1; spaces as one likes after
 * the number; a word may be cut after its fourth letter. What was typed is never repeated in a problem.
 * @param list - the 1,024 words, or undefined where no words are expected
 */
export function readLine(text: string, list?: readonly string[]): TypedLine {
  if (text.length > MAX_TYPED) return problem(undefined, 'that is longer than a line');
  const match = /^\s*(p?)(\d{1,3})[.:)]?\s+(\S.*?)\s*$/i.exec(text);
  if (match === null) {
    return problem(undefined, 'begin with the number of the line, then a space');
  }
  const number = Number(match[2]);
  const tokens = (match[3] as string).split(/[\s-]+/);
  if (number < 1 || number > MAX_LINES) return problem(number, `there is no line ${number}`);
  const packaged = match[1] !== '';
  const asWords = packaged || list === undefined ? undefined : readWords(tokens, number, list);
  if (asWords?.ok === true) return asWords;
  const asGroups = readGroups(tokens, number, packaged ? 'package' : 'share');
  if (asGroups.ok || asWords === undefined) return asGroups;
  return meansWords(tokens) ? asWords : asGroups;
}

/** Groups are of four characters; words that were typed out are longer. */
function meansWords(tokens: readonly string[]): boolean {
  return tokens.slice(0, -1).some((token) => token.length > GROUP && /^[a-z]+$/i.test(token));
}

function readGroups(tokens: readonly string[], number: number, kind: LineKind): TypedLine {
  const name = lineNumber({ kind, number });
  const text = tokens.join('').toUpperCase().replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  const strange = [...text].findIndex((character) => !ALPHABET.includes(character));
  if (strange >= 0) {
    return problem(
      number,
      `line ${name}: ${where(strange, text.length)} holds a character that cards do not use`,
    );
  }
  if (text.length <= CHECKS || text.length > LINE_SYMBOLS + CHECKS) {
    const full = `a whole line has ${LINE_SYMBOLS + CHECKS}`;
    return problem(number, `line ${name} has ${text.length} characters: ${full}`);
  }
  const symbols = [...text].map((character) => ALPHABET.indexOf(character));
  const codeword = [...numberSymbols(kind, number), ...symbols];
  if (syndromes(codeword).some((value) => value !== 0)) {
    return problem(number, `line ${name} does not fit its check characters${hint(codeword, kind)}`);
  }
  const data = bytesOf(symbols.slice(0, -CHECKS));
  if (data === undefined) return problem(number, `line ${name} is not as cards spell it`);
  return { ok: true, kind, number, data };
}

function readWords(
  tokens: readonly string[],
  number: number,
  list: readonly string[],
): TypedLine | undefined {
  const name = lineNumber({ kind: 'words', number });
  const spelledWords = tokens.slice(0, -1);
  if (spelledWords.length < 1 || spelledWords.length > LINE_WORDS) {
    return problem(number, `line ${name} has ${spelledWords.length} words: a whole line has 5`);
  }
  const words: number[] = [];
  for (const [i, token] of spelledWords.entries()) {
    const word = wordNumber(token.toLowerCase(), list);
    if (word === undefined) return problem(number, `line ${name}: word ${i + 1} is in no list`);
    words.push(word);
  }
  const check = (tokens.at(-1) as string).toUpperCase().replaceAll('O', '0');
  const symbols = [...check.replaceAll(/[IL]/g, '1')].map((c) => ALPHABET.indexOf(c));
  if (symbols.length !== CHECKS || symbols.includes(-1)) {
    return problem(number, `line ${name} ends in four check characters`);
  }
  const data = words.flatMap((word) => [word >> 5, word & 31]);
  const codeword = [...numberSymbols('words', number), ...data, ...symbols];
  if (syndromes(codeword).every((value) => value === 0)) {
    return { ok: true, kind: 'words', number, data: words };
  }
  return problem(number, `line ${name} does not fit its check characters: compare its words`);
}

/** A word by its spelling, or by its first four letters or more; no two share those. */
function wordNumber(word: string, list: readonly string[]): number | undefined {
  const exact = list.indexOf(word);
  if (exact >= 0) return exact;
  const found = word.length < GROUP ? -1 : list.findIndex((each) => each.startsWith(word));
  return found < 0 ? undefined : found;
}

/**
 * What is most likely wrong, when one character is or two neighbours changed places. Only where to look: a guess at the right
 * character would be believed.
 */
function hint(codeword: readonly number[], kind: LineKind): string {
  const [s1 = 0, s2 = 0, s3 = 0, s4 = 0] = syndromes(codeword);
  if (s1 !== 0 && s2 !== 0 && times(s1, s3) === times(s2, s2) && times(s2, s4) === times(s3, s3)) {
    const power = ((LOG[s2] as number) - (LOG[s1] as number) + 31) % 31;
    const at = codeword.length - 1 - power;
    if (at >= 2) return `: look at ${where(at - 2, codeword.length - 2)}`;
    if (at >= 0) {
      const symbol = (codeword[at] as number) ^ times(s1, EXP[(31 - power) % 31] as number);
      const number = [...codeword];
      number[at] = symbol;
      const right = (((number[0] as number) << 5) | (number[1] as number)) - OFFSETS[kind];
      if (right >= 1 && right <= MAX_LINES)
        return `: it looks like line ${lineNumber({ kind, number: right })}`;
    }
  }
  for (let at = 2; at + 1 < codeword.length; at++) {
    const swapped = [...codeword];
    swapped[at] = codeword[at + 1] as number;
    swapped[at + 1] = codeword[at] as number;
    if (swapped[at] !== swapped[at + 1] && syndromes(swapped).every((value) => value === 0))
      return `: two neighbours changed places in ${where(at - 2, codeword.length - 2)}`;
  }
  return '';
}

/** Which group of a line of `length` characters the character at an index stands in; the last group is the check. */
function where(index: number, length: number): string {
  const last = Math.ceil((length - CHECKS) / GROUP) + 1;
  return `group ${index >= length - CHECKS ? last : Math.floor(index / GROUP) + 1}`;
}

function problem(number: number | undefined, text: string): TypedLine {
  return { ok: false, number, problem: text };
}

/** Bytes or words behind all lines of one kind; lines may come in any order, all must be there. */
export function joinLines(lines: ReadonlyMap<number, Uint8Array>, what: string): Uint8Array {
  const missing = missingLines(lines);
  if (missing.length > 0) {
    throw new InputError({
      code: 'E_CARD_LINE_MISSING',
      message: `${what}: line ${missing.map((n) => String(n).padStart(2, '0')).join(', ')} is missing`,
      hint: 'type it from the card',
    });
  }
  const out = new Uint8Array([...lines.values()].reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (let number = 1; number <= lines.size; number++) {
    const bytes = lines.get(number) as Uint8Array;
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

/** Numbers below the highest that are not there. */
export function missingLines(lines: ReadonlyMap<number, unknown>): number[] {
  const last = Math.max(0, ...lines.keys());
  return Array.from({ length: last }, (_, i) => i + 1).filter((number) => !lines.has(number));
}
