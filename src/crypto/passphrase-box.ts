/**
 * Sealing under a passphrase, once for key files, identities and shares: scrypt, HKDF, AES-256-GCM and a key check.
 *
 * The 8-byte check commits to the derived key. It tells a wrong passphrase (77) from a changed box (1), and it makes the box
 * key-committing in practice: plain AES-GCM lets one sealed text open under two keys.
 */
import { equalConstantTime, utf8 } from '#formats/bytes';
import { InputError, RefusedError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { aesGcmOpen, aesGcmSeal, NONCE_LENGTH, TAG_LENGTH } from './aead.js';
import type { RandomSource } from './descriptor.js';
import { hkdfSha256, scrypt, type ScryptCost } from './hash.js';
import { assertLength } from './lengths.js';

/** How the key is derived from the passphrase. */
export interface BoxKdf extends ScryptCost {
  /** 16 bytes. */
  readonly salt: Uint8Array;
}

/** The clear head of a box. */
export interface BoxHead {
  readonly kdf: BoxKdf;
  /** 12 bytes. */
  readonly nonce: Uint8Array;
  /** 8 bytes. */
  readonly check: Uint8Array;
}

/** A box: head and AES-256-GCM ciphertext ‖ tag. */
export interface PassphraseBox extends BoxHead {
  readonly sealed: Uint8Array;
}

/** Associated data: bytes, or made from the box's head so that the head itself can be covered. */
export type BoxAad = Uint8Array | ((head: BoxHead) => Uint8Array);

/**
 * What is accepted when reading. The highest logN bounds the memory that a hostile or damaged file can claim before its tag
 * can be checked: 2^17 with r = 8 is 128 MiB.
 */
export const BOX_LIMITS = { minLogN: 10, maxLogN: 17, r: 8, maxP: 4 } as const;

const SALT_LENGTH = 16;
const CHECK_LENGTH = 8;
const KEY_LENGTH = 32;
/** Bytes that a stretched passphrase is expanded to: the key and its check. */
export const CHECKED_KEY_BYTES = KEY_LENGTH + CHECK_LENGTH;
const INFO = utf8('conclave/passphrase-box/v1');
const NO_SALT = new Uint8Array(0);

/** Bytes of a passphrase as people type it: Unicode NFKC, then UTF-8. The caller wipes them. */
export function normalisePassphrase(text: string): Uint8Array {
  return utf8(text.normalize('NFKC'));
}

/**
 * Seals `plaintext` (borrowed) under a passphrase.
 * @param options - `passphrase` normalised by {@link normalisePassphrase}; `logN` from 10 to 17
 * @throws {@link InputError} `E_KDF_REFUSED` for a cost that would not be read back
 */
export function sealWithPassphrase(options: {
  readonly passphrase: SecretBytes;
  readonly plaintext: Uint8Array;
  readonly aad: BoxAad;
  readonly logN: number;
  readonly random: RandomSource;
}): PassphraseBox {
  const kdf = { logN: options.logN, r: BOX_LIMITS.r, p: 1, salt: options.random(SALT_LENGTH) };
  assertReadable(kdf, 'passphrase box');
  const { plaintext, random } = options;
  return sealDerived(derive(options.passphrase, kdf), { plaintext, random }, (body) => {
    const head = { kdf, ...body };
    return { head, aad: aadOf(options.aad, head) };
  });
}

/** What every box has beside its key derivation. */
export interface BoxBody {
  /** 12 bytes. */
  readonly nonce: Uint8Array;
  /** 8 bytes. */
  readonly check: Uint8Array;
}

/**
 * Seals under a key that was derived already, by whatever means.
 * @param derived - key(32) ‖ check(8), adopted and wiped
 * @param headOf - the whole head and what the seal authenticates
 */
export function sealDerived<Head extends BoxBody>(
  derived: Uint8Array,
  { plaintext, random }: { readonly plaintext: Uint8Array; readonly random: RandomSource },
  headOf: (body: BoxBody) => { readonly head: Head; readonly aad: Uint8Array },
): Head & { readonly sealed: Uint8Array } {
  try {
    const nonce = random(NONCE_LENGTH);
    const { head, aad } = headOf({ nonce, check: derived.slice(KEY_LENGTH) });
    return { ...head, sealed: aesGcmSeal(derived.subarray(0, KEY_LENGTH), nonce, plaintext, aad) };
  } finally {
    derived.fill(0);
  }
}

/**
 * The plaintext of a box, owned by the caller.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_KDF_REFUSED`, `E_LENGTH_WRONG`
 * @throws {@link RefusedError} `E_PASSPHRASE_WRONG`
 * @throws {@link NegativeError} `E_NOT_AUTHENTIC` when the passphrase is right and the box was changed
 */
export function openWithPassphrase(
  box: PassphraseBox,
  passphrase: SecretBytes,
  aad: BoxAad,
  what: string,
): Uint8Array {
  const head: BoxHead = { kdf: box.kdf, nonce: box.nonce, check: box.check };
  assertReadable(box.kdf, what);
  assertBody(box, what);
  return openDerived(derive(passphrase, box.kdf), box, aadOf(aad, head), what);
}

/**
 * Opens under a key that was derived already.
 * @param derived - key(32) ‖ check(8), adopted and wiped
 * @returns the plaintext, owned by the caller; throws what {@link openWithPassphrase} throws
 */
export function openDerived(
  derived: Uint8Array,
  box: BoxBody & { readonly sealed: Uint8Array },
  aad: Uint8Array,
  what: string,
): Uint8Array {
  try {
    assertBody(box, what);
    if (!equalConstantTime(derived.subarray(KEY_LENGTH), box.check)) {
      throw new RefusedError({
        code: 'E_PASSPHRASE_WRONG',
        message: `wrong passphrase for ${what}`,
        hint: 'if you are sure of the passphrase, the file was changed; try another copy',
      });
    }
    return aesGcmOpen(derived.subarray(0, KEY_LENGTH), box.nonce, box.sealed, aad, what);
  } finally {
    derived.fill(0);
  }
}

function assertBody(box: BoxBody & { readonly sealed: Uint8Array }, what: string): void {
  assertLength(box.nonce, NONCE_LENGTH, `${what}: nonce`);
  assertLength(box.check, CHECK_LENGTH, `${what}: key check`);
  if (box.sealed.length < TAG_LENGTH) {
    throw new InputError({
      code: 'E_LENGTH_WRONG',
      message: `${what}: the sealed part is too short`,
    });
  }
}

function derive(passphrase: SecretBytes, kdf: BoxKdf): Uint8Array {
  const stretched = passphrase.use((bytes) => scrypt(bytes, kdf.salt, kdf, 32));
  try {
    return hkdfSha256(stretched, NO_SALT, INFO, KEY_LENGTH + CHECK_LENGTH);
  } finally {
    stretched.fill(0);
  }
}

function aadOf(aad: BoxAad, head: BoxHead): Uint8Array {
  return typeof aad === 'function' ? aad(head) : aad;
}

function assertReadable(kdf: BoxKdf, what: string): void {
  const { minLogN, maxLogN, r, maxP } = BOX_LIMITS;
  const fine =
    Number.isInteger(kdf.logN) &&
    kdf.logN >= minLogN &&
    kdf.logN <= maxLogN &&
    kdf.r === r &&
    Number.isInteger(kdf.p) &&
    kdf.p >= 1 &&
    kdf.p <= maxP;
  if (!fine) {
    throw new InputError({
      code: 'E_KDF_REFUSED',
      message: `${what}: scrypt cost outside N = 2^${minLogN} to 2^${maxLogN}, r = ${r}, p = 1 to ${maxP}`,
    });
  }
  assertLength(kdf.salt, SALT_LENGTH, `${what}: salt`);
}
