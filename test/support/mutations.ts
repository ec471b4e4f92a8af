/** Mutated copies of a valid input, and what parsers may do with them: read them, or refuse them in the agreed way. */
import { ConclaveError } from '#formats/errors';
import { mutationCount } from './require.js';

/** A small generator with a seed, so that a failure can be repeated (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** `count` mutations of an input: flipped bits, other bytes, cuts, repetitions, insertions, swaps, one to four at a time. */
export function* mutations(input: Uint8Array, count: number, seed = 1): Generator<Uint8Array> {
  const next = seeded(seed);
  for (let i = 0; i < count; i++) {
    let bytes: Uint8Array = input;
    for (let times = 1 + next(4); times > 0; times--) bytes = mutated(bytes, next);
    yield bytes;
  }
}

/**
 * Feeds `count` mutations to a parser.
 * @returns how many were read, how many refused, by exit code
 * @throws whatever the parser throws that is not a refusal with one of the allowed exit codes
 */
export async function fuzz(
  input: Uint8Array,
  parse: (bytes: Uint8Array) => unknown,
  options: {
    readonly count?: number;
    readonly codes?: readonly number[];
    readonly seed?: number;
  } = {},
): Promise<Readonly<Record<string, number>>> {
  const { count = mutationCount, codes = [65, 1], seed = 1 } = options;
  const tally: Record<string, number> = {};
  for (const bytes of mutations(input, count, seed)) {
    let outcome = 'read';
    try {
      await parse(bytes);
    } catch (error) {
      if (!(error instanceof ConclaveError) || !codes.includes(error.exitCode)) throw error;
      outcome = String(error.exitCode);
    }
    tally[outcome] = (tally[outcome] ?? 0) + 1;
  }
  return tally;
}

function mutated(bytes: Uint8Array, next: (below: number) => number): Uint8Array {
  const at = next(Math.max(1, bytes.length));
  const out = bytes.slice();
  switch (next(7)) {
    case 0:
      out[at] = (out[at] ?? 0) ^ (1 << next(8));
      return out;
    case 1:
      out[at] = next(256);
      return out;
    case 2:
      return out.subarray(0, at);
    case 3: {
      const end = Math.min(bytes.length, at + 1 + next(16));
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    }
    case 4:
      return Buffer.concat([bytes.subarray(0, at), Uint8Array.of(next(256)), bytes.subarray(at)]);
    case 5:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + next(8))]);
    default: {
      const other = next(Math.max(1, bytes.length));
      [out[at], out[other]] = [out[other] ?? 0, out[at] ?? 0];
      return out;
    }
  }
}
