/**
 * The group record: everything public of a key that a group holds in shares of a scalar. Canonical JSON, hashed as it stands;
 * signatures and later proofs are checked against it.
 * @see docs/spec/threshold.md, "Group record"
 */
import { sha256 } from '../hash.js';
import { keyId } from '../key-id.js';
import { type GroupPoint, lagrangeScalars } from '../math/prime-group.js';
import { resolve } from '../registry.js';
import { fromHex, toHex, utf8 } from '#formats/bytes';
import { canonicalJson, type Json, parseCanonicalJson } from '#formats/canonical-json';
import { InputError } from '#formats/errors';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';
import { contextDigest } from './commitment.js';
import { type FrostSuite, loadSuite } from './suite.js';

/** 255 members with all their values take less. */
const MAX_BYTES = 256 * 1024;
const MAX_NUMBER = 0xffff;
const MAX_MEMBERS = 255;

const pointSchema = s.string({ pattern: /^[0-9a-f]{64,114}$/, what: 'a compressed point in hex' });

/** Strict reader of the record's form. {@link parseGroup} also checks what its members say of each other. */
export const groupSchema = s.object({
  type: s.oneOf('conclave/group'),
  /** 2 where a member's commitment came with a proof. */
  version: s.oneOf(1, 2),
  /** As a key record's `protocol` names it. */
  suite: s.string({ max: 32 }),
  /** Id of the key record that goes with it. */
  key: s.hex(32),
  environment: s.oneOf('production', 'rehearsal', 'dev'),
  threshold: s.integer({ min: 2, max: MAX_MEMBERS }),
  /** Drawn when the key was made; stays for its life. */
  ceremony: s.hex(32),
  /** Counts the changes of shares: 1 at first. */
  epoch: s.integer({ min: 1, max: 0xffff_ffff }),
  /** `sha256:HEX` of the policy, or null. */
  policy: s.nullable(s.string({ pattern: /^sha256:[0-9a-f]{64}$/, what: 'a policy digest' })),
  /** Y, compressed; the key that signs, after any tweak. */
  publicKey: pointSchema,
  /** Ascending by number. */
  members: s.array(
    s.object({
      number: s.integer({ min: 1, max: MAX_NUMBER }),
      /** Id of the identity of the member. */
      identity: s.hex(32),
      /** Y_i. */
      publicShare: pointSchema,
      /** C_i. */
      commitment: s.hex(32),
      /** SHA-256 of the proof that C_i opens to Y_i, or null; version 1 has none. */
      proof: s.optional(s.nullable(s.hex(32))),
    }),
    { max: MAX_MEMBERS },
  ),
  /** Hash over the transcript that led to this record, before it. */
  head: s.hex(32),
});

/** A group record, as it stands in its file. */
export type GroupRecord = Infer<typeof groupSchema>;

/** A group record with its points decoded and checked. */
export interface Group {
  readonly record: GroupRecord;
  readonly suite: FrostSuite;
  /** Y. */
  readonly key: GroupPoint;
  /** Y_i by number. */
  readonly publicShares: ReadonlyMap<number, GroupPoint>;
  /** A of the share commitments, 32 bytes. */
  readonly context: Uint8Array;
}

/** Canonical JSON and a line feed. */
export function encodeGroup(record: GroupRecord): Uint8Array {
  return utf8(`${canonicalJson({ ...record, members: record.members.map((m) => ({ ...m })) })}\n`);
}

/** What a member published of its share. */
export interface Published {
  /** C_i in hex. */
  readonly commitment: string;
  /** SHA-256 of the proof that it opens to the public share, in hex; null where there is none. */
  readonly proof: string | null;
}

/** What each member published, by number. */
export function publishedBy({ members }: GroupRecord): ReadonlyMap<number, Published> {
  return new Map(
    members.map(({ number, commitment, proof = null }) => [number, { commitment, proof }]),
  );
}

/** A record with what its members published, in the version that this needs. */
export function withPublished(
  record: GroupRecord,
  published: ReadonlyMap<number, Published>,
): GroupRecord {
  const proven = [...published.values()].some(({ proof }) => proof !== null);
  return {
    ...record,
    version: proven ? 2 : 1,
    members: record.members.map(({ number, identity, publicShare }) => {
      const { commitment = '', proof = null } = published.get(number) ?? {};
      const member = { number, identity, publicShare, commitment };
      return proven ? { ...member, proof } : member;
    }),
  };
}

