/**
 * The salted commitment to a scalar share. There is one form of share commitment in conclave, so that one proof can open them
 * all; what differs from shares of bytes is the tag and what the context is a hash of.
 * @see docs/spec/threshold.md, "Commitments"
 */
import { concat, equalConstantTime, u16be, utf8 } from '#formats/bytes';
import { sha256 } from '../hash.js';
import type { RandomSource } from '../descriptor.js';
import { encodeScalar, type GroupPoint } from '../math/prime-group.js';
import type { FrostSuite } from './suite.js';

const TAG_CONTEXT = utf8('conclave/frost-a');
const TAG_SHARE = utf8('conclave/frost-c');

/** What A is computed over: everything public of a group but the commitments. */
export interface CommitmentContext {
  readonly suite: FrostSuite;
  readonly threshold: number;
  /** 32 bytes, drawn when the group was made and kept for its whole life. */
  readonly ceremony: Uint8Array;
  /** Y, compressed. */
  readonly key: Uint8Array;
  /** Y_i, compressed, ascending by number. */
  readonly members: readonly { readonly number: number; readonly publicShare: Uint8Array }[];
}

/** A commitment and what it is said to open to. */
export interface Committed {
  readonly suite: FrostSuite;
  /** A, 32 bytes. */
  readonly context: Uint8Array;
  readonly number: number;
  /** Y_i. */
  readonly publicShare: GroupPoint;
  /** C_i, 32 bytes. */
  readonly commitment: Uint8Array;
}

/** A = SHA-256(tag ‖ suite ‖ u16be(t) ‖ u16be(n) ‖ Y ‖ (u16be(i) ‖ Y_i) ascending ‖ ceremony id); 32 bytes. */
export function contextDigest(context: CommitmentContext): Uint8Array {
  const { suite, threshold, ceremony, key, members } = context;
  return sha256(
    TAG_CONTEXT,
    suite.code,
    u16be(threshold),
    u16be(members.length),
    key,
    ...members.map(({ number, publicShare }) => concat(u16be(number), publicShare)),
    ceremony,
  );
}

/** Bytes of r_i: as many as leave room for the padding of SHA-256 in the block that the share begins, or the next one. */
export function randomnessBytes({ scalarBytes }: FrostSuite): number {
  return scalarBytes === 32 ? 23 : 32;
}

/** Bytes of what a custodian keeps: x_i big-endian at fixed length, then r_i. */
export function openingBytes(suite: FrostSuite): number {
  return suite.scalarBytes + randomnessBytes(suite);
}

/** x_i ‖ r_i with new randomness; the caller wipes it. */
export function newOpening(share: bigint, suite: FrostSuite, random: RandomSource): Uint8Array {
  const r = random(randomnessBytes(suite));
  const x = encodeScalar(share, { ...suite.group, scalarBytes: suite.scalarBytes });
  try {
    return concat(x, r);
  } finally {
    x.fill(0);
    r.fill(0);
  }
}

/** x_i of an opening (borrowed). */
export function openedShare(opening: Uint8Array, { scalarBytes }: FrostSuite): bigint {
  return opening.subarray(0, scalarBytes).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/**
 * C_i = SHA-256(B0 ‖ x_i ‖ r_i), B0 = tag ‖ A ‖ u16be(i) ‖ suite ‖ 0^6: one public block of 64 bytes.
 * @param a - from {@link contextDigest}
 * @param opening - x_i ‖ r_i, borrowed
 */
export function shareCommitment(
  suite: FrostSuite,
  a: Uint8Array,
  number: number,
  opening: Uint8Array,
): Uint8Array {
  return sha256(firstBlock(suite, a, number), opening);
}

/** Whether an opening is the one committed. */
export function opensCommitment(
  suite: FrostSuite,
  a: Uint8Array,
  number: number,
  opening: Uint8Array,
  commitment: Uint8Array,
): boolean {
  return (
    opening.length === openingBytes(suite) &&
    equalConstantTime(shareCommitment(suite, a, number, opening), commitment)
  );
}

/** B0 of a share's commitment, 64 bytes. */
export function firstBlock(suite: FrostSuite, a: Uint8Array, number: number): Uint8Array {
  return concat(TAG_SHARE, a, u16be(number), suite.code, new Uint8Array(6));
}
