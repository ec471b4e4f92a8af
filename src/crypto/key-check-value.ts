/**
 * The public stand-ins of a symmetric key, which tell keys apart: conclave's own, and the three bytes that hardware security
 * modules show, for comparing by eye.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { utf8 } from '#formats/bytes';
import { hmacSha256 } from './hash.js';

/** HMAC input of the key check value; a change of it would be another format. */
const CHECK_LABEL = utf8('conclave-kcv-v1');

/** 32 bytes. The key is borrowed. */
export function keyCheckValue(secret: Uint8Array): Uint8Array {
  return hmacSha256(secret, CHECK_LABEL);
}

/** How long a check value of a hardware security module is, in bytes. */
const HSM_LENGTH = 3;
const BLOCK = 16;

/**
 * First 3 bytes of one block of zeroes, encrypted by AES in ECB mode. The key, of 16, 24 or 32 bytes, is borrowed.
 * @see PKCS#11 v3.1 §4.10.2, CKA_CHECK_VALUE; NIST SP 800-38A §6.1
 */
export function aesHsmCheckValue(key: Uint8Array): Uint8Array {
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null);
  cipher.setAutoPadding(false);
  return new Uint8Array(cipher.update(new Uint8Array(BLOCK))).slice(0, HSM_LENGTH);
}

/**
 * First 3 bytes of the SHA-1 hash of a key that is no cipher's. The key is borrowed.
 * @see PKCS#11 v3.1 §4.10.2, CKA_CHECK_VALUE of generic secret keys
 */
export function genericHsmCheckValue(key: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha1').update(key).digest()).slice(0, HSM_LENGTH);
}
