/** The key that a trace is about, from its group record. */
import { sha256 } from '#crypto/hash';
import { equal } from '#formats/bytes';
import { InputError, NegativeError } from '#formats/errors';
import type { TraceRequest } from '#protocols/inhead/request';
import type { Structure } from '#protocols/sharing/structure';
import { looksLikeShareSet, structureOf } from '#protocols/sharing/share-set';
import type { FileSpace } from '../context/context.js';
import { type ByteKey, readByteKey } from './byte-key.js';

const MAX_GROUP_BYTES = 1024 * 1024;

/** A key that the commands take: its shares are bytes. Those of threshold keys (scalar-key.ts) no command takes yet. */
export type TraceKey = ByteKey;

/**
 * Reads a group record: the description of a set of shares.
 * @throws {@link InputError} `E_TRACE_GROUP` for the group record of a threshold key; what the reader of sets throws
 */
export async function readTraceKey(path: string, files: FileSpace): Promise<TraceKey> {
  const bytes = files.read(path, MAX_GROUP_BYTES);
  const name = path === '-' ? 'standard input' : path;
  if (looksLikeThresholdGroup(bytes)) {
    throw new InputError({
      code: 'E_TRACE_GROUP',
      message: `${name} is the group record of a threshold key, and no command makes or verifies traces of those yet`,
      hint: 'conclave trace takes set.json of a set of shares',
    });
  }
  return await readByteKey(bytes, name);
}

function looksLikeThresholdGroup(bytes: Uint8Array): boolean {
  return !looksLikeShareSet(bytes) && Buffer.from(bytes).includes('"type":"conclave/group"');
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
