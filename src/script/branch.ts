/**
 * Ways through a definition: which steps a session passes, once it took a side at each branch and a failure led it elsewhere.
 * @see docs/spec/definition.md
 */
import type { Definition, Side, Step, Target } from './definition.js';
import type { EntryData } from './entries.js';
import { holds, parseCondition, referencesOf, type Resolve } from './expression.js';
import type { Instance } from './plan.js';

/** The side taken at each branch that was come to. */
export type Ways = ReadonlyMap<string, Side>;

/** What happens after a failure. `back` and `onward` lead to the step that `on-failure:` names. */
export type Then = EntryData['step.failed']['then'];

/** How often a step may lead back in one session: a fault that stays ends the ceremony, and not the patience of people. */
export const MAX_RETURNS = 3;

/** Place of the first instance of what a step leads to; -1 where there is none. */
export function targetIn(instances: readonly Instance[], { kind, name }: Target): number {
  return instances.findIndex(({ act, step }) => (kind === 'act' ? act : step).id === name);
}

/**
 * What the definition wants after a failure.
 * @param at - place of the instance that failed
 * @param failures - of this instance since it was come to, this one included
 * @param returns - how often it led back in this session
 */
export function afterFailure(
  instances: readonly Instance[],
  at: number,
  failures: number,
  returns: number,
): Then {
  const step = (instances[at] as Instance).step;
  if (failures <= step.retry) return 'retry';
  if (step.onFailure === 'deviate' || step.onFailure === 'postpone') return step.onFailure;
  if (step.elsewhere === undefined) return 'abort';
  const target = targetIn(instances, step.elsewhere);
  if (target > at) return 'onward';
  return target < 0 || returns >= MAX_RETURNS ? 'abort' : 'back';
}

/** Which side a branch takes, and the values that say so. */
export function choose(
  definition: Definition,
  branch: string,
  resolve: Resolve,
): Pick<EntryData['branch.taken'], 'side' | 'condition' | 'values'> {
  const condition = definition.branches[branch]?.when ?? 'false';
  const parsed = parseCondition(condition);
  return {
    side: holds(parsed, resolve) ? 'then' : 'else',
    condition,
    values: Object.fromEntries(
      referencesOf(parsed).map((reference) => [reference.text, resolve(reference) ?? null]),
    ),
  };
}

/** Whether a step lies on the way that was taken, as far as that is known. */
export function isOnItsSide({ branch }: Step, ways: Ways): boolean {
  return branch === undefined || (ways.get(branch.branch) ?? branch.side) === branch.side;
}

/** Why an instance is left out, as `step.skipped` says it. */
export function whyLeftOut({ step }: Instance, ways: Ways, passedOver: boolean): string {
  if (passedOver) return 'a failure led past it';
  if (step.branch !== undefined && !isOnItsSide(step, ways))
    return `the branch ${step.branch.branch} went another way`;
  return step.when ?? '';
}
