/**
 * `set.json`: the public description of a share set, which goes to every custodian. Signed by the action that dealt it;
 * here are its form, its bytes and what can be recomputed from it.
 * @see docs/spec/share.md, "set.json"
 */
import { sha256 } from '#crypto/hash';
import { equal, fromHex, toBase64, toHex, utf8 } from '#formats/bytes';
import {
  canonicalJsonBytes,
  canonicalJson,
  isObject,
  type Json,
  type JsonObject,
  parseCanonicalJson,
} from '#formats/canonical-json';

import { InputError, NegativeError } from '#formats/errors';
import type { DsseSignature } from '#formats/dsse';
import * as s from '#formats/schema';
import { commitmentRoot, contextDigest, polynomialCommitment, type Suite } from './commitment.js';
import { MAX_FILE_BYTES, type PackageBinding } from './package.js';
import { SLIP39_MAX_SHARES } from './slip39.js';
import {
  allIndices,
  indexNumber,
  MAX_GROUPS,
  type Structure,
  structureProblem,
} from './structure.js';
import { VERIFIABLE_SCHEMES } from './verifiable.js';

/** Type of a set description. */
export const SHARE_SET_TYPE = 'conclave/share-set';
/** DSSE payload type under which the dealer's identity signs the canonical bytes of `set`. */
export const SHARE_SET_PAYLOAD_TYPE = 'application/vnd.conclave.share-set+json';

const NO_COMMITMENT = new Uint8Array(32);

const groupsSchema = s.array(
  s.object({
    threshold: s.integer({ min: 1, max: 255 }),
    shares: s.integer({ min: 1, max: 255 }),
  }),
  { min: 1, max: MAX_GROUPS },
);

const common = {
  type: s.oneOf(SHARE_SET_TYPE),
  setId: s.hex(32),
  environment: s.oneOf('production', 'rehearsal', 'dev'),
  kind: s.oneOf('key', 'file'),
  /** All null for a file. */
  algorithm: s.nullable(s.string({ max: 64 })),
  profile: s.nullable(s.string({ max: 32 })),
  publicKey: s.nullable(s.base64()),
  keyId: s.nullable(s.hex(32)),
  scheme: s.oneOf('envelope', 'slip39'),
  /** What the shares are of: the key-encryption key, the key's raw private form itself, or the scalar that it is. */
  splits: s.oneOf('kek', 'seed', 'scalar'),
  groupThreshold: s.integer({ min: 1, max: MAX_GROUPS }),
  groups: groupsSchema,
  root: s.hex(32),
  commitments: s.array(
    s.object({ index: s.integer({ min: 257, max: 65_535 }), commitment: s.hex(32) }),
  ),
  /** K; null where no key-encryption key exists. */
  kekCommitment: s.nullable(s.hex(32)),
  /** What all words of a SLIP-39 set have in common; null for envelopes. */
  slip39: s.nullable(
    s.object({
      identifier: s.integer({ min: 0, max: 0x7fff }),
      extendable: s.boolean(),
      iterationExponent: s.integer({ min: 0, max: 15 }),
    }),
  ),
  package: s.nullable(s.object({ nonce: s.base64(12), sealed: s.base64() })),
  /** Id of the identity that dealt and signs, or null. */
  dealer: s.nullable(s.hex(32)),
  created: s.time(),
  /** SHA-256 of the canonical JSON of all other members: finds damage where nobody signed. */
  digest: s.hex(32),
};

/** A first dealing. */
const firstSchema = s.object({ ...common, version: s.oneOf(1) });

/** A set that was changed since: how it hangs together with the one before and with the first. */
const changedSchema = s.object({
  ...common,
  version: s.oneOf(2),
  lineage: s.object({
    /** Dealings since the first; repairing one share makes no new dealing. */
    epoch: s.integer({ min: 0, max: 65_535 }),
    /** What made this description. */
    operation: s.oneOf('refresh', 'reshare', 'enrol', 'repair'),
    /** The description that this one replaces. */
    previous: s.object({ root: s.hex(32), digest: s.hex(32) }),
    /** Root that the share files bear: the root of the description that came with the dealing. */
    dealing: s.hex(32),
    /** Of the first dealing: K was made under its thresholds, and the package is bound to its root. */
    origin: s.object({
      root: s.hex(32),
      groupThreshold: s.integer({ min: 1, max: MAX_GROUPS }),
      groups: groupsSchema,
    }),
  }),
});

