/**
 * Writing PKCS#8: the private key as every other program reads it, post-quantum keys as their seed.
 * @see RFC 5958 §2, RFC 8410 §7, RFC 9881 §6, RFC 9935 §6
 */
import { UsageError } from '#formats/errors';
import { der, derOctetString, derOid, derSequence, derSmallInteger, TAG } from '../der.js';
import type { Descriptor } from '../descriptor.js';
import { assertPrivate } from '../lengths.js';

/**
 * DER of `OneAsymmetricKey` version 1: no attributes, no public key. The caller owns and wipes it.
 * @param secret - raw private form; borrowed
 * @throws {@link UsageError} `E_ENCODING_UNSUPPORTED` for algorithms without an object identifier
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function encodePrivateKeyInfo(descriptor: Descriptor, secret: Uint8Array): Uint8Array {
  assertPrivate(descriptor, secret);
  const { oid, pkcs8 } = descriptor;
  if (oid === undefined || pkcs8 === undefined) throw noPkcs8(descriptor);
  const key = encodeKey(descriptor, pkcs8, secret);
  try {
    return derSequence(derSmallInteger(0), derSequence(derOid(oid)), derOctetString(key));
  } finally {
    key.fill(0);
  }
}

function encodeKey(
  { rearrange }: Descriptor,
  form: NonNullable<Descriptor['pkcs8']>,
  secret: Uint8Array,
): Uint8Array {
  switch (form) {
    case 'octet-string':
      return derOctetString(secret);
    case 'seed-choice':
      return der(TAG.context(0), secret);
    case 'bare':
      // A copy in any case: it is wiped. (`slice` of a Buffer would be a view of the caller's secret.)
      return rearrange === undefined ? new Uint8Array(secret) : rearrange.toPkcs8(secret);
  }
}

function noPkcs8({ name, profile, kind }: Descriptor): UsageError {
  const full = profile === '' ? name : `${name} (${profile})`;
  return new UsageError({
    code: 'E_ENCODING_UNSUPPORTED',
    message: `${full} keys have no PKCS#8 form`,
    hint: kind === 'symmetric' ? 'use --format raw' : 'use the Ratify JSON form',
  });
}
