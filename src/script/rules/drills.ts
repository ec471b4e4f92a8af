/**
 * Shares that people bring to be checked: each holder sits before the screen alone and is compared with a description of the set,
 * which the witnesses knew before.
 */
import { isWitnessRole } from '../people.js';
import { inputOf } from './actions.js';
import { type PlacedStep, type Report, type Rules, soleReference, type Survey } from './survey.js';

/** Checks shares from files, or, where it is given none, a card from whoever sits there. */
const CHECK = 'share.check';

/** Puts a quorum of shares together. */
const COMBINE = 'share.combine';

/** Says which set it is. */
const SET = 'share.set';

/** Says which threshold key it is. */
export const GROUP = 'threshold.group';

/** The choice by which somebody is said not to be there. */
const ABSENT = 'absent';

const SAID_BY_ANOTHER = 'who is absent cannot say so: let another answer';

/** All steps that check a card, and that say of which set. */
export const drillRules: Rules = (survey, report) => {
  for (const placed of survey.steps) {
    const { step, path } = placed;
    if (step.kind === 'human' && step.choices?.includes(ABSENT) === true && step.by === step.each)
      report('drill-absence', `${path}.by`, SAID_BY_ANOTHER);
    if (step.kind !== 'action') continue;
    if ((step.uses === SET || step.uses === GROUP) && step.each !== undefined)
      report('drill-each', `${path}.uses`, `${step.uses} looks at no share: it is done once`);
    if (step.uses === COMBINE) {
      setIsKnown(survey, placed, { input: 'set', rule: 'recovery-set' }, report);
      holdersAreAQuorum(survey, placed, report);
    }
    if (step.uses !== CHECK || inputOf(placed, 'shares') !== undefined) continue;
    if (step.each === undefined || step.each !== step.by) {
      report(
        'drill-each',
        step.each === undefined ? `${path}.uses` : `${path}.by`,
        'a card is asked for, and each holder gives theirs: "by:" and "each:" are that role',
      );
    }
    setIsKnown(survey, placed, { input: 'set', rule: 'drill-set' }, report);
    absenceIsSaidByAnother(survey, placed, report);
  }
};

/** Whose shares come together is what a quorum is of; in production it agrees before. */
function holdersAreAQuorum(
  { definition, steps }: Survey,
  placed: PlacedStep,
  report: Report,
): void {
  const role = inputOf(placed, 'custodians');
  const quorums = Object.entries(definition.quorums).filter(([, { of }]) => of === role);
  if (quorums.length === 0) {
    report(
      'recovery-quorum',
      role === undefined ? `${placed.path}.uses` : `${placed.path}.with.custodians`,
      'the shares must be those of the role of a quorum',
    );
    return;
  }
  if (definition.classification !== 'production') return;
  const agreed = steps.some(
    ({ step, order }) =>
      order <= placed.order &&
      step.when === undefined &&
      quorums.some(([name]) => step.needs === name),
  );
  if (agreed) return;
  report(
    'recovery-quorum',
    `${placed.path}.uses`,
    `no quorum of each ${String(role)} agrees before the shares are put together: "needs:"`,
  );
}

/** What tells people which set, or which threshold key, shares are of: the input that names it, and what they compare. */
const TELLERS = [
  { uses: SET, input: 'set', told: 'root' },
  { uses: GROUP, input: 'group', told: 'record' },
] as const;

/** The steps that tell people about a description of shares. */
export function tellingOf(
  survey: Survey,
  reference: string,
): readonly { readonly placed: PlacedStep; readonly uses: string; readonly told: string }[] {
  return survey.steps.flatMap((placed) =>
    TELLERS.filter(
      ({ uses, input }) =>
        placed.step.kind === 'action' &&
        placed.step.uses === uses &&
        soleReference(inputOf(placed, input)) === reference,
    ).map(({ uses, told }) => ({ placed, uses, told })),
  );
}

/** Which set it is the witnesses knew before shares are compared with it. */
export function setIsKnown(
  survey: Survey,
  check: PlacedStep,
  {
    input,
    rule,
  }: { readonly input: string; readonly rule: 'drill-set' | 'recovery-set' | 'trace-set' },
  report: Report,
): void {
  const set = soleReference(inputOf(check, input));
  if (set === undefined) {
    report(rule, `${check.path}.uses`, 'a card proves nothing without the set it is of');
    return;
  }
  const roots = tellingOf(survey, set).map(({ placed, told }) => `steps.${placed.step.id}.${told}`);
  const ofKey = tellingOf(survey, set).some(({ uses }) => uses === GROUP);
  const known = survey.steps.some(
    ({ step, order }) =>
      step.kind === 'human' &&
      step.human === 'read-back' &&
      isWitnessRole(step.by) &&
      order < check.order &&
      roots.includes(soleReference(step.value) ?? ''),
  );
  if (known) return;
  report(
    rule,
    `${check.path}.with.${input}`,
    ofKey
      ? `no witness reads back the record of this key, from ${GROUP}, before shares are compared with it`
      : `no witness reads back the root of this set, from ${SET}, before cards are compared with it`,
  );
}

/** A question on whose answer a check is left out is not answered by the one who is perhaps not there. */
function absenceIsSaidByAnother(survey: Survey, { step }: PlacedStep, report: Report): void {
  const condition = step.when ?? '';
  for (const asked of survey.steps) {
    if (asked.step.kind !== 'human' || asked.step.human !== 'ask') continue;
    if (!condition.includes(`steps.${asked.step.id}.answer`)) continue;
    if (asked.step.by === step.each) {
      report('drill-absence', `${asked.path}.by`, SAID_BY_ANOTHER);
    }
  }
}
