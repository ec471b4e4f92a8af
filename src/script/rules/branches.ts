/** Branches, and failures that lead elsewhere: both sides can be come to, and what follows holds on either. */
import { SIDES, type BranchDefinition } from '../definition.js';
import {
  type Condition,
  ExpressionError,
  holds,
  parseCondition,
  parseText,
  type Reference,
  referencesOf,
} from '../expression.js';
import type { Json } from '#formats/canonical-json';
import { InputError } from '#formats/errors';
import { suggestion } from '../suggestion.js';
import {
  conditionOn,
  leadingOnward,
  MAX_ONWARD,
  targetOf,
  type Way,
  waysThrough,
} from './projection.js';
import { checkCondition, named, typeOfReference, type TypeOf } from './references.js';
import { allReferences } from './structure.js';
import { actionOf, type PlacedStep, type Report, type Rules, type Survey } from './survey.js';

/** What people do with their hands, and would have to undo. */
const BY_HAND: readonly string[] = ['handover', 'seal', 'sign-off'];

/** All of it. */
export const branchRules: Rules = (survey, report) => {
  const ways = waysThrough(survey);
  for (const [name, branch] of Object.entries(survey.definition.branches)) {
    const on = survey.steps.filter(({ step }) => step.branch?.branch === name);
    const [first] = on;
    shape(survey, name, on, report);
    if (first === undefined) continue;
    for (const way of ways) {
      // Where the branch is passed over, nobody asks which side it takes.
      if (!way.survey.steps.some(({ step }) => step.branch?.branch === name)) continue;
      const at = { ...first, step: withoutEach(first.step) };
      checkCondition(
        way.survey,
        at,
        conditionOn(way, branch.when),
        `branches.${name}.when`,
        report,
      );
    }
    bothReachable(survey, first, name, branch, report);
    joins(survey, ways, name, branch, on, report);
  }
  for (const { act, actIndex } of survey.steps)
    if (act.branch !== undefined)
      known(survey, act.branch.branch, `acts[${actIndex}].branch`, report);
  for (const placed of survey.steps) {
    const { branch } = placed.step;
    if (branch !== undefined && placed.act.branch === undefined)
      known(survey, branch.branch, `${placed.path}.branch`, report);
    if (placed.step.elsewhere !== undefined) leadsElsewhere(survey, placed, report);
  }
  for (const { path } of leadingOnward(survey).slice(MAX_ONWARD))
    report('failure-target', `${path}.on-failure`, `more than ${MAX_ONWARD} failures lead onward`);
};

function known({ definition }: Survey, branch: string, path: string, report: Report): void {
  const names = Object.keys(definition.branches);
  if (names.includes(branch)) return;
  report('branch-unknown', path, `there is no branch "${branch}"${suggestion(branch, names)}`);
}

function withoutEach<T extends PlacedStep['step']>(step: T): T {
  return Object.fromEntries(Object.entries(step).filter(([key]) => key !== 'each')) as T;
}

/** Both sides have steps; one side stands together, then the other, and nothing between. */
function shape({ steps }: Survey, name: string, on: readonly PlacedStep[], report: Report): void {
  for (const side of SIDES) {
    if (!on.some(({ step }) => step.branch?.side === side))
      report('branch-empty', `branches.${name}.summary`, `no step lies on the side "${side}"`);
  }
  let turns = 0;
  for (const [i, { step, path, order, act }] of on.entries()) {
    const before = on[i - 1];
    if (before === undefined) continue;
    if (before.step.branch?.side !== step.branch?.side) turns++;
    const between = steps[before.order + 1];
    if (before.order + 1 === order && turns < 2) continue;
    report(
      'branch-apart',
      act.branch === undefined ? `${path}.branch` : `${path}.id`,
      turns < 2
        ? `${between?.step.id ?? ''} stands inside the branch ${name} and lies on none of its sides`
        : `the side "${step.branch?.side ?? ''}" of the branch ${name} begins anew`,
    );
    return;
  }
}

/** Where the values are known that decide, each side is taken for some of them. */
function bothReachable(
  survey: Survey,
  first: PlacedStep,
  name: string,
  { when }: BranchDefinition,
  report: Report,
): void {
  let condition: Condition;
  try {
    condition = parseCondition(when);
  } catch (error) {
    if (error instanceof ExpressionError) return;
    throw error;
  }
  const references = new Map(referencesOf(condition).map((it) => [it.text, it] as const));
  let cases: ReadonlyMap<string, Json>[] = [new Map()];
  for (const [text, reference] of references) {
    const values = valuesOf(survey, first, reference);
    if (values === undefined || cases.length * values.length > 4096) return;
    cases = cases.flatMap((it) => values.map((value) => new Map(it).set(text, value)));
  }
  const sides = new Set<boolean>();
  try {
    for (const it of cases) sides.add(holds(condition, ({ text }) => it.get(text)));
  } catch (error) {
    // Of other types than a condition can have: that is said elsewhere.
    if (error instanceof InputError) return;
    throw error;
  }
  if (references.size === 0 || sides.size !== 1) return;
  report(
    'branch-unreachable',
    `branches.${name}.when`,
    `whatever is answered, the side "${sides.has(true) ? 'else' : 'then'}" is never taken`,
  );
}

