/**
 * Sealing under a passphrase by Argon2id instead of scrypt: the same box (HKDF, AES-256-GCM, key check), another stretching.
 * It runs in JavaScript and so costs the owner more than scrypt, which Node has natively, for the same harm to a guesser;
 * it is offered to those whose rules ask for it.
 * @see RFC 9106
 */
import { utf8 } from '#formats/bytes';
import { InputError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { RandomSource } from './descriptor.js';
import { hkdfSha256 } from './hash.js';
import { assertLength } from './lengths.js';
import { type BoxBody, CHECKED_KEY_BYTES, openDerived, sealDerived } from './passphrase-box.js';

/** Cost of Argon2id. */
export interface ArgonCost {
  /** t of RFC 9106. */
  readonly passes: number;
  /** m = 2^logMemory KiB. */
  readonly logMemory: number;
  /** p of RFC 9106. */
  readonly lanes: number;
}

/** How the key is derived from the passphrase. */
export interface ArgonKdf extends ArgonCost {
  /** 16 bytes. */
  readonly salt: Uint8Array;
}

/** The clear head of a box. */
export interface ArgonBoxHead {
  readonly kdf: ArgonKdf;
  /** 12 bytes. */
  readonly nonce: Uint8Array;
  /** 8 bytes. */
  readonly check: Uint8Array;
}

/** What is accepted when reading, checked before anything is allocated: 2^18 KiB are 256 MiB. */
export const ARGON_LIMITS = {
  maxPasses: 8,
  minLogMemory: 8,
  maxLogMemory: 18,
  maxLanes: 4,
} as const;

/** RFC 9106 §4, second recommended option: 3 passes over 64 MiB in 4 lanes. */
export const ARGON_COST: ArgonCost = { passes: 3, logMemory: 16, lanes: 4 };

const SALT_LENGTH = 16;
const INFO = utf8('conclave/passphrase-box/argon2id/v1');
const NO_SALT = new Uint8Array(0);

/**
 * `length` bytes of Argon2id (version 0x13); the caller wipes them. The passphrase is borrowed.
 * @see RFC 9106 §3
 */
export async function argon2id(
  passphrase: Uint8Array,
  { passes, logMemory, lanes, salt }: ArgonKdf,
  length: number,
): Promise<Uint8Array> {
  const { argon2id: derive } = await import('@noble/hashes/argon2.js');
  return derive(passphrase, salt, { t: passes, m: 2 ** logMemory, p: lanes, dkLen: length });
}

/**
 * Seals `plaintext` (borrowed) under a passphrase.
 * @throws {@link InputError} `E_KDF_REFUSED` for a cost that would not be read back
 */
export async function sealWithArgon2id(options: {
  readonly passphrase: SecretBytes;
  readonly plaintext: Uint8Array;
  readonly aad: (head: ArgonBoxHead) => Uint8Array;
  readonly cost: ArgonCost;
  readonly random: RandomSource;
}): Promise<ArgonBoxHead & { readonly sealed: Uint8Array }> {
  const kdf: ArgonKdf = { ...options.cost, salt: options.random(SALT_LENGTH) };
  assertReadable(kdf, 'passphrase box');
  const derived = await derive(options.passphrase, kdf);
  const { plaintext, random } = options;
  return sealDerived(derived, { plaintext, random }, (body: BoxBody) => {
    const head = { kdf, ...body };
    return { head, aad: options.aad(head) };
  });
}

/**
 * The plaintext of a box, owned by the caller.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_KDF_REFUSED`, `E_LENGTH_WRONG`
 * @throws {@link RefusedError} `E_PASSPHRASE_WRONG`
 * @throws {@link NegativeError} `E_NOT_AUTHENTIC` when the passphrase is right and the box was changed
 */
export async function openWithArgon2id(
  box: ArgonBoxHead & { readonly sealed: Uint8Array },
  passphrase: SecretBytes,
  aad: Uint8Array,
  what: string,
): Promise<Uint8Array> {
  assertReadable(box.kdf, what);
  return openDerived(await derive(passphrase, box.kdf), box, aad, what);
}

async function derive(passphrase: SecretBytes, kdf: ArgonKdf): Promise<Uint8Array> {
  const copy = passphrase.use((bytes) => bytes.slice());
  let stretched: Uint8Array | undefined;
  try {
    stretched = await argon2id(copy, kdf, 32);
    return hkdfSha256(stretched, NO_SALT, INFO, CHECKED_KEY_BYTES);
  } finally {
    copy.fill(0);
    stretched?.fill(0);
  }
}

function assertReadable({ passes, logMemory, lanes, salt }: ArgonKdf, what: string): void {
  const { maxPasses, minLogMemory, maxLogMemory, maxLanes } = ARGON_LIMITS;
  const fine =
    [passes, logMemory, lanes].every(Number.isInteger) &&
    passes >= 1 &&
    passes <= maxPasses &&
    logMemory >= minLogMemory &&
    logMemory <= maxLogMemory &&
    lanes >= 1 &&
    lanes <= maxLanes;
  if (!fine) {
    throw new InputError({
      code: 'E_KDF_REFUSED',
      message:
        `${what}: Argon2id cost outside 1 to ${maxPasses} passes, 2^${minLogMemory} to 2^${maxLogMemory} KiB, ` +
        `1 to ${maxLanes} lanes`,
    });
  }
  assertLength(salt, SALT_LENGTH, `${what}: salt`);
}
