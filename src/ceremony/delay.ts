/** A step that took longer than the script allows: nothing is broken off for that, but somebody says why. */
import { type Instance, instanceKey } from '#script/plan';
import { recordDeviation } from './deviation.js';
import { type Session, whereOf } from './session.js';

/** The entry that ends the step is written a moment after this was asked, and must not be late then. */
const MARGIN_MS = 5_000;

/** Records a deviation about `time` when a step that began at `begun` has gone over its `timeout:`. */
export async function recordDelay(
  session: Session,
  instance: Instance,
  begun: Date,
): Promise<void> {
  const { timeout, title } = instance.step;
  if (timeout === undefined) return;
  const taken = session.context.now().getTime() - begun.getTime();
  if (taken + MARGIN_MS <= timeout * 60_000) return;
  await recordDeviation(session, {
    key: instanceKey(instance),
    where: whereOf(instance),
    about: 'time',
    expected: `${title}: at most ${timeout} minutes`,
    happened: `it took ${Math.ceil(taken / 60_000)} minutes`,
  });
}
