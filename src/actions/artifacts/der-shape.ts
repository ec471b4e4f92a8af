/** Telling encoded keys apart by their first bytes, for recognising files; strict reading comes later. */

/** What a whole DER file of a key looks like: SPKI begins with an algorithm, PKCS#8 with a version. */
export function derShape(bytes: Uint8Array): 'spki' | 'pkcs8' | undefined {
  if (bytes[0] !== 0x30) return undefined;
  const first = bytes[1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  if (lengthBytes > 3) return undefined;
  let length = lengthBytes === 0 ? first : 0;
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + (bytes[2 + i] ?? 0);
  const start = 2 + lengthBytes;
  if (start + length !== bytes.length) return undefined;
  const inner = bytes[start];
  if (inner === 0x30) return 'spki';
  return inner === 0x02 && bytes[start + 1] === 0x01 ? 'pkcs8' : undefined;
}
