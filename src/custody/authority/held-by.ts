/**
 * In whose custody a key is: in that of somebody who holds the key-encryption key for its owner, or in the owner's own. It is a
 * tag of the record and an event of its history, so that every version of conclave reads such records.
 * @see docs/spec/envelope.md, "Custody"
 */
import { UsageError } from '#formats/errors';
import type { KeyRecord } from './record.js';
import { addHistory, type Change } from './states.js';

/** Name of the tag. */
export const CUSTODY_TAG = 'custody';

/** Custodial: somebody else holds the key that opens it. Self: the owner does. */
export type HeldBy = 'custodial' | 'self';

/** Most tags of a record. */
const MAX_TAGS = 64;

/** In whose custody a record says its key is; `undefined` when it says nothing. */
export function heldBy({ tags }: KeyRecord): HeldBy | undefined {
  const said = tags[CUSTODY_TAG];
  return said === 'custodial' || said === 'self' ? said : undefined;
}

/**
 * The record in that custody, with the event in its history; as it is when it was there already.
 * @throws {@link UsageError} `E_CUSTODY_TAGS` for a record with no room for a tag
 */
export function inCustody(record: KeyRecord, custody: HeldBy, change: Change): KeyRecord {
  if (heldBy(record) === custody) return record;
  const tags = { ...record.tags, [CUSTODY_TAG]: custody };
  if (Object.keys(tags).length > MAX_TAGS) {
    throw new UsageError({
      code: 'E_CUSTODY_TAGS',
      message: `the record has ${MAX_TAGS} tags and no room for its custody`,
      hint: 'generate the key with fewer tags',
    });
  }
  return { ...addHistory(record, `custody.${custody}`, change), tags };
}
