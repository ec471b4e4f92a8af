/**
 * The one core of all classical import formats: a payload directly under RSA-OAEP, or RSA-OAEP of a fresh AES-256 key followed
 * by AES-KWP of the payload. Which hash is the profile's business; there is no default.
 * @see PKCS#11 v3.1 §6.1.21 (CKM_RSA_AES_KEY_WRAP)
 */
import { aesKwpUnwrap, aesKwpWrap, MAX_KWP_PAYLOAD } from '#crypto/aes-kwp';
import type { RandomSource } from '#crypto/descriptor';
import { type OaepHash, rsaOaepOpen, rsaOaepSeal, type RsaPublicKey } from '#crypto/rsa-oaep';
import { concat, equalConstantTime } from '#formats/bytes';
import { InternalError, NegativeError } from '#formats/errors';

/** How a payload goes under an RSA key. */
export interface RsaProfile {
  /** `direct`: the payload itself under OAEP; `two-step`: an AES-256 key under OAEP, the payload under that. */
  readonly steps: 'direct' | 'two-step';
  readonly hash: OaepHash;
}

const AES_KEY_BYTES = 32;

/**
 * Wraps `payload` (borrowed).
 * @returns the ciphertext of OAEP, followed in two steps by the output of AES-KWP
 * @throws {@link InputError} `E_WRAP_EMPTY`, `E_WRAP_TOO_LONG`
 */
export function sealUnderRsa(
  profile: RsaProfile,
  key: RsaPublicKey,
  payload: Uint8Array,
  random: RandomSource,
): Uint8Array {
  if (profile.steps === 'direct') return rsaOaepSeal(key, profile.hash, payload);
  const aes = random(AES_KEY_BYTES);
  try {
    const wrapped = aesKwpWrap(aes, payload);
    // The far side's only answer to a wrong byte is "invalid"; so the half that can be opened here is.
    const again = aesKwpUnwrap(aes, wrapped, 'the wrapped key');
    const same = equalConstantTime(again, payload);
    again.fill(0);
    if (!same) {
      throw new InternalError({
        code: 'E_WRAP_SELF_CHECK',
        message: 'what was wrapped does not unwrap to the same key',
      });
    }
    return concat(rsaOaepSeal(key, profile.hash, aes), wrapped);
  } finally {
    aes.fill(0);
  }
}

/**
 * The payload of {@link sealUnderRsa}, owned by the caller.
 * @param pkcs8 - PKCS#8 DER of the private wrapping key; borrowed
 * @param modulusBytes - length of the modulus
 * @param what - how errors name the input
 * @throws {@link NegativeError} `E_NOT_AUTHENTIC`; {@link InputError} `E_RSA_KEY_MALFORMED`
 */
export function openUnderRsa(
  profile: RsaProfile,
  pkcs8: Uint8Array,
  modulusBytes: number,
  blob: Uint8Array,
  what: string,
): Uint8Array {
  const { hash } = profile;
  if (profile.steps === 'direct') return rsaOaepOpen(pkcs8, hash, blob, { what });
  if (blob.length <= modulusBytes || blob.length > modulusBytes + MAX_KWP_PAYLOAD + 8) {
    throw new NegativeError({
      code: 'E_NOT_AUTHENTIC',
      message: `${what}: integrity check failed: it has not the length of a key wrapped in two steps`,
    });
  }
  const aes = rsaOaepOpen(pkcs8, hash, blob.subarray(0, modulusBytes), { what });
  try {
    if (aes.length !== AES_KEY_BYTES) {
      throw new NegativeError({
        code: 'E_NOT_AUTHENTIC',
        message: `${what}: integrity check failed: what RSA holds is no AES-256 key`,
      });
    }
    return aesKwpUnwrap(aes, blob.subarray(modulusBytes), what);
  } finally {
    aes.fill(0);
  }
}
