/** What is due afterwards: each duty lies on a way that exists, and tells only what was found on every session that owes it. */
import type { Duty } from '../definition.js';
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
  }
};

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
