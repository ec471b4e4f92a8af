/** CRC-32 as zlib, PNG and UR have it: finds damage, says nothing about who sent what. */

/** Remainders of all bytes, polynomial 0xEDB88320 (reflected). */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  return rest >>> 0;
});

/**
 * Checksum of bytes, an unsigned 32-bit integer.
 * @see ISO 3309; RFC 1952 §8
 */
export function crc32(bytes: Uint8Array): number {
  let rest = 0xffff_ffff;
  for (const byte of bytes) rest = (rest >>> 8) ^ (TABLE[(rest ^ byte) & 0xff] as number);
  return (rest ^ 0xffff_ffff) >>> 0;
}
