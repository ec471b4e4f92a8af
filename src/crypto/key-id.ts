/** The one name of a key: a hash of what it is and of its public key. */
import { toHex, utf8 } from '#formats/bytes';
import type { Descriptor } from './descriptor.js';
import { sha256 } from './hash.js';

const TAG = utf8('conclave-key-v1');
const ZERO = Uint8Array.of(0);

/**
 * Lower-case hexadecimal SHA-256 of `conclave-key-v1 ‖ 0 ‖ name ‖ 0 ‖ profile ‖ 0 ‖ raw public key`; 64 digits.
 * @param publicKey - raw public key; for symmetric algorithms the check value
 */
export function keyId(
  descriptor: Pick<Descriptor, 'name' | 'profile'>,
  publicKey: Uint8Array,
): string {
  const { name, profile } = descriptor;
  return toHex(sha256(TAG, ZERO, utf8(name), ZERO, utf8(profile), ZERO, publicKey));
}
