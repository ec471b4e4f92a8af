/** The public stand-in of a symmetric key: tells keys apart and nothing about them. */
import { utf8 } from '#formats/bytes';
import { hmacSha256 } from './hash.js';

/** HMAC input of the key check value; a change of it would be another format. */
const CHECK_LABEL = utf8('conclave-kcv-v1');

/** 32 bytes. The key is borrowed. */
export function keyCheckValue(secret: Uint8Array): Uint8Array {
  return hmacSha256(secret, CHECK_LABEL);
}
