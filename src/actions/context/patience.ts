/** What people are told before and while something takes long. */
import type { Descriptor } from '#crypto/descriptor';
import type { ActionContext } from './context.js';

/** A clause for the end of a progress message; empty for algorithms that are done at once. */
export function patience({ slow }: Pick<Descriptor, 'slow'>): string {
  return slow === true ? '; this takes up to a minute' : '';
}

/** Lets seconds count where the work with this algorithm takes long. */
export async function patiently<T>(
  { slow }: Pick<Descriptor, 'slow'>,
  { counting }: Pick<ActionContext, 'counting'>,
  work: () => Promise<T>,
): Promise<T> {
  const seconds = slow === true ? counting?.() : undefined;
  try {
    return await work();
  } finally {
    seconds?.[Symbol.dispose]();
  }
}
