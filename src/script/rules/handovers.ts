/**
 * What leaves in a container: people name the recipient over a second channel, the container is handed on, on the record, with
 * what lets it be trusted, and what is asked of the far side is about this container and no other.
 */
import type { Expression } from '../definition.js';
import { isWitnessRole } from '../people.js';
import { inputOf } from './actions.js';
import { type PlacedStep, type Report, type Rules, soleReference, type Survey } from './survey.js';

const WRAP = 'wrap';
const CHALLENGE = 'handover.challenge';
const CHECK = 'handover.verify';

/** All containers and what is asked about them. */
export const handoverRules: Rules = (survey, report) => {
  for (const placed of survey.steps) {
    if (placed.step.kind !== 'action') continue;
    if (placed.step.uses === WRAP) {
      if (survey.definition.classification === 'dev') continue;
      recipientIsExpected(survey, placed, report);
      containerIsHanded(survey, placed, report);
    }
    if (placed.step.uses === CHALLENGE) challengeMatches(survey, placed, report);
    if (placed.step.uses === CHECK) answerMatches(survey, placed, report);
  }
};

/** A recipient's key comes on a medium that anybody may have had: its digest is in the script, or two roles typed it. */
function recipientIsExpected(survey: Survey, wrapping: PlacedStep, report: Report): void {
  const expected = inputOf(wrapping, 'expect-to');
  const at = `${wrapping.path}.${expected === undefined ? 'uses' : 'with.expect-to'}`;
  const items: readonly (Expression | undefined)[] = Array.isArray(expected)
    ? (expected as readonly Expression[])
    : [expected];
  const typedBy = new Set<string>();
  for (const item of items) {
    const asked = /^steps\.([a-z0-9-]+)\.answer$/.exec(soleReference(item) ?? '')?.[1];
    const by = asked === undefined ? undefined : survey.byId.get(asked)?.step.by;
    if (by !== undefined) typedBy.add(by);
    else if (typeof item === 'string' && item.includes('${{'))
      report('recipient-unexpected', at, `${item} is nothing that somebody was asked for`);
  }
  const isWritten = items.some((item) => typeof item === 'string' && !item.includes('${{'));
  if (typedBy.size < 2 && !isWritten) {
    report(
      'recipient-unexpected',
      at,
      'two roles must each be asked for the digest of the recipient, for "expect-to"',
    );
  }
}

/** A far side that is asked answers for what it got; any other needs the statement, and witnesses who know the container. */
function containerIsHanded(survey: Survey, wrapping: PlacedStep, report: Report): void {
  const output = (name: string): string => `steps.${wrapping.step.id}.${name}`;
  const at = `${wrapping.path}.uses`;
  const challenges = survey.steps.filter(
    (placed) =>
      placed.step.kind === 'action' &&
      placed.step.uses === CHALLENGE &&
      soleReference(inputOf(placed, 'container')) === output('out'),
  );
  const handed = [
    output('out'),
    ...(challenges.length === 0
      ? [output('statement')]
      : challenges.map(({ step }) => `steps.${step.id}.out`)),
  ];
  for (const reference of handed) {
    if (!humanStepWith(survey, wrapping, 'handover', reference))
      report('container-handover', at, `no step hands over \${{ ${reference} }}`);
  }
  if (challenges.length > 0) return;
  if (!humanStepWith(survey, wrapping, 'read-back', output('digest')))
    report('container-read-back', at, `no witness reads back \${{ ${output('digest')} }}`);
}

function humanStepWith(
  survey: Survey,
  after: PlacedStep,
  human: 'handover' | 'read-back',
  reference: string,
): boolean {
  return survey.steps.some(
    ({ step, order }) =>
      order > after.order &&
      step.kind === 'human' &&
      step.human === human &&
      (human === 'handover' || isWitnessRole(step.by)) &&
      soleReference(step.value) === reference,
  );
}

/** A challenge is about one container, by the statement that was made with it, and about the key inside. */
function challengeMatches(survey: Survey, challenge: PlacedStep, report: Report): void {
  const wrapping = maker(survey, inputOf(challenge, 'container'), 'out', WRAP);
  if (wrapping === undefined) {
    report(
      'handover-mismatch',
      `${challenge.path}.with.container`,
      `it is not the "out" of a step that uses ${WRAP}`,
    );
    return;
  }
  const statement = `steps.${wrapping.step.id}.statement`;
  if (soleReference(inputOf(challenge, 'statement')) !== statement)
    report(
      'handover-mismatch',
      `${challenge.path}.with.statement`,
      `the statement about this container is \${{ ${statement} }}`,
    );
  sameKey(wrapping, challenge, report);
}

/** An answer is checked against a challenge of this ceremony, for the key that it was made for. */
function answerMatches(survey: Survey, check: PlacedStep, report: Report): void {
  const challenge = maker(survey, inputOf(check, 'challenge'), 'out', CHALLENGE);
  if (challenge === undefined) {
    report(
      'handover-mismatch',
      `${check.path}.with.challenge`,
      `it is not the "out" of a step that uses ${CHALLENGE}`,
    );
    return;
  }
  sameKey(challenge, check, report);
}

function sameKey(made: PlacedStep, user: PlacedStep, report: Report): void {
  const key = soleReference(inputOf(made, 'key'));
  if (soleReference(inputOf(user, 'key')) !== key)
    report(
      'handover-mismatch',
      `${user.path}.with.key`,
      `${made.step.id} was about another key: \${{ ${String(key)} }}`,
    );
}

/** The step that made what an expression refers to, when it uses that action and it is that output. */
function maker(
  survey: Survey,
  expression: Expression | undefined,
  output: string,
  uses: string,
): PlacedStep | undefined {
  const [, id = '', name] =
    /^steps\.([a-z0-9-]+)\.([a-z0-9-]+)$/.exec(soleReference(expression) ?? '') ?? [];
  const found = survey.byId.get(id);
  return found?.step.kind === 'action' && found.step.uses === uses && name === output
    ? found
    : undefined;
}
