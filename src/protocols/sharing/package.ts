/**
 * What the shared key opens: a key or a file, as CBOR under AES-256-GCM, bound to one set.
 * @see docs/spec/share.md, "The sealed package"
 */
import { aesGcmOpen, aesGcmSeal } from '#crypto/aead';
import type { RandomSource } from '#crypto/descriptor';
import { concat } from '#formats/bytes';
import { decodeCbor, encodeCbor } from '#formats/cbor';
import { InputError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';

/** Longest file that can be shared. */
export const MAX_FILE_BYTES = 64 * 1024;
/** Up to this length the sealed package goes along on every share. */
export const MAX_CARRIED_BYTES = 192;

/** The secret that a set protects. Whoever receives one disposes `secret`. */
export type Package =
  | {
      readonly kind: 'key';
      readonly algorithm: string;
      readonly profile: string;
      /** Raw private form. */
      readonly secret: SecretBytes;
    }
  | { readonly kind: 'file'; readonly secret: SecretBytes };

/** A package under the key-encryption key: ciphertext ‖ tag, 12-byte nonce. */
export interface SealedPackage {
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
}

/** Which set a package belongs to; its associated data. */
export interface PackageBinding {
  readonly setId: Uint8Array;
  readonly root: Uint8Array;
}

/**
 * Seals a package.
 * @param kek - 32 bytes, used for this one package only
 * @throws {@link InputError} `E_PACKAGE_TOO_LARGE`
 */
export function sealPackage(
  content: Package,
  kek: SecretBytes,
  binding: PackageBinding,
  random: RandomSource,
): SealedPackage {
  if (content.secret.length > MAX_FILE_BYTES) {
    throw new InputError({
      code: 'E_PACKAGE_TOO_LARGE',
      message: `what is shared is longer than ${MAX_FILE_BYTES} bytes`,
      hint: 'encrypt it under a key and share the key',
    });
  }
  const plain = content.secret.use((bytes) =>
    encodeCbor(
      content.kind === 'key' ? [1, content.algorithm, content.profile, bytes] : [2, bytes],
    ),
  );
  try {
    const nonce = random(12);
    return { nonce, sealed: kek.use((key) => aesGcmSeal(key, nonce, plain, aad(binding))) };
  } finally {
    plain.fill(0);
  }
}

/**
 * Opens a package; a wrong key-encryption key, and so a wrong quorum, does not.
 * @param what - how errors name it
 * @throws {@link NegativeError} `E_NOT_AUTHENTIC`
 * @throws {@link InputError} `E_PACKAGE_MALFORMED`
 */
export function openPackage(
  { nonce, sealed }: SealedPackage,
  kek: Uint8Array,
  binding: PackageBinding,
  what: string,
): Package {
  const plain = aesGcmOpen(kek, nonce, sealed, aad(binding), what);
  try {
    const value = decodeCbor(plain, what);
    const parts: readonly unknown[] = Array.isArray(value) ? (value as readonly unknown[]) : [];
    const [kind, first, second, third] = parts;
    if (kind === 2 && parts.length === 2 && first instanceof Uint8Array) {
      return { kind: 'file', secret: SecretBytes.adopt(first, 'shared file') };
    }
    if (
      kind === 1 &&
      parts.length === 4 &&
      typeof first === 'string' &&
      typeof second === 'string' &&
      third instanceof Uint8Array
    ) {
      const secret = SecretBytes.adopt(third, 'shared key');
      return { kind: 'key', algorithm: first, profile: second, secret };
    }
  } finally {
    plain.fill(0);
  }
  throw new InputError({
    code: 'E_PACKAGE_MALFORMED',
    message: `${what} opens, but holds neither a key nor a file`,
    hint: 'it may have been made by a later version of conclave',
  });
}

function aad({ setId, root }: PackageBinding): Uint8Array {
  return concat(setId, root);
}
