/** Length checks at the door of the Crypto Interface Layer, so that libraries below never see the wrong size. */
import { InputError } from '#formats/errors';
import type { Descriptor } from './descriptor.js';

/**
 * Refuses bytes of another length than the standard's.
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function assertLength(bytes: Uint8Array, expected: number, what: string): void {
  if (bytes.length !== expected) {
    throw new InputError({
      code: 'E_LENGTH_WRONG',
      message: `${what}: ${expected} bytes were expected, not ${bytes.length}`,
    });
  }
}

/**
 * Refuses a raw private form of the wrong length.
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function assertPrivate(
  descriptor: Descriptor,
  secret: Uint8Array,
  what = `${descriptor.name} private key`,
): void {
  assertLength(secret, descriptor.sizes.private, what);
}

/**
 * Refuses a raw public key of the wrong length.
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function assertPublic(
  descriptor: Descriptor,
  publicKey: Uint8Array,
  what = `${descriptor.name} public key`,
): void {
  assertLength(publicKey, descriptor.sizes.public, what);
}
