/**
 * Whole numbers from bytes and back. Numbers cannot be wiped, and their arithmetic takes time that depends on them: this is for
 * public values, and for private ones only where an encoding demands a number.
 */
import { fromHex, toHex } from '#formats/bytes';
import { InternalError } from '#formats/errors';

/** The number that big-endian bytes spell; 0 for none. */
export function toNumber(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}

/**
 * Big-endian bytes of a number that is not negative, padded to a length.
 * @throws {@link InternalError} `E_NUMBER_TOO_LONG`
 */
export function fromNumber(value: bigint, length: number): Uint8Array {
  const digits = value.toString(16);
  if (digits.length > 2 * length) {
    throw new InternalError({ code: 'E_NUMBER_TOO_LONG', message: 'a number exceeds its length' });
  }
  return fromHex(digits.padStart(2 * length, '0'));
}

/** Greatest common divisor of two positive numbers. */
export function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

/**
 * The inverse of a number modulo another.
 * @throws {@link InternalError} `E_NOT_INVERTIBLE`
 */
export function inverseModulo(value: bigint, modulus: bigint): bigint {
  let [r0, r1] = [modulus, ((value % modulus) + modulus) % modulus];
  let [t0, t1] = [0n, 1n];
  while (r1 !== 0n) {
    const q = r0 / r1;
    [r0, r1] = [r1, r0 - q * r1];
    [t0, t1] = [t1, t0 - q * t1];
  }
  if (r0 !== 1n) {
    throw new InternalError({ code: 'E_NOT_INVERTIBLE', message: 'a number has no inverse' });
  }
  return ((t0 % modulus) + modulus) % modulus;
}
