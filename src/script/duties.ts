/** What is due after a ceremony, and when: the `after:` duties of its definition, counted from the close of a session. */
import type { Definition, OnSide } from './definition.js';
import type { Entry, EntryData } from './entries.js';
import { evaluate, ExpressionError } from './expression.js';
import { entryKey, type Instance, instanceKey, plan } from './plan.js';
import { resolverAt } from './replay-scope.js';
import { participantsOf } from './transcript.js';

/** One duty of one session. */
export interface DueDuty {
  /** What is to be done, with what the session found in the place of references. */
  readonly duty: string;
  /** ISO 8601 duration, as the definition says. */
  readonly within: string;
  /** Day and time by which it is due, UTC. */
  readonly due: string;
  /** The way that the session went, where the duty is owed on that way alone. */
  readonly side: OnSide | null;
}

/** What stands for a reference of which nothing was recorded. */
const NOTHING = '(not recorded)';

/**
 * What a session owes that was completed, counted from its last entry; of a duty that lies on one way of a branch only where
 * the session went that way.
 */
export function dutiesOf(definition: Definition, entries: readonly Entry[]): readonly DueDuty[] {
  const [first] = entries;
  const last = entries.at(-1);
  if (first?.type !== 'session.opened' || last?.type !== 'session.closed') return [];
  if (last.data.outcome !== 'completed') return [];
  const participants = participantsOf(entries);
  const instances = plan(definition, participants);
  const { finished, ways } = whatCounts(instances, entries);
  const final = instances.at(-1);
  if (final === undefined) return [];
  const resolve = resolverAt(
    { definition, participants, opened: first.data, instances, finished, ways },
    behind(final),
  );
  return definition.after.flatMap(({ duty, within, branch }) => {
    if (branch !== undefined && ways.get(branch.branch) !== branch.side) return [];
    const due = later(last.time, within);
    return [
      { duty: spelled(duty, (it) => resolve(it) ?? NOTHING), within, due, side: branch ?? null },
    ];
  });
}

/** The outputs that stand at the end, and the sides: what a rollback took back counts no more. */
function whatCounts(
  instances: readonly Instance[],
  entries: readonly Entry[],
): Pick<Parameters<typeof resolverAt>[0], 'finished' | 'ways'> {
  const places = new Map(instances.map((instance, at) => [instanceKey(instance), at] as const));
  const finished = new Map<number, EntryData['step.finished']>();
  const taken = new Map<string, { readonly side: OnSide['side']; readonly at: number }>();
  for (const { type, data } of entries) {
    if (type === 'step.finished') finished.set(places.get(entryKey(data)) ?? -1, data);
    else if (type === 'branch.taken') {
      const at = instances.findIndex(({ step }) => step.branch?.branch === data.branch);
      taken.set(data.branch, { side: data.side, at });
    } else if (type === 'rollback') {
      const to = instances.findIndex(
        ({ act, step }) => act.id === data.toAct && step.id === data.toStep,
      );
      for (const at of [...finished.keys()]) if (at >= to) finished.delete(at);
      for (const [branch, { at }] of [...taken]) if (at >= to) taken.delete(branch);
    }
  }
  finished.delete(-1);
  return { finished, ways: new Map([...taken].map(([branch, { side }]) => [branch, side])) };
}

/** A place behind all steps, of nobody in particular: there, `each:` of a step gives the list of its holders. */
function behind(last: Instance): Instance {
  const step = Object.fromEntries(Object.entries(last.step).filter(([key]) => key !== 'each'));
  return { act: last.act, step: step as unknown as Instance['step'], by: last.by };
}

function spelled(duty: string, resolve: Parameters<typeof evaluate>[1]): string {
  try {
    const said = evaluate(duty, resolve);
    return typeof said === 'string' ? said : JSON.stringify(said);
  } catch (error) {
    if (error instanceof ExpressionError) return duty;
    throw error;
  }
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