/** SHA-256 of the file; what sessions and proofs bind. */
export function groupDigest(record: GroupRecord): Uint8Array {
  return sha256(encodeGroup(record));
}

/**
 * A group from its file.
 * @param what - how errors name the input
 * @throws the errors of {@link parseGroup} and of the JSON reader
 */
export async function decodeGroup(bytes: Uint8Array, what: string): Promise<Group> {
  return await parseGroup(parseCanonicalJson(bytes, what, { maxBytes: MAX_BYTES }), what);
}

/**
 * A group from plain data that another artifact embeds: points in the prime-order group, numbers ascending, the public shares on
 * one polynomial of the threshold's degree whose constant is the key, and the key id that of the key.
 * @throws {@link InputError} `E_GROUP_MALFORMED`, `E_SCHEMA_MISMATCH`
 */
export async function parseGroup(value: Json | undefined, what: string): Promise<Group> {
  const record = groupSchema.parse(value, what);
  const suite = await loadSuite(record.suite).catch((cause: unknown) => {
    throw malformed(what, 'its suite is not known', cause);
  });
  const { members, threshold } = record;
  if (members.length < threshold) throw malformed(what, 'it has fewer members than its threshold');
  members.forEach((member, i) => {
    const before = members.slice(0, i);
    if (before.some(({ number }) => number >= member.number)) {
      throw malformed(what, 'its members are not ascending by number');
    }
    if (before.some(({ identity }) => identity === member.identity)) {
      throw malformed(what, `member ${member.number} shares an identity with another`);
    }
  });
  if (!proofsFit(record)) throw malformed(what, 'its version and its proofs do not fit');
  const key = suite.group.decode(fromHex(record.publicKey), `${what}: publicKey`);
  const publicShares = new Map(
    members.map(({ number, publicShare }) => [
      number,
      suite.group.decode(fromHex(publicShare), `${what}: publicShare of member ${number}`),
    ]),
  );
  if (!onOnePolynomial(key, publicShares, threshold, suite)) {
    throw malformed(what, 'its public shares do not belong to its key and threshold');
  }
  const descriptor = await resolve(suite.algorithm);
  if (keyId(descriptor, suite.publicKey(key)) !== record.key) {
    throw malformed(what, 'its key id is not that of its key');
  }
  const context = contextOf(record, suite);
  return { record, suite, key, publicShares, context };
}

/** A of a record's commitments. */
export function contextOf(
  record: Pick<GroupRecord, 'threshold' | 'ceremony' | 'publicKey'> & {
    readonly members: readonly { readonly number: number; readonly publicShare: string }[];
  },
  suite: FrostSuite,
): Uint8Array {
  return contextDigest({
    suite,
    threshold: record.threshold,
    ceremony: fromHex(record.ceremony),
    key: fromHex(record.publicKey),
    members: record.members.map(({ number, publicShare }) => ({
      number,
      publicShare: fromHex(publicShare),
    })),
  });
}

/** A point as the record writes it. */
export function pointText(point: GroupPoint): string {
  return toHex(point.toBytes());
}

/** One spelling: version 2 says of every member whether there is a proof, and there is one at least. */
function proofsFit({ version, members }: GroupRecord): boolean {
  return version === 1
    ? members.every(({ proof }) => proof === undefined)
    : members.every(({ proof }) => proof !== undefined) &&
        members.some(({ proof }) => typeof proof === 'string');
}

/**
 * The first t public shares and the key fix a polynomial of degree t−1 with one point to spare; every further public share must
 * lie on it.
 */
function onOnePolynomial(
  key: GroupPoint,
  publicShares: ReadonlyMap<number, GroupPoint>,
  threshold: number,
  { group }: FrostSuite,
): boolean {
  const numbers = [...publicShares.keys()];
  const basis = numbers.slice(0, threshold);
  return [0, ...numbers.slice(threshold)].every((at) => {
    const factors = lagrangeScalars(basis, group, at);
    const sum = basis.reduce(
      (total, number, i) =>
        total.add((publicShares.get(number) as GroupPoint).multiplyUnsafe(factors[i] as bigint)),
      group.identity,
    );
    return sum.equals(at === 0 ? key : (publicShares.get(at) as GroupPoint));
  });
}

function malformed(what: string, problem: string, cause?: unknown): InputError {
  return new InputError({
    code: 'E_GROUP_MALFORMED',
    message: `${what} is not a group record: ${problem}`,
    cause,
  });
}
