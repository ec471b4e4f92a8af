/**
 * EncryptedPrivateKeyInfo under a passphrase (PBES2), as openssl writes and reads it: for carrying a key to other programs.
 * Its encryption is not authenticated, so conclave's own key files use something better.
 * @see RFC 5958 §3, RFC 8018 §6.2 and appendix A, RFC 7914 §7
 */
import { createCipheriv, createDecipheriv, pbkdf2Sync } from 'node:crypto';
import { concat } from '#formats/bytes';
import { InputError, RefusedError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { der, derOctetString, derOid, DerReader, derSequence, TAG } from '../der.js';
import type { RandomSource } from '../descriptor.js';
import { scrypt } from '../hash.js';
import { derCount, readCount } from './der-integer.js';
import { assertKeySize } from './spki.js';

/** What is accepted when reading, so that a hostile file cannot claim hours or the memory of the machine. */
export const PBES2_LIMITS = {
  maxBytes: 64 * 1024,
  maxIterations: 10_000_000,
  maxSalt: 64,
  /** scrypt: 128·N·r is at most 128 MiB, as for conclave's own files. */
  maxScryptMemory: 128 * 1024 * 1024,
  maxScryptR: 32,
  maxScryptP: 4,
} as const;

/** Iterations written. */
export const PBKDF2_ITERATIONS = 600_000;

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const SCRYPT = '1.3.6.1.4.1.11591.4.11';
const SALT_LENGTH = 16;
const BLOCK = 16;
const HMAC_SHA256 = '1.2.840.113549.2.9';
const AES_256_CBC = '2.16.840.1.101.3.4.1.42';

/** Pseudorandom functions by object identifier. SHA-1 is what a PBKDF2 without a named one means; it is read, never written. */
const PRFS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  [HMAC_SHA256]: 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

interface Cipher {
  readonly name: string;
  readonly keyLength: number;
}

const CIPHERS: Readonly<Record<string, Cipher>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyLength: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyLength: 24 },
  [AES_256_CBC]: { name: 'aes-256-cbc', keyLength: 32 },
};

/** How the key follows from the passphrase. */
export type Pbes2Kdf =
  | {
      readonly kdf: 'pbkdf2';
      readonly prf: string;
      readonly iterations: number;
      readonly salt: Uint8Array;
    }
  | {
      readonly kdf: 'scrypt';
      readonly logN: number;
      readonly r: number;
      readonly p: number;
      readonly salt: Uint8Array;
    };

/** A parsed EncryptedPrivateKeyInfo; nothing in it is secret. */
export interface EncryptedPkcs8 {
  readonly kdf: Pbes2Kdf;
  /** E.g. `aes-256-cbc`. */
  readonly cipher: string;
  readonly iv: Uint8Array;
  readonly encrypted: Uint8Array;
}

/**
 * DER of EncryptedPrivateKeyInfo: PBKDF2 with HMAC-SHA256, AES-256-CBC.
 * @param pkcs8 - DER of the private key; borrowed
 * @param passphrase - borrowed
 * @param iterations - {@link PBKDF2_ITERATIONS} outside tests
 */
export function encryptPkcs8(
  pkcs8: Uint8Array,
  passphrase: SecretBytes,
  random: RandomSource,
  iterations: number = PBKDF2_ITERATIONS,
): Uint8Array {
  const salt = random(SALT_LENGTH);
  const iv = random(BLOCK);
  const key = passphrase.use((bytes) => pbkdf2Sync(bytes, salt, iterations, 32, 'sha256'));
  let encrypted: Uint8Array;
  try {
    const cipher = createCipheriv('aes-256-cbc', key, iv);
    encrypted = concat(cipher.update(pkcs8), cipher.final());
  } finally {
    key.fill(0);
  }
  const prf = derSequence(derOid(HMAC_SHA256), der(TAG.null));
  const kdf = derSequence(
    derOid(PBKDF2),
    derSequence(derOctetString(salt), derCount(iterations), prf),
  );
  const scheme = derSequence(derOid(AES_256_CBC), derOctetString(iv));
  return derSequence(
    derSequence(derOid(PBES2), derSequence(kdf, scheme)),
    derOctetString(encrypted),
  );
}

/**
 * The parameters of an EncryptedPrivateKeyInfo, strictly read and capped; nothing is derived yet.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_DER_MALFORMED`, `E_KEY_TOO_LARGE`, `E_KDF_REFUSED`, `E_ENCRYPTION_UNSUPPORTED`
 */
export function parseEncryptedPkcs8(bytes: Uint8Array, what: string): EncryptedPkcs8 {
  assertKeySize(bytes, PBES2_LIMITS.maxBytes, what);
  const outer = new DerReader(bytes, what);
  const info = outer.sequence();
  outer.end();
  const algorithm = info.sequence();
  const encrypted = new Uint8Array(info.octetString());
  info.end();
  const scheme = algorithm.oid();
  if (scheme !== PBES2) throw unsupported(what, `the encryption scheme ${scheme}`);
  const parameters = algorithm.sequence();
  algorithm.end();
  const derivation = parameters.sequence();
  const encryption = parameters.sequence();
  parameters.end();
  const cipherOid = encryption.oid();
  const cipher = Object.hasOwn(CIPHERS, cipherOid) ? CIPHERS[cipherOid] : undefined;
  if (cipher === undefined) throw unsupported(what, `the cipher ${cipherOid}`);
  const iv = new Uint8Array(encryption.octetString());
  encryption.end();
  if (iv.length !== BLOCK) throw encryption.fail('an initialisation vector of another length');
  if (encrypted.length === 0 || encrypted.length % BLOCK !== 0) {
    throw info.fail('encrypted bytes that are no whole blocks');
  }
  return { kdf: readKdf(derivation, cipher.keyLength, what), cipher: cipher.name, iv, encrypted };
}

