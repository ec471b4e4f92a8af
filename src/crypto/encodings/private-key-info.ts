/**
 * Writing PKCS#8: the private key as every other program reads it, post-quantum keys as their seed.
 * @see RFC 5958 §2, RFC 5915 §3, RFC 8410 §7, RFC 9881 §6, RFC 9935 §6
 */
import { concat } from '#formats/bytes';
import { InternalError, UsageError } from '#formats/errors';
import { der, derBitString, derOctetString, derSequence, derSmallInteger, TAG } from '../der.js';
import type { Descriptor } from '../descriptor.js';
import { assertPrivate } from '../lengths.js';
import { algorithmIdentifier } from './spki.js';

/** Whether the algorithm's PKCS#8 holds the public key as well, so that {@link encodePrivateKeyInfo} wants it. */
export function holdsPublicKey({ pkcs8 }: Descriptor): boolean {
  return pkcs8 === 'ec' || pkcs8 === 'with-public';
}

/**
 * DER of `OneAsymmetricKey` version 1: no attributes, and a public key only where the algorithm's own form has one. The caller
 * owns and wipes it.
 * @param secret - raw private form; borrowed
 * @param publicKey - raw public key, for algorithms that {@link holdsPublicKey} names; `ec` can do without
 * @throws {@link UsageError} `E_ENCODING_UNSUPPORTED` for algorithms without an object identifier
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function encodePrivateKeyInfo(
  descriptor: Descriptor,
  secret: Uint8Array,
  publicKey?: Uint8Array,
): Uint8Array {
  assertPrivate(descriptor, secret);
  const { oid, pkcs8 } = descriptor;
  if (oid === undefined || pkcs8 === undefined) throw noPkcs8(descriptor);
  const key = encodeKey(descriptor, pkcs8, secret, publicKey);
  try {
    return derSequence(derSmallInteger(0), algorithmIdentifier(descriptor), derOctetString(key));
  } finally {
    key.fill(0);
  }
}

function encodeKey(
  { rearrange, name }: Descriptor,
  form: NonNullable<Descriptor['pkcs8']>,
  secret: Uint8Array,
  publicKey: Uint8Array | undefined,
): Uint8Array {
  switch (form) {
    case 'octet-string':
      return derOctetString(secret);
    case 'seed-choice':
      return der(TAG.context(0), secret);
    case 'bare':
      // A copy in any case: it is wiped. (`slice` of a Buffer would be a view of the caller's secret.)
      return rearrange === undefined ? new Uint8Array(secret) : rearrange.toPkcs8(secret);
    case 'with-public': {
      if (publicKey === undefined) {
        throw new InternalError({
          code: 'E_PUBLIC_KEY_NEEDED',
          message: `PKCS#8 of ${name} holds a part of the public key, which was not given`,
        });
      }
      return concat(secret, publicKey.subarray(publicKey.length / 2));
    }
    case 'ec': {
      const scalar = derOctetString(secret);
      try {
        // RFC 5915 §3; the curve stands in the AlgorithmIdentifier, so not again here.
        return derSequence(
          derSmallInteger(1),
          scalar,
          ...(publicKey === undefined ? [] : [der(TAG.explicit(1), derBitString(publicKey))]),
        );
      } finally {
        scalar.fill(0);
      }
    }
  }
}

function noPkcs8({ name, profile }: Descriptor): UsageError {
  const full = profile === '' ? name : `${name} (${profile})`;
  return new UsageError({
    code: 'E_ENCODING_UNSUPPORTED',
    message: `${full} keys have no PKCS#8 form`,
    hint: profile === 'ratify-v1' ? 'use the Ratify JSON form' : 'use --format raw',
  });
}
