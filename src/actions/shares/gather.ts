/**
 * From share files to the openings of one set: cards of other sets are named before anybody types a passphrase, an
 * incomplete quorum is told before anything is opened.
 */
import { equalConstantTime, fromHex, toHex } from '#formats/bytes';
import { NegativeError, TryAgainError } from '#formats/errors';
import { type DealtShare, opensShare } from '#protocols/sharing/deal';
import { encodeHeader, type ShareFile } from '#protocols/sharing/envelope';
import { commitmentOf, contextOf, suiteOf } from '#protocols/sharing/share-set';
import {
  describePresent,
  describeStructure,
  indexNumber,
  quorumsAmong,
  type ShareIndex,
  type Structure,
} from '#protocols/sharing/structure';
import { shareBelongs, staleness } from './belongs.js';
import type { ShareOpener } from './open.js';
import type { NamedSet, ReadShare } from './sources.js';

/** A share file and how errors name it. */
export interface NamedShare {
  readonly name: string;
  readonly share: ShareFile;
}

/** An opened share of the set. */
export interface OpenedShare extends DealtShare {
  readonly name: string;
}

/** Distinct opened shares of one set, ascending; disposing wipes them. */
export interface Gathered extends Disposable {
  readonly shares: readonly OpenedShare[];
  /** Header of the set, from any share. */
  readonly header: ShareFile;
  /** Names of files that repeat another share. */
  readonly duplicates: readonly string[];
}

/**
 * Opens shares of one set.
 * @throws {@link NegativeError} `E_SHARE_ODD` naming cards of another set or that do not open their commitment,
 * `E_SHARE_CONFLICT` for two different shares under one number
 * @throws {@link TryAgainError} `E_QUORUM_INCOMPLETE` before anything is opened
 */
