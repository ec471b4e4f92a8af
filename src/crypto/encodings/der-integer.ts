/**
 * DER INTEGER beyond one byte, unsigned: what signatures, RSA keys and key derivation parameters need.
 * @see ITU-T X.690 §8.3
 */
import { concat } from '#formats/bytes';
import { der, type DerReader, TAG } from '../der.js';

/** INTEGER of an unsigned big-endian number; leading zeroes are dropped. */
export function derUnsigned(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const magnitude = bytes.length === 0 ? Uint8Array.of(0) : bytes.subarray(start);
  const isHigh = ((magnitude[0] as number) & 0x80) !== 0;
  return der(TAG.integer, isHigh ? concat(Uint8Array.of(0), magnitude) : magnitude);
}

/** INTEGER of a number from 0 to 2^53 - 1. */
export function derCount(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return derUnsigned(Uint8Array.from(bytes));
}

/**
 * The next value, which must be an INTEGER that is not negative, as big-endian bytes without leading zeroes (none for zero).
 * The result is a view into the input.
 * @throws InputError `E_DER_MALFORMED`
 */
export function readUnsigned(reader: DerReader): Uint8Array {
  const content = reader.content(TAG.integer);
  const first = content[0];
  if (first === undefined) throw reader.fail('an empty integer');
  if ((first & 0x80) !== 0) throw reader.fail('a negative integer');
  if (first !== 0) return content;
  const second = content[1];
  if (second !== undefined && (second & 0x80) === 0) {
    throw reader.fail('an integer that is not shortest');
  }
  return content.subarray(1);
}

/**
 * The next value, which must be an INTEGER from 0 to 2^53 - 1.
 * @throws InputError `E_DER_MALFORMED`
 */
export function readCount(reader: DerReader): number {
  const bytes = readUnsigned(reader);
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  if (bytes.length > 7 || !Number.isSafeInteger(value))
    throw reader.fail('an integer out of range');
  return value;
}
