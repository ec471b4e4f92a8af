/**
 * What is due afterwards: each duty lies on a way that exists, and tells only what was found in every session that owes it. What
 * one person said counts where the witnesses heard it.
 */
import type { Duty, OnSide, Step } from '../definition.js';
import { isWitnessRole } from '../people.js';
import { suggestion } from '../suggestion.js';
import { type Way, waysThrough, textOn } from './projection.js';
import { typeOfExpression } from './references.js';
import type { PlacedStep, Report, Rules, Survey } from './survey.js';

/** All duties. */
export const dutyRules: Rules = (survey, report) => {
  const ways = waysThrough(survey);
  for (const [i, duty] of survey.definition.after.entries()) {
    const path = `after[${i}]`;
    if (!isOnAWay(survey, duty, path, report)) continue;
    for (const way of ways) if (owes(way, duty)) tells(way, duty, `${path}.duty`, report);
    answersAreHeard(
      survey,
      { text: duty.duty, order: Infinity, on: duty.branch },
      `${path}.duty`,
      'duty-unheard',
      report,
    );
  }
  for (const [name, { when }] of Object.entries(survey.definition.branches)) {
    const first = survey.steps.find(({ step }) => step.branch?.branch === name);
    if (first === undefined) continue;
    answersAreHeard(
      survey,
      { text: when, order: first.order },
      `branches.${name}.when`,
      'branch-unheard',
      report,
    );
  }
};

/** Where an answer counts: in what text, before which step, and on which way, if on one alone. */
interface Counting {
  readonly text: string;
  readonly order: number;
  readonly on?: OnSide | undefined;
}

/** In production, nobody's word alone leads a ceremony or becomes a debt: each witness confirms it, by a step before `order`. */
function answersAreHeard(
  { definition, steps, byId }: Survey,
  { text, order, on }: Counting,
  path: string,
  rule: string,
  report: Report,
): void {
  if (definition.classification !== 'production') return;
  for (const [reference, id = ''] of text.matchAll(/\bsteps\.([a-z0-9-]+)\.answer\b/g)) {
    const asked = byId.get(id)?.step;
    if (asked?.kind !== 'human' || asked.human !== 'ask') continue;
    const confirmed = steps.filter(
      ({ step, order: at }) =>
        at < order &&
        step.kind === 'human' &&
        step.human === 'confirm' &&
        isWitnessRole(step.by) &&
        step.each === step.by &&
        isSurelyHeard(step, asked, on),
    );
    const told = new RegExp(`\\b${reference.replaceAll('.', '\\.')}(?![a-z0-9.-])`);
    if (confirmed.some(({ step }) => told.test(step.say ?? ''))) continue;
    const problem = `no witness confirms what was answered at "${id}"`;
    // Where they confirm something else after it, there it is missing.
    const near = confirmed.find((it) => it.order > (byId.get(id)?.order ?? Infinity));
    const offset = near?.step.say?.indexOf('${{') ?? -1;
    if (near === undefined || offset < 0) report(rule, path, problem);
    else report(rule, `${near.path}.say`, problem, offset);
  }
}

/** Whether a step is done wherever the answer is given and counts: on no condition or way of its own. */
function isSurelyHeard(step: Step, asked: Step, on: OnSide | undefined): boolean {
  const { when, branch } = step;
  if (when !== undefined && when !== asked.when) return false;
  if (branch === undefined) return true;
  return [asked.branch, on].some((it) => it?.branch === branch.branch && it.side === branch.side);
}

function isOnAWay({ definition }: Survey, { branch }: Duty, path: string, report: Report): boolean {
  const names = Object.keys(definition.branches);
  if (branch === undefined || names.includes(branch.branch)) return true;
  const problem = `there is no branch "${branch.branch}"${suggestion(branch.branch, names)}`;
  report('branch-unknown', `${path}.branch`, problem);
  return false;
}

/** Whether a session that goes this way owes it. Where the branch is passed over no side is taken. */
function owes({ survey, sides }: Way, { branch }: Duty): boolean {
  if (branch === undefined) return true;
  if (sides.get(branch.branch) !== branch.side) return false;
  return survey.steps.some(({ step }) => step.branch?.branch === branch.branch);
}

/** What a duty says is text, and every reference in it is to what this way surely leaves. */
function tells(way: Way, { duty }: Duty, path: string, report: Report): void {
  const { survey } = way;
  const last = survey.steps.at(-1);
  if (last === undefined) return;
  const type = typeOfExpression(survey, behind(last), textOn(way, duty), path, report);
  if (type?.repeat === true)
    report('reference-type', path, 'it is a list, and a duty is one line of text');
}

/** A place behind the last step, in which nobody in particular acts. */
function behind(last: PlacedStep): PlacedStep {
  const step = Object.fromEntries(
    Object.entries(last.step).filter(([key]) => key !== 'each' && key !== 'when'),
  ) as unknown as PlacedStep['step'];
  return { ...last, step, order: last.order + 1 };
}
