/**
 * Shares of an elliptic-curve scalar itself, with public commitments to the polynomial: each custodian can see alone that the
 * share lies on the one polynomial that all others are on, even if the dealer lied. Feldman's first commitment is the public key.
 * @see docs/spec/share.md, "Verifiable sharing"
 */
import type { RandomSource } from '#crypto/descriptor';
import {
  decodeScalar,
  encodeScalar,
  type GroupPoint,
  type PrimeGroup,
} from '#crypto/math/prime-group';
import {
  combineScalars,
  dealFeldman,
  dealPedersen,
  type ScalarShare,
  verifyScalarShare,
} from '#crypto/math/vss';
import { concat, equal } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { RANDOMNESS_BYTES } from './commitment.js';
import type { DealtShare } from './deal.js';
import type { Quorum } from './structure.js';

/** Whose scheme. */
export const VERIFIABLE_SCHEMES = ['feldman', 'pedersen'] as const;

/** Feldman's commitments bind whatever a dealer can compute; Pedersen's hide whatever anybody can. */
export type VerifiableScheme = (typeof VERIFIABLE_SCHEMES)[number];

/** Bytes of scalars that are shared so. */
export const SCALAR_BYTES: readonly number[] = [32, 48, 66];

/** Bytes of an opening: value ‖ blinding value (Pedersen only) ‖ r. */
export function openingBytes(scheme: VerifiableScheme, scalarBytes: number): number {
  return (scheme === 'pedersen' ? 2 : 1) * scalarBytes + RANDOMNESS_BYTES;
}

/** A dealing. */
export interface VerifiableDealing {
  /** Members 1 … n of the one group; the receiver disposes their openings. */
  readonly shares: readonly DealtShare[];
  /** As many compressed points as the threshold. */
  readonly commitments: readonly Uint8Array[];
}

/**
 * Deals a scalar.
 * @param secret - big-endian, of the group's length, from 1 to q−1; borrowed
 * @throws {@link InputError} `E_SCALAR_INVALID`
 */
export function dealVerifiable(
  scheme: VerifiableScheme,
  secret: Uint8Array,
  quorum: Quorum,
  group: PrimeGroup,
  random: RandomSource,
): VerifiableDealing {
  const scalar = decodeScalar(secret, group, 'the key');
  const deal = scheme === 'feldman' ? dealFeldman : dealPedersen;
  let dealing = deal(scalar, quorum, group, random);
  // A coefficient of zero has no encoding as a point. It never happens; leaving it out takes 2^-256 from the uniform.
  while (dealing.commitments.some((point) => point.is0()))
    dealing = deal(scalar, quorum, group, random);
  const shares = dealing.shares.map(({ index, value, blinding }): DealtShare => {
    const parts = [value, ...(blinding === undefined ? [] : [blinding])].map((each) =>
      encodeScalar(each, group),
    );
    const r = random(RANDOMNESS_BYTES);
    const opening = SecretBytes.adopt(concat(...parts, r), `share ${index}`);
    for (const part of [...parts, r]) part.fill(0);
    return { index: { group: 1, member: index }, opening };
  });
  return { shares, commitments: dealing.commitments.map((point) => point.toBytes()) };
}

/**
 * The commitments as points.
 * @throws {@link InputError} `E_POINT_INVALID`
 */
export function decodeCommitments(
  commitments: readonly Uint8Array[],
  group: PrimeGroup,
  what: string,
): readonly GroupPoint[] {
  return commitments.map((bytes, k) => group.decode(bytes, `commitment ${k} of ${what}`));
}

/** Whether an opened share is on the committed polynomial. Answers, never throws, whatever the share holds. */
export function opensVerifiably(
  scheme: VerifiableScheme,
  share: DealtShare,
  commitments: readonly GroupPoint[],
  group: PrimeGroup,
): boolean {
  const scalars = scalarsOf(scheme, share, group);
  return scalars !== undefined && verifyScalarShare(scalars, commitments, group);
}

/**
 * The scalar from exactly a threshold of shares.
 * @returns big-endian, owned by the caller; undefined when a share holds no scalar
 */
export function combineVerifiable(
  scheme: VerifiableScheme,
  shares: readonly DealtShare[],
  group: PrimeGroup,
): Uint8Array | undefined {
  const scalars = shares.map((share) => scalarsOf(scheme, share, group));
  if (scalars.some((each) => each === undefined)) return undefined;
  const secret = combineScalars(scalars as ScalarShare[], scalars.length, group);
  return encodeScalar(secret, group);
}

/** Whether a compressed point is a public key, which is written as an uncompressed one. */
export function isPublicKey(commitment: Uint8Array, publicKey: Uint8Array): boolean {
  const { length } = commitment;
  const odd = (publicKey.at(-1) ?? 0) & 1;
  return (
    publicKey.length === 2 * length - 1 &&
    commitment[0] === 2 + odd &&
    equal(commitment.subarray(1), publicKey.subarray(1, length))
  );
}

function scalarsOf(
  scheme: VerifiableScheme,
  { index, opening }: DealtShare,
  group: PrimeGroup,
): ScalarShare | undefined {
  const { scalarBytes } = group;
  if (opening.length !== openingBytes(scheme, scalarBytes)) return undefined;
  return opening.use((bytes) => {
    const at = (from: number): bigint =>
      decodeScalar(bytes.subarray(from, from + scalarBytes), group, 'a share');
    try {
      return scheme === 'pedersen'
        ? { index: index.member, value: at(0), blinding: at(scalarBytes) }
        : { index: index.member, value: at(0) };
    } catch (error) {
      if (error instanceof ConclaveError) return undefined;
      throw error;
    }
  });
}
