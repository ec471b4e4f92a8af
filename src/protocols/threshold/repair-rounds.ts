/**
 * One share again, or one for a new member, from a threshold of others who show each other nothing: every helper splits its
 * weighted share into summands, one for each helper, and each helper passes on the sum of what it received. All summands are
 * committed to, so that whoever sends a wrong one is named.
 * @see docs/spec/threshold.md, "Repair"; Laing and Stinson, "A survey and refinement of repairable threshold schemes"
 */
import type { RandomSource } from '#crypto/descriptor';
import type { FrostSuite } from '#crypto/frost/suite';
import { type GroupPoint, mod } from '#crypto/math/prime-group';
import { blame } from './culprit.js';
import { lagrangeOf, splitSum, times } from './dealing.js';

/** One helper's summands and what it publishes of them, both by helper. */
export interface Summands {
  /** Secret. */
  readonly scalars: ReadonlyMap<number, bigint>;
  readonly commitments: ReadonlyMap<number, GroupPoint>;
}

/**
 * A helper's summands.
 * @param helpers - exactly a threshold of members, `self` among them, `lost` not
 * @param share - x_i of this helper
 */
export function splitForRepair(
  suite: FrostSuite,
  helpers: readonly number[],
  self: number,
  lost: number,
  share: bigint,
  random: RandomSource,
): Summands {
  const factor = lagrangeOf(helpers, suite, lost).get(self) as bigint;
  const parts = splitSum(mod(factor * share, suite.group.order), helpers.length, suite, random);
  const scalars = new Map(helpers.map((helper, i) => [helper, parts[i] as bigint]));
  return {
    scalars,
    commitments: new Map(
      [...scalars].map(([helper, part]) => [helper, times(suite.group.base, part, suite.group)]),
    ),
  };
}

/**
 * Whether a helper's committed summands add up to what it owes.
 * @param publicShare - Y_i of the helper
 * @throws NegativeError `E_THRESHOLD_CULPRIT`
 */
export function checkSummands(
  suite: FrostSuite,
  helpers: readonly number[],
  helper: number,
  lost: number,
  publicShare: GroupPoint,
  commitments: ReadonlyMap<number, GroupPoint>,
): void {
  const factor = lagrangeOf(helpers, suite, lost).get(helper) as bigint;
  const sum = helpers.reduce(
    (total, each) => total.add(commitments.get(each) ?? suite.group.identity),
    suite.group.identity,
  );
  if (sum.equals(publicShare.multiplyUnsafe(factor))) return;
  throw blame([helper], 'committed to summands that are not those of its share');
}

/** Whether a scalar is the one that its sender committed to. */
export function isCommitted(
  scalar: bigint,
  commitment: GroupPoint,
  { group }: FrostSuite,
): boolean {
  return times(group.base, scalar, group).equals(commitment);
}

/** The sum of scalars modulo the order. */
export function sumScalars(scalars: Iterable<bigint>, { group }: FrostSuite): bigint {
  let sum = 0n;
  for (const scalar of scalars) sum = mod(sum + scalar, group.order);
  return sum;
}

/** What a helper's passed-on sum must commit to: the sum of all that were committed for it. */
export function sumCommitment(
  commitments: Iterable<GroupPoint>,
  { group }: FrostSuite,
): GroupPoint {
  let sum = group.identity;
  for (const commitment of commitments) sum = sum.add(commitment);
  return sum;
}

/** The public share at a number from a quorum's public shares: what a repaired or enrolled member must hold. */
export function interpolatePublic(
  suite: FrostSuite,
  publicShares: ReadonlyMap<number, GroupPoint>,
  at: number,
): GroupPoint {
  const factors = lagrangeOf([...publicShares.keys()], suite, at);
  return [...publicShares].reduce(
    (sum, [number, point]) => sum.add(point.multiplyUnsafe(factors.get(number) as bigint)),
    suite.group.identity,
  );
}
