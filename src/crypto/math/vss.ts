/**
 * Verifiable secret sharing of a scalar. Feldman publishes the polynomial in the exponent, and with it the public key; Pedersen
 * hides it unconditionally behind a second polynomial. In both each share is verified alone against the public commitments.
 * @see P. Feldman, FOCS 1987; T. P. Pedersen, CRYPTO 1991
 */
import { InputError, InternalError } from '#formats/errors';
import type { RandomSource } from '../descriptor.js';
import {
  type GroupPoint,
  lagrangeScalars,
  mod,
  type PrimeGroup,
  anyScalar,
  randomScalar,
} from './prime-group.js';

/** One share: the value of the polynomial at a number from 1; with Pedersen also that of the blinding one. */
export interface ScalarShare {
  readonly index: number;
  readonly value: bigint;
  /** Pedersen only. */
  readonly blinding?: bigint;
}

/** A dealing: shares for their holders, commitments for everybody. */
export interface ScalarDealing {
  readonly shares: readonly ScalarShare[];
  /** As many as the threshold. Feldman's first one is secret · G. */
  readonly commitments: readonly GroupPoint[];
}

/** t of n. */
export interface ScalarQuorum {
  readonly threshold: number;
  readonly shares: number;
}

/**
 * Feldman's sharing. The commitments tell secret · G, which is fine where that is a public key, and for a secret that nobody
 * could guess only.
 * @param secret - from 1 to q−1
 * @throws {@link InternalError} `E_VSS_QUORUM`, `E_VSS_SECRET`
 */
export function dealFeldman(
  secret: bigint,
  quorum: ScalarQuorum,
  group: PrimeGroup,
  random: RandomSource,
): ScalarDealing {
  const coefficients = polynomial(secret, quorum, group, random);
  return {
    shares: indices(quorum).map((index) => ({
      index,
      value: evaluate(coefficients, index, group),
    })),
    commitments: coefficients.map((a) => times(group.base, a, group)),
  };
}

/**
 * Pedersen's sharing. The commitments tell nothing of the secret, even to somebody who can take logarithms; that shares are
 * what was dealt rests on nobody knowing the logarithm of the second generator.
 * @throws {@link InternalError} `E_VSS_QUORUM`, `E_VSS_SECRET`
 */
export function dealPedersen(
  secret: bigint,
  quorum: ScalarQuorum,
  group: PrimeGroup,
  random: RandomSource,
): ScalarDealing {
  const coefficients = polynomial(secret, quorum, group, random);
  const blinding = polynomial(randomScalar(group, random), quorum, group, random);
  return {
    shares: indices(quorum).map((index) => ({
      index,
      value: evaluate(coefficients, index, group),
      blinding: evaluate(blinding, index, group),
    })),
    commitments: coefficients.map((a, k) =>
      times(group.base, a, group).add(times(group.second, blinding[k] as bigint, group)),
    ),
  };
}

/**
 * Whether a share is the one that the commitments say; Pedersen's where it has a blinding value, Feldman's otherwise.
 * Answers, never throws, whatever the share holds.
 */
export function verifyScalarShare(
  { index, value, blinding }: ScalarShare,
  commitments: readonly GroupPoint[],
  group: PrimeGroup,
): boolean {
  const inRange = (scalar: bigint): boolean => scalar >= 0n && scalar < group.order;
  if (!Number.isSafeInteger(index) || index < 1 || !inRange(value)) return false;
  if (commitments.length === 0 || (blinding !== undefined && !inRange(blinding))) return false;
  const plain = times(group.base, value, group);
  const own = blinding === undefined ? plain : plain.add(times(group.second, blinding, group));
  return own.equals(committedAt(commitments, index, group));
}

/**
 * The commitments' polynomial at an index: with Feldman the public share of its holder, at 0 the public key.
 * @param index - 0, or a holder's number
 */
export function committedAt(
  commitments: readonly GroupPoint[],
  index: number,
  group: PrimeGroup,
): GroupPoint {
  // Horner over public points and a public number: variable time is right here.
  return commitments.reduceRight(
    (sum, commitment) => sum.multiplyUnsafe(BigInt(index)).add(commitment),
    group.identity,
  );
}

/**
 * The secret from exactly a threshold of verified shares.
 * @throws {@link InputError} `E_VSS_SHARES` for repeated numbers or another count
 */
export function combineScalars(
  shares: readonly ScalarShare[],
  threshold: number,
  group: PrimeGroup,
): bigint {
  if (shares.length !== threshold || new Set(shares.map(({ index }) => index)).size !== threshold) {
    throw new InputError({
      code: 'E_VSS_SHARES',
      message: `exactly ${threshold} different shares are combined`,
    });
  }
  const factors = lagrangeScalars(
    shares.map(({ index }) => index),
    group,
  );
  return shares.reduce(
    (sum, { value }, k) => mod(sum + (factors[k] as bigint) * value, group.order),
    0n,
  );
}

/** What a sharing of zero adds to each share; its commitments begin with the identity, which everybody can check. */
export function dealZeroFeldman(
  quorum: ScalarQuorum,
  group: PrimeGroup,
  random: RandomSource,
): ScalarDealing {
  const coefficients = [0n, ...polynomial(1n, quorum, group, random).slice(1)];
  return {
    shares: indices(quorum).map((index) => ({
      index,
      value: evaluate(coefficients, index, group),
    })),
    commitments: coefficients.map((a) => times(group.base, a, group)),
  };
}

function polynomial(
  secret: bigint,
  { threshold, shares }: ScalarQuorum,
  group: PrimeGroup,
  random: RandomSource,
): bigint[] {
  const fine = Number.isInteger(threshold) && Number.isInteger(shares);
  if (!fine || threshold < 1 || threshold > shares || shares > 65_535) {
    throw new InternalError({
      code: 'E_VSS_QUORUM',
      message: 'a quorum is 1 ≤ threshold ≤ shares ≤ 65535',
    });
  }
  if (secret <= 0n || secret >= group.order) {
    throw new InternalError({ code: 'E_VSS_SECRET', message: 'a shared scalar is from 1 to q−1' });
  }
  // Zero is among them: a leading coefficient that is never zero would tell t−1 holders something.
  const coefficient = (): bigint => anyScalar(group, random);
  return [secret, ...Array.from({ length: threshold - 1 }, coefficient)];
}

function indices({ shares }: ScalarQuorum): number[] {
  return Array.from({ length: shares }, (_, i) => i + 1);
}

function evaluate(coefficients: readonly bigint[], index: number, { order }: PrimeGroup): bigint {
  const x = BigInt(index);
  return coefficients.reduceRight((sum, a) => mod(sum * x + a, order), 0n);
}

/** scalar · point, where a scalar of zero is allowed. */
function times(point: GroupPoint, scalar: bigint, { identity }: PrimeGroup): GroupPoint {
  return scalar === 0n ? identity : point.multiply(scalar);
}
