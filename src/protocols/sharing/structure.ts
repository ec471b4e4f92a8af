/**
 * The shape of a share set: GT of g groups, group j needing t_j of its n_j members. One plain t of n is one group.
 * Counting, walking and choosing quorums live here; nothing here touches a secret.
 */
import type { RandomSource } from '#crypto/descriptor';

/** t of n. */
export interface Quorum {
  readonly threshold: number;
  readonly shares: number;
}

/** GT of the groups, each with its own quorum. */
export interface Structure {
  readonly groupThreshold: number;
  readonly groups: readonly Quorum[];
}

/** Which share: group and member, both counted from 1. */
export interface ShareIndex {
  readonly group: number;
  readonly member: number;
}

/** Most groups a set has; with 16 a passphrase-sealed share still fits one QR code. */
export const MAX_GROUPS = 16;

/** The structure of a plain t of n. */
export function plainStructure(quorum: Quorum): Structure {
  return { groupThreshold: 1, groups: [quorum] };
}

/** What is wrong with a structure, as the end of an error message; undefined when nothing is. */
export function structureProblem(structure: Structure, maxShares = 255): string | undefined {
  const { groupThreshold, groups } = structure;
  if (groups.length < 1 || groups.length > MAX_GROUPS) return `1 to ${MAX_GROUPS} groups`;
  if (!Number.isInteger(groupThreshold) || groupThreshold < 1 || groupThreshold > groups.length) {
    return 'a group threshold from 1 to the number of groups';
  }
  for (const { threshold, shares } of groups) {
    if (!Number.isInteger(shares) || shares < 1 || shares > maxShares)
      return `1 to ${maxShares} shares`;
    if (!Number.isInteger(threshold) || threshold < 1 || threshold > shares) {
      return 'a threshold from 1 to the number of shares';
    }
  }
  return undefined;
}

/** i = 256 · group + member, the number under which a share is committed. */
export function indexNumber({ group, member }: ShareIndex): number {
  return 256 * group + member;
}

/** All indices of a structure, ascending. */
export function allIndices(structure: Structure): ShareIndex[] {
  return structure.groups.flatMap(({ shares }, g) =>
    Array.from({ length: shares }, (_, m) => ({ group: g + 1, member: m + 1 })),
  );
}

/** `2` for the only group, `1-2` for member 2 of group 1: names of files and shares for people. */
export function indexName(index: ShareIndex, structure: Structure): string {
  return structure.groups.length === 1 ? String(index.member) : `${index.group}-${index.member}`;
}

/** `any 2 of 3`, or the groups spelled out. */
export function describeStructure({ groupThreshold, groups }: Structure): string {
  const quorum = ({ threshold, shares }: Quorum): string => `${threshold} of ${shares}`;
  if (groups.length === 1) return `any ${quorum(groups[0] as Quorum)}`;
  return `${groupThreshold} of {${groups.map(quorum).join(', ')}}`;
}

/** Whether the loss of some single share loses the secret: n of n, where every group is needed. */
export function everyShareNeeded({ groupThreshold, groups }: Structure): boolean {
  return groupThreshold === groups.length && groups.some((q) => q.threshold === q.shares);
}

/** Whether some single share is the secret: a threshold of 1, where one group is enough. */
export function oneShareEnough({ groupThreshold, groups }: Structure): boolean {
  return groupThreshold === 1 && groups.some((q) => q.threshold === 1);
}

/** How many quorums there are: sets of exactly GT groups with exactly t_j members each. */
export function countQuorums({ groupThreshold, groups }: Structure): bigint {
  // ways[k]: in how many ways k of the groups seen so far contribute a quorum.
  const ways = [1n, ...Array.from({ length: groupThreshold }, () => 0n)];
  for (const { threshold, shares } of groups) {
    const own = binomial(shares, threshold);
    for (let k = groupThreshold; k >= 1; k--) {
      ways[k] = (ways[k] as bigint) + (ways[k - 1] as bigint) * own;
    }
  }
  return ways[groupThreshold] as bigint;
}

