/** Moving a key of the store to another state, for the actions that do. */
import type { KeyRecord, KeyState } from '#custody/authority/record';
import { changeState } from '#custody/authority/states';
import { formatTime } from '#formats/time';
import type { Grade } from '../artifacts/artifact.js';
import type { ActionContext, FoundKey } from './context.js';

/** What became of a key. */
export interface StateChange {
  readonly id: string;
  readonly name: string | null;
  readonly state: KeyState;
  readonly location: string;
  /** `advisory`: a production key in one person's hands obeys that person, whatever its record says. */
  readonly grade: Grade;
}

/** How a reference's record is exchanged: in place, or with the private part destroyed. */
type Exchange = (reference: string, change: (record: KeyRecord) => KeyRecord) => Promise<FoundKey>;

/**
 * Moves a key to `to`, records the event, and says how far that binds anyone.
 * @throws RefusedError `E_STATE_FORBIDDEN`
 */
export async function moveKey(
  wanted: {
    readonly key: string;
    readonly to: KeyState;
    readonly reason: string | undefined;
    readonly event: string;
  },
  exchange: Exchange,
  context: ActionContext,
): Promise<StateChange> {
  const { key, to, reason, event } = wanted;
  const time = formatTime(context.now());
  const { record, location } = await exchange(key, (before) =>
    changeState(before, to, { time, reason }),
  );
  const grade: Grade =
    record.environment === 'production' && record.custody === 'single' ? 'advisory' : 'recorded';
  context.record({
    type: event,
    data: { id: record.id, name: record.name, state: record.state, grade, reason: reason ?? null },
  });
  return { id: record.id, name: record.name, state: record.state, location, grade };
}

/** One line for people. */
export function presentState({ id, name, state, grade }: StateChange): string {
  const remark =
    grade === 'advisory' ? ' (advisory: one person holds it, and no quorum agreed)' : '';
  return `key ${name ?? id.slice(0, 16)} is ${state}${remark}`;
}
