/**
 * What goes out or comes in by QR code: it has a place, people compare its digest with the other side, and no secret is shown.
 */
import { isWitnessRole } from '../people.js';
import { inputOf } from './actions.js';
import { type PlacedStep, type Report, type Rules, soleReference, type Survey } from './survey.js';

/** Shows a file of the session as codes. */
export const SHOW_CODE = 'qr.show';
const SCAN = 'qr.scan';
const SHOW_TRACE = 'trace.show';

/** What may be shown that cannot be told from a secret: bare signatures are as long as keys. */
const MAY_BE_SHOWN = 'unknown';

/** Output that is the digest, and input that must be there though the command does without it. */
const SIDES = {
  [SHOW_CODE]: { digest: 'sha256', needs: 'file' },
  [SCAN]: { digest: 'digest', needs: 'out' },
} as const;

/** All steps with codes. */
export const codeRules: Rules = (survey, report) => {
  for (const placed of survey.steps) {
    const { step, path } = placed;
    if (step.kind !== 'action' || !(step.uses === SHOW_CODE || step.uses === SCAN)) continue;
    const { digest, needs } = SIDES[step.uses];
    if (inputOf(placed, needs) === undefined)
      report('input-missing', `${path}.uses`, `${step.uses} needs "${needs}" in a ceremony`);
    if (step.uses === SHOW_CODE) nothingSecret(placed, report);
    if (survey.definition.classification === 'production')
      isReadBack(survey, placed, `steps.${step.id}.${digest}`, report);
  }
};

function nothingSecret(placed: PlacedStep, report: Report): void {
  const reveal = inputOf(placed, 'reveal');
  for (const item of Array.isArray(reveal) ? (reveal as readonly unknown[]) : [reveal]) {
    if (item === undefined || item === MAY_BE_SHOWN) continue;
    report(
      'code-secret',
      `${placed.path}.with.reveal`,
      `whoever films the screen has what it shows: in a ceremony only "${MAY_BE_SHOWN}" can be revealed`,
    );
  }
}

/** A code says of itself that it is whole, not whose it is: a witness compares the digest with the other side. */
function isReadBack(survey: Survey, placed: PlacedStep, digest: string, report: Report): void {
  // Who shows what came in tells the same digest again.
  const alike = survey.steps.flatMap((it) =>
    it.step.kind === 'action' &&
    it.step.uses === SHOW_TRACE &&
    soleReference(inputOf(it, 'file')) === `steps.${placed.step.id}.file`
      ? [`steps.${it.step.id}.digest`]
      : [],
  );
  const found = survey.steps.some(
    ({ step, order }) =>
      order > placed.order &&
      step.kind === 'human' &&
      step.human === 'read-back' &&
      isWitnessRole(step.by) &&
      step.when === placed.step.when &&
      [digest, ...alike].includes(soleReference(step.value) ?? ''),
  );
  if (found) return;
  report('code-unread', `${placed.path}.uses`, `no witness reads back \${{ ${digest} }}`);
}
