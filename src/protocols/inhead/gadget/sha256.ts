/**
 * The compression function of SHA-256, as a circuit and in clear.
 * @see FIPS 180-4 §6.2.2
 */
import { type CircuitBuilder, ONE, type Wire, ZERO } from '../circuit.js';
import { add } from './adder.js';

/** A word of 32 wires, least significant bit first. */
export type Word = readonly Wire[];

/** ANDs of one compression: 48 · 3 sums, 64 rounds of two functions and seven sums, eight last sums. */
export const COMPRESSION_ANDS = 22_696;

/** K_0 … K_63: the first 32 bits of the fractions of the cube roots of the first 64 primes. */
const ROUND_CONSTANTS = Uint32Array.from(primes(64), (prime) => fraction(prime, 3));
/** The initial state: the same of square roots, of the first eight primes. */
export const INITIAL_STATE: readonly number[] = primes(8).map((prime) => fraction(prime, 2));

/**
 * The state after one block. Gates in the order of the specification: W_16 … W_63 (left sum, right sum, total), rounds
 * (ch, the four sums of T1, maj, T2, e, a), last sums.
 * @param state - 8 words
 * @param block - 16 words
 */
export function compressWires(
  builder: CircuitBuilder,
  state: readonly Word[],
  block: readonly Word[],
): Word[] {
  const schedule = [...block];
  for (let t = 16; t < 64; t++) {
    const at = (back: number): Word => schedule[t - back] as Word;
    const left = add(builder, at(16), smallSigma(builder, at(15), 7, 18, 3));
    const right = add(builder, at(7), smallSigma(builder, at(2), 17, 19, 10));
    schedule.push(add(builder, left, right));
  }
  let [a, b, c, d, e, f, g, h] = state as [Word, Word, Word, Word, Word, Word, Word, Word];
  for (let t = 0; t < 64; t++) {
    const sigma1 = bigSigma(builder, e, 6, 11, 25);
    const [left, middle, right] = [e, f, g];
    const ch = left.map((ei, i) => {
      const gi = right[i] as Wire;
      return builder.xor(gi, builder.and(ei, builder.xor(middle[i] as Wire, gi)));
    });
    let t1: Word = add(builder, h, sigma1);
    t1 = add(builder, t1, ch);
    t1 = add(builder, t1, constantWord(ROUND_CONSTANTS[t] as number));
    t1 = add(builder, t1, schedule[t] as Word);
    const [first, second, third] = [a, b, c];
    const maj = first.map((ai, i) => {
      const ab = builder.xor(ai, second[i] as Wire);
      return builder.xor(ai, builder.and(ab, builder.xor(ai, third[i] as Wire)));
    });
    const t2 = add(builder, bigSigma(builder, a, 2, 13, 22), maj);
    [h, g, f] = [g, f, e];
    e = add(builder, d, t1);
    [d, c, b] = [c, b, a];
    a = add(builder, t1, t2);
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => add(builder, state[i] as Word, word));
}

/** Wires of a constant. */
export function constantWord(value: number): Word {
  return Array.from({ length: 32 }, (_, i) => (((value >>> i) & 1) === 1 ? ONE : ZERO));
}

/**
 * Words of a byte string of wires (bit b of byte m being element 8m + b): big-endian as SHA-256 reads them.
 * @param bits - 8 wires a byte, a multiple of 32 of them
 */
export function wordsOfBytes(bits: readonly Wire[]): Word[] {
  return Array.from({ length: bits.length / 32 }, (_, word) =>
    Array.from(
      { length: 32 },
      (_, bit) => bits[32 * word + 8 * (3 - (bit >> 3)) + (bit & 7)] as Wire,
    ),
  );
}

/** The inverse of {@link wordsOfBytes}. */
export function bytesOfWords(words: readonly Word[]): Wire[] {
  return words.flatMap((word) =>
    Array.from({ length: 32 }, (_, j) => word[8 * (3 - (j >> 3)) + (j & 7)] as Wire),
  );
}

function rotate(word: Word, by: number): Word {
  return word.map((_, i) => word[(i + by) & 31] as Wire);
}

function xorWords(builder: CircuitBuilder, a: Word, b: Word, c: Word): Word {
  return a.map((ai, i) => builder.xor(builder.xor(ai, b[i] as Wire), c[i] as Wire));
}

function bigSigma(builder: CircuitBuilder, word: Word, p: number, q: number, r: number): Word {
  return xorWords(builder, rotate(word, p), rotate(word, q), rotate(word, r));
}

function smallSigma(
  builder: CircuitBuilder,
  word: Word,
  p: number,
  q: number,
  shift: number,
): Word {
  const shifted = word.map((_, i) => word[i + shift] ?? ZERO);
  return xorWords(builder, rotate(word, p), rotate(word, q), shifted);
}

/**
 * The state after one public block, computed in clear: where the proof's constants come from.
 * @param block - 64 bytes
 */
export function compressClear(state: readonly number[], block: Uint8Array): number[] {
  const view = new DataView(block.buffer, block.byteOffset, 64);
  const w = new Int32Array(64);
  for (let t = 0; t < 16; t++) w[t] = view.getInt32(4 * t);
  for (let t = 16; t < 64; t++) {
    const [a, b] = [w[t - 15] as number, w[t - 2] as number];
    const s0 = turn(a, 7) ^ turn(a, 18) ^ (a >>> 3);
    const s1 = turn(b, 17) ^ turn(b, 19) ^ (b >>> 10);
    w[t] = (w[t - 16] as number) + s0 + (w[t - 7] as number) + s1;
  }
  let [a, b, c, d, e, f, g, h] = state as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let t = 0; t < 64; t++) {
    const ch = (e & f) ^ (~e & g);
    const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
    const t1 = (h + s1 + ch + (ROUND_CONSTANTS[t] as number) + (w[t] as number)) | 0;
    const t2 = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => (word + (state[i] as number)) >>> 0);
}

function turn(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate++) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return found;
}

/** The first 32 bits of the fraction of n^(1/root), by integers: ⌊n^(1/root) · 2^32⌋ mod 2^32. */
function fraction(n: number, root: 2 | 3): number {
  const target = BigInt(n) << BigInt(32 * root);
  let low = 0n;
  let high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** BigInt(root) <= target) low = middle;
    else high = middle;
  }
  return Number(low & 0xffff_ffffn);
}
