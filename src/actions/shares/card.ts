/** From a share file to what is printed on its card. Nothing here opens a seal. */
import { BYTEWORDS } from '#carriage/transport/bytewords';
import {
  type Card,
  type CardCode,
  SEALED_TO_IDENTITY,
  type UnlockStrip,
} from '#carriage/transport/card';
import { FountainEncoder } from '#carriage/transport/fountain-encoder';
import { linesOf, type PrintedLine, wordLinesOf } from '#carriage/transport/line-code';
import { encodeFilePayload, FILE_UR_TYPE } from '#carriage/transport/payload';
import { encodeQr, type QrLevel } from '#carriage/transport/qr-code';
import { encodeUr, encodeUrPart } from '#carriage/transport/ur';
import { sha256 } from '#crypto/hash';
import { fromHex, toHex } from '#formats/bytes';
import { InputError, RefusedError } from '#formats/errors';
import { encodeBoundPackage } from '#protocols/sharing/bound-package';
import type { ShareFile } from '#protocols/sharing/envelope';
import { packageBindingOf, type ShareSet } from '#protocols/sharing/share-set';
import { encodeMnemonic, type Slip39Share } from '#protocols/sharing/slip39-mnemonic';
import { SLIP39_WORDS } from '#protocols/sharing/slip39-words';
import {
  describeStructure,
  indexName,
  type ShareIndex,
  type Structure,
} from '#protocols/sharing/structure';
import type { NamedSet, ReadShare } from './sources.js';

/** What a card says that stands in no share file. */
export interface CardDetails {
  readonly custodian: string | undefined;
  readonly ceremony: string | undefined;
  /** `2026-11-26`. */
  readonly printed: string;
  readonly review: string;
  readonly version: string;
  readonly unlock: UnlockStrip;
}

/** Longest sealed package that a card carries beside the share, in bytes: one more code, and lines one can still type. */
const MAX_CARD_PACKAGE = 1000;

/** Modules of one code on paper: more would be too fine for an office printer. */
const MAX_VERSION = 27;

/** UR type of the sealed package by itself. */
const PACKAGE_FILE = 'set-package.cbor';

/**
 * The card of one share.
 * @param bytes - the share file
 * @param set - its description, which belongs to it
 */
export function cardOf(
  read: ReadShare,
  bytes: Uint8Array,
  set: NamedSet | undefined,
  details: CardDetails,
): Card {
  const description = set?.file.set;
  const about = read.kind === 'envelope' ? envelope(read.share) : words(read.share, description);
  const carried = read.kind === 'envelope' ? carriedPackage(read.share, description) : undefined;
  const key = description?.keyId ?? undefined;
  return {
    mark: about.environment === 'production' ? undefined : MARKS[about.environment],
    share: about.name,
    quorum: about.quorum,
    group: about.group,
    custodian: details.custodian,
    secret: secretOf(description),
    sealed: about.sealed,
    opensWith: about.opensWith,
    setId: about.setId ?? description?.setId,
    keyId: key,
    keyWords: key === undefined ? undefined : inWords(fromHex(key).subarray(0, 16)),
    root: about.root ?? description?.root,
    ceremony: details.ceremony,
    date: description === undefined ? details.printed : description.created.slice(0, 10),
    review: details.review,
    version: details.version,
    codes: [
      ...(read.kind === 'envelope'
        ? codesOf('the share', 'share', `share-${about.name}.cbor`, bytes)
        : [wordsCode(read.share)]),
      ...(carried === undefined
        ? []
        : codesOf('the sealed package', 'share-package', PACKAGE_FILE, carried)),
    ],
    lines: read.kind === 'envelope' ? linesOf(bytes, 'share') : wordLines(read.share),
    packageLines: carried === undefined ? [] : linesOf(carried, 'package'),
    packageAt: packageAt(read, description, carried !== undefined),
    command: commandOf(read, description, carried !== undefined),
    unlock: details.unlock,
  };
}

const MARKS = {
  rehearsal: 'REHEARSAL: not a real key',
  dev: 'DEV: not for production',
} as const;

interface About {
  readonly name: string;
  readonly quorum: string;
  readonly group: string | undefined;
  readonly environment: 'production' | 'rehearsal' | 'dev';
  readonly sealed: string;
  readonly opensWith: string;
  readonly setId: string | undefined;
  readonly root: string | undefined;
}

function envelope(share: ShareFile): About {
  const { index, structure, environment, seal } = share;
  const passphrase = [
    'by passphrase',
    'it opens with the unlock words that its custodian keeps.',
  ] as const;
  const opening = {
    unsealed: ['NOT at all', 'whoever sees this card has the share.'],
    passphrase,
    argon2id: passphrase,
    identity: [SEALED_TO_IDENTITY, 'it opens with the identity key of its custodian.'],
  } as const;
  const [sealed, opensWith] = opening[seal.kind];
  return {
    name: indexName(index, structure),
    quorum: describeStructure(structure),
    group: groupOf(index, structure),
    environment,
    sealed,
    opensWith,
    setId: toHex(share.setId),
    root: toHex(share.root),
  };
}

