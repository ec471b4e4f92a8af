/**
 * A file encrypted under a symmetric key: a small clear header, then AES-GCM over the content.
 *
 * The header names the key in full. A key id is a hash of a keyed hash, so one file cannot be made to open under two keys,
 * which plain AES-GCM would allow.
 * @see docs/spec/encrypted-file.md
 */
import { aesGcmOpen, aesGcmSealBehind, NONCE_LENGTH, TAG_LENGTH } from '#crypto/aead';
import type { RandomSource } from '#crypto/descriptor';
import { concat, equal, fromHex, toHex, utf8 } from '#formats/bytes';
import { InputError, NegativeError } from '#formats/errors';

/**
 * Longest content. File and content are both held in memory, since nothing may be released before all of it is
 * authenticated.
 */
export const MAX_CONTENT_BYTES = 512 * 1024 * 1024;

const MAGIC = utf8('conclave-enc');
const VERSION = 1;
const ID_LENGTH = 32;
const HEADER_LENGTH = MAGIC.length + 2 + ID_LENGTH + NONCE_LENGTH;

/** Longest file. */
export const MAX_ENCRYPTED_BYTES = HEADER_LENGTH + MAX_CONTENT_BYTES + TAG_LENGTH;

/** AES-GCM under one key: its bytes (16 or 32, borrowed), or calls to where the key is. */
export type FileCipher =
  | Uint8Array
  | {
      /** Bytes of the key. */
      readonly length: number;
      /** Ciphertext ‖ tag. */
      seal(nonce: Uint8Array, content: Uint8Array, aad: Uint8Array): Uint8Array;
      /** @throws NegativeError when it does not authenticate */
      open(nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array;
    };

/** The clear header of an encrypted file. */
export interface EncryptedFileHeader {
  readonly version: 1;
  /** Bytes of the key. */
  readonly keyLength: 16 | 32;
  /** Id of the key, 64 hexadecimal digits. */
  readonly keyId: string;
  /** 12 bytes. */
  readonly nonce: Uint8Array;
  /** Length of the content in bytes. */
  readonly contentLength: number;
}

/**
 * Encrypts content (borrowed) under a fresh random nonce.
 * @param keyId - 64 hexadecimal digits
 * @param context - authenticated, not stored: whoever decrypts must know it; empty for none
 * @throws {@link InputError} `E_FILE_TOO_LARGE`, `E_LENGTH_WRONG`
 */
export function encryptFile(options: {
  readonly content: Uint8Array;
  readonly key: FileCipher;
  readonly keyId: string;
  readonly context: Uint8Array;
  readonly random: RandomSource;
}): Uint8Array {
  const { content, key, keyId, context, random } = options;
  if (content.length > MAX_CONTENT_BYTES) {
    throw new InputError({
      code: 'E_FILE_TOO_LARGE',
      message: `the content is longer than ${MAX_CONTENT_BYTES} bytes`,
      hint: 'divide it into several files',
    });
  }
  const nonce = random(NONCE_LENGTH);
  const header = concat(MAGIC, Uint8Array.of(VERSION, key.length), fromHex(keyId), nonce);
  const aad = concat(header, context);
  if (key instanceof Uint8Array) return aesGcmSealBehind(header, key, nonce, content, aad);
  return concat(header, key.seal(nonce, content, aad));
}

/** Whether the bytes begin as an encrypted file does. */
export function looksEncrypted(bytes: Uint8Array): boolean {
  return equal(bytes.subarray(0, MAGIC.length), MAGIC);
}

/**
 * The header of an encrypted file.
 * @throws {@link InputError} `E_ENCRYPTED_FILE_MALFORMED`
 */
export function readEncryptedHeader(file: Uint8Array, what: string): EncryptedFileHeader {
  const malformed = (problem: string): InputError =>
    new InputError({
      code: 'E_ENCRYPTED_FILE_MALFORMED',
      message: `${what} is no file that conclave encrypted: ${problem}`,
    });
  if (!looksEncrypted(file)) throw malformed('it begins otherwise');
  const version = file[MAGIC.length];
  if (version !== VERSION) throw malformed(`its version is ${version ?? 'missing'}, not 1`);
  const keyLength = file[MAGIC.length + 1];
  if (keyLength !== 16 && keyLength !== 32) throw malformed('it names no AES key length');
  if (file.length < HEADER_LENGTH + TAG_LENGTH) throw malformed('it is cut short');
  const idAt = MAGIC.length + 2;
  return {
    version: 1,
    keyLength,
    keyId: toHex(file.subarray(idAt, idAt + ID_LENGTH)),
    nonce: new Uint8Array(file.subarray(idAt + ID_LENGTH, HEADER_LENGTH)),
    contentLength: file.length - HEADER_LENGTH - TAG_LENGTH,
  };
}

/**
 * The content, owned by the caller; nothing of it is released unless all of it authenticates.
 * @throws {@link InputError} `E_ENCRYPTED_FILE_MALFORMED`
 * @throws {@link NegativeError} `E_KEY_OTHER` for a file under another key, `E_NOT_AUTHENTIC`
 */
export function decryptFile(options: {
  readonly file: Uint8Array;
  readonly key: FileCipher;
  readonly keyId: string;
  readonly context: Uint8Array;
  readonly what: string;
}): Uint8Array {
  const { file, key, keyId, context, what } = options;
  const header = readEncryptedHeader(file, what);
  if (header.keyId !== keyId || header.keyLength !== key.length) {
    throw new NegativeError({
      code: 'E_KEY_OTHER',
      message: `${what} was encrypted under another key: ${header.keyId.slice(0, 16)}`,
      hint: 'conclave key list shows the ids of keys',
    });
  }
  const aad = concat(file.subarray(0, HEADER_LENGTH), context);
  try {
    const sealed = file.subarray(HEADER_LENGTH);
    return key instanceof Uint8Array
      ? aesGcmOpen(key, header.nonce, sealed, aad, what)
      : key.open(header.nonce, sealed, aad);
  } catch (error) {
    if (!(error instanceof NegativeError)) throw error;
    throw new NegativeError({
      code: 'E_NOT_AUTHENTIC',
      message: `${what} does not authenticate: it was changed, or the context is another one`,
      hint: 'give the same --context as for encrypting; if you did, use another copy',
      cause: error,
    });
  }
}
