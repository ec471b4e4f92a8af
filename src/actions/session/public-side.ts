/** What a session must know of keys and files without touching anything secret: digests, and keys by their records. */
import { resolve } from '#crypto/registry';
import { createSha256, sha256 } from '#crypto/hash';
import { parseRecordJson } from '#custody/authority/record';
import { toHex } from '#formats/bytes';
import type { Json } from '#formats/canonical-json';
import type { FoundKey } from '../context/context.js';

/** SHA-256, 32 bytes, for rooms that receive their hash function. */
export const digest = (bytes: Uint8Array): Uint8Array => sha256(bytes);

/** Lower-case hex SHA-256. */
export function hexDigest(bytes: Uint8Array): string {
  return toHex(sha256(bytes));
}

/** SHA-256 of what comes piece by piece; `hex` ends it. */
export function digesting(): { update(bytes: Uint8Array): void; hex(): string } {
  const { update, digest: end } = createSha256();
  return { update, hex: () => toHex(end()) };
}

/**
 * The public side of a key that a journal knows by its record.
 * @param record - as plain data; read strictly, its id recomputed
 * @param location - for people, e.g. `ceremony:generate`
 * @throws InputError, NegativeError as {@link parseRecordJson}
 */
export async function publicSide(record: Json, location: string): Promise<FoundKey> {
  const parsed = await parseRecordJson(record, location);
  const descriptor = await resolve(parsed.algorithm, parsed.profile);
  return { record: parsed, descriptor, publicKey: parsed.publicKey, location };
}
