/**
 * AES key wrap with padding, the second half of every cloud's import format.
 * @see RFC 5649; NIST SP 800-38F §6.3
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { InputError, NegativeError } from '#formats/errors';
import { assertLength } from './lengths.js';

/** Longest payload that is wrapped or unwrapped: no private key is longer. */
export const MAX_KWP_PAYLOAD = 64 * 1024;

/** The alternative initial value; the length of the payload follows it inside. */
const INITIAL_VALUE = Uint8Array.of(0xa6, 0x59, 0x59, 0xa6);

type Cipher = 'id-aes128-wrap-pad' | 'id-aes192-wrap-pad' | 'id-aes256-wrap-pad';

const CIPHERS: Readonly<Record<number, Cipher>> = {
  16: 'id-aes128-wrap-pad',
  24: 'id-aes192-wrap-pad',
  32: 'id-aes256-wrap-pad',
};

/**
 * Wraps a payload: 8 · ⌈n/8⌉ + 8 bytes.
 * @param kek - 16, 24 or 32 bytes; borrowed
 * @param payload - 1 to {@link MAX_KWP_PAYLOAD} bytes; borrowed
 * @throws {@link InputError} `E_LENGTH_WRONG` for a key of another length, `E_WRAP_EMPTY`, `E_WRAP_TOO_LONG`
 * @see RFC 5649 §4.1
 */
export function aesKwpWrap(kek: Uint8Array, payload: Uint8Array): Uint8Array {
  if (payload.length === 0) {
    throw new InputError({ code: 'E_WRAP_EMPTY', message: 'there is nothing to wrap' });
  }
  if (payload.length > MAX_KWP_PAYLOAD) {
    throw new InputError({
      code: 'E_WRAP_TOO_LONG',
      message: `a payload of ${payload.length} bytes is longer than any key (${MAX_KWP_PAYLOAD} bytes at most)`,
      hint: 'wrap a key, and encrypt large data with it',
    });
  }
  const state = createCipheriv(cipherFor(kek), kek, INITIAL_VALUE);
  // Exactly one update: what two give is two wraps glued together, and some versions of Node do not say so.
  const wrapped = new Uint8Array(state.update(payload));
  const tail = state.final();
  assertLength(wrapped, wrappedLength(payload.length), 'AES-KWP output');
  assertLength(tail, 0, 'AES-KWP tail');
  return wrapped;
}

/**
 * The payload of {@link aesKwpWrap}, owned by the caller; nothing is released unless the integrity check holds.
 * @param kek - borrowed
 * @param what - how errors name the input
 * @throws {@link NegativeError} `E_NOT_AUTHENTIC`
 * @throws {@link InputError} `E_LENGTH_WRONG` for a key of another length, `E_WRAP_TOO_LONG`
 * @see RFC 5649 §4.2
 */
export function aesKwpUnwrap(kek: Uint8Array, wrapped: Uint8Array, what: string): Uint8Array {
  const cipher = cipherFor(kek);
  if (wrapped.length > MAX_KWP_PAYLOAD + 8) {
    throw new InputError({
      code: 'E_WRAP_TOO_LONG',
      message: `${what} is longer than a wrapped key can be`,
    });
  }
  if (wrapped.length < 16 || wrapped.length % 8 !== 0) throw integrity(what);
  const state = createDecipheriv(cipher, kek, INITIAL_VALUE);
  try {
    const payload = state.update(wrapped);
    try {
      state.final();
      return new Uint8Array(payload);
    } finally {
      payload.fill(0);
    }
  } catch (cause) {
    // Node says "unsupported state" here, without a code.
    throw integrity(what, cause);
  }
}

/** Length of a wrapped payload of `length` bytes. */
export function wrappedLength(length: number): number {
  return 8 * Math.ceil(length / 8) + 8;
}

function cipherFor(kek: Uint8Array): Cipher {
  const cipher = CIPHERS[kek.length];
  if (cipher !== undefined) return cipher;
  assertLength(kek, 32, 'AES-KWP key');
  throw new TypeError('unreachable');
}

function integrity(what: string, cause?: unknown): NegativeError {
  return new NegativeError({
    code: 'E_NOT_AUTHENTIC',
    message: `${what}: integrity check failed: it was changed, or wrapped under another key`,
    cause,
  });
}