/** All values that a reference can have, where they are few and known. */
function valuesOf(
  survey: Survey,
  first: PlacedStep,
  reference: Reference,
): readonly Json[] | undefined {
  const { definition } = survey;
  const [name = '', member = ''] = reference.names;
  if (reference.root === 'quorums') {
    const quorum = definition.quorums[name];
    const value = member === 'shares' ? quorum?.shares : quorum?.threshold;
    return value === undefined ? undefined : [value];
  }
  if (reference.root === 'roles') {
    const count = definition.roles[name]?.count;
    return count === undefined ? undefined : [count];
  }
  if (reference.root !== 'parameters' && reference.root !== 'steps') return undefined;
  const type = typeOfReference(survey, first, reference, '', () => undefined);
  if (type?.repeat !== false) return undefined;
  return type.type === 'boolean' ? [true, false] : type.choices;
}

/** What a branch gives is of one type on both sides, was made on that side or before, and is used behind the branch. */
function joins(
  survey: Survey,
  ways: readonly Way[],
  name: string,
  { gives }: BranchDefinition,
  on: readonly PlacedStep[],
  report: Report,
): void {
  const last = on.at(-1) as PlacedStep;
  const behind = { ...last, step: withoutWhen(withoutEach(last.step)), order: last.order + 0.5 };
  for (const [output, sides] of Object.entries(gives)) {
    const at = `branches.${name}.gives.${output}`;
    const types = SIDES.map((side) => {
      const [part] = parseText(sides[side]);
      if (part === undefined || !('reference' in part)) return undefined;
      return ways
        .filter((way) => way.sides.get(name) === side && way.failing === undefined)
        .map((way) => typeOfReference(way.survey, behind, part.reference, `${at}.${side}`, report))
        .at(-1);
    }) as [TypeOf | undefined, TypeOf | undefined];
    const [one, other] = types;
    if (
      one !== undefined &&
      other !== undefined &&
      (one.type !== other.type || one.repeat !== other.repeat)
    )
      report('branch-join', `${at}.else`, `it is ${named(other)}, and "then" gives ${named(one)}`);
    const users = survey.steps.filter((placed) =>
      allReferences(placed).some(
        ({ root, names }) => root === 'branches' && names[0] === name && names[1] === output,
      ),
    );
    if (users.length === 0 && !isAsked(survey, name, output))
      report('unused', at, `what the branch ${name} gives as ${output} is never used`);
    for (const { order, path, step } of users) {
      if (order <= last.order)
        report(
          'reference-later',
          `${path}.id`,
          `${step.id} uses what the branch ${name} gives before it is over`,
        );
    }
  }
}

/** Whether the condition of another branch asks for what a branch gives. */
function isAsked({ definition }: Survey, name: string, output: string): boolean {
  return Object.values(definition.branches).some(({ when }) =>
    new RegExp(`\\bbranches\\.${name}\\.${output}\\b`).test(when),
  );
}

function withoutWhen<T extends PlacedStep['step']>(step: T): T {
  return Object.fromEntries(Object.entries(step).filter(([key]) => key !== 'when')) as T;
}

/** A failure leads to a step that is there, on the same way, and going back undoes nothing that cannot be done once more. */
function leadsElsewhere(survey: Survey, placed: PlacedStep, report: Report): void {
  const { step, path, order } = placed;
  const { kind, name } = step.elsewhere as NonNullable<typeof step.elsewhere>;
  const refuse = (problem: string): void => {
    report('failure-target', `${path}.on-failure`, problem);
  };
  const target = targetOf(survey, placed);
  if (target === undefined) {
    const ids = survey.steps.map((it) => (kind === 'act' ? it.act.id : it.step.id));
    refuse(`there is no ${kind} "${name}"${suggestion(name, ids)}`);
    return;
  }
  if (target.order === order) {
    refuse('it leads to itself; "on-failure: retry" says that');
    return;
  }
  const { branch } = target.step;
  if (
    branch !== undefined &&
    (branch.branch !== step.branch?.branch || branch.side !== step.branch.side)
  ) {
    refuse(`${target.step.id} lies on a branch; lead to where it begins, or behind it`);
    return;
  }
  if (target.order > order) return;
  const harmed = survey.steps.find(
    (it) => it.order >= target.order && it.order <= order && cannotBeUndone(survey, it),
  );
  if (harmed !== undefined)
    report(
      'failure-back',
      `${path}.on-failure`,
      `going back to ${target.step.id} would undo ${harmed.step.id}, which cannot be done once more`,
    );
}

function cannotBeUndone(survey: Survey, placed: PlacedStep): boolean {
  const { step } = placed;
  if (step.kind === 'human') return BY_HAND.includes(step.human);
  return step.effect === 'irreversible' || actionOf(survey, placed)?.secrecy !== undefined;
}
