/** What is due after a ceremony, and when: the `after:` duties of its definition, counted from the close of a session. */
import type { Duty } from './definition.js';

/** One duty of one session. */
export interface DueDuty {
  readonly duty: string;
  /** ISO 8601 duration, as the definition says. */
  readonly within: string;
  /** Day and time by which it is due, UTC. */
  readonly due: string;
}

/** @param closed - time of the session's last entry */
export function dutiesOf(after: readonly Duty[], closed: string): readonly DueDuty[] {
  return after.map(({ duty, within }) => ({ duty, within, due: later(closed, within) }));
}

/**
 * A time some years, months, weeks and days later. A day that the month does not have is its last one.
 * @param duration - such as `P1Y2M10D`
 */
export function later(time: string, duration: string): string {
  const [, years = '0', months = '0', weeks = '0', days = '0'] =
    /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?$/.exec(duration) ?? [];
  const from = new Date(time);
  const month = from.getUTCMonth() + Number(months) + 12 * Number(years);
  const first = Date.UTC(from.getUTCFullYear(), month, 1);
  const inMonth = new Date(first);
  const last = new Date(
    Date.UTC(inMonth.getUTCFullYear(), inMonth.getUTCMonth() + 1, 0),
  ).getUTCDate();
  const day = Math.min(from.getUTCDate(), last) + 7 * Number(weeks) + Number(days);
  const clock =
    from.getTime() - Date.UTC(from.getUTCFullYear(), from.getUTCMonth(), from.getUTCDate());
  const at = Date.UTC(inMonth.getUTCFullYear(), inMonth.getUTCMonth(), day) + clock;
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
