/** How a ceremony ends: every witness role and the administrator sign off, last of all, on every branch. */
import { ADMINISTRATOR, isWitnessRole } from '../people.js';
import type { Rules } from './survey.js';

/** The last act. */
export const closingRules: Rules = (survey, report) => {
  const lastAct = survey.definition.acts.length - 1;
  const closing = survey.steps.filter(
    ({ step }) => step.kind === 'human' && step.human === 'sign-off',
  );
  const [first] = closing;
  const signing = [
    ...new Set([ADMINISTRATOR, ...Object.keys(survey.definition.roles).filter(isWitnessRole)]),
  ].filter((role) => Object.hasOwn(survey.definition.roles, role));
  for (const role of signing) {
    const found = closing.some(
      ({ step, actIndex }) => actIndex === lastAct && step.by === role && step.when === undefined,
    );
    if (!found) {
      report(
        'sign-off-missing',
        `acts[${lastAct}].id`,
        `the last act must end with a sign-off by each ${role.replaceAll('-', ' ')}`,
      );
    }
  }
  const seen = new Set<string>();
  for (const { step, actIndex, path } of closing) {
    if (actIndex !== lastAct)
      report('sign-off-early', `${path}.do`, 'people sign off at the end, in the last act');
    if (step.when !== undefined)
      report('sign-off-conditional', `${path}.when`, 'nobody signs off on a condition');
    if (step.onFailure !== 'abort')
      report('sign-off-conditional', `${path}.on-failure`, 'a sign-off cannot be left out');
    if (seen.has(step.by))
      report('sign-off-twice', `${path}.by`, `each ${step.by} signed off before`);
    seen.add(step.by);
  }
  for (const { step, path, order } of survey.steps) {
    if (first === undefined || order < first.order) continue;
    if (step.kind !== 'human' || step.human !== 'sign-off')
      report(
        'sign-off-early',
        `${path}.id`,
        'this step comes after a sign-off, which covers it not',
      );
  }
};
