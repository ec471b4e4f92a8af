/**
 * The calls of PKCS#11 that conclave makes, as an interface: pkcs11js stands behind it, and tests put modules in its place that
 * fail where they are told to.
 * @see OASIS PKCS#11 v3.2
 */
import type { PKCS11 } from 'pkcs11js';
import { UnavailableError } from '#formats/errors';

/** One loaded module; pkcs11js fits. */
export type Cryptoki = Pick<
  PKCS11,
  | 'load'
  | 'close'
  | 'C_Initialize'
  | 'C_Finalize'
  | 'C_GetInfo'
  | 'C_GetSlotList'
  | 'C_GetTokenInfo'
  | 'C_InitToken'
  | 'C_InitPIN'
  | 'C_GetMechanismList'
  | 'C_OpenSession'
  | 'C_CloseSession'
  | 'C_Login'
  | 'C_Logout'
  | 'C_CreateObject'
  | 'C_DestroyObject'
  | 'C_FindObjectsInit'
  | 'C_FindObjects'
  | 'C_FindObjectsFinal'
  | 'C_GetAttributeValue'
  | 'C_SignInit'
  | 'C_Sign'
  | 'C_EncryptInit'
  | 'C_Encrypt'
  | 'C_DecryptInit'
  | 'C_Decrypt'
  | 'C_GenerateKey'
  | 'C_GenerateKeyPair'
  | 'C_UnwrapKey'
  | 'C_DeriveKey'
>;

/** Handle of a slot, session or object: CK_ULONG in the machine's own byte order. */
export type Handle = Buffer;

/** One attribute of a template. */
export interface Attribute {
  readonly type: number;
  readonly value: number | boolean | string | Buffer;
}

/** Makes an adapter that has no module loaded yet. */
export type NewCryptoki = () => Promise<Cryptoki>;

/**
 * pkcs11js, which is optional and has to be compiled.
 * @throws UnavailableError `E_PKCS11_ABSENT`
 */
export async function nativeCryptoki(): Promise<Cryptoki> {
  try {
    // A CommonJS package whose names Node cannot see from outside: all of it is the default export.
    const loaded = (await import('pkcs11js')) as unknown as { default: typeof import('pkcs11js') };
    return new loaded.default.PKCS11();
  } catch (cause) {
    throw new UnavailableError({
      code: 'E_PKCS11_ABSENT',
      message: 'keys in tokens need the package pkcs11js, which is not built here',
      hint: 'npm run native builds it (needs a C++ compiler, make and python3)',
      cause,
    });
  }
}

/** Attribute types (v3.2 §4.4 and per object). */
export const CKA = {
  CLASS: 0x00,
  TOKEN: 0x01,
  PRIVATE: 0x02,
  LABEL: 0x03,
  APPLICATION: 0x10,
  VALUE: 0x11,
  CHECK_VALUE: 0x90,
  KEY_TYPE: 0x100,
  ID: 0x102,
  SENSITIVE: 0x103,
  ENCRYPT: 0x104,
  DECRYPT: 0x105,
  WRAP: 0x106,
  UNWRAP: 0x107,
  SIGN: 0x108,
  VERIFY: 0x10a,
  DERIVE: 0x10c,
  MODULUS: 0x120,
  MODULUS_BITS: 0x121,
  PUBLIC_EXPONENT: 0x122,
  PRIVATE_EXPONENT: 0x123,
  PRIME_1: 0x124,
  PRIME_2: 0x125,
  EXPONENT_1: 0x126,
  EXPONENT_2: 0x127,
  COEFFICIENT: 0x128,
  VALUE_LEN: 0x161,
  EXTRACTABLE: 0x162,
  LOCAL: 0x163,
  NEVER_EXTRACTABLE: 0x164,
  ALWAYS_SENSITIVE: 0x165,
  KEY_GEN_MECHANISM: 0x166,
  MODIFIABLE: 0x170,
  EC_PARAMS: 0x180,
  EC_POINT: 0x181,
  PARAMETER_SET: 0x61d,
  DECAPSULATE: 0x634,
  ENCAPSULATE: 0x633,
  SEED: 0x637,
} as const;

