/**
 * What refresh, reshare, enrol and repair have in common: the old set is read and every card checked by what it says in clear,
 * old shares are opened one at a time, each against its commitment, and the new set is put together, signed and written. None
 * of it forms the secret.
 * @see docs/spec/share.md, "Changing a set"
 */
import { signDetached } from '#custody/audit/statement';
import type { Environment } from '#custody/authority/record';
import { equalConstantTime, fromHex, toHex } from '#formats/bytes';
import { InternalError, MissingInputError, RefusedError, UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { formatTime } from '#formats/time';
import { commitmentRoot, contextDigest, shareCommitment } from '#protocols/sharing/commitment';
import type { DealtShare } from '#protocols/sharing/deal';
import { carriedPackage } from '#protocols/sharing/envelope';
import {
  assertRoot,
  computeRoot,
  dealingRootOf,
  digestOfSet,
  epochOf,
  type Lineage,
  SHARE_SET_PAYLOAD_TYPE,
  type ShareSet,
  shareSetBytes,
  structureOf,
  suiteOf,
} from '#protocols/sharing/share-set';
import {
  indexName,
  indexNumber,
  type ShareIndex,
  type Structure,
} from '#protocols/sharing/structure';
import type { ActionContext } from '../context/context.js';
import { checkDealer } from './dealer.js';
import { assertCommitted, assertOneSet, type NamedShare, onlyEnvelopes } from './gather.js';
import { contextOpener, type ShareOpener } from './open.js';
import { assertReads, type ShareOutput } from './publish.js';
import type { Recipients } from './recipients.js';
import { type Recipient, sealShare, type Stretching } from './seal.js';
import { type NamedSet, readShare, readSources, takeSet } from './sources.js';
import { pathsOf, writeShared } from './write.js';

/** An old set under change. */
export interface OldSet {
  readonly set: NamedSet;
  readonly structure: Structure;
  /** One card for each number, ascending. */
  readonly shares: readonly NamedShare[];
  /** Names of files that repeat another card. */
  readonly duplicates: readonly string[];
  /** What was and what was not checked of who made it. */
  readonly checked: readonly string[];
  readonly notChecked: readonly string[];
  /** Opens one card and refuses it unless it is the one committed; owned by the caller. */
  open(share: NamedShare): Promise<SecretBytes>;
}

/** What all four actions are given. */
export interface OldSetInput {
  readonly shares: readonly string[];
  readonly set?: string | undefined;
  /** Role whose holders the old shares belong to, in order. */
  readonly holders?: string | undefined;
}

/**
 * Reads the old set.
 * @throws {@link MissingInputError} `E_SHARE_SET_MISSING`: without commitments nothing could be checked
 * @throws {@link RefusedError} `E_SHARE_SCHEME` for SLIP-39 words, `E_SHARE_ENVIRONMENT` for a real set in a rehearsal
 * @throws {@link NegativeError} `E_SHARE_ODD` naming cards of another set or dealing, `E_SHARE_SET_ROOT`, `E_SHARE_SET_SIGNATURE`
 */
export async function readOldSet(input: OldSetInput, context: ActionContext): Promise<OldSet> {
  const taken = takeSet(readSources(input.shares, context.files), input.set, context.files);
  if (taken.shares.length === 0) {
    throw new UsageError({
      code: 'E_SHARES_MISSING',
      message: 'no share was given',
      hint: 'name the share files',
    });
  }
  const { set } = taken;
  const read = taken.shares.map(readShare);
  if (set?.file.set.scheme === 'slip39' || read.some(({ kind }) => kind === 'slip39')) {
    for (const each of read) if (each.kind === 'slip39') each.share.value.fill(0);
    throw new RefusedError({
      code: 'E_SHARE_SCHEME',
      message:
        'SLIP-39 words cannot be changed without their secret: they have no commitments to check',
      hint: 'bring the secret back with share combine and split it again; wallets read both sets as the same secret',
    });
  }
  if (set === undefined) {
    throw new MissingInputError({
      code: 'E_SHARE_SET_MISSING',
      message: 'there is no set.json, and without it no share can be checked',
      hint: 'give it by --set; every custodian has a copy',
    });
  }
  const description = set.file.set;
  if (description.verifiable !== undefined) {
    throw new RefusedError({
      code: 'E_SHARE_SCHEME',
      message: `${set.name} shares a scalar verifiably, and such a set is not changed`,
      hint: 'bring the key back with share combine and split it again; its public key stays the same',
    });
  }
  assertRoot(description, set.name);
  assertEnvironment(description.environment, context.environment, set.name);
  const all = onlyEnvelopes(read);
  assertOneSet(all, set);
  const { checked, notChecked } = await checkDealer(set, context.identities);
  const people = input.holders === undefined ? [] : context.ask.people(input.holders);
  const opener = contextOpener(context, people);
  const shares = distinct(all);
  return {
    set,
    structure: structureOf(description),
    shares,
    duplicates: all.filter((each) => !shares.includes(each)).map(({ name }) => name),
    checked,
    notChecked,
    open: async (share) => await openCommitted(share, opener, set),
  };
}

async function openCommitted(
  { name, share }: NamedShare,
  opener: ShareOpener,
  set: NamedSet,
): Promise<SecretBytes> {
  const opening = await opener(share, name);
  try {
    assertCommitted({ name, index: share.index, opening }, set);
    return opening;
  } catch (error) {
    opening.dispose();
    throw error;
  }
}

function distinct(shares: readonly NamedShare[]): readonly NamedShare[] {
  const byNumber = new Map<number, NamedShare>();
  for (const each of shares) {
    const number = indexNumber(each.share.index);
    if (!byNumber.has(number)) byNumber.set(number, each);
  }
  return [...byNumber].sort(([a], [b]) => a - b).map(([, each]) => each);
}

/** Real cards are not for rehearsals: what is dealt there is thrown away, and may be marked as worthless. */
export function assertEnvironment(
  of: Environment,
  here: Environment,
  name: string,
  what: 'set' | 'key' = 'set',
): void {
  if (of !== 'production' || here === 'production') return;
  throw new RefusedError({
    code: 'E_SHARE_ENVIRONMENT',
    message: `${name} is of a production ${what}, and this is a ${here} run`,
    hint: `rehearse with a ${what} that was made for it`,
  });
}

/** A new description and its cards before they are sealed. */
export interface Change {
  readonly old: OldSet;
  readonly operation: Lineage['operation'];
  readonly structure: Structure;
  /** Every card that is new, ascending; borrowed. */
  readonly shares: readonly DealtShare[];
}

/** How the new cards are sealed and where they go. */
export interface Sealing {
  /** One for each new card. */
  readonly recipients: readonly Recipient[];
  readonly stretching: Stretching | undefined;
  readonly outDir: string;
}

/** What a change leaves. */
export interface Changed {
  readonly set: string;
  readonly shares: readonly string[];
  readonly signed: boolean;
  readonly description: ShareSet;
}

/** Commits to the new cards, seals them, signs the new description and writes everything. */
export async function publishChange(
  { old, operation, structure, shares }: Change,
  { recipients, stretching, outDir }: Sealing,
  context: ActionContext,
): Promise<Changed> {
  const { random, scryptLogN: logN } = context;
  using dealer = await context.identities.open();
  const description = describeChange(old, operation, structure, shares, {
    dealer: dealer?.identity.id ?? null,
    created: formatTime(context.now()),
  });
  const root = fromHex(dealingRootOf(description));
  const sealed = description.package;
  const origin = fromHex(description.lineage?.origin.root ?? description.root);
  const header = {
    setId: fromHex(description.setId),
    root,
    epoch: epochOf(description),
    structure,
    environment: description.environment,
  };
  const setting = {
    ...header,
    package:
      operation === 'repair'
        ? // The others stay as they are, and this card must be of one kind with them.
          old.shares[0]?.share.package
        : carriedPackage(header, sealed === null ? null : { ...sealed, origin }),
  };
  const outputs: ShareOutput[] = [];
  for (const [i, share] of shares.entries()) {
    const recipient = recipients[i] as Recipient;
    const bytes = await sealShare({ share, setting, recipient, logN, stretching, random });
    await assertReads(bytes, recipient, share.opening);
    const file = `share-${indexName(share.index, structure)}.cbor`;
    outputs.push({ index: share.index, file, bytes });
  }
  const signatures =
    dealer === undefined
      ? []
      : await signDetached(SHARE_SET_PAYLOAD_TYPE, shareSetBytes(description), dealer, { random });
  const written = writeShared({ set: description, shares: outputs, signatures, outDir }, context);
  return { ...written, signed: signatures.length > 0, description };
}

function describeChange(
  { set: { file } }: OldSet,
  operation: Lineage['operation'],
  structure: Structure,
  shares: readonly DealtShare[],
  made: Pick<ShareSet, 'dealer' | 'created'>,
): ShareSet {
  const before = file.set;
  const suite = suiteOf(before);
  const context = contextDigest({
    suite,
    setId: fromHex(before.setId),
    structure,
    publicKey: before.publicKey ?? new Uint8Array(0),
  });
  const fresh = new Map(
    shares.map(({ index, opening }) => [
      indexNumber(index),
      toHex(opening.use((bytes) => shareCommitment(suite, context, index, bytes))),
    ]),
  );
  const repair = operation === 'repair';
  const commitments = repair
    ? before.commitments.map(({ index, commitment }) => ({
        index,
        commitment: fresh.get(index) ?? commitment,
      }))
    : [...fresh].map(([index, commitment]) => ({ index, commitment }));
  const k = before.kekCommitment === null ? new Uint8Array(32) : fromHex(before.kekCommitment);
  const root = toHex(
    commitmentRoot(
      context,
      k,
      commitments.map(({ commitment }) => fromHex(commitment)),
    ),
  );
  const description: ShareSet = {
    ...before,
    ...made,
    version: 2,
    groupThreshold: structure.groupThreshold,
    groups: structure.groups,
    commitments,
    root,
    lineage: {
      epoch: epochOf(before) + (repair ? 0 : 1),
      operation,
      previous: { root: before.root, digest: digestOfSet(before) },
      dealing: repair ? dealingRootOf(before) : root,
      origin: before.lineage?.origin ?? {
        root: before.root,
        groupThreshold: before.groupThreshold,
        groups: before.groups,
      },
    },
  };
  // A last look before anything is written.
  if (equalConstantTime(computeRoot(description), fromHex(root))) return description;
  throw new InternalError({
    code: 'E_SHARE_SET_ROOT',
    message: 'the new set description does not give its own root',
  });
}

/** Where the files of a change will lie; all of them must be free. */
export function assertFree(
  indices: readonly ShareIndex[],
  structure: Structure,
  outDir: string,
  { files }: Pick<ActionContext, 'files'>,
): void {
  const names = indices.map((index) => `share-${indexName(index, structure)}.cbor`);
  files.assertAbsent(pathsOf(names, outDir));
}

/** Facts that every change reports. */
export interface ChangeResult {
  /** Path of the new set.json. */
  readonly set: string;
  /** Paths of the new cards. */
  readonly shares: readonly string[];
  readonly setId: string;
  readonly epoch: number;
  readonly root: string;
  /** Root of the description that is replaced. */
  readonly previousRoot: string;
  readonly keyId: string | null;
  readonly quorum: string;
  readonly proven: string;
  readonly sealed: Recipients['sealed'];
  readonly weak: readonly string[];
  readonly signed: boolean;
  readonly environment: Environment;
  readonly duplicates: readonly string[];
  readonly checked: readonly string[];
  readonly notChecked: readonly string[];
}

/** The report of a change, and its line in the hash chain. */
export function reportChange(
  old: OldSet,
  changed: Changed,
  recipients: Recipients,
  told: { readonly quorum: string; readonly proven: string },
  context: Pick<ActionContext, 'record'>,
): ChangeResult {
  const { description, set, shares, signed } = changed;
  const { setId, root, keyId, environment, lineage, dealer } = description;
  const epoch = epochOf(description);
  const previousRoot = old.set.file.set.root;
  context.record({
    type: `share.${lineage?.operation ?? 'change'}`,
    data: {
      setId,
      epoch,
      root,
      replaces: previousRoot,
      key: keyId,
      quorum: told.quorum,
      sealed: recipients.sealed,
      dealer,
      environment,
    },
  });
  return {
    set,
    shares,
    setId,
    epoch,
    root,
    previousRoot,
    keyId,
    ...told,
    sealed: recipients.sealed,
    weak: recipients.weak,
    signed,
    environment,
    duplicates: old.duplicates,
    checked: [...old.checked, 'every old share that was used opens its commitment'],
    notChecked: old.notChecked,
  };
}

/** The lines for people that all changes have in common. */
export function presentChange(result: ChangeResult, done: string, after: string): string {
  return [
    ...(result.environment === 'production'
      ? []
      : [`${result.environment.toUpperCase()}: not for production`]),
    `${done}: ${result.quorum}, epoch ${result.epoch}, ${result.proven}`,
    `sealed: ${result.sealed === 'no' ? 'NO, whoever sees a share has it' : `by ${result.sealed === 'both' ? 'passphrase or identity' : result.sealed}`}`,
    ...result.weak.map((which) => `WEAK passphrase in ${which}`),
    `set ${result.setId}, root ${result.root}`,
    ...result.shares,
    `${result.set} (${result.signed ? 'signed' : 'unsigned'}), a copy for every custodian`,
    ...result.duplicates.map((name) => `${name} repeats another share`),
    ...result.checked.map((what) => `checked: ${what}`),
    ...result.notChecked.map((what) => `NOT checked: ${what}`),
    after,
  ].join('\n');
}