/** A scalar itself, with public commitments to the polynomial that it was dealt by. */
const verifiableSchema = s.object({
  ...common,
  version: s.oneOf(3),
  verifiable: s.object({
    scheme: s.oneOf(...VERIFIABLE_SCHEMES),
    /** E_0, E_1 and so on, as many as the threshold: compressed points of the key's curve. */
    commitments: s.array(s.base64(), { min: 1, max: 255 }),
  }),
});

const fileSchema = s.object({
  set: s.json(),
  signatures: s.array(s.object({ keyid: s.hex(32), sig: s.base64() }), { max: 16 }),
});

/** The public description of a share set. */
export type ShareSet = Omit<s.Infer<typeof firstSchema>, 'digest' | 'version'> & {
  readonly version: 1 | 2 | 3;
  /** Present exactly in version 2. */
  readonly lineage?: Lineage;
  /** Present exactly in version 3. */
  readonly verifiable?: Verifiable;
};

/** Commitments to the polynomial of a verifiable sharing. */
export type Verifiable = s.Infer<typeof verifiableSchema>['verifiable'];

/** Where a changed set comes from. */
export type Lineage = s.Infer<typeof changedSchema>['lineage'];

/** A `set.json` as read. */
export interface ShareSetFile {
  readonly set: ShareSet;
  /** Empty when unsigned. */
  readonly signatures: readonly DsseSignature[];
  /** The canonical bytes of `set`, which the signatures cover. */
  readonly signedBytes: Uint8Array;
}

/** The bytes that the dealer signs. */
export function shareSetBytes(set: ShareSet): Uint8Array {
  return canonicalJsonBytes(setJson(set));
}

/** The bytes of `set.json`. */
export function encodeShareSet(set: ShareSet, signatures: readonly DsseSignature[]): Uint8Array {
  const json: Json = {
    set: setJson(set),
    signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig: toBase64(sig) })),
  };
  return utf8(`${canonicalJson(json)}\n`);
}

/** Whether these bytes look like a set description. */
export function looksLikeShareSet(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.subarray(0, 1 << 20)).toString('latin1');
  return text.startsWith('{"set":') && text.includes(`"type":"${SHARE_SET_TYPE}"`);
}

/**
 * A strictly parsed `set.json`, consistent in itself; root and signatures are checked apart.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_JSON_MALFORMED`, `E_JSON_NOT_CANONICAL`, `E_SCHEMA_MISMATCH`, `E_SHARE_SET_MALFORMED`
 * @throws {@link NegativeError} `E_SHARE_SET_DAMAGED`
 */
export function decodeShareSet(bytes: Uint8Array, what: string): ShareSetFile {
  const value = parseCanonicalJson(bytes, what, { maxBytes: 1024 * 1024, maxDepth: 6 });
  const file = fileSchema.parse(value, what);
  if (!isObject(file.set)) throw malformed(what, 'its member "set" is not an object');
  const { version } = file.set;
  const schema = version === 2 ? changedSchema : version === 3 ? verifiableSchema : firstSchema;
  const { digest, ...set }: ShareSet & { readonly digest: string } = schema.parse(
    file.set,
    `${what}: set`,
  );
  if (digestOf(set) !== digest) {
    throw new NegativeError({
      code: 'E_SHARE_SET_DAMAGED',
      message: `${what} is damaged: its digest does not match`,
      hint: 'use another custodian’s copy',
    });
  }
  const problem = shareSetProblem(set);
  if (problem !== undefined) throw malformed(what, problem);
  return { set, signatures: file.signatures, signedBytes: canonicalJsonBytes(file.set) };
}

/** The structure of a set. */
export function structureOf({ groupThreshold, groups }: ShareSet): Structure {
  return { groupThreshold, groups };
}

