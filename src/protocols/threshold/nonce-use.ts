/**
 * What is written down before a signature share exists: the name of a pair of nonces, and what the pair is used for.
 * @see docs/spec/threshold.md, "Signing"
 */
import type { NonceCommitment } from '#crypto/frost/equation';
import type { FrostSuite } from '#crypto/frost/suite';
import { sha256 } from '#crypto/hash';
import { concat, u16be, utf8 } from '#formats/bytes';

const NAME = utf8('conclave-nonce-v1\0');
const USE = utf8('conclave-nonce-use-v1\0');

/** The one name of a pair of nonces; 32 bytes. @param hiding - D @param binding - E, compressed */
export function nonceName(
  { code }: Pick<FrostSuite, 'code'>,
  hiding: Uint8Array,
  binding: Uint8Array,
): Uint8Array {
  return sha256(NAME, code, hiding, binding);
}

/** What they are used for: a session's terms and the commitments of all its signers, ascending; 32 bytes. */
export function nonceUse(terms: Uint8Array, commitments: readonly NonceCommitment[]): Uint8Array {
  return sha256(
    USE,
    terms,
    ...commitments.map(({ number, hiding, binding }) =>
      concat(u16be(number), hiding.toBytes(), binding.toBytes()),
    ),
  );
}
