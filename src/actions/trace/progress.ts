/** Telling people how far a proof is, while it is made or checked. */
import type { Level } from '#protocols/inhead/level';
import { breathe } from '#crypto/breathe';
import type { ActionContext } from '../context/context.js';

/** What of a context tells people how far something is. */
export type Watched = Pick<ActionContext, 'progress' | 'gauge'>;

/** For whoever has nobody to tell. */
export const UNWATCHED: Watched = { progress: () => undefined };

/** What is done, in a word, and to what. */
export interface Stepping {
  readonly title: string;
  readonly about: string;
}

/** What a proof is about, for people. */
export function proofText(level: Level, shares: number): string {
  return `level ${level}, ${shares} ${shares === 1 ? 'share' : 'shares'}`;
}

/** Runs stepwise work to its end, or closes it, on a line that moves; where none may, it is said once. */
export async function stepping<T>(
  steps: Generator<number, T>,
  { title, about }: Stepping,
  { progress, gauge }: Watched,
): Promise<T> {
  try {
    if (gauge === undefined) progress(`${title}: ${about}`);
    using line = gauge?.(title, about);
    line?.show(0);
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
      line?.show(value);
      // Lets the line appear, and an interruption be heard, before the next stretch of computing.
      await breathe();
    }
  } finally {
    // Where telling fails, the work is given up, and it wipes what it holds.
    steps.return(undefined as T);
  }
}