/** Walks all quorums, indices ascending in each. */
export function everyQuorum(structure: Structure): Generator<readonly ShareIndex[]> {
  return quorumsAmong(structure, allIndices(structure));
}

/**
 * Walks the quorums that some shares contain, indices ascending in each; none when they are too few.
 * @param available - distinct indices
 */
export function* quorumsAmong(
  structure: Structure,
  available: readonly ShareIndex[],
): Generator<readonly ShareIndex[]> {
  const groups = structure.groups
    .map(({ threshold }, g) => ({
      threshold,
      indices: available.filter(({ group }) => group === g + 1).sort((a, b) => a.member - b.member),
    }))
    .filter(({ threshold, indices }) => indices.length >= threshold);
  if (groups.length < structure.groupThreshold) return;
  for (const chosen of combinations(groups.length, structure.groupThreshold)) {
    yield* products(chosen, 0);
  }

  function* products(chosen: readonly number[], at: number): Generator<readonly ShareIndex[]> {
    const group = groups[chosen[at] ?? -1];
    if (group === undefined) {
      yield [];
      return;
    }
    for (const members of combinations(group.indices.length, group.threshold)) {
      const own = members.map((m) => group.indices[m] as ShareIndex);
      for (const rest of products(chosen, at + 1)) yield [...own, ...rest];
    }
  }
}

/** How far some shares are from a quorum, for people: `1 of 2 shares are here`. */
export function describePresent(structure: Structure, available: readonly ShareIndex[]): string {
  const counts = structure.groups.map(
    (_, g) => available.filter(({ group }) => group === g + 1).length,
  );
  const [only] = structure.groups;
  if (structure.groups.length === 1 && only !== undefined)
    return `${counts[0] ?? 0} of ${only.threshold} shares are here`;
  const complete = structure.groups.filter((q, g) => (counts[g] as number) >= q.threshold).length;
  const each = structure.groups.map((q, g) => `group ${g + 1}: ${counts[g]} of ${q.threshold}`);
  return `${complete} of ${structure.groupThreshold} groups are complete (${each.join(', ')})`;
}

/** One quorum: groups uniformly, then members uniformly within each. */
export function randomQuorum(structure: Structure, random: RandomSource): ShareIndex[] {
  const { groupThreshold, groups } = structure;
  return randomSubset(groups.length, groupThreshold, random).flatMap((g) => {
    const { threshold, shares } = groups[g] as Quorum;
    return randomSubset(shares, threshold, random).map((m) => ({ group: g + 1, member: m + 1 }));
  });
}

function binomial(n: number, k: number): bigint {
  let result = 1n;
  for (let i = 1; i <= k; i++) result = (result * BigInt(n - k + i)) / BigInt(i);
  return result;
}

/** All k-subsets of 0 … n−1, each ascending, in lexicographic order. */
function* combinations(n: number, k: number): Generator<readonly number[]> {
  const chosen = Array.from({ length: k }, (_, i) => i);
  for (;;) {
    yield [...chosen];
    let at = k - 1;
    while (at >= 0 && chosen[at] === n - k + at) at--;
    if (at < 0) return;
    chosen[at] = (chosen[at] as number) + 1;
    for (let i = at + 1; i < k; i++) chosen[i] = (chosen[i - 1] as number) + 1;
  }
}

function randomSubset(n: number, k: number, random: RandomSource): number[] {
  const pool = Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < k; i++) {
    const j = i + below(n - i, random);
    const swapped = pool[i] as number;
    pool[i] = pool[j] as number;
    pool[j] = swapped;
  }
  return pool.slice(0, k).sort((a, b) => a - b);
}

/** A uniform number below `bound` ≤ 256, by rejection. */
function below(bound: number, random: RandomSource): number {
  const limit = 256 - (256 % bound);
  for (;;) {
    const byte = random(1)[0] as number;
    if (byte < limit) return byte % bound;
  }
}