export async function gather(
  shares: readonly NamedShare[],
  opener: ShareOpener,
  set: NamedSet | undefined,
): Promise<Gathered> {
  assertOneSet(shares, set);
  const header = (shares[0] as NamedShare).share;
  const repeated = repeats(shares);
  assertQuorum(
    header.structure,
    shares.map(({ share }) => share.index),
    repeated,
  );
  const opened: OpenedShare[] = [];
  const dispose = (): void => {
    for (const { opening } of opened) opening.dispose();
  };
  try {
    for (const { name, share } of shares) {
      const opening = await opener(share, name);
      const twin = opened.find(({ index }) => indexNumber(index) === indexNumber(share.index));
      if (twin === undefined) {
        opened.push({ name, index: share.index, opening });
        if (set !== undefined) assertCommitted(opened.at(-1) as OpenedShare, set);
        continue;
      }
      const same = twin.opening.use((a) => opening.use((b) => equalConstantTime(a, b)));
      opening.dispose();
      if (!same) throw conflict(twin.name, name);
    }
    opened.sort((a, b) => indexNumber(a.index) - indexNumber(b.index));
    return { shares: opened, header, duplicates: repeated, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** The share files of envelope form. @throws NegativeError `E_SHARE_ODD` when words are among them */
export function onlyEnvelopes(shares: readonly ReadShare[]): NamedShare[] {
  const words = shares.filter(({ kind }) => kind === 'slip39');
  const files = shares.filter((each) => each.kind === 'envelope');
  if (words.length > 0) {
    const odd = (words.length > files.length ? files : words).map(({ name }) => name);
    throw oddShares(odd, `${odd.join(', ')}: of another form than the other shares`);
  }
  return files;
}

/** The error that names cards which do not belong. */
export function oddShares(odd: readonly string[], message: string, hint?: string): NegativeError {
  return new NegativeError({
    code: 'E_SHARE_ODD',
    message,
    hint: hint ?? 'give shares of one set only',
    details: { odd: [...odd] },
  });
}

/** Refuses fewer shares than a quorum: exit 75. */
export function assertQuorum(
  structure: Structure,
  indices: readonly ShareIndex[],
  duplicates: readonly string[] = [],
): void {
  const distinct = [...new Map(indices.map((index) => [indexNumber(index), index])).values()];
  if (quorumsAmong(structure, distinct).next().done !== true) return;
  const repeated =
    duplicates.length === 0
      ? ''
      : `; ${duplicates.join(', ')} repeats a share that is here already`;
  throw new TryAgainError({
    code: 'E_QUORUM_INCOMPLETE',
    message: `the quorum is incomplete: ${describePresent(structure, distinct)}${repeated}`,
    hint: `nothing was written; it takes ${describeStructure(structure)}`,
    ...(duplicates.length === 0 ? {} : { details: { duplicates: [...duplicates] } }),
  });
}

/** Refuses an opened share that is not the one committed. @throws NegativeError `E_SHARE_ODD` */
export function assertCommitted(share: OpenedShare, { name, file: { set } }: NamedSet): void {
  const commitment = commitmentOf(set, indexNumber(share.index));
  if (commitment !== undefined && opensShare(contextOf(set), share, commitment, suiteOf(set)))
    return;
  throw oddShares(
    [share.name],
    `${share.name} does not open its commitment in ${name}`,
    'it is not the share that was dealt; ask its custodian for another copy',
  );
}

/** What all shares of one dealing have in common: the part in clear without index and seal. */
function dealingOf(share: ShareFile): string {
  return toHex(
    encodeHeader({ ...share, index: { group: 1, member: 1 }, seal: { kind: 'unsealed' } }),
  );
}

/** Refuses cards of other sets, or of another dealing, by what they say in clear. @throws NegativeError `E_SHARE_ODD` */
export function assertOneSet(shares: readonly NamedShare[], set: NamedSet | undefined): void {
  if (set !== undefined) {
    const odd = shares.filter(({ share }) => !shareBelongs(share, set.file.set));
    if (odd.length === 0) return;
    const names = odd.map(({ name }) => name);
    if (odd.length === shares.length) {
      throw oddShares(
        [set.name],
        whyNoneFits(shares, set),
        'give the set.json that came with these shares',
      );
    }
    throw oddShares(names, odd.map((each) => whyOdd(each, set)).join('; '));
  }
  const kinds = new Map<string, NamedShare[]>();
  for (const each of shares) {
    const key = dealingOf(each.share);
    kinds.set(key, [...(kinds.get(key) ?? []), each]);
  }
  if (kinds.size === 1) return;
  const [majority, ...others] = [...kinds.values()].sort((a, b) => b.length - a.length) as [
    NamedShare[],
    ...NamedShare[][],
  ];
  if (majority.length === (others[0] as NamedShare[]).length) {
    throw oddShares(
      shares.map(({ name }) => name),
      whichDealings(shares),
    );
  }
  const reference = (majority[0] as NamedShare).share;
  const odd = others.flat();
  throw oddShares(
    odd.map(({ name }) => name),
    odd
      .map(({ name, share }) =>
        toHex(share.setId) === toHex(reference.setId)
          ? whyStale(name, share, reference)
          : `${name} is of set ${shortId(share.setId)}, the other shares are of set ${shortId(reference.setId)}`,
      )
      .join('; '),
  );
}

/** All shares are of one other dealing: then it is more likely that the description is the wrong one. */
function whyNoneFits(shares: readonly NamedShare[], set: NamedSet): string {
  const names = shares.map(({ name }) => name).join(', ');
  const [first] = shares;
  const stale = first === undefined ? undefined : staleness(first.share, set.file.set, set.name);
  return stale === undefined
    ? `${set.name} does not describe the set of ${names}`
    : `${set.name} does not describe ${names}: ${stale}`;
}

function whyOdd({ name, share }: NamedShare, { name: setName, file: { set } }: NamedSet): string {
  if (toHex(share.setId) !== set.setId) {
    return `${name} is of set ${shortId(share.setId)}, not of set ${shortId(fromHex(set.setId))}`;
  }
  const stale = staleness(share, set, setName);
  return stale === undefined
    ? `${name} was changed: it does not agree with its set`
    : `${name}: ${stale}`;
}

function whyStale(name: string, share: ShareFile, reference: ShareFile): string {
  return share.epoch === reference.epoch
    ? `${name} is of the same set as the other shares, but was dealt at another time or changed`
    : `${name} is of epoch ${share.epoch} of this set, the other shares are of epoch ${reference.epoch}: ` +
        'old and new shares do not fit together';
}

function whichDealings(shares: readonly NamedShare[]): string {
  const sets = new Set(shares.map(({ share }) => toHex(share.setId)));
  const epochs = new Set(shares.map(({ share }) => share.epoch));
  if (sets.size === 1 && epochs.size > 1) {
    const all = shares.map(({ name, share }) => `${name} (epoch ${share.epoch})`);
    return `these shares are of different epochs of one set, and do not fit together: ${all.join(', ')}`;
  }
  const all = shares.map(({ name, share }) => `${name} (set ${shortId(share.setId)})`);
  return `these shares belong to different sets: ${all.join(', ')}`;
}

function repeats(shares: readonly NamedShare[]): string[] {
  const seen = new Set<number>();
  return shares.flatMap(({ name, share }) => {
    const number = indexNumber(share.index);
    if (seen.has(number)) return [name];
    seen.add(number);
    return [];
  });
}

function conflict(first: string, second: string): NegativeError {
  return new NegativeError({
    code: 'E_SHARE_CONFLICT',
    message: `${first} and ${second} bear the same number but are different shares`,
    hint: 'one of them is wrong; check each with conclave share check',
    details: { odd: [first, second] },
  });
}

function shortId(setId: Uint8Array): string {
  return toHex(setId).slice(0, 16);
}
