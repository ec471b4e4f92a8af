/** The key that a trace is about, from its group record. */
import { sha256 } from '#crypto/hash';
import { equal } from '#formats/bytes';
import { NegativeError } from '#formats/errors';
import type { TraceRequest } from '#protocols/inhead/request';
import type { Structure } from '#protocols/sharing/structure';
import { structureOf } from '#protocols/sharing/share-set';
import type { FileSpace } from '../context/context.js';
import { type ByteKey, readByteKey } from './byte-key.js';

const MAX_GROUP_BYTES = 1024 * 1024;

/** A key of either kind. */
export type TraceKey = ByteKey;

/** Reads a group record: the description of a set of shares. */
export async function readTraceKey(path: string, files: FileSpace): Promise<TraceKey> {
  const bytes = files.read(path, MAX_GROUP_BYTES);
  return await readByteKey(bytes, path === '-' ? 'standard input' : path);
}

/** Groups and thresholds for naming shares; undefined where shares have plain numbers. */
export function namingOf(key: TraceKey): Structure | undefined {
  return structureOf(key.set);
}

/**
 * Refuses a group record that is not the one of a request.
 * @throws {@link NegativeError} `E_TRACE_OTHER_GROUP`
 */
export function assertGroupOf(
  { group }: TraceRequest,
  { bytes, name }: TraceKey,
  what: string,
): void {
  if (equal(sha256(bytes), group)) return;
  throw new NegativeError({
    code: 'E_TRACE_OTHER_GROUP',
    message: `${what} is for another group record than ${name}`,
    hint: 'a record that was signed, changed or refreshed since is another one; take the copy that the request was made from',
  });
}
