/**
 * A key as a container carries it: its private form and its public record, as CBOR.
 * @see docs/spec/container.md, "Key package"
 */
import type { Descriptor } from '#crypto/descriptor';
import { resolve } from '#crypto/registry';
import { decodeCbor, encodeCbor } from '#formats/cbor';
import { InputError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import type { KeyFacts } from './format.js';

const VERSION = 1;

/** What a package held; the receiver disposes the secret. */
export interface KeyPackage {
  /** Canonical bytes of the record, unread. */
  readonly record: Uint8Array;
  readonly secret: SecretBytes;
}

/** `[1, record, secret]`; secret, the caller wipes it. */
export function encodeKeyPackage(record: Uint8Array, secret: SecretBytes): Uint8Array {
  return secret.use((bytes) => encodeCbor([VERSION, record, bytes]));
}

/**
 * Reads a package (borrowed).
 * @throws {@link InputError} `E_PACKAGE_MALFORMED` and those of the CBOR reader
 */
export function decodeKeyPackage(bytes: Uint8Array, what: string): KeyPackage {
  const value = decodeCbor(bytes, `${what}: key`, { maxBytes: bytes.length, maxDepth: 1 });
  const parts: readonly unknown[] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  const [version, record, secret] = parts;
  if (
    version === VERSION &&
    parts.length === 3 &&
    record instanceof Uint8Array &&
    secret instanceof Uint8Array
  ) {
    return { record, secret: SecretBytes.adopt(secret, `key of ${what}`) };
  }
  throw new InputError({
    code: 'E_PACKAGE_MALFORMED',
    message: `${what} opens, but holds no key as this conclave knows it`,
    hint: 'it may have been made by a newer conclave',
  });
}

/**
 * Reads a package (borrowed) of the key that is named beside it.
 * @throws {@link InputError} `E_ALGORITHM_UNSUPPORTED` and those of {@link decodeKeyPackage}
 */
export async function openKeyPackage(
  bytes: Uint8Array,
  facts: KeyFacts,
  what: string,
): Promise<KeyPackage & { readonly descriptor: Descriptor }> {
  const descriptor = await descriptorOf(facts, what);
  return { descriptor, ...decodeKeyPackage(bytes, what) };
}

async function descriptorOf({ algorithm, profile }: KeyFacts, what: string): Promise<Descriptor> {
  try {
    return await resolve(algorithm, profile);
  } catch (cause) {
    throw new InputError({
      code: 'E_ALGORITHM_UNSUPPORTED',
      message: `${what} holds a key of an algorithm that conclave does not know (${algorithm})`,
      hint: 'it may have been written by a newer conclave',
      cause,
    });
  }
}