function readKdf(reader: DerReader, keyLength: number, what: string): Pbes2Kdf {
  const oid = reader.oid();
  const parameters = reader.sequence();
  reader.end();
  const salt = new Uint8Array(parameters.octetString());
  if (salt.length === 0 || salt.length > PBES2_LIMITS.maxSalt) {
    throw refused(what, `a salt of 1 to ${PBES2_LIMITS.maxSalt} bytes is read`);
  }
  if (oid === PBKDF2) return readPbkdf2(parameters, salt, keyLength, what);
  if (oid === SCRYPT) return readScrypt(parameters, salt, keyLength, what);
  throw unsupported(what, `the key derivation ${oid}`);
}

function readPbkdf2(
  parameters: DerReader,
  salt: Uint8Array,
  keyLength: number,
  what: string,
): Pbes2Kdf {
  const iterations = readCount(parameters);
  if (iterations < 1 || iterations > PBES2_LIMITS.maxIterations) {
    throw refused(what, `1 to ${PBES2_LIMITS.maxIterations} iterations of PBKDF2 are read`);
  }
  readKeyLength(parameters, keyLength);
  let prf: string | undefined = 'sha1';
  if (parameters.peek() !== undefined) {
    const algorithm = parameters.sequence();
    const oid = algorithm.oid();
    prf = Object.hasOwn(PRFS, oid) ? PRFS[oid] : undefined;
    if (prf === undefined) throw unsupported(what, `the pseudorandom function ${oid}`);
    if (algorithm.content(TAG.null).length > 0) throw algorithm.fail('a null that is not empty');
    algorithm.end();
  }
  parameters.end();
  return { kdf: 'pbkdf2', prf, iterations, salt };
}

function readScrypt(
  parameters: DerReader,
  salt: Uint8Array,
  keyLength: number,
  what: string,
): Pbes2Kdf {
  const [n, r, p] = [readCount(parameters), readCount(parameters), readCount(parameters)];
  readKeyLength(parameters, keyLength);
  parameters.end();
  const logN = Math.log2(n);
  const fine =
    Number.isInteger(logN) &&
    logN >= 1 &&
    r >= 1 &&
    r <= PBES2_LIMITS.maxScryptR &&
    p >= 1 &&
    p <= PBES2_LIMITS.maxScryptP &&
    128 * n * r <= PBES2_LIMITS.maxScryptMemory &&
    // RFC 7914 §2: N is less than 2^(128 r / 8).
    logN < 16 * r;
  if (!fine) throw refused(what, 'scrypt with at most 128 MiB, r = 32 and p = 4 is read');
  return { kdf: 'scrypt', logN, r, p, salt };
}

function readKeyLength(parameters: DerReader, keyLength: number): void {
  if (parameters.peek() !== TAG.integer) return;
  if (readCount(parameters) !== keyLength) throw parameters.fail('a key length of another cipher');
}

/**
 * The DER of the private key inside; the caller owns and wipes it. Nothing authenticates it: that a passphrase is right shows
 * only in the padding and in one whole DER value coming out, so that a changed file and a wrong passphrase look alike.
 * @param passphrase - borrowed
 * @throws {@link RefusedError} `E_PASSPHRASE_WRONG`
 */
export function decryptPkcs8(
  file: EncryptedPkcs8,
  passphrase: SecretBytes,
  what: string,
): Uint8Array {
  const keyLength = Object.values(CIPHERS).find(({ name }) => name === file.cipher)?.keyLength ?? 0;
  const key = passphrase.use((bytes) => derive(bytes, file.kdf, keyLength));
  let head: Uint8Array | undefined;
  let tail: Uint8Array | undefined;
  try {
    const cipher = createDecipheriv(file.cipher, key, file.iv);
    head = cipher.update(file.encrypted);
    tail = cipher.final();
    const plain = concat(head, tail);
    if (isOneSequence(plain)) return plain;
    plain.fill(0);
  } catch (error) {
    // OpenSSL's only complaint here is the padding.
    if (!(error instanceof Error)) throw error;
  } finally {
    key.fill(0);
    head?.fill(0);
    tail?.fill(0);
  }
  throw new RefusedError({
    code: 'E_PASSPHRASE_WRONG',
    message: `wrong passphrase for ${what}`,
    hint: 'if you are sure of the passphrase, the file was changed: this form cannot tell the two apart',
  });
}

function derive(passphrase: Uint8Array, kdf: Pbes2Kdf, length: number): Uint8Array {
  if (kdf.kdf === 'scrypt') return scrypt(passphrase, kdf.salt, kdf, length);
  const derived = pbkdf2Sync(passphrase, kdf.salt, kdf.iterations, length, kdf.prf);
  const own = new Uint8Array(derived);
  derived.fill(0);
  return own;
}

/** Whether the bytes are one DER SEQUENCE and nothing more; what is in it is read later. */
function isOneSequence(bytes: Uint8Array): boolean {
  try {
    const reader = new DerReader(bytes, 'decrypted key');
    reader.sequence();
    reader.end();
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

function refused(what: string, allowed: string): InputError {
  return new InputError({
    code: 'E_KDF_REFUSED',
    message: `${what}: the cost of its key derivation is refused: ${allowed}`,
    hint: 'write it again with openssl pkcs8 -topk8 -v2 aes-256-cbc',
  });
}

function unsupported(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_ENCRYPTION_UNSUPPORTED',
    message: `${what} is encrypted in a way that conclave does not read: ${problem}`,
    hint: 'write it again with openssl pkcs8 -topk8 -v2 aes-256-cbc',
  });
}
