/** The digest by which people compare a wrapping key, and by which it is revoked. */
import type { Descriptor } from '#crypto/descriptor';
import { encodeSpki } from '#crypto/encodings/spki';
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';

/**
 * `sha256:HEX` of the key's SPKI; of the raw public key, as `key public --format raw` writes it, where no standard gives the
 * algorithm an SPKI.
 */
export function keyDigest(descriptor: Descriptor, publicKey: Uint8Array): string {
  return digestOfSpki(descriptor.oid === undefined ? publicKey : encodeSpki(descriptor, publicKey));
}

/** `sha256:HEX` of what is an SPKI already. */
export function digestOfSpki(spki: Uint8Array): string {
  return `sha256:${toHex(sha256(spki))}`;
}
