/**
 * The public side of a share set: a digest A of what is shared among whom, one commitment per share and one to the shared
 * secret, and their root. There is one share commitment in conclave; later proofs open these very bytes.
 * @see docs/spec/share.md, "Commitments"
 */
import { sha256 } from '#crypto/hash';
import { concat, equalConstantTime, lengthPrefixed, u16be, utf8 } from '#formats/bytes';
import { indexNumber, type ShareIndex, type Structure } from './structure.js';

/** Bytes of a member share and of the shared key-encryption key. */
export const SHARE_BYTES = 32;
/** Bytes of a commitment's randomness: with the share they end one block before SHA-256's padding. */
export const RANDOMNESS_BYTES = 23;
/** A share and its randomness, one after the other: what a custodian keeps. */
export const OPENING_BYTES = SHARE_BYTES + RANDOMNESS_BYTES;

/** What was shared how; exactly eight bytes, part of every hash. */
export type Suite = 'gf256-v1' | 'slip39v1' | 'feldman1' | 'pedersen';

const TAG_CONTEXT = utf8('conclave/share-a');
const TAG_SHARE = utf8('conclave/share-c');
const TAG_SECRET = utf8('conclave/share-k');
const TAG_POLYNOMIAL = utf8('conclave/share-v');
const TAG_ROOT = utf8('conclave/share-r');

/** What A is computed over. */
export interface CommitmentContext {
  readonly suite: Suite;
  /** 32 random bytes. */
  readonly setId: Uint8Array;
  readonly structure: Structure;
  /** Raw public key (check value of a symmetric key); empty for a file. */
  readonly publicKey: Uint8Array;
}

/** A = SHA-256(tag ‖ suite ‖ set id ‖ GT ‖ g ‖ g × (t ‖ n) ‖ LP(public key)); 32 bytes. */
export function contextDigest({
  suite,
  setId,
  structure,
  publicKey,
}: CommitmentContext): Uint8Array {
  const { groupThreshold, groups } = structure;
  return sha256(
    TAG_CONTEXT,
    utf8(suite),
    setId,
    Uint8Array.of(groupThreshold, groups.length),
    groupBytes(structure),
    lengthPrefixed(publicKey),
  );
}

/** The groups as bytes: threshold and number of shares, one byte each, in order. */
export function groupBytes({ groups }: Structure): Uint8Array {
  return Uint8Array.from(groups.flatMap(({ threshold, shares }) => [threshold, shares]));
}

/**
 * C_i = SHA-256(B0 ‖ share ‖ r) with B0 one public block of 64 bytes.
 * @param opening - share(32) ‖ r(23), of a verifiable sharing the scalars and r(23); borrowed
 */
export function shareCommitment(
  suite: Suite,
  a: Uint8Array,
  index: ShareIndex,
  opening: Uint8Array,
): Uint8Array {
  return sha256(shareFirstBlock(suite, a, indexNumber(index)), opening);
}

/** The public first block of a share's commitment, 64 bytes: what a proof takes for granted. */
export function shareFirstBlock(suite: Suite, a: Uint8Array, number: number): Uint8Array {
  return firstBlock(TAG_SHARE, suite, a, number);
}

/** The public first block of K, 64 bytes. */
export function secretFirstBlock(suite: Suite, a: Uint8Array): Uint8Array {
  return firstBlock(TAG_SECRET, suite, a, 0);
}

/**
 * K = SHA-256(B0_K ‖ S ‖ 0^23). S is uniformly random, so that it needs no randomness beside it.
 * @param secret - S, 32 bytes, borrowed
 */
export function secretCommitment(suite: Suite, a: Uint8Array, secret: Uint8Array): Uint8Array {
  return sha256(secretFirstBlock(suite, a), secret, new Uint8Array(RANDOMNESS_BYTES));
}

/** V = SHA-256(B0_V ‖ all E_k ascending): in the place of K where the polynomial itself is committed to. */
export function polynomialCommitment(
  suite: Suite,
  a: Uint8Array,
  points: readonly Uint8Array[],
): Uint8Array {
  return sha256(firstBlock(TAG_POLYNOMIAL, suite, a, 0), ...points);
}

/** Whether an opening is the one committed. */
export function opensCommitment(
  suite: Suite,
  a: Uint8Array,
  index: ShareIndex,
  opening: Uint8Array,
  commitment: Uint8Array,
): boolean {
  return equalConstantTime(shareCommitment(suite, a, index, opening), commitment);
}

/**
 * root = SHA-256(tag ‖ A ‖ K ‖ all C_i ascending).
 * @param k - V of a verifiable sharing; 32 zero bytes where the set has neither
 */
export function commitmentRoot(
  a: Uint8Array,
  k: Uint8Array,
  commitments: readonly Uint8Array[],
): Uint8Array {
  return sha256(TAG_ROOT, a, k, ...commitments);
}

function firstBlock(tag: Uint8Array, suite: Suite, a: Uint8Array, i: number): Uint8Array {
  return concat(tag, a, u16be(i), utf8(suite), new Uint8Array(6));
}
