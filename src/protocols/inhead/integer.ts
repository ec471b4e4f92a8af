/**
 * The bridge's integers: one split in three whose parts add up to it over the integers, so that a circuit can add them and a
 * group can multiply by them. Two parts are uniform and unsigned, the third is what is left and carries a sign.
 */

/** Widths in bits. */
export interface IntegerWidth {
  /** Of the parts 1 and 2, and what is hidden: 144 bits or more beyond the value. */
  readonly part: number;
  /** Of the adders, and of part 3 in two's complement. */
  readonly sum: number;
}

/** Bits by which the parts exceed what they hide. */
const HIDING_BITS = 144;

/** Widths for a value of so many bits: B = 8⌈(L + 144)/8⌉, W = B + 8. */
export function integerWidth(bits: number): IntegerWidth {
  const part = 8 * Math.ceil((bits + HIDING_BITS) / 8);
  // W = B + 1 is broken, since a wrap goes unnoticed; B + 2 is needed, and the spare is deliberate.
  return { part, sum: part + 8 };
}

/** An unsigned little-endian integer. */
export function fromLittleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number);
  return value;
}

/** A little-endian two's complement integer of so many bits; bits beyond are not looked at. */
export function fromTwosComplement(bytes: Uint8Array, bits: number): bigint {
  return BigInt.asIntN(bits, fromLittleEndian(bytes));
}

/** Little-endian two's complement of that many bytes; what does not fit is cut off. */
export function toTwosComplement(value: bigint, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  let rest = BigInt.asUintN(8 * bytes, value);
  for (let i = 0; i < bytes; i++, rest >>= 8n) out[i] = Number(rest & 0xffn);
  return out;
}

/** An unsigned big-endian integer. */
export function fromBigEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}
