/** A key as it is found: its record and where it lies. */
import type { KeyRecord } from '#custody/authority/record';
import type { FoundKey } from './context.js';
import { descriptorOf } from './private-forms.js';

/** @param location - with the prefix of its store, e.g. `file:` */
export async function foundOf(record: KeyRecord, location: string): Promise<FoundKey> {
  return {
    record,
    descriptor: await descriptorOf(record),
    publicKey: record.publicKey,
    location,
  };
}
