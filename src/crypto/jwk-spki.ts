/** SPKI of the public half of a JWK, by Node: for keys that a provider shows in that form. */
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { InputError } from '#formats/errors';

/**
 * SPKI DER of an RSA, EC or OKP public key. Private members are not passed on.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_JWK_MALFORMED`
 */
export function spkiOfJwk(
  jwk: Readonly<Partial<Record<'kty' | 'crv' | 'x' | 'y' | 'n' | 'e', string>>>,
  what: string,
): Uint8Array {
  try {
    const key = createPublicKey({ key: { ...jwk } as JsonWebKey, format: 'jwk' });
    return new Uint8Array(key.export({ format: 'der', type: 'spki' }));
  } catch (cause) {
    throw new InputError({
      code: 'E_JWK_MALFORMED',
      message: `${what} is no public key in the form of a JWK`,
      cause,
    });
  }
}
