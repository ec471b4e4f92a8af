/** Human steps: each has what it needs, says who acts, and is done by those whose word counts. */
import { humanRules } from '../human.js';
import { ADMINISTRATOR, isWitnessRole } from '../people.js';
import { named, typeOfExpression } from './references.js';
import { type PlacedStep, type Report, type Rules, soleReference, type Survey } from './survey.js';

/** All human steps. */
export const humanStepRules: Rules = (survey, report) => {
  for (const placed of survey.steps) {
    if (placed.step.kind !== 'human') continue;
    shape(survey, placed, report);
    actor(placed, report);
  }
  if (survey.definition.classification === 'production') digestsReadBack(survey, report);
};

function shape(survey: Survey, placed: PlacedStep, report: Report): void {
  const { step, path } = placed;
  if (step.kind !== 'human') return;
  const rules = humanRules[step.human];
  if (rules.value.length === 0 && step.value !== undefined) {
    report('human-value', `${path}.value`, `a step that is "${step.human}" has no "value:"`);
  } else if (rules.value.length > 0 && step.value === undefined) {
    report('human-value', `${path}.do`, `a step that is "${step.human}" needs a "value:"`);
  } else if (step.value !== undefined) {
    const type = typeOfExpression(survey, placed, step.value, `${path}.value`, report);
    if (type !== undefined && soleReference(step.value) === undefined) {
      report('human-value', `${path}.value`, 'the value must be one reference');
    } else if (type !== undefined && !rules.value.includes(type.type)) {
      report(
        'human-value',
        `${path}.value`,
        `it is ${named(type)}, and "${step.human}" takes ${rules.value.join(', ')}`,
      );
    }
  }
  if (rules.mustSay && step.say === undefined)
    report(
      'human-say',
      `${path}.do`,
      `a step that is "${step.human}" says in "say:" what is affirmed`,
    );
  if (!rules.mustSay && step.human === 'pause' && step.say !== undefined)
    report('human-say', `${path}.do`, 'nothing is affirmed in a pause; use "do: confirm"');
  if ((step.human === 'ask') !== step.title.endsWith('?')) {
    report(
      'human-title',
      step.human === 'ask' ? `${path}.title` : `${path}.do`,
      step.human === 'ask'
        ? 'what is asked must be a question: the title ends in "?"'
        : 'the title is a question, and nothing is asked; use "do: ask"',
    );
  }
  if (rules.choices === 'refused' && step.choices !== undefined)
    report('human-choices', `${path}.choices`, `a step that is "${step.human}" has no choices`);
  if (step.choices !== undefined && new Set(step.choices).size < step.choices.length)
    report('human-choices', `${path}.choices`, 'two choices are the same');
  if (step.effect !== 'none')
    report(
      'effect-mismatch',
      `${path}.effect`,
      'what people do here can be asked again: effect none',
    );
}

function actor({ step, path }: PlacedStep, report: Report): void {
  if (step.kind !== 'human') return;
  const { each } = humanRules[step.human];
  if (each === 'required-own' && step.each !== step.by) {
    report(
      'human-each',
      step.each === undefined ? `${path}.do` : `${path}.each`,
      `"${step.human}" is done by each holder: "by: ${step.by}" and "each: ${step.by}"`,
    );
  } else if (each === 'required-other' && (step.each === undefined || step.each === step.by)) {
    report(
      'human-each',
      step.each === undefined ? `${path}.do` : `${path}.each`,
      `"${step.human}" goes from the role in "by:" to each holder of another role in "each:"`,
    );
  }
  if (step.human === 'read-back' && !isWitnessRole(step.by)) {
    report('read-back-by', `${path}.by`, 'what is on the screen is read back by a witness');
  }
  if (step.human === 'handover' && step.by !== ADMINISTRATOR) {
    report('handover-by', `${path}.by`, `a handover is made by the ${ADMINISTRATOR}`);
  }
  // The heading is what people follow: it must name whoever the program will ask.
  const named = [['by', step.by] as const, ['each', step.each ?? step.by] as const];
  for (const [key, role] of step.each === step.by ? named.slice(0, 1) : named) {
    const word = role.replaceAll('-', ' ');
    if (!step.title.toLowerCase().includes(word)) {
      report(
        'title-names-role',
        `${path}.${key}`,
        `the title does not say that the ${word} takes part`,
      );
    }
  }
}

/** Both digests are read back in the first act, before anything is made. */
function digestsReadBack(survey: Survey, report: Report): void {
  for (const name of ['session.definition-digest', 'session.execution-digest']) {
    const found = survey.steps.some(
      ({ step, actIndex }) =>
        actIndex === 0 &&
        step.kind === 'human' &&
        step.human === 'read-back' &&
        step.when === undefined &&
        soleReference(step.value) === name,
    );
    if (!found) {
      report(
        'digest-read-back',
        'acts[0].id',
        `a witness must read back \${{ ${name} }} in the first act`,
      );
    }
  }
}
