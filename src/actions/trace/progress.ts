/** Telling people how far a proof is, while it is made. */
import type { ActionContext } from '../context/context.js';

const WIDTH = 20;
/** Lines are rare: a bar that is drawn anew each time would fill the screen. */
const STEP = 0.25;

/** Runs a stepwise proof to its end, or closes it, with a bar now and then. */
export async function stepping<T>(
  steps: Generator<number, T>,
  { progress }: Pick<ActionContext, 'progress'>,
): Promise<T> {
  let next = 0;
  try {
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
      if (value < next) continue;
      next = (Math.floor(value / STEP) + 1) * STEP;
      const full = Math.round(WIDTH * value);
      progress(
        `proving [${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] ${Math.round(100 * value)} %`,
      );
      // Lets the line appear, and an interruption be heard, before the next stretch of computing.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    // Where telling fails, the proof is given up, and it wipes what it holds.
    steps.return(undefined as T);
  }
}
