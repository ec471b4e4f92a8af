/**
 * Hashes and what is built on them: HMAC, HKDF, PBKDF2, scrypt. All from `node:crypto`, which costs nothing to load.
 */
import {
  createHash,
  createHmac,
  hash as hashAtOnce,
  hkdfSync,
  pbkdf2Sync,
  scryptSync,
} from 'node:crypto';
import { InternalError } from '#formats/errors';
import type { SignatureHash } from './descriptor.js';

/** Hash functions that the key derivations accept. */
export type HashName = 'sha256' | 'sha384' | 'sha512';

const LENGTH: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48, sha512: 64 };

function digest(hash: HashName, parts: readonly Uint8Array[]): Uint8Array {
  const state = createHash(hash);
  for (const part of parts) state.update(part);
  return own(state.digest());
}

/** A plain array of its own: small Buffers share one pool, where wiping and `.buffer` reach too far. */
function own(bytes: Buffer): Uint8Array {
  const copy = new Uint8Array(bytes);
  bytes.fill(0);
  return copy;
}

/** SHA-256 over the parts one after another; 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha256', parts);
}

/**
 * SHA-256 of a string's UTF-8, as 64 lower-case hex digits. In one call, without an object to each hash: a long chain is
 * hashed entry by entry. For public text only, since strings cannot be wiped.
 */
export function sha256OfText(text: string): string {
  return hashAtOnce('sha256', text, 'hex');
}

/** SHA-256 of what comes piece by piece; `digest` ends it and gives 32 bytes. */
export function createSha256(): { update(bytes: Uint8Array): void; digest(): Uint8Array } {
  const state = createHash('sha256');
  return {
    update: (bytes) => {
      state.update(bytes);
    },
    digest: () => own(state.digest()),
  };
}

/** SHA-384 over the parts one after another; 48 bytes. */
export function sha384(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha384', parts);
}

/** SHA-512 over the parts one after another; 64 bytes. */
export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  return digest('sha512', parts);
}

/** Output of the extendable-output functions where a signature names them (FIPS 204 §5.4.1, RFC 8702 §2). */
const XOF_LENGTH: Partial<Record<SignatureHash, number>> = { shake128: 32, shake256: 64 };

/** The digest that a signature scheme asks for by name; SHAKE128 gives 32 bytes here, SHAKE256 64. */
export function digestOf(hash: SignatureHash, ...parts: readonly Uint8Array[]): Uint8Array {
  const outputLength = XOF_LENGTH[hash];
  const state = createHash(hash, outputLength === undefined ? undefined : { outputLength });
  for (const part of parts) state.update(part);
  return own(state.digest());
}

/**
 * `length` bytes of SHAKE256 over the parts one after another.
 * @see FIPS 202 §6.2
 */
export function shake256(length: number, ...parts: readonly Uint8Array[]): Uint8Array {
  // OpenSSL 3.0 refuses to squeeze nothing.
  if (length === 0) return new Uint8Array(0);
  const state = createHash('shake256', { outputLength: length });
  for (const part of parts) state.update(part);
  return own(state.digest());
}

/** HMAC over the parts one after another with the named hash. The key is borrowed. */
export function hmac(hash: HashName, key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const state = createHmac(hash, key);
  for (const part of parts) state.update(part);
  return own(state.digest());
}

/** HMAC-SHA256 over the parts one after another; 32 bytes. The key is borrowed. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  return hmac('sha256', key, ...parts);
}

/**
 * The pseudorandom key of HKDF-Extract, as long as the hash; the caller wipes it.
 * @see RFC 5869 §2.2
 */
export function hkdfExtract(hash: HashName, salt: Uint8Array, ikm: Uint8Array): Uint8Array {
  return hmac(hash, salt, ikm);
}

/**
 * `length` bytes of HKDF-Expand; the caller wipes them.
 * @throws {@link InternalError} `E_KDF_LENGTH` beyond 255 blocks
 * @see RFC 5869 §2.3
 */
export function hkdfExpand(
  hash: HashName,
  prk: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  assertDerivable(hash, length);
  const out = new Uint8Array(length);
  let block: Uint8Array = new Uint8Array(0);
  for (let offset = 0, counter = 1; offset < length; counter++) {
    const next = hmac(hash, prk, block, info, Uint8Array.of(counter));
    block.fill(0);
    block = next;
    out.set(block.subarray(0, length - offset), offset);
    offset += block.length;
  }
  block.fill(0);
  return out;
}

/**
 * `length` bytes of HKDF (extract, then expand) with the named hash; the caller wipes them.
 * @throws {@link InternalError} `E_KDF_LENGTH` beyond 255 blocks
 * @see RFC 5869 §2
 */
export function hkdf(
  hash: HashName,
  ikm: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  assertDerivable(hash, length);
  // Node limits `info` to 1024 bytes; ours is a label and a context, but a long one still has to work.
  if (info.length <= 1024) return new Uint8Array(hkdfSync(hash, ikm, salt, info, length));
  const prk = hkdfExtract(hash, salt, ikm);
  try {
    return hkdfExpand(hash, prk, info, length);
  } finally {
    prk.fill(0);
  }
}

/** HKDF with SHA-256; see {@link hkdf}. */
export function hkdfSha256(
  ikm: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  return hkdf('sha256', ikm, salt, info, length);
}

function assertDerivable(hash: HashName, length: number): void {
  if (!Number.isSafeInteger(length) || length < 0 || length > 255 * LENGTH[hash]) {
    throw new InternalError({
      code: 'E_KDF_LENGTH',
      message: `HKDF with ${hash} cannot derive ${length} bytes`,
    });
  }
}

/** Cost of {@link scrypt}: N = 2^logN. It takes 128·r·(N + p) bytes of memory. */
export interface ScryptCost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/**
 * `length` bytes of scrypt; the caller wipes them. The passphrase is borrowed.
 * @see RFC 7914 §6
 */
export function scrypt(
  passphrase: Uint8Array,
  salt: Uint8Array,
  cost: ScryptCost,
  length: number,
): Uint8Array {
  const N = 2 ** cost.logN;
  const maxmem = 128 * cost.r * (N + cost.p + 2) + 1024 * 1024;
  return own(scryptSync(passphrase, salt, length, { N, r: cost.r, p: cost.p, maxmem }));
}

/**
 * `length` bytes of PBKDF2 with HMAC over the named hash; the caller wipes them.
 * @see RFC 8018 §5.2
 */
export function pbkdf2(
  hash: HashName | SignatureHash,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Uint8Array {
  return own(pbkdf2Sync(password, salt, iterations, length, hash));
}

/** PBKDF2 with HMAC-SHA256; see {@link pbkdf2}. */
export function pbkdf2Sha256(
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Uint8Array {
  return pbkdf2('sha256', password, salt, iterations, length);
}