/** Which suite name its hashes carry. */
export function suiteOf({ scheme, verifiable }: ShareSet): Suite {
  if (verifiable !== undefined) return verifiable.scheme === 'feldman' ? 'feldman1' : 'pedersen';
  return scheme === 'envelope' ? 'gf256-v1' : 'slip39v1';
}

/** A of the set, recomputed: the context of its C_i and of its root. */
export function contextOf(set: ShareSet): Uint8Array {
  return contextFor(set, structureOf(set));
}

/**
 * A of the first dealing: the context of K. Whoever changes a set does not have the secret, and so cannot commit to it anew;
 * K stays what it was.
 */
export function secretContextOf(set: ShareSet): Uint8Array {
  return contextFor(set, set.lineage?.origin ?? structureOf(set));
}

function contextFor(set: ShareSet, structure: Structure): Uint8Array {
  return contextDigest({
    suite: suiteOf(set),
    setId: fromHex(set.setId),
    structure,
    publicKey: set.publicKey ?? new Uint8Array(0),
  });
}

/** What the sealed package is bound to: the set and the root of its first dealing. */
export function packageBindingOf(set: ShareSet): PackageBinding {
  return { setId: fromHex(set.setId), root: fromHex(set.lineage?.origin.root ?? set.root) };
}

/** Root that the share files of this set bear. */
export function dealingRootOf(set: ShareSet): string {
  return set.lineage?.dealing ?? set.root;
}

/** Dealings since the first; 0 for a first one. */
export function epochOf(set: ShareSet): number {
  return set.lineage?.epoch ?? 0;
}

/** SHA-256 of the canonical JSON of a set without its digest; hexadecimal. */
export function digestOfSet(set: ShareSet): string {
  return digestOf(set);
}

/** The root that follows from everything else in the set. */
export function computeRoot(set: ShareSet): Uint8Array {
  const context = contextOf(set);
  const k = set.kekCommitment === null ? NO_COMMITMENT : fromHex(set.kekCommitment);
  return commitmentRoot(
    context,
    set.verifiable === undefined
      ? k
      : polynomialCommitment(suiteOf(set), context, set.verifiable.commitments),
    set.commitments.map(({ commitment }) => fromHex(commitment)),
  );
}

/** Whether the root is the one that follows from the rest. */
export function rootHolds(set: ShareSet): boolean {
  return equal(computeRoot(set), fromHex(set.root));
}

/**
 * Refuses a set whose root does not follow from the rest.
 * @throws {@link NegativeError} `E_SHARE_SET_ROOT`
 */
export function assertRoot(set: ShareSet, what: string): void {
  if (rootHolds(set)) return;
  throw new NegativeError({
    code: 'E_SHARE_SET_ROOT',
    message: `${what}: its root does not follow from its commitments`,
    hint: 'it was changed after it was made; use another custodian’s copy',
  });
}

/** The commitment of a share number; undefined when the set has none. */
export function commitmentOf(set: ShareSet, number: number): Uint8Array | undefined {
  const found = set.commitments.find(({ index }) => index === number);
  return found === undefined ? undefined : fromHex(found.commitment);
}

function setJson(set: ShareSet): JsonObject {
  return { ...contentJson(set), digest: digestOf(set) };
}

function digestOf(set: ShareSet): string {
  return toHex(sha256(canonicalJsonBytes(contentJson(set))));
}

function groupsJson(groups: Structure['groups']): Json {
  return groups.map(({ threshold, shares }) => ({ threshold, shares }));
}

function contentJson({ verifiable, ...set }: ShareSet): JsonObject {
  return {
    ...set,
    publicKey: set.publicKey === null ? null : toBase64(set.publicKey),
    groups: groupsJson(set.groups),
    ...(set.lineage === undefined
      ? {}
      : {
          lineage: {
            ...set.lineage,
            origin: { ...set.lineage.origin, groups: groupsJson(set.lineage.origin.groups) },
          },
        }),
    ...(verifiable === undefined
      ? {}
      : {
          verifiable: {
            scheme: verifiable.scheme,
            commitments: verifiable.commitments.map((point) => toBase64(point)),
          },
        }),
    package:
      set.package === null
        ? null
        : { nonce: toBase64(set.package.nonce), sealed: toBase64(set.package.sealed) },
  };
}