/** Object classes. */
export const CKO = { DATA: 0, PUBLIC_KEY: 2, PRIVATE_KEY: 3, SECRET_KEY: 4 } as const;

/** Key types. */
export const CKK = {
  RSA: 0x00,
  EC: 0x03,
  GENERIC_SECRET: 0x10,
  AES: 0x1f,
  EC_EDWARDS: 0x40,
  ML_KEM: 0x49,
  ML_DSA: 0x4a,
} as const;

/** Mechanisms. */
export const CKM = {
  RSA_PKCS_KEY_PAIR_GEN: 0x00,
  RSA_PKCS: 0x01,
  RSA_PKCS_OAEP: 0x09,
  RSA_PKCS_PSS: 0x0d,
  ML_KEM_KEY_PAIR_GEN: 0x0f,
  ML_KEM: 0x17,
  ML_DSA_KEY_PAIR_GEN: 0x1c,
  ML_DSA: 0x1d,
  SHA_1: 0x220,
  SHA256: 0x250,
  SHA256_HMAC: 0x251,
  SHA384: 0x260,
  SHA384_HMAC: 0x261,
  SHA512: 0x270,
  SHA512_HMAC: 0x271,
  GENERIC_SECRET_KEY_GEN: 0x350,
  EC_KEY_PAIR_GEN: 0x1040,
  ECDSA: 0x1041,
  ECDH1_DERIVE: 0x1050,
  EC_EDWARDS_KEY_PAIR_GEN: 0x1055,
  EDDSA: 0x1057,
  AES_KEY_GEN: 0x1080,
  AES_ECB: 0x1081,
  AES_GCM: 0x1087,
  AES_KEY_WRAP: 0x2109,
  /** RFC 5649, under its older number: SoftHSM 2.6 and others know only this. */
  AES_KEY_WRAP_PAD: 0x210a,
  /** RFC 5649, under the number that v3.0 gave it. */
  AES_KEY_WRAP_KWP: 0x210b,
} as const;

/** Mask generation functions. */
export const CKG = { MGF1_SHA1: 1, MGF1_SHA256: 2, MGF1_SHA384: 3, MGF1_SHA512: 4 } as const;

/** CKZ_DATA_SPECIFIED: OAEP has a label, even if an empty one. */
export const CKZ_DATA_SPECIFIED = 1;

/** Structures that pkcs11js builds for mechanism parameters. */
export const CK_PARAMS = { AES_GCM: 3, RSA_OAEP: 4, RSA_PSS: 5, EC_DH: 6 } as const;

/** CKD_NULL: the shared secret as it is, without a derivation inside the token. */
export const CKD_NULL = 1;

/** Users. */
export const CKU = { SO: 0, USER: 1 } as const;

/** Flags of sessions and tokens. */
export const CKF = {
  RW_SESSION: 0x2,
  SERIAL_SESSION: 0x4,
  WRITE_PROTECTED: 0x2,
  LOGIN_REQUIRED: 0x4,
  USER_PIN_INITIALIZED: 0x8,
  PROTECTED_AUTHENTICATION_PATH: 0x100,
  TOKEN_INITIALIZED: 0x400,
  USER_PIN_COUNT_LOW: 0x10000,
  USER_PIN_FINAL_TRY: 0x20000,
  USER_PIN_LOCKED: 0x40000,
} as const;

/** CK_UNAVAILABLE_INFORMATION in its two widths: what a token says for a key that it did not make. */
export function isUnavailable(value: bigint): boolean {
  return value === 0xffff_ffff_ffff_ffffn || value === 0xffff_ffffn;
}

/** A CK_ULONG as a module returned it: little endian on every machine that Node runs on, 4 bytes wide on Windows. */
export function ulong(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = value * 256n + BigInt(bytes[i] as number);
  return value;
}
