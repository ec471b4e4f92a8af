/**
 * The shares of a key that was split: what is handed over is read back, from the paper or from the medium, by each for whom it was
 * made, and a witness reads back the root by which the set is known, while the original is still there.
 */
import type { Expression } from '../definition.js';
import { isWitnessRole } from '../people.js';
import { inputOf } from './actions.js';
import { actionOf, type PlacedStep, type Report, soleReference, type Survey } from './survey.js';

/** The actions that put shares on paper, and read them back from it or from a medium. */
const PRINT = 'share.print';
const READ_BACK = 'share.read-back';

/** A split: what it made, for whom, and the step that destroys what was split. */
interface Dealt {
  readonly split: PlacedStep;
  readonly destroyer: PlacedStep;
  /** Its shares, as a reference. */
  readonly own: string;
  /** The role that the shares were made for. */
  readonly holder: Expression | undefined;
}

/** What is handed over is read back before `destroyer`, and so is the root of the set. */
export function sharesAreReadBack(
  survey: Survey,
  split: PlacedStep,
  destroyer: PlacedStep,
  report: Report,
): void {
  const role = roleInputOf(survey, split);
  const own = `steps.${split.step.id}.shares`;
  const holder = role === undefined ? undefined : inputOf(split, role);
  const dealt: Dealt = { split, destroyer, own, holder };
  const prints = survey.steps.filter(({ step }) => step.kind === 'action' && step.uses === PRINT);
  for (const print of prints) printFits(print, dealt, report);
  if (prints.length > 0) {
    for (const print of prints) isReadBackAfter(survey, print, dealt, 'paper', report);
    rootIsReadBackAfter(survey, prints, dealt, report);
  } else if (survey.definition.classification === 'production') {
    const handovers = handoversOf(survey, own);
    for (const handover of handovers) isReadBackAfter(survey, handover, dealt, 'medium', report);
    rootIsReadBackAfter(survey, handovers, dealt, report);
  }
}

function printFits(print: PlacedStep, { own, holder }: Dealt, report: Report): void {
  if (soleReference(inputOf(print, 'shares')) !== own) {
    report('share-read-back', `${print.path}.with.shares`, `they are not \${{ ${own} }}`);
  }
  if (holder !== undefined && inputOf(print, 'custodians') !== holder) {
    report(
      'share-read-back',
      `${print.path}.with.custodians`,
      `the shares were made for each ${String(holder)}`,
    );
  }
}

/** What was printed, or handed over as a file, is read back by each for whom it was made. */
function isReadBackAfter(
  survey: Survey,
  given: PlacedStep,
  { own, holder, destroyer }: Dealt,
  from: 'paper' | 'medium',
  report: Report,
): void {
  const found = survey.steps.some(
    (placed) =>
      placed.step.kind === 'action' &&
      placed.step.uses === READ_BACK &&
      soleReference(inputOf(placed, 'shares')) === `${own}.each` &&
      placed.step.by === holder &&
      placed.step.each === holder &&
      placed.step.when === given.step.when &&
      placed.step.onFailure !== 'deviate' &&
      placed.order > given.order &&
      placed.order < destroyer.order,
  );
  if (found) return;
  report(
    'share-read-back',
    `${given.path}.${given.step.kind === 'action' ? 'uses' : 'do'}`,
    `no later step reads back \${{ ${own}.each }} from the ${from}, for each ${String(holder)}, before ${destroyer.step.id}`,
  );
}

/** In production a witness reads back the root once it stands on what the custodians get. */
function rootIsReadBackAfter(
  survey: Survey,
  given: readonly PlacedStep[],
  { split, destroyer }: Dealt,
  report: Report,
): void {
  if (survey.definition.classification !== 'production') return;
  const last = Math.max(split.order, ...given.map(({ order }) => order));
  const root = `steps.${split.step.id}.root`;
  const found = survey.steps.some(
    ({ step, order }) =>
      step.kind === 'human' &&
      step.human === 'read-back' &&
      isWitnessRole(step.by) &&
      soleReference(step.value) === root &&
      step.when === split.step.when &&
      step.onFailure !== 'deviate' &&
      order > last &&
      order < destroyer.order,
  );
  if (found) return;
  report(
    'root-read-back',
    `${split.path}.uses`,
    `no witness reads back \${{ ${root} }} from what the custodians get, before ${destroyer.step.id}`,
  );
}

/** In production the shares are handed, on the record, to those for whom they were made. */
export function handedOver(survey: Survey, protector: PlacedStep, report: Report): void {
  if (survey.definition.classification !== 'production') return;
  const action = actionOf(survey, protector);
  const shares = Object.entries(action?.outputs ?? {}).find(([, field]) => field.type === 'shares');
  if (action === undefined || shares === undefined) return;
  const role = roleInputOf(survey, protector);
  const holder = role === undefined ? undefined : inputOf(protector, role);
  const reference = `steps.${protector.step.id}.${shares[0]}.each`;
  const handovers = handoversOf(survey, `steps.${protector.step.id}.${shares[0]}`);
  if (handovers.length === 0) {
    report('share-handover', `${protector.path}.uses`, `no step hands over \${{ ${reference} }}`);
  }
  for (const handover of handovers) {
    if (holder !== undefined && handover.step.each !== holder)
      report(
        'share-handover',
        `${handover.path}.each`,
        `the shares were made for each ${String(holder)}`,
      );
  }
}

/** The steps that hand over the shares `own`. */
function handoversOf(survey: Survey, own: string): readonly PlacedStep[] {
  return survey.steps.filter(
    ({ step }) =>
      step.kind === 'human' &&
      step.human === 'handover' &&
      soleReference(step.value) === `${own}.each`,
  );
}

/** The input of a step that names the role for whose holders it works. */
function roleInputOf(survey: Survey, placed: PlacedStep): string | undefined {
  const inputs = Object.entries(actionOf(survey, placed)?.inputs ?? {});
  return inputs.find(([, field]) => field.type === 'role')?.[0];
}
