/**
 * RSAES-OAEP over `node:crypto`, with the hash of MGF1 always that of the label: what every provider means by the name of a
 * hash. Keys are their SPKI or PKCS#8 DER, so that this file needs no table of algorithms.
 * @see RFC 8017 §7.1
 */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto';
import { equal } from '#formats/bytes';
import { InputError, NegativeError, RefusedError } from '#formats/errors';

/** Hashes that an import format names. SHA-1 is here because some of them know nothing else. */
export type OaepHash = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512';

const HASH_BYTES = {
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
} as const satisfies Readonly<Record<OaepHash, number>>;

/** Modulus lengths that are accepted, in bits. */
const MODULI: readonly number[] = [2048, 3072, 4096];

/** An SPKI of RSA-4096 has 550 bytes. */
const MAX_KEY_BYTES = 8 * 1024;

/** A public wrapping key, read and checked. */
export interface RsaPublicKey {
  /** Modulus length in bits. */
  readonly bits: number;
  /** Length of every ciphertext in bytes. */
  readonly bytes: number;
  /** Canonical SPKI DER. */
  readonly spki: Uint8Array;
  readonly key: KeyObject;
}

/**
 * Reads the SPKI DER of an RSA key for encryption: 2048, 3072 or 4096 bits, exponent 65537 or larger, canonical DER.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_RSA_KEY_MALFORMED`; {@link RefusedError} `E_RSA_KEY_WEAK` for another size or exponent
 */
export function readRsaPublicKey(spki: Uint8Array, what: string): RsaPublicKey {
  if (spki.length > MAX_KEY_BYTES) throw malformed(what, 'it is longer than any RSA key');
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch (cause) {
    throw malformed(what, 'it is no SubjectPublicKeyInfo', cause);
  }
  // RSASSA-PSS keys are for signatures, and anything else is no RSA key at all.
  if (key.asymmetricKeyType !== 'rsa') {
    throw malformed(what, `it is a key of type ${key.asymmetricKeyType ?? 'unknown'}`);
  }
  const canonical = new Uint8Array(key.export({ format: 'der', type: 'spki' }));
  if (!equal(canonical, spki)) throw malformed(what, 'its DER is not canonical');
  const { modulusLength: bits = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (!MODULI.includes(bits)) {
    throw new RefusedError({
      code: 'E_RSA_KEY_WEAK',
      message: `${what}: an RSA key of ${bits} bits is not accepted for wrapping`,
      hint: `sizes that providers hand out are ${MODULI.join(', ')}`,
    });
  }
  // Every provider uses 65537. A small exponent is a sign of something else, an even one is no key.
  if (publicExponent < 65537n || publicExponent % 2n === 0n) {
    throw new RefusedError({
      code: 'E_RSA_KEY_WEAK',
      message: `${what}: the public exponent ${publicExponent} is not accepted for wrapping`,
      hint: 'it should be 65537',
    });
  }
  return { bits, bytes: bits / 8, spki: canonical, key };
}

/**
 * The SPKI DER of an RSA key given as modulus and exponent of a JWK (base64url, big-endian).
 * @throws as {@link readRsaPublicKey}
 */
export function spkiOfRsaJwk(n: string, e: string, what: string): Uint8Array {
  let spki: Uint8Array;
  try {
    const key = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' });
    spki = new Uint8Array(key.export({ format: 'der', type: 'spki' }));
  } catch (cause) {
    throw malformed(what, 'its modulus and exponent are no RSA key', cause);
  }
  // Node takes an empty modulus for a number.
  return readRsaPublicKey(spki, what).spki;
}

/** The longest payload in bytes that OAEP takes: k − 2·hLen − 2. */
export function oaepLimit(key: Pick<RsaPublicKey, 'bytes'>, hash: OaepHash): number {
  return key.bytes - 2 * HASH_BYTES[hash] - 2;
}

/**
 * Encrypts a payload: as many bytes as the modulus has. The random seed comes from OpenSSL's own generator, which takes no
 * other; the payload does not depend on it.
 * @param payload - 1 to {@link oaepLimit} bytes; borrowed
 * @throws {@link InputError} `E_WRAP_EMPTY`, `E_WRAP_TOO_LONG`
 * @see RFC 8017 §7.1.1
 */
export function rsaOaepSeal(key: RsaPublicKey, hash: OaepHash, payload: Uint8Array): Uint8Array {
  if (payload.length === 0) {
    throw new InputError({ code: 'E_WRAP_EMPTY', message: 'there is nothing to wrap' });
  }
  const limit = oaepLimit(key, hash);
  if (payload.length > limit) {
    throw new InputError({
      code: 'E_WRAP_TOO_LONG',
      message: `RSA-OAEP with ${hash} under ${key.bits} bits takes ${limit} bytes, and the key has ${payload.length}`,
      hint: 'use an algorithm that wraps an AES key with RSA and the key with that',
    });
  }
  const options = { key: key.key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash };
  return new Uint8Array(publicEncrypt(options, payload));
}

/**
 * The payload of {@link rsaOaepSeal}, owned by the caller. Every failure is the same one, so that nobody learns which check
 * it was.
 * @param pkcs8 - PKCS#8 DER of the private key; borrowed
 * @param options - `label` empty when not given; `what` how errors name the input
 * @throws {@link NegativeError} `E_NOT_AUTHENTIC`
 * @throws {@link InputError} `E_RSA_KEY_MALFORMED`
 * @see RFC 8017 §7.1.2
 */
export function rsaOaepOpen(
  pkcs8: Uint8Array,
  hash: OaepHash,
  sealed: Uint8Array,
  options: { readonly what: string; readonly label?: Uint8Array },
): Uint8Array {
  const { what, label } = options;
  const der = Buffer.from(pkcs8);
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch (cause) {
    throw malformed('the private key', 'it is no PKCS#8', cause);
  } finally {
    der.fill(0);
  }
  if (key.asymmetricKeyType !== 'rsa') throw malformed('the private key', 'it is no RSA key');
  const bytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  if (sealed.length !== bytes) throw integrity(what);
  try {
    const opened = privateDecrypt(
      {
        key,
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: hash,
        ...(label === undefined ? {} : { oaepLabel: label }),
      },
      sealed,
    );
    try {
      return new Uint8Array(opened);
    } finally {
      opened.fill(0);
    }
  } catch (cause) {
    throw integrity(what, cause);
  }
}

function integrity(what: string, cause?: unknown): NegativeError {
  return new NegativeError({
    code: 'E_NOT_AUTHENTIC',
    message: `${what}: integrity check failed: it was changed, or wrapped for another key or with another hash`,
    cause,
  });
}

function malformed(what: string, problem: string, cause?: unknown): InputError {
  return new InputError({
    code: 'E_RSA_KEY_MALFORMED',
    message: `${what} is no RSA key that can wrap: ${problem}`,
    cause,
  });
}
