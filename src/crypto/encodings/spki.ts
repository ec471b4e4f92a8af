/**
 * SubjectPublicKeyInfo: the public key as every other program reads it.
 * @see RFC 5280 §4.1.2.7, RFC 8410 §4, RFC 9881 §4, RFC 9935 §4
 */
import { InputError, UsageError } from '#formats/errors';
import { derBitString, derOid, DerReader, derSequence } from '../der.js';
import type { Descriptor } from '../descriptor.js';
import { assertPublic } from '../lengths.js';
import { resolveOid } from '../registry.js';

/** Longest SPKI that is read; the largest key here is ML-DSA-87 with 2592 bytes. */
const MAX_BYTES = 64 * 1024;

/**
 * DER of SubjectPublicKeyInfo.
 * @param publicKey - raw public key
 * @throws {@link UsageError} `E_ENCODING_UNSUPPORTED` for algorithms without an object identifier
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function encodeSpki(descriptor: Descriptor, publicKey: Uint8Array): Uint8Array {
  const { oid, name, profile, kind } = descriptor;
  if (oid === undefined) {
    throw new UsageError({
      code: 'E_ENCODING_UNSUPPORTED',
      message: `${profile === '' ? name : `${name} (${profile})`} keys have no SPKI form`,
      hint: kind === 'symmetric' ? 'a secret key has no public side' : 'use the Ratify JSON form',
    });
  }
  assertPublic(descriptor, publicKey);
  return derSequence(derSequence(derOid(oid)), derBitString(publicKey));
}

/**
 * The public key in a SubjectPublicKeyInfo: canonical DER, a known algorithm without parameters, the right length.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_DER_MALFORMED`, `E_LENGTH_WRONG`, `E_ALGORITHM_UNSUPPORTED`, `E_KEY_TOO_LARGE`
 */
export async function decodeSpki(
  der: Uint8Array,
  what: string,
): Promise<{ readonly descriptor: Descriptor; readonly publicKey: Uint8Array }> {
  assertKeySize(der, MAX_BYTES, what);
  const outer = new DerReader(der, what);
  const info = outer.sequence();
  outer.end();
  const algorithm = info.sequence();
  const oid = algorithm.oid();
  const publicKey = new Uint8Array(info.bitString());
  info.end();
  const descriptor = await known(oid, what);
  algorithm.end();
  assertPublic(descriptor, publicKey, `${what} (${descriptor.name})`);
  return { descriptor, publicKey };
}

/**
 * The descriptor behind an object identifier found in a key.
 * @throws {@link InputError} `E_ALGORITHM_UNSUPPORTED`
 */
export async function known(oid: string, what: string): Promise<Descriptor> {
  const descriptor = await resolveOid(oid);
  if (descriptor === undefined) {
    throw new InputError({
      code: 'E_ALGORITHM_UNSUPPORTED',
      message: `${what} holds a key of an algorithm that conclave does not know (${oid})`,
    });
  }
  return descriptor;
}

/**
 * Refuses encoded keys that are longer than any key can be.
 * @throws {@link InputError} `E_KEY_TOO_LARGE`
 */
export function assertKeySize(der: Uint8Array, maxBytes: number, what: string): void {
  if (der.length > maxBytes) {
    throw new InputError({
      code: 'E_KEY_TOO_LARGE',
      message: `${what} is longer than ${maxBytes} bytes: no key is that long`,
    });
  }
}