function words(share: Slip39Share, set: ShareSet | undefined): About {
  const one = share.groupCount === 1;
  const structure = set === undefined ? undefined : { ...set };
  return {
    name: one ? String(share.memberIndex + 1) : `${share.groupIndex + 1}-${share.memberIndex + 1}`,
    quorum:
      structure !== undefined
        ? describeStructure(structure)
        : one
          ? `any ${share.memberThreshold}`
          : `${share.groupThreshold} of ${share.groupCount} groups`,
    group: one
      ? undefined
      : `group ${share.groupIndex + 1}: ${share.memberThreshold} of its members`,
    environment: set?.environment ?? 'production',
    sealed: 'NOT at all',
    opensWith: 'whoever sees this card has the share.',
    setId: undefined,
    root: undefined,
  };
}

function groupOf({ group }: ShareIndex, { groups, groupThreshold }: Structure): string | undefined {
  const own = groups[group - 1];
  if (groups.length === 1 || own === undefined) return undefined;
  return `group ${group} of ${groups.length}: ${own.threshold} of its ${own.shares}; ${groupThreshold} groups are needed`;
}

function secretOf(set: ShareSet | undefined): string {
  if (set === undefined) return 'a secret';
  return set.kind === 'file' || set.algorithm === null ? 'a file' : `the ${set.algorithm} key`;
}

/** A fingerprint as words of four letters, one a byte. */
function inWords(bytes: Uint8Array): string {
  return [...bytes].map((byte) => BYTEWORDS[byte] as string).join(' ');
}

function carriedPackage(share: ShareFile, set: ShareSet | undefined): Uint8Array | undefined {
  if (share.package !== undefined || set === undefined || set.package === null) return undefined;
  if (set.package.sealed.length > MAX_CARD_PACKAGE) return undefined;
  return encodeBoundPackage({ binding: packageBindingOf(set), sealed: set.package });
}

function packageAt(read: ReadShare, set: ShareSet | undefined, carried: boolean): string {
  if (read.kind === 'slip39' && set?.splits === 'seed') {
    return 'There is no sealed package: enough of these words, by SLIP-39, are the secret itself.';
  }
  if (read.kind === 'envelope' && read.share.verifiable !== undefined) {
    return 'There is no sealed package: enough of these shares are the key itself.';
  }
  if (read.kind === 'envelope' && read.share.package !== undefined) {
    return 'The sealed package, which the shares open, is inside the code and the lines of every card: nothing else is needed.';
  }
  if (carried) {
    return 'The sealed package, which the shares open, is in a code of its own and in the lines that begin with P.';
  }
  const digest = set === undefined ? '' : ` (set ${set.setId.slice(0, 16)})`;
  return `The sealed package, which the shares open, is in the file set.json${digest}: every custodian has a copy. Kept at:`;
}

function commandOf(read: ReadShare, set: ShareSet | undefined, carried: boolean): string {
  const out = set?.kind === 'file' ? 'secret.bin' : 'recovered.key';
  const needsSet =
    read.kind === 'slip39'
      ? set?.splits !== 'seed'
      : !carried && read.share.package === undefined && read.share.verifiable === undefined;
  return `conclave share combine${needsSet ? ' --set set.json' : ''} --out ${out}`;
}

/** One code, or several of about the same size; level H where it costs nothing, otherwise Q. */
function codesOf(what: string, kind: string, name: string, bytes: Uint8Array): CardCode[] {
  const message = encodeFilePayload({ kind, name, bytes }, sha256);
  const whole = encodeUr(FILE_UR_TYPE, message).toUpperCase();
  const single = codeOf(whole);
  if (single !== undefined) return [{ caption: `${what}: scan this`, matrix: single }];
  for (let parts = 2; ; parts++) {
    const encoder = new FountainEncoder(message, Math.ceil(message.length / parts), sha256);
    const codes = Array.from({ length: encoder.fragments }, (_, i) =>
      codeOf(encodeUrPart(FILE_UR_TYPE, encoder.part(i + 1)).toUpperCase()),
    );
    if (codes.every((code) => code !== undefined)) {
      return codes.map((matrix, i) => ({
        caption: `${what}: scan all ${codes.length}, this is ${i + 1}`,
        matrix,
      }));
    }
  }
}

/** Fits a version that prints well, as robust as possible at that size. */
function codeOf(text: string): CardCode['matrix'] | undefined {
  let quartile;
  try {
    quartile = encodeQr(text, { level: 'Q' });
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
  if (quartile.version > MAX_VERSION) return undefined;
  return (sameSize(text, quartile.version, 'H') ?? quartile).modules;
}

function sameSize(text: string, version: number, level: QrLevel) {
  try {
    return encodeQr(text, { level, version });
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** Words stand in a code as other tools read them: lower case, single spaces. */
function wordsCode(share: Slip39Share): CardCode {
  return {
    caption: 'the words: scan this',
    matrix: encodeQr(encodeMnemonic(share), { level: 'Q' }).modules,
  };
}

function wordLines(share: Slip39Share): PrintedLine[] {
  const numbers = encodeMnemonic(share)
    .split(' ')
    .map((word) => SLIP39_WORDS.indexOf(word));
  return wordLinesOf(numbers, SLIP39_WORDS);
}

/**
 * Refuses to put an open share on paper unless that was said.
 * @throws {@link RefusedError} `E_CARD_UNSEALED`
 */
export function assertMayPrint(read: ReadShare, name: string, unsealed: boolean): void {
  const open = read.kind === 'slip39' || read.share.seal.kind === 'unsealed';
  if (!open || unsealed) return;
  throw new RefusedError({
    code: 'E_CARD_UNSEALED',
    message: `${name} is not sealed: whoever sees its card has the share`,
    hint: 'share again with a seal, or say --unsealed if the card itself is to be that secret',
  });
}
