/** A set of shares as it lies among a session's artifacts: found, checked and read back. */
import { posix } from 'node:path';
import { checkShare } from '#actions/shares/check';
import { type NamedSet, readSources, type ShareSource, takeSet } from '#actions/shares/sources';
import type { FileSpace } from '#actions/context/context';
import { ConclaveError } from '#formats/errors';

/** A complete set. */
export interface SealedSet {
  /** Path of `set.json` as steps name it. */
  readonly set: string;
  /** Paths of all shares, in the order of their numbers. */
  readonly shares: readonly string[];
  readonly description: NamedSet;
}

/** How many shares a set has. */
function shareCount(set: NamedSet): number {
  return set.file.set.groups.reduce((sum, { shares }) => sum + shares, 0);
}

/**
 * The complete set among some files, if there is one: its description and every one of its shares, each whole and of this
 * set. Whoever wrote it wrote the description last; what is cut short anywhere is no set.
 */
export async function findCompleteSet(
  paths: readonly string[],
  files: FileSpace,
): Promise<SealedSet | undefined> {
  const set = paths.find((path) => posix.basename(path) === SET_NAME);
  if (set === undefined) return undefined;
  const beside = paths.filter((path) => path !== set && posix.dirname(path) === posix.dirname(set));
  try {
    const read = takeSet(readSources(beside, files), set, files);
    if (read.set === undefined) return undefined;
    const shares: { readonly path: string; readonly number: string }[] = [];
    for (const source of read.shares) {
      const checked = await checkShare(source, undefined, read.set);
      if (!checked.ok) return undefined;
      const number = checked.share?.['share'];
      if (typeof number !== 'string') return undefined;
      shares.push({ path: source.name, number });
    }
    const numbers = new Set(shares.map(({ number }) => number));
    if (numbers.size !== shareCount(read.set)) return undefined;
    shares.sort((a, b) => a.number.localeCompare(b.number, 'en', { numeric: true }));
    return { set, shares: shares.map(({ path }) => path), description: read.set };
  } catch (error) {
    // Half-written files do not parse; that is what is being found out here.
    if (error instanceof ConclaveError && error.exitCode !== 70) return undefined;
    throw error;
  }
}

const SET_NAME = 'set.json';

/** Reads a set and some of its shares for recombining. */
export function readSet(
  set: string,
  shares: readonly string[],
  files: FileSpace,
): { readonly sources: readonly ShareSource[]; readonly description: NamedSet | undefined } {
  const read = takeSet(readSources(shares, files), set, files);
  return { sources: read.shares, description: read.set };
}
