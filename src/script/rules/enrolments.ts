/** People who get their identities on the way: each of a role, once, before anything rests on them, and as well known as is asked. */
import type { ActionStep, RoleDefinition } from '../definition.js';
import { enrolledRoles, mayVouch, NEW_IDENTITY, roleEnrolledBy } from '../enrolment.js';
import { kebabCase } from '../names.js';
import { reaches } from '../people.js';
import {
  actionOf,
  type PlacedStep,
  type Report,
  type Rules,
  soleReference,
  type Survey,
} from './survey.js';

/** All enrolments. */
export const enrolmentRules: Rules = (survey, report) => {
  for (const placed of survey.steps) {
    const { step } = placed;
    if (step.kind === 'action' && step.uses === NEW_IDENTITY) shape(survey, placed, step, report);
  }
  for (const role of enrolledRoles(survey.definition)) {
    if (Object.hasOwn(survey.definition.roles, role)) once(survey, role, report);
  }
};

/** One step that enrols. */
function shape(survey: Survey, { path }: PlacedStep, step: ActionStep, report: Report): void {
  const role = step.each;
  const refuse = (at: string, problem: string): void => {
    report('identity-enrol', `${path}.${at}`, problem);
  };
  if (role === undefined) {
    refuse('uses', 'an identity is made for each of a role: "each:", by themselves');
    return;
  }
  if (step.by !== role)
    refuse('by', `an identity is its owner's: "by: ${role}" and "each: ${role}"`);
  if (soleReference(step.with['name']) !== 'each.name')
    refuse('with.name', 'the identity has the name of the person: ${{ each.name }}');
  if (step.when !== undefined)
    refuse('when', `whoever is skipped takes part as ${role} without an identity`);
  if (step.onFailure === 'deviate')
    refuse('on-failure', `whoever is left out takes part as ${role} without an identity`);
  const file = step.with['publicOut'];
  if (typeof file === 'string' && !/\$\{\{\s*each\.number\s*\}\}/.test(file))
    refuse(
      'with.public-out',
      'each has a public file of their own: put ${{ each.number }} into its name',
    );
  const rule = survey.definition.roles[role];
  if (rule === undefined) return;
  if (mayVouch(role))
    refuse(
      'each',
      `each ${role} signs what happens from the first step on, and vouches for others: their identities are made before`,
    );
  if (rule.identity !== 'required')
    report(
      'identity-enrol',
      `roles.${role}.identity`,
      `${step.id} gives each ${role} an identity: "identity: required"`,
    );
  comparison(survey, path, step, rule, report);
}

/** Who compares can vouch, and is known well enough for the level that is asked for. */
function comparison(
  { definition }: Survey,
  path: string,
  step: ActionStep,
  { level = 'tofu' }: RoleDefinition,
  report: Report,
): void {
  const by = step.with['comparedBy'];
  if (by === undefined) {
    if (level !== 'tofu')
      report(
        'identity-level',
        `${path}.uses`,
        `nobody compares the identities, and the role requires ${level}: "compared-by:"`,
      );
    return;
  }
  const at = `${path}.with.compared-by`;
  const voucher = typeof by === 'string' ? definition.roles[by] : undefined;
  // A role that does not exist is found where inputs are.
  if (typeof by !== 'string' || voucher === undefined) return;
  if (!mayVouch(by) || voucher.identity !== 'required') {
    report(
      'identity-level',
      at,
      `who compares vouches by a signature: administrator or witness, with "identity: required"`,
    );
  } else if (!reaches(voucher.level ?? 'tofu', level)) {
    report(
      'identity-level',
      at,
      `nobody is better known than whoever compared them: ${level} needs "level: ${level}" of the role ${by}`,
    );
  }
}

/** On every way each of the role is enrolled once, before their identity is of use, and signs by it in the end. */
function once(survey: Survey, role: string, report: Report): void {
  const steps = survey.steps.filter(({ step }) => roleEnrolledBy(step) === role);
  const [first, second] = steps;
  if (first === undefined) {
    report(
      'identity-enrol',
      `roles.${role}`,
      `on one way through this script no ${role} gets an identity`,
    );
    return;
  }
  if (second !== undefined)
    report('identity-enrol', `${second.path}.each`, `each ${role} was enrolled before`);
  for (const placed of survey.steps) {
    const at = placed.order < first.order ? usesOf(survey, placed, role) : undefined;
    if (at !== undefined)
      report(
        'identity-late',
        `${placed.path}.${at}`,
        `each ${role} has an identity only after ${first.step.id}`,
      );
  }
  const signs = survey.steps.some(
    ({ step, order }) =>
      order > first.order &&
      step.kind === 'human' &&
      step.human === 'sign-off' &&
      step.each === role,
  );
  if (!signs)
    report(
      'identity-enrol',
      `${first.path}.each`,
      `each ${role} signs off in the end: who has an identity signs the record by it`,
    );
}

/** Where a step needs what the holders of a role are only given later. */
function usesOf(survey: Survey, placed: PlacedStep, role: string): string | undefined {
  const { step } = placed;
  if (step.needs !== undefined && survey.definition.quorums[step.needs]?.of === role)
    return 'needs';
  if (step.kind === 'human')
    return step.human === 'sign-off' && step.each === role ? 'each' : undefined;
  if (step.each === role) return 'each';
  const inputs = actionOf(survey, placed)?.inputs ?? {};
  const input = Object.entries(step.with).find(
    ([name, value]) => inputs[name]?.type === 'role' && value === role,
  );
  return input === undefined ? undefined : `with.${kebabCase(input[0])}`;
}
