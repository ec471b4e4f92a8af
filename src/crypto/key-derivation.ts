/**
 * From a shared secret to a key. A raw shared secret is a point or a number with structure; a key derivation makes bits of it.
 * @see RFC 5869, NIST SP 800-56C rev. 2
 */
import { UsageError } from '#formats/errors';
import { type HashName, hkdf } from './hash.js';

/** Derivations by the name that people give. */
export const DERIVATIONS = ['hkdf-sha256', 'hkdf-sha384', 'hkdf-sha512', 'raw'] as const;

/** One of {@link DERIVATIONS}. */
export type Derivation = (typeof DERIVATIONS)[number];

const HASHES: Readonly<Record<Exclude<Derivation, 'raw'>, HashName>> = {
  'hkdf-sha256': 'sha256',
  'hkdf-sha384': 'sha384',
  'hkdf-sha512': 'sha512',
};

/** More is no key. */
export const MAX_DERIVED_BYTES = 1024;

const NO_SALT: Uint8Array = new Uint8Array(0);

/**
 * A key from a shared secret (borrowed): HKDF without salt, or for `raw` the secret itself. The caller wipes it.
 * @param info - what the key is for; both sides must name the same
 * @param length - bytes, up to {@link MAX_DERIVED_BYTES}; for `raw` the length of the secret or left out
 * @throws {@link UsageError} `E_DERIVATION_RAW` where `raw` is asked for something that it cannot do
 */
export function deriveKey(
  derivation: Derivation,
  secret: Uint8Array,
  info: Uint8Array,
  length: number | undefined,
): Uint8Array {
  if (derivation !== 'raw') return hkdf(HASHES[derivation], secret, NO_SALT, info, length ?? 32);
  if (info.length > 0) throw rawCannot('takes no context');
  if (length !== undefined && length !== secret.length) {
    throw rawCannot(`has ${secret.length} bytes, not ${length}`);
  }
  return new Uint8Array(secret);
}

function rawCannot(what: string): UsageError {
  return new UsageError({
    code: 'E_DERIVATION_RAW',
    message: `the raw shared secret ${what}`,
    hint: 'use --kdf hkdf-sha256',
  });
}
