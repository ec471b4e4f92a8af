/** Authenticated encryption, single shot: ciphertext and 16-byte tag in one, 12-byte nonces only. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concat } from '#formats/bytes';
import { NegativeError } from '#formats/errors';
import { assertLength } from './lengths.js';

/** Length of every nonce in bytes. */
export const NONCE_LENGTH = 12;
/** Length of every tag in bytes. */
export const TAG_LENGTH = 16;

type Cipher = 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';

function seal(
  cipher: Cipher,
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  assertLength(nonce, NONCE_LENGTH, 'nonce');
  const state = createCipheriv(cipher as 'aes-256-gcm', key, nonce, { authTagLength: TAG_LENGTH });
  state.setAAD(aad, { plaintextLength: plaintext.length });
  return concat(state.update(plaintext), state.final(), state.getAuthTag());
}

function open(
  cipher: Cipher,
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
  what: string,
): Uint8Array {
  assertLength(nonce, NONCE_LENGTH, `${what}: nonce`);
  if (sealed.length < TAG_LENGTH) throw notAuthentic(what);
  const body = sealed.subarray(0, sealed.length - TAG_LENGTH);
  const state = createDecipheriv(cipher as 'aes-256-gcm', key, nonce, {
    authTagLength: TAG_LENGTH,
  });
  state.setAAD(aad, { plaintextLength: body.length });
  state.setAuthTag(sealed.subarray(body.length));
  const plaintext = state.update(body);
  try {
    state.final();
    return new Uint8Array(plaintext);
  } catch (cause) {
    throw notAuthentic(what, cause);
  } finally {
    // Also after success: the Buffer may lie in the shared pool, so a copy leaves and this one is wiped.
    plaintext.fill(0);
  }
}

function notAuthentic(what: string, cause?: unknown): NegativeError {
  return new NegativeError({
    code: 'E_NOT_AUTHENTIC',
    message: `${what} does not authenticate: it was changed, or sealed under another key`,
    cause,
  });
}

function gcm(key: Uint8Array): Cipher {
  if (key.length === 16) return 'aes-128-gcm';
  assertLength(key, 32, 'AES-GCM key');
  return 'aes-256-gcm';
}

/**
 * AES-GCM: ciphertext ‖ 16-byte tag.
 * @param key - 32 bytes (16 for AES-128); borrowed
 * @param nonce - 12 bytes, never twice under one key
 * @throws {@link InputError} `E_LENGTH_WRONG`
 * @see NIST SP 800-38D §7.1
 */
export function aesGcmSeal(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  return seal(gcm(key), key, nonce, plaintext, aad);
}

/**
 * The plaintext of {@link aesGcmSeal}, owned by the caller; nothing is released unless the tag holds.
 * @param what - how errors name the input
 * @throws {@link NegativeError} `E_NOT_AUTHENTIC`
 * @throws {@link InputError} `E_LENGTH_WRONG`
 * @see NIST SP 800-38D §7.2
 */
export function aesGcmOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
  what: string,
): Uint8Array {
  return open(gcm(key), key, nonce, sealed, aad, what);
}

/**
 * ChaCha20-Poly1305: ciphertext ‖ 16-byte tag; 32-byte key (borrowed), 12-byte nonce.
 * @throws {@link InputError} `E_LENGTH_WRONG`
 * @see RFC 8439 §2.8
 */
export function chaChaPolySeal(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  assertLength(key, 32, 'ChaCha20-Poly1305 key');
  return seal('chacha20-poly1305', key, nonce, plaintext, aad);
}

/**
 * The plaintext of {@link chaChaPolySeal}, owned by the caller.
 * @throws {@link NegativeError} `E_NOT_AUTHENTIC`
 * @throws {@link InputError} `E_LENGTH_WRONG`
 * @see RFC 8439 §2.8
 */
export function chaChaPolyOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
  what: string,
): Uint8Array {
  assertLength(key, 32, 'ChaCha20-Poly1305 key');
  return open('chacha20-poly1305', key, nonce, sealed, aad, what);
}
