/** Seeded mutations of valid inputs, for fuzzing parsers: the same seed gives the same inputs. */
import { ConclaveError } from '#formats/errors';
import { mutationCount } from '../support/require.js';

/** A small deterministic generator (mulberry32): numbers from 0 to below 1. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Deterministic bytes in the shape of a random source. */
export function seededSource(seed: number): (length: number) => Uint8Array {
  const next = seededRandom(seed);
  return (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256));
}

const INTERESTING = [0x00, 0x01, 0x02, 0x04, 0x30, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x9f, 0xff];

/** One to four changes: flips, other bytes, cuts, insertions, repeated or swapped stretches. */
export function mutate(input: Uint8Array, next: () => number): Uint8Array {
  const below = (limit: number): number => Math.floor(next() * Math.max(1, limit));
  let bytes = [...input];
  const changes = 1 + below(4);
  for (let i = 0; i < changes; i++) {
    // Heads and tails decide most of a parser's paths, so half of the changes go there.
    const near = next() < 0.5 ? below(Math.min(64, bytes.length)) : below(bytes.length);
    const at = next() < 0.2 ? Math.max(0, bytes.length - 1 - near) : near;
    const interesting = INTERESTING[below(INTERESTING.length)] as number;
    switch (below(7)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
        break;
      case 1:
        bytes[at] = below(256);
        break;
      case 2:
        bytes[at] = interesting;
        break;
      case 3:
        bytes.splice(at, 0, next() < 0.5 ? interesting : below(256));
        break;
      case 4:
        bytes.splice(at, 1 + below(8));
        break;
      case 5:
        bytes.splice(at, 0, ...bytes.slice(at, at + 1 + below(32)));
        break;
      default:
        bytes = bytes.slice(0, at);
    }
  }
  return Uint8Array.from(bytes);
}

/** What {@link fuzz} saw. */
export interface FuzzOutcome {
  readonly accepted: number;
  readonly refused: number;
}

/**
 * Feeds `count` mutations to a parser. It may accept one (the mutation made something valid), or refuse it by one of our own
 * errors with exit code 65 or 1; anything else fails the test and shows the input.
 */
export async function fuzz(
  valid: readonly Uint8Array[],
  parse: (input: Uint8Array) => unknown,
  options: { readonly count?: number; readonly seed?: number } = {},
): Promise<FuzzOutcome> {
  const next = seededRandom(options.seed ?? 1);
  const outcome = { accepted: 0, refused: 0 };
  for (let i = 0; i < (options.count ?? mutationCount); i++) {
    const input = mutate(valid[i % valid.length] as Uint8Array, next);
    try {
      await parse(input);
      outcome.accepted++;
    } catch (error) {
      // Looked at without `expect`, which takes longer than most parsers.
      if (!(error instanceof ConclaveError) || ![65, 1].includes(error.exitCode)) {
        const shown = Buffer.from(input.subarray(0, 256)).toString('hex');
        throw new Error(`mutation ${i} is not refused as it should be: ${shown}`, { cause: error });
      }
      outcome.refused++;
    }
  }
  return outcome;
}
