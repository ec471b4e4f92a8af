/**
 * A set of shares that people bring and that is changed: the new shares go to the role of a quorum, are opened once more from
 * their files, are handed over, and a witness reads back the root by which the new set is known.
 */
import { isWitnessRole } from '../people.js';
import { inputOf } from './actions.js';
import { handedOver } from './shares.js';
import { actionOf, type PlacedStep, type Report, type Rules, soleReference } from './survey.js';

/** The action that opens each share from its file. */
const CHECK = 'share.check';

/** All steps that protect something and are given no key. */
export const changeRules: Rules = (survey, report) => {
  for (const changed of survey.steps) {
    const action = actionOf(survey, changed);
    if (action?.secrecy !== 'protects') continue;
    if (Object.values(action.inputs).some(({ type }) => type === 'key')) continue;
    if (!Object.values(action.inputs).some(({ type }) => type === 'share-set')) continue;
    const role = inputOf(changed, 'custodians');
    const quorums = Object.values(survey.definition.quorums);
    if (!quorums.some((quorum) => quorum.of === role)) {
      report(
        'change-quorum',
        `${changed.path}.with.custodians`,
        'the new shares must go to the role of a quorum',
      );
    }
    isOpenedOnceMore(survey.steps, changed, report);
    rootIsReadBack(survey.steps, changed, report);
    handedOver(survey, changed, report);
  }
};

function isOpenedOnceMore(steps: readonly PlacedStep[], changed: PlacedStep, report: Report): void {
  const made = `steps.${changed.step.id}`;
  const found = steps.find(
    ({ step, order }) => step.kind === 'action' && step.uses === CHECK && order > changed.order,
  );
  const fits =
    found !== undefined &&
    soleReference(inputOf(found, 'set')) === `${made}.set` &&
    soleReference(inputOf(found, 'shares')) === `${made}.shares` &&
    inputOf(found, 'custodians') === inputOf(changed, 'custodians');
  if (fits) return;
  report(
    'change-unchecked',
    found === undefined ? `${changed.path}.uses` : `${found.path}.uses`,
    `before the old ones are given up, ${CHECK} must open the new shares of ${changed.step.id} with their custodians`,
  );
}

function rootIsReadBack(steps: readonly PlacedStep[], changed: PlacedStep, report: Report): void {
  const found = steps.some(
    ({ step, order }) =>
      step.kind === 'human' &&
      step.human === 'read-back' &&
      order > changed.order &&
      isWitnessRole(step.by) &&
      soleReference(step.value) === `steps.${changed.step.id}.root`,
  );
  if (found) return;
  report(
    'change-read-back',
    `${changed.path}.uses`,
    `no witness reads back \${{ steps.${changed.step.id}.root }}`,
  );
}
