/** Authenticated encryption, single shot: ciphertext and 16-byte tag in one, 12-byte nonces only. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { NegativeError } from '#formats/errors';
import { assertLength } from './lengths.js';

/** Length of every nonce in bytes. */
export const NONCE_LENGTH = 12;
/** Length of every tag in bytes. */
export const TAG_LENGTH = 16;

type Cipher = 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';

/** OpenSSL is fed in steps of this size: large texts are then held twice (in and out), not three times. */
const STEP = 1024 * 1024;
const EMPTY: Uint8Array = new Uint8Array(0);

function seal(
  cipher: Cipher,
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
  head = EMPTY,
): Uint8Array {
  assertLength(nonce, NONCE_LENGTH, 'nonce');
  const state = createCipheriv(cipher as 'aes-256-gcm', key, nonce, { authTagLength: TAG_LENGTH });
  state.setAAD(aad, { plaintextLength: plaintext.length });
  const out = new Uint8Array(head.length + plaintext.length + TAG_LENGTH);
  out.set(head);
  for (let at = 0; at < plaintext.length; at += STEP) {
    out.set(state.update(plaintext.subarray(at, at + STEP)), head.length + at);
  }
  state.final();
  out.set(state.getAuthTag(), head.length + plaintext.length);
  return out;
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
  const plaintext = new Uint8Array(body.length);
  for (let at = 0; at < body.length; at += STEP) {
    const part = state.update(body.subarray(at, at + STEP));
    plaintext.set(part, at);
    // The Buffer may lie in the shared pool.
    part.fill(0);
  }
  try {
    state.final();
    return plaintext;
  } catch (cause) {
    plaintext.fill(0);
    throw notAuthentic(what, cause);
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
  if (key.length === 24) return 'aes-192-gcm';
  assertLength(key, 32, 'AES-GCM key');
  return 'aes-256-gcm';
}

/**
 * AES-GCM: ciphertext ‖ 16-byte tag.
 * @param key - 32 bytes (16 for AES-128, 24 for AES-192, which others use); borrowed
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
 * {@link aesGcmSeal} behind a clear head: head ‖ ciphertext ‖ tag, without a copy of a long text on the way. The head is
 * authenticated only if it is part of `aad`.
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function aesGcmSealBehind(
  head: Uint8Array,
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  return seal(gcm(key), key, nonce, plaintext, aad, head);
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
