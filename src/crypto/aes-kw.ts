/**
 * AES key wrap without padding, as CMS wraps its content keys.
 * @see RFC 3394; NIST SP 800-38F §6.2
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { InputError, NegativeError } from '#formats/errors';
import { assertLength } from './lengths.js';

/** Longest key that is wrapped or unwrapped: far beyond any symmetric key. */
const MAX_BYTES = 512;
const INITIAL_VALUE = new Uint8Array(8).fill(0xa6);

const CIPHERS: Readonly<Record<number, string>> = {
  16: 'id-aes128-wrap',
  24: 'id-aes192-wrap',
  32: 'id-aes256-wrap',
};

/**
 * Wraps a key: eight bytes more than it has.
 * @param kek - 16, 24 or 32 bytes; borrowed
 * @param key - 16 to 512 bytes, a multiple of 8; borrowed
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function aesKwWrap(kek: Uint8Array, key: Uint8Array): Uint8Array {
  assertWrappable(key.length, 'a key to be wrapped');
  const state = createCipheriv(cipherFor(kek), kek, INITIAL_VALUE);
  // Exactly one update: what two give is two wraps glued together, and some versions of Node do not say so.
  const wrapped = new Uint8Array(state.update(key));
  state.final();
  assertLength(wrapped, key.length + 8, 'AES-KW output');
  return wrapped;
}

/**
 * The key of {@link aesKwWrap}, owned by the caller; nothing is released unless the integrity check holds.
 * @param kek - borrowed
 * @param what - how errors name the input
 * @throws {@link NegativeError} `E_NOT_AUTHENTIC`
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function aesKwUnwrap(kek: Uint8Array, wrapped: Uint8Array, what: string): Uint8Array {
  assertWrappable(wrapped.length - 8, `${what}: wrapped key`);
  const state = createDecipheriv(cipherFor(kek), kek, INITIAL_VALUE);
  try {
    const key = state.update(wrapped);
    state.final();
    const own = new Uint8Array(key);
    key.fill(0);
    assertLength(own, wrapped.length - 8, `${what}: key`);
    return own;
  } catch (cause) {
    // OpenSSL reports a failed integrity check as an unsupported state, without a code.
    throw new NegativeError({
      code: 'E_NOT_AUTHENTIC',
      message: `${what} does not unwrap: it was changed, or wrapped under another key`,
      cause,
    });
  }
}

function cipherFor(kek: Uint8Array): string {
  const cipher = CIPHERS[kek.length];
  if (cipher !== undefined) return cipher;
  throw new InputError({
    code: 'E_LENGTH_WRONG',
    message: `a key for AES key wrap has 16, 24 or 32 bytes, not ${kek.length}`,
  });
}

function assertWrappable(length: number, what: string): void {
  if (length >= 16 && length <= MAX_BYTES && length % 8 === 0) return;
  throw new InputError({
    code: 'E_LENGTH_WRONG',
    message: `${what} has ${length} bytes: 16 to ${MAX_BYTES}, a multiple of 8, can be wrapped`,
  });
}
