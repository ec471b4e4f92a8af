/** Share files and set descriptions as they come in: which is which, and which set belongs to which shares. */
import { posix } from 'node:path';
import { fromUtf8 } from '#formats/bytes';
import { InputError, UsageError } from '#formats/errors';
import {
  decodeShare,
  looksLikeShare,
  MAX_SHARE_BYTES,
  type ShareFile,
} from '#protocols/sharing/envelope';
import type { BoundPackage } from '#protocols/sharing/bound-package';
import { decodeShareSet, looksLikeShareSet, type ShareSetFile } from '#protocols/sharing/share-set';
import {
  decodeMnemonic,
  looksLikeMnemonic,
  type Slip39Share,
} from '#protocols/sharing/slip39-mnemonic';
import type { FileSpace } from '../context/context.js';
import { shareBelongs, wordsBelong } from './belongs.js';
import { shareOfCard } from './card-source.js';

/** Name of a set description beside its shares. */
export const SET_FILE = 'set.json';

/** A file as the operator named it. */
export interface ShareSource {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The sealed package, where a card carried it beside the share. */
  readonly carried?: BoundPackage | undefined;
}

/** A share as read, not yet opened. */
export type ReadShare =
  | { readonly kind: 'envelope'; readonly name: string; readonly share: ShareFile }
  | { readonly kind: 'slip39'; readonly name: string; readonly share: Slip39Share };

/** A set description and how errors name it. */
export interface NamedSet {
  readonly name: string;
  readonly file: ShareSetFile;
}

const MAX_SET_BYTES = 1024 * 1024;

/**
 * A share file of either form.
 * @throws {@link InputError} for what is no share, {@link NegativeError} `E_SHARE_DAMAGED`
 */
export function readShare({ name, bytes }: ShareSource): ReadShare {
  if (looksLikeShare(bytes)) return { kind: 'envelope', name, share: decodeShare(bytes, name) };
  if (bytes.length > MAX_SHARE_BYTES) {
    throw new InputError({
      code: 'E_SHARE_MALFORMED',
      message: `${name} is no share: it is longer than ${MAX_SHARE_BYTES} bytes`,
    });
  }
  // Text is words; anything else is reported as the binary form, where positions can be told without telling content.
  if (bytes[0] !== undefined && bytes[0] < 0x80) {
    const words = wordsOf(fromUtf8(bytes, name));
    return { kind: 'slip39', name, share: decodeMnemonic(words, name) };
  }
  return { kind: 'envelope', name, share: decodeShare(bytes, name) };
}

/** Whether bytes are a file of SLIP-39 words; cheap, never throws. */
export function looksLikeWords(bytes: Uint8Array): boolean {
  if (bytes.length > MAX_SHARE_BYTES) return false;
  return looksLikeMnemonic(wordsOf(Buffer.from(bytes).toString('latin1')));
}

/** The words without the lines that begin with `#`, which carry a mark. */
function wordsOf(text: string): string {
  return text.replaceAll(/^#.*$/gm, '');
}

/** Reads share files and the text of cards; the receiver owns what is secret in them. */
export function readSources(paths: readonly string[], files: FileSpace): ShareSource[] {
  return paths.map((path) => {
    const name = path === '-' ? 'standard input' : path;
    const bytes = files.read(path, MAX_SET_BYTES);
    const card = shareOfCard(bytes, name);
    if (card === undefined) return { name, bytes };
    bytes.fill(0);
    return { name, ...card };
  });
}

/**
 * The set description that goes with some shares: the one named, or one among the files, or the one beside the first share.
 * @throws {@link UsageError} `E_SHARE_SETS` for two of them
 */
export function takeSet(
  sources: readonly ShareSource[],
  named: string | undefined,
  files: FileSpace,
): { readonly shares: readonly ShareSource[]; readonly set: NamedSet | undefined } {
  const sets = sources.filter(({ bytes }) => looksLikeShareSet(bytes));
  const shares = sources.filter((source) => !sets.includes(source));
  if (named !== undefined) sets.push({ name: named, bytes: files.read(named, MAX_SET_BYTES) });
  if (sets.length > 1) {
    throw new UsageError({
      code: 'E_SHARE_SETS',
      message: `${sets.map(({ name }) => name).join(' and ')}: only one set description can be meant`,
      hint: 'give one set.json',
    });
  }
  const [given] = sets;
  if (given !== undefined) return { shares, set: readSet(given) };
  return { shares, set: setBeside(shares, files) };
}

/**
 * The set.json beside the shares that describes most of them. One that describes a few only came along with the odd cards: it
 * must not decide which cards are odd. One that describes none is returned, to be refused.
 */
function setBeside(shares: readonly ShareSource[], files: FileSpace): NamedSet | undefined {
  const folders = shares
    .filter(({ name }) => name !== 'standard input')
    .map(({ name }) => posix.dirname(name));
  const found = [...new Set(folders)]
    .map((folder) => posix.join(folder, SET_FILE))
    .filter((path) => files.exists(path))
    .map((path) => {
      const set = readSet({ name: path, bytes: files.read(path, MAX_SET_BYTES) });
      return { set, described: shares.filter((share) => describes(set, share)).length };
    })
    .sort((a, b) => b.described - a.described);
  const [best] = found;
  if (best === undefined) return undefined;
  return best.described === 0 || 2 * best.described > shares.length ? best.set : undefined;
}

function describes({ file: { set } }: NamedSet, source: ShareSource): boolean {
  try {
    const read = readShare(source);
    if (read.kind === 'envelope') return shareBelongs(read.share, set);
    read.share.value.fill(0);
    return wordsBelong(read.share, set);
  } catch {
    // What is wrong with it is told where the share is read for good.
    return false;
  }
}

function readSet({ name, bytes }: ShareSource): NamedSet {
  return { name, file: decodeShareSet(bytes, name) };
}
