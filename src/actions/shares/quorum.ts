/** Which of the opened shares make a quorum, and whether the others fit it. */
import { interpolate } from '#crypto/math/gf256';
import { NegativeError } from '#formats/errors';
import { recombine } from '#protocols/sharing/deal';
import {
  openPackage,
  type Package,
  type PackageBinding,
  type SealedPackage,
} from '#protocols/sharing/package';
import { liesOn } from '#protocols/sharing/shamir';
import { quorumsAmong, type ShareIndex, type Structure } from '#protocols/sharing/structure';
import { oddShares, type OpenedShare } from './gather.js';

/** Quorums that are tried where nothing says which shares are right. */
export const MAX_TRIES = 10_000;

/** The first quorum among shares that are known to be right. */
export function firstQuorum(shares: readonly OpenedShare[], structure: Structure): OpenedShare[] {
  const indices = shares.map(({ index }) => index);
  const [quorum] = quorumsAmong(structure, indices) as Iterable<readonly ShareIndex[]>;
  return pick(shares, quorum ?? []);
}

/**
 * Tries the quorums among the shares until one opens the package: more shares than needed can outvote a wrong one.
 * @returns `content` is owned by the caller
 * @throws {@link NegativeError} `E_SHARES_WRONG`
 */
export function findQuorum(
  shares: readonly OpenedShare[],
  structure: Structure,
  target: { readonly sealed: SealedPackage; readonly binding: PackageBinding },
): { readonly used: readonly OpenedShare[]; readonly content: Package } {
  let tried = 0;
  for (const quorum of quorumsAmong(
    structure,
    shares.map(({ index }) => index),
  )) {
    const used = pick(shares, quorum);
    const kek = recombine(used);
    const content = tryPackage(target.sealed, kek, target.binding);
    kek.fill(0);
    if (content !== undefined) return { used, content };
    if (++tried === MAX_TRIES) break;
  }
  throw wrongShares('the sealed package does not open');
}

function tryPackage(
  sealed: SealedPackage,
  kek: Uint8Array,
  binding: PackageBinding,
): Package | undefined {
  try {
    return openPackage(sealed, kek, binding, 'the sealed package');
  } catch (error) {
    if (error instanceof NegativeError) return undefined;
    throw error;
  }
}

/**
 * Shares beyond the quorum that was used must fit it.
 * @returns what could not be compared, because a further group is incomplete
 * @throws {@link NegativeError} `E_SHARE_ODD` naming those that do not fit
 */
export function assertConsistent(
  shares: readonly OpenedShare[],
  used: readonly OpenedShare[],
  structure: Structure,
): string[] {
  const notChecked: string[] = [];
  const groupPoint = (members: readonly OpenedShare[], group: number) => {
    const points = members.map(pointOf);
    const y = interpolate(points);
    for (const point of points) point.y.fill(0);
    return { x: group, y };
  };
  const groupsUsed = new Set(used.map(({ index }) => index.group));
  const usedOf = (group: number) => used.filter(({ index }) => index.group === group);
  const groupPoints = [...groupsUsed].map((group) => groupPoint(usedOf(group), group));
  const odd: string[] = [];
  structure.groups.forEach(({ threshold }, g) => {
    const group = g + 1;
    const members = shares.filter(({ index }) => index.group === group);
    const base = groupsUsed.has(group) ? usedOf(group) : members.slice(0, threshold);
    if (base.length < threshold) {
      notChecked.push(...members.map(({ name }) => `${name}: its group is incomplete`));
      return;
    }
    if (!groupsUsed.has(group)) {
      const own = groupPoint(base, group);
      const fits = liesOn(groupPoints, own);
      own.y.fill(0);
      if (!fits) {
        odd.push(...members.map(({ name }) => name));
        return;
      }
    }
    const points = base.map(pointOf);
    for (const member of members.filter((each) => !base.includes(each))) {
      const point = pointOf(member);
      if (!liesOn(points, point)) odd.push(member.name);
      point.y.fill(0);
    }
    for (const point of points) point.y.fill(0);
  });
  for (const point of groupPoints) point.y.fill(0);
  if (odd.length === 0) return notChecked;
  throw oddShares(
    odd,
    `${odd.join(', ')}: does not fit the other shares`,
    'it is not the share that was dealt; leave it out, and find out why',
  );
}

function pointOf({ index, opening }: OpenedShare): { x: number; y: Uint8Array } {
  return { x: index.member, y: opening.use((bytes) => bytes.slice(0, 32)) };
}

function pick(shares: readonly OpenedShare[], quorum: readonly ShareIndex[]): OpenedShare[] {
  return quorum.map(
    ({ group, member }) =>
      shares.find(({ index }) => index.group === group && index.member === member) as OpenedShare,
  );
}

/** The error for shares that are not the ones that were dealt, where it cannot be said which. */
export function wrongShares(why: string): NegativeError {
  return new NegativeError({
    code: 'E_SHARES_WRONG',
    message: `these shares do not recombine: ${why}`,
    hint: 'at least one of them is wrong; check each with its set.json by conclave share check',
  });
}
