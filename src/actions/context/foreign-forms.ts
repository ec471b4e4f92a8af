/**
 * Forms of keys that others invented, told apart by their first bytes: JWK, COSE_Key, SSH. What stands here is which reader
 * and writer belongs to which; the forms themselves are in `crypto/encodings`.
 */
import type { Descriptor, RandomSource } from '#crypto/descriptor';
import { decodeCbor } from '#formats/cbor';
import { looksLikePem } from '#formats/pem';
import type { SecretBytes } from '#formats/secret-bytes';

/** Forms of others that a public key can be written in. */
export type ForeignPublicFormat = 'jwk' | 'cose' | 'ssh';

/** Forms of others that a private key can be written in; none of them is encrypted. */
export type ForeignPrivateFormat = ForeignPublicFormat;

/** Names of {@link ForeignPublicFormat}, for choices. */
export const FOREIGN_FORMATS = ['jwk', 'cose', 'ssh'] as const;

/** Longer keys in these forms are none. */
const MAX_BYTES = 64 * 1024;

/** PEM label of OpenSSH's private keys. */
const OPENSSH_LABEL = 'OPENSSH PRIVATE KEY';

/** A key read from a form of others. Private bytes are owned by the receiver. */
export type ForeignKey =
  | { readonly side: 'public'; readonly descriptor: Descriptor; readonly publicKey: Uint8Array }
  | {
      readonly side: 'private';
      readonly descriptor: Descriptor;
      readonly secret: Uint8Array;
      readonly format: ForeignPrivateFormat;
    };

/** The form that the bytes look like, or `undefined`. Cheap, never throws. */
export function foreignFormOf(bytes: Uint8Array): 'jwk' | 'cose' | 'ssh' | 'openssh' | undefined {
  if (looksLikePem(bytes, OPENSSH_LABEL)) return 'openssh';
  const text = Buffer.from(bytes.subarray(0, MAX_BYTES)).toString('latin1');
  if (/^\s*\{/.test(text) && /"kty"\s*:/.test(text)) return 'jwk';
  if (/^(?:ssh|ecdsa|sk)-[a-z0-9@.-]+ AAAA/.test(text)) return 'ssh';
  const [map = 0, label, kty = 0xff] = bytes;
  // A CBOR map whose first member is 1, a key type.
  return map >= 0xa2 && map <= 0xae && label === 1 && kty <= 7 ? 'cose' : undefined;
}

/** Whether the bytes look like a private key in a form of others. Cheap, never throws. */
export function looksLikeForeignPrivate(bytes: Uint8Array): boolean {
  switch (foreignFormOf(bytes)) {
    case 'openssh':
      return true;
    case 'jwk':
      return /"(?:d|k|priv)"\s*:/.test(
        Buffer.from(bytes.subarray(0, MAX_BYTES)).toString('latin1'),
      );
    case 'cose':
      return hasPrivateMember(bytes);
    case 'ssh':
    case undefined:
      return false;
  }
}

/** The label of a COSE_Key's private member depends on its type (RFC 9053 §7): d, k or priv. */
function hasPrivateMember(bytes: Uint8Array): boolean {
  try {
    const map = decodeCbor(bytes, 'key', { maxBytes: MAX_BYTES });
    if (!(map instanceof Map)) return false;
    const kty: unknown = map.get(1);
    const label = kty === 4 ? -1 : kty === 7 ? -2 : kty === 3 ? -3 : -4;
    return map.has(label);
  } catch {
    return false;
  }
}

/**
 * The key in bytes of a form that {@link foreignFormOf} recognised; `undefined` for others.
 * @param bytes - borrowed
 * @throws InputError of the form's own reader
 */
export async function readForeign(
  bytes: Uint8Array,
  what: string,
): Promise<ForeignKey | undefined> {
  switch (foreignFormOf(bytes)) {
    case 'jwk': {
      const { decodeJwk } = await import('#crypto/encodings/jwk');
      const key = await decodeJwk(bytes, what);
      return key.side === 'public' ? key : { ...key, format: 'jwk' };
    }
    case 'cose': {
      const { decodeCoseKey } = await import('#crypto/encodings/cose-key');
      const key = await decodeCoseKey(bytes, what);
      return key.side === 'public' ? key : { ...key, format: 'cose' };
    }
    case 'ssh': {
      const { decodeSshPublic } = await import('#crypto/encodings/ssh');
      const { descriptor, publicKey } = await decodeSshPublic(bytes, what);
      return { side: 'public', descriptor, publicKey };
    }
    case 'openssh': {
      const { decodeSshPrivate } = await import('#crypto/encodings/ssh-private');
      return { side: 'private', format: 'ssh', ...(await decodeSshPrivate(bytes, what)) };
    }
    case undefined:
      return undefined;
  }
}

/**
 * A public key in a form of others.
 * @param comment - stands behind an SSH key
 * @throws UsageError `E_ENCODING_UNSUPPORTED`
 */
export async function encodeForeignPublic(
  descriptor: Descriptor,
  publicKey: Uint8Array,
  format: ForeignPublicFormat,
  comment: string,
): Promise<Uint8Array> {
  switch (format) {
    case 'jwk': {
      const { encodeJwkPublic } = await import('#crypto/encodings/jwk');
      return encodeJwkPublic(descriptor, publicKey);
    }
    case 'cose': {
      const { encodeCosePublic } = await import('#crypto/encodings/cose-key');
      return encodeCosePublic(descriptor, publicKey);
    }
    case 'ssh': {
      const { encodeSshPublic } = await import('#crypto/encodings/ssh');
      return encodeSshPublic(descriptor, publicKey, comment);
    }
  }
}

/**
 * A private key in a form of others, unencrypted; the caller wipes it.
 * @param secret - raw private form; borrowed
 * @param publicKey - raw public key; the check value of symmetric keys
 * @throws UsageError `E_ENCODING_UNSUPPORTED`
 */
export async function encodeForeignPrivate(
  descriptor: Descriptor,
  secret: SecretBytes,
  publicKey: Uint8Array,
  format: ForeignPrivateFormat,
  random: RandomSource,
): Promise<Uint8Array> {
  switch (format) {
    case 'jwk': {
      const { encodeJwkPrivate } = await import('#crypto/encodings/jwk');
      return secret.use((raw) => encodeJwkPrivate(descriptor, raw, publicKey));
    }
    case 'cose': {
      const { encodeCosePrivate } = await import('#crypto/encodings/cose-key');
      return secret.use((raw) => encodeCosePrivate(descriptor, raw, publicKey));
    }
    case 'ssh': {
      const { encodeSshPrivate } = await import('#crypto/encodings/ssh-private');
      return secret.use((raw) => encodeSshPrivate(descriptor, raw, publicKey, random));
    }
  }
}
