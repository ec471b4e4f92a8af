/**
 * Xoshiro256**, seeded by SHA-256. Sender and receiver of a UR draw the same numbers from it, and so agree on which
 * fragments a part mixes. Predictable by design: never a source of secrets.
 * @see BCR-2024-001 §4
 */

/** SHA-256, handed in: this room knows no cryptography. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

const MASK = 0xffff_ffff_ffff_ffffn;
const TWO_TO_64 = 2 ** 64;

/** A stream of numbers that follows from its seed. */
export class Xoshiro256 {
  #a: bigint;
  #b: bigint;
  #c: bigint;
  #d: bigint;

  /** @param seed - any bytes; their SHA-256 is the state */
  constructor(seed: Uint8Array, sha256: Sha256) {
    const digest = sha256(seed);
    const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
    this.#a = view.getBigUint64(0);
    this.#b = view.getBigUint64(8);
    this.#c = view.getBigUint64(16);
    this.#d = view.getBigUint64(24);
  }

  /** The next 64 bits. */
  next(): bigint {
    const result = (rotateLeft((this.#b * 5n) & MASK, 7n) * 9n) & MASK;
    const shifted = (this.#b << 17n) & MASK;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 45n);
    return result;
  }

  /** The next number from 0 to 1, as a double. */
  nextDouble(): number {
    return Number(this.next()) / TWO_TO_64;
  }

  /** The next integer from 0 to below `limit`. */
  nextBelow(limit: number): number {
    // The double can round up to 1 itself, which no honest seed has been seen to do.
    return Math.min(Math.floor(this.nextDouble() * limit), limit - 1);
  }
}

function rotateLeft(value: bigint, by: bigint): bigint {
  return ((value << by) | (value >> (64n - by))) & MASK;
}
