/**
 * A definition with branches is several scripts in one. Each way through it is a survey of its own, as if the steps on other ways
 * were not written: whatever is proven of a script is then proven of every way.
 */
import { type Expression, type Side, SIDES, type Step } from '../definition.js';
import type { PlacedStep, Survey } from './survey.js';

/** How many failures of a definition may lead onward: each of them is a way more, on every side. */
export const MAX_ONWARD = 8;

/** One way through. */
export interface Way {
  readonly survey: Survey;
  readonly sides: ReadonlyMap<string, Side>;
  /** The step that fails on it, and leads onward. */
  readonly failing: PlacedStep | undefined;
}

/** The step that a failing one leads to. */
export function targetOf(survey: Survey, { step }: PlacedStep): PlacedStep | undefined {
  const { elsewhere } = step;
  if (elsewhere === undefined) return undefined;
  return survey.steps.find((it) =>
    elsewhere.kind === 'act' ? it.act.id === elsewhere.name : it.step.id === elsewhere.name,
  );
}

/** Steps whose failure leads onward. */
export function leadingOnward(survey: Survey): readonly PlacedStep[] {
  return survey.steps.filter((placed) => (targetOf(survey, placed)?.order ?? -1) > placed.order);
}

/** Every way; the definition itself where there is only one. */
export function waysThrough(survey: Survey): readonly Way[] {
  let sides: ReadonlyMap<string, Side>[] = [new Map()];
  for (const branch of Object.keys(survey.definition.branches))
    sides = sides.flatMap((taken) => SIDES.map((side) => new Map(taken).set(branch, side)));
  const failing = [undefined, ...leadingOnward(survey).slice(0, MAX_ONWARD)];
  return sides.flatMap((taken) =>
    failing
      .filter((it) => it === undefined || isOn(it.step, taken))
      .map((it) => ({ survey: through(survey, taken, it), sides: taken, failing: it })),
  );
}

/** A condition in which what branches give stands for what it is on this way. */
export function conditionOn({ survey, sides }: Way, condition: string): string {
  return condition.replaceAll(GIVEN, (text, branch: string, name: string) =>
    given(survey, sides, branch, name, text),
  );
}

/** The same for text with references in it. */
export function textOn(way: Way, text: string): string {
  return text.replaceAll(/\$\{\{[^}]*\}\}/g, (reference) => conditionOn(way, reference));
}

const GIVEN = /\bbranches\.([a-z0-9-]+)\.([a-z0-9-]+)/g;

function given(
  { definition }: Survey,
  sides: ReadonlyMap<string, Side>,
  branch: string,
  name: string,
  text: string,
): string {
  const side = sides.get(branch);
  const gives = side === undefined ? undefined : definition.branches[branch]?.gives[name];
  return side === undefined || gives === undefined ? text : gives[side].replaceAll(/[${} ]/g, '');
}

function isOn({ branch }: Step, sides: ReadonlyMap<string, Side>): boolean {
  return branch === undefined || (sides.get(branch.branch) ?? branch.side) === branch.side;
}

function through(
  survey: Survey,
  sides: ReadonlyMap<string, Side>,
  failing: PlacedStep | undefined,
): Survey {
  if (sides.size === 0 && failing === undefined) return survey;
  const to = failing === undefined ? -1 : (targetOf(survey, failing)?.order ?? -1);
  const left = new Map<string, string>();
  const steps = survey.steps.flatMap((placed): PlacedStep[] => {
    const { step, order } = placed;
    const { branch } = step;
    if (branch !== undefined && !isOn(step, sides)) {
      left.set(
        step.id,
        `that step lies on the side "${branch.side}" of the branch ${branch.branch}`,
      );
      return [];
    }
    if (failing !== undefined && order >= failing.order && order < to) {
      left.set(step.id, `that step is left out when ${failing.step.id} fails`);
      return [];
    }
    return [{ ...placed, step: onThisWay(survey, sides, step) }];
  });
  const byId = new Map<string, PlacedStep>();
  for (const placed of steps) if (!byId.has(placed.step.id)) byId.set(placed.step.id, placed);
  return { ...survey, steps, byId, left };
}

/** The step, with what branches give in its place: what follows it then sees through the branch. */
function onThisWay(survey: Survey, sides: ReadonlyMap<string, Side>, step: Step): Step {
  const bare = (text: string): string =>
    text.replaceAll(GIVEN, (whole, branch: string, name: string) =>
      given(survey, sides, branch, name, whole),
    );
  const inside = <T extends Expression>(value: T): T => {
    if (typeof value === 'string') return value.replaceAll(/\$\{\{[^}]*\}\}/g, bare) as T;
    return Array.isArray(value) ? (value.map(inside) as unknown as T) : value;
  };
  const common = {
    ...(step.say === undefined ? {} : { say: inside(step.say) }),
    ...(step.when === undefined ? {} : { when: bare(step.when) }),
  };
  if (step.kind === 'action') {
    const entries = Object.entries(step.with).map(
      ([name, value]) => [name, inside(value)] as const,
    );
    return { ...step, ...common, with: Object.fromEntries(entries) };
  }
  return { ...step, ...common, ...(step.value === undefined ? {} : { value: inside(step.value) }) };
}
