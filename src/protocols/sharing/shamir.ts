/**
 * Shamir's secret sharing over GF(2^8), one polynomial per byte of the secret: the share with number x is its value at x,
 * the secret its value at 0. What is shared, sealed and signed is decided by the modules around.
 */
import type { RandomSource } from '#crypto/descriptor';
import { addScaled, interpolate, multiply, type Point } from '#crypto/math/gf256';
import { equalConstantTime } from '#formats/bytes';
import { InternalError } from '#formats/errors';
import type { Quorum } from './structure.js';

/**
 * Shares a secret. The t−1 coefficients of each byte's polynomial are independent and uniform, the leading one included:
 * forcing it to be non-zero would tell t−1 holders something.
 * @param secret - any length (borrowed)
 * @param random - asked once, for (t−1) · length bytes
 * @returns the shares of x = 1 … n in order; the caller owns and wipes them
 * @throws {@link InternalError} `E_SHAMIR_QUORUM`
 */
export function splitBytes(secret: Uint8Array, quorum: Quorum, random: RandomSource): Uint8Array[] {
  const { threshold, shares } = quorum;
  if (!Number.isInteger(threshold) || !Number.isInteger(shares)) throw badQuorum();
  if (threshold < 1 || threshold > shares || shares > 255) throw badQuorum();
  const length = secret.length;
  const coefficients = random((threshold - 1) * length);
  if (coefficients.length !== (threshold - 1) * length) throw badQuorum();
  try {
    return Array.from({ length: shares }, (_, i) => {
      const share = new Uint8Array(secret);
      let power = 1;
      for (let k = 0; k < threshold - 1; k++) {
        power = multiply(power, i + 1);
        addScaled(share, power, coefficients.subarray(k * length, (k + 1) * length));
      }
      return share;
    });
  } finally {
    coefficients.fill(0);
  }
}

/**
 * The secret at 0 of exactly a threshold of shares. Fewer give another byte string of the same length: whoever calls
 * checks the result against a commitment or opens something with it.
 * @param points - distinct x from 1 to 255, equally long (borrowed)
 * @returns owned by the caller
 */
export function combineBytes(points: readonly Point[]): Uint8Array {
  return interpolate(points, 0);
}

/** Whether a further share lies on the polynomials that the points determine. */
export function liesOn(points: readonly Point[], further: Point): boolean {
  const expected = interpolate(points, further.x);
  try {
    return equalConstantTime(expected, further.y);
  } finally {
    expected.fill(0);
  }
}

function badQuorum(): InternalError {
  return new InternalError({
    code: 'E_SHAMIR_QUORUM',
    message: 'a quorum is 1 ≤ threshold ≤ shares ≤ 255',
  });
}
