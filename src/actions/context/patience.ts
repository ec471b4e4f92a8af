/** What people are told before something that takes long. */
import type { Descriptor } from '#crypto/descriptor';

/** A clause for the end of a progress message; empty for algorithms that are done at once. */
export function patience({ slow }: Pick<Descriptor, 'slow'>): string {
  return slow === true ? '; this algorithm takes up to a minute' : '';
}