function shareSetProblem(set: ShareSet): string | undefined {
  const structure = structureOf(set);
  const envelope = set.scheme === 'envelope';
  const shape = structureProblem(structure, envelope ? 255 : SLIP39_MAX_SHARES);
  if (shape !== undefined) return `it does not have ${shape}`;
  const { algorithm, profile, publicKey, keyId } = set;
  const present = [algorithm, profile, publicKey, keyId].filter((each) => each !== null).length;
  if (present !== (set.kind === 'key' ? 4 : 0)) return 'it does not name its key rightly';
  if (envelope !== (set.slip39 === null)) return 'its scheme and its SLIP-39 header differ';
  const committed = envelope ? allIndices(structure).map(indexNumber) : [];
  if (
    committed.length !== set.commitments.length ||
    committed.some((number, i) => set.commitments[i]?.index !== number)
  ) {
    return 'its commitments are not those of its shares in ascending order';
  }
  if (set.verifiable !== undefined) return verifiableProblem(set, set.verifiable);
  if (set.splits === 'scalar') return 'it splits a scalar and has no commitments to its polynomial';
  if (envelope && set.splits !== 'kek') return 'envelopes split the key-encryption key only';
  const sealed = set.splits === 'kek';
  if ((set.kekCommitment !== null) !== sealed || (set.package !== null) !== sealed)
    return 'its package and its commitment to a key-encryption key do not fit what it splits';
  // The package's own few bytes of CBOR and the tag come on top of the file.
  if (set.package !== null && set.package.sealed.length > MAX_FILE_BYTES + 256)
    return 'its package is too long';
  return set.lineage === undefined ? undefined : lineageProblem(set, set.lineage);
}

/** A scalar goes without a package: enough shares are the key. */
function verifiableProblem(set: ShareSet, { commitments }: Verifiable): string | undefined {
  const [own, ...others] = set.groups;
  if (set.scheme !== 'envelope' || set.splits !== 'scalar' || set.kind !== 'key')
    return 'only the scalar of a key, in envelopes, is shared verifiably';
  if (set.kekCommitment !== null || set.package !== null)
    return 'a scalar is shared itself, and there is no package';
  if (others.length > 0 || set.groupThreshold !== 1) return 'a scalar is shared among one group';
  if (commitments.length !== own?.threshold)
    return 'it has not as many commitments to its polynomial as its threshold';
  const length = ((set.publicKey?.length ?? 0) + 1) / 2;
  return commitments.every((point) => point.length === length)
    ? undefined
    : 'its commitments are not points of the curve of its key';
}

/** Only what can be recomputed from the package up is changed without the secret, and a first dealing's root is its own. */
function lineageProblem(set: ShareSet, lineage: Lineage): string | undefined {
  const { epoch, operation, origin, dealing, previous } = lineage;
  if (set.scheme !== 'envelope') return 'only envelopes can be changed without their secret';
  const shape = structureProblem(origin);
  if (shape !== undefined) return `its first dealing did not have ${shape}`;
  if (operation === 'repair' ? dealing === set.root : dealing !== set.root)
    return 'the root of its share files does not fit what was done';
  if (operation !== 'repair' && epoch === 0) return 'a new dealing is not the first one';
  if ((epoch === 0) !== (dealing === origin.root))
    return 'its epoch and its first dealing do not fit';
  const same =
    epoch > 0 ||
    (origin.groupThreshold === set.groupThreshold &&
      canonicalJson(groupsJson(origin.groups)) === canonicalJson(groupsJson(set.groups)));
  if (!same) return 'its first dealing had other thresholds';
  return previous.root === set.root ? 'it replaces itself' : undefined;
}

function malformed(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_SHARE_SET_MALFORMED',
    message: `${what} is not a share set: ${problem}`,
  });
}
