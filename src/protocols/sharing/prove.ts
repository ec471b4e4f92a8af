/** Trial recombination: every quorum of a set gives the secret back, or a large random sample of them does. */
import type { RandomSource } from '#crypto/descriptor';
import {
  countQuorums,
  everyQuorum,
  randomQuorum,
  type ShareIndex,
  type Structure,
} from './structure.js';

/** Up to this many quorums all are tried. */
export const ALL_UP_TO = 100_000n;
/** How many are drawn when there are more. */
export const SAMPLE = 10_000;

/** What was tried. */
export interface Proof {
  /** Number of quorums the structure has; decimal, because it can be beyond 2^53. */
  readonly quorums: string;
  readonly tried: number;
  /** Whether `tried` is a random sample instead of all. */
  readonly sampled: boolean;
  /** The first quorum that failed. */
  readonly failed: readonly ShareIndex[] | undefined;
}

/**
 * Tries the quorums of a structure.
 * @param recombines - whether these shares give back the secret; must not throw
 * @param random - chooses the sample
 */
export function proveQuorums(
  structure: Structure,
  recombines: (quorum: readonly ShareIndex[]) => boolean,
  random: RandomSource,
): Proof {
  const count = countQuorums(structure);
  const sampled = count > ALL_UP_TO;
  const quorums = sampled ? sample(structure, random) : everyQuorum(structure);
  let tried = 0;
  for (const quorum of quorums) {
    tried++;
    if (!recombines(quorum)) return { quorums: String(count), tried, sampled, failed: quorum };
  }
  return { quorums: String(count), tried, sampled, failed: undefined };
}

/** `all 10 quorums`, or `10000 of 184756 quorums, chosen at random`. */
export function describeProof({ quorums, tried, sampled }: Proof): string {
  if (sampled) return `${tried} of ${quorums} quorums, chosen at random`;
  return quorums === '1' ? 'the only quorum' : `all ${quorums} quorums`;
}

function* sample(structure: Structure, random: RandomSource): Generator<readonly ShareIndex[]> {
  for (let i = 0; i < SAMPLE; i++) yield randomQuorum(structure, random);
}
