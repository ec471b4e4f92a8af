/**
 * The commitment to one share of a scalar that nobody has whole: what a dealer or a key generation publishes beside the public
 * shares, and what a cold-signing trace opens in the head.
 * @see docs/spec/cold-signing-trace.md, "Commitments"
 */
import { concat, equalConstantTime, u16be, utf8 } from '#formats/bytes';
import { sha256 } from '../hash.js';

const TAG_CONTEXT = utf8('conclave/point-a');
const TAG_SHARE = utf8('conclave/point-c');

/** How long an r beside a scalar of 32 bytes is: both end one block before SHA-256's padding. */
const SHORT_RANDOMNESS = 23;
/** Beside a longer scalar. */
const LONG_RANDOMNESS = 32;

/** What A is computed over: a group key without its commitments. */
export interface ScalarContext {
  /** Eight bytes: how the key signs. */
  readonly suite: Uint8Array;
  readonly threshold: number;
  readonly shares: number;
  /** Y, canonical. */
  readonly publicKey: Uint8Array;
  /** Y_i of every holder, ascending. */
  readonly publicShares: readonly { readonly index: number; readonly point: Uint8Array }[];
  /** 32 bytes. */
  readonly ceremony: Uint8Array;
}

/** A = SHA-256(tag ‖ suite ‖ u16be(t) ‖ u16be(n) ‖ Y ‖ (u16be(i) ‖ Y_i) ascending ‖ ceremony id); 32 bytes. */
export function scalarContext(context: ScalarContext): Uint8Array {
  const { suite, threshold, shares, publicKey, publicShares, ceremony } = context;
  return sha256(
    TAG_CONTEXT,
    suite,
    u16be(threshold),
    u16be(shares),
    publicKey,
    ...publicShares.flatMap(({ index, point }) => [u16be(index), point]),
    ceremony,
  );
}

/** Bytes of r beside a scalar of that many bytes. */
export function randomnessBytes(scalarBytes: number): number {
  return scalarBytes === 32 ? SHORT_RANDOMNESS : LONG_RANDOMNESS;
}

/** B0 = tag ‖ A ‖ u16be(i) ‖ suite ‖ 0^6: the first block of C_i, all of it public. */
export function scalarFirstBlock(suite: Uint8Array, a: Uint8Array, index: number): Uint8Array {
  return concat(TAG_SHARE, a, u16be(index), suite, new Uint8Array(6));
}

/**
 * C_i = SHA-256(B0 ‖ x_i ‖ r_i).
 * @param x - the share, big-endian, as long as the group's scalars; borrowed
 * @param r - {@link randomnessBytes}; borrowed
 */
export function scalarCommitment(
  suite: Uint8Array,
  a: Uint8Array,
  index: number,
  x: Uint8Array,
  r: Uint8Array,
): Uint8Array {
  return sha256(scalarFirstBlock(suite, a, index), x, r);
}

/** Whether x and r open a commitment. */
export function opensScalarCommitment(
  suite: Uint8Array,
  a: Uint8Array,
  index: number,
  opening: { readonly x: Uint8Array; readonly r: Uint8Array },
  commitment: Uint8Array,
): boolean {
  return equalConstantTime(scalarCommitment(suite, a, index, opening.x, opening.r), commitment);
}
