/**
 * Signing in a cage: people know what is asked for and of which set before shares are opened; the trace is verified here and on a
 * second device before the signature leaves; and the trace, which can carry anything, leaves sealed or not at all.
 */
import type { Expression } from '../definition.js';
import { ExpressionError, parseText } from '../expression.js';
import { isWitnessRole } from '../people.js';
import { inputOf } from './actions.js';
import { SHOW_CODE } from './codes.js';
import { GROUP, setIsKnown, tellingOf } from './drills.js';
import { type PlacedStep, type Report, type Rules, soleReference, type Survey } from './survey.js';

const PROVE = 'trace.prove';
const VERIFY = 'trace.verify';
const SHOW = 'trace.show';
const WRAP = 'wrap';

/** All signatures with a trace. */
export const traceRules: Rules = (survey, report) => {
  for (const proving of survey.steps) {
    if (!uses(proving, PROVE)) continue;
    quorumSigns(survey, proving, report);
    setIsKnown(survey, proving, { input: 'group', rule: 'trace-set' }, report);
    sharesComeIn(survey, proving, report);
    requestIsKnown(survey, proving, report);
    twinsAreCompared(survey, proving, report);
    const verified = isVerified(survey, proving, report);
    if (survey.definition.classification !== 'production') continue;
    const confirmed = isConfirmed(survey, proving, verified, report);
    signatureLeaves(survey, proving, confirmed, report);
    traceStaysSealed(survey, proving, report);
  }
};

/** Whose shares sign is what a quorum is of. */
function quorumSigns({ definition }: Survey, proving: PlacedStep, report: Report): void {
  const role = inputOf(proving, 'custodians');
  if (Object.values(definition.quorums).some(({ of }) => of === role)) return;
  report(
    'trace-quorum',
    role === undefined ? `${proving.path}.uses` : `${proving.path}.with.custodians`,
    'the shares must be those of the role of a quorum',
  );
}

/** Shares of a threshold key come as key files, in a folder that is for nothing else; cards of a set come to the keyboard. */
function sharesComeIn(survey: Survey, proving: PlacedStep, report: Report): void {
  const group = soleReference(inputOf(proving, 'group'));
  if (group === undefined) return;
  const keys = inputOf(proving, 'keys');
  const threshold = tellingOf(survey, group).some(({ uses }) => uses === GROUP);
  if (!threshold) {
    if (keys !== undefined) {
      report(
        'trace-keys',
        `${proving.path}.with.keys`,
        `only shares of a key that ${GROUP} told of come in key files`,
      );
    }
    return;
  }
  const folder = soleReference(keys);
  const own = folder?.startsWith('parameters.') === true;
  const shared = survey.steps.some(({ step }) =>
    step.kind === 'action'
      ? Object.entries(step.with).some(
          ([input, value]) =>
            soleReference(value) === folder && !(step === proving.step && input === 'keys'),
        )
      : false,
  );
  if (own && !shared) return;
  report(
    'trace-keys',
    `${proving.path}.${keys === undefined ? 'uses' : 'with.keys'}`,
    'key files come in a folder of their own: "keys" is a parameter that names it, and nothing else does',
  );
}

/** Where two laptops make the same files, somebody compares both: the signature, and the trace. */
function twinsAreCompared(survey: Survey, proving: PlacedStep, report: Report): void {
  const twin = inputOf(proving, 'twin');
  if (twin === undefined || twin === false) return;
  const digest = `steps.${proving.step.id}.trace-digest`;
  const condition = soleReference(twin);
  const compared = survey.steps.some(
    (it) =>
      it.order > proving.order &&
      it.step.onFailure !== 'deviate' &&
      (it.step.when === proving.step.when || it.step.when === condition) &&
      isReadBackOf(it, digest),
  );
  if (compared) return;
  report(
    'trace-twin',
    `${proving.path}.with.twin`,
    `no witness reads back \${{ ${digest} }}, to compare it with the other laptop's`,
  );
}

/** What is signed was shown, its digest read back by a witness and agreed to by the quorum whose shares are opened. */
function requestIsKnown(survey: Survey, proving: PlacedStep, report: Report): void {
  const request = soleReference(inputOf(proving, 'request'));
  const approve = inputOf(proving, 'approve');
  const at = `${proving.path}.${approve === undefined ? 'uses' : 'with.approve'}`;
  const [, id = ''] = /^steps\.([a-z0-9-]+)\.digest$/.exec(soleReference(approve) ?? '') ?? [];
  const showing = survey.byId.get(id);
  if (showing === undefined || !uses(showing, SHOW)) {
    report('trace-unapproved', at, `"approve" must be the digest of a step that uses ${SHOW}`);
    return;
  }
  if (request === undefined || soleReference(inputOf(showing, 'file')) !== request) {
    report(
      'trace-mismatch',
      `${showing.path}.with.file`,
      `${proving.step.id} signs what another file asks for: \${{ ${String(request)} }}`,
    );
  }
  const group = soleReference(inputOf(proving, 'group'));
  if (![undefined, group].includes(soleReference(inputOf(showing, 'group')))) {
    report(
      'trace-mismatch',
      `${showing.path}.with.group`,
      `${proving.step.id} signs with the shares of \${{ ${String(group)} }}`,
    );
  }
  const digest = `steps.${id}.digest`;
  const before = (it: PlacedStep): boolean => it.order < proving.order && certain(it, proving);
  if (
    survey.definition.classification === 'production' &&
    !survey.steps.some((it) => before(it) && isReadBackOf(it, digest))
  ) {
    report(
      'trace-unread',
      `${proving.path}.uses`,
      `no witness reads back \${{ ${digest} }} before ${proving.step.id}`,
    );
  }
  const role = inputOf(proving, 'custodians');
  const agreed = survey.steps.some((it) => {
    const { step } = it;
    const quorum = step.needs === undefined ? undefined : survey.definition.quorums[step.needs];
    const each = step.kind === 'human' && step.human === 'confirm' && step.by === step.each;
    return (
      before(it) && says(step.say, digest) && (quorum?.of === role || (each && step.by === role))
    );
  });
  if (agreed) return;
  report(
    'trace-unapproved',
    `${proving.path}.uses`,
    `no quorum of ${String(role)} agrees to \${{ ${digest} }} before ${proving.step.id}`,
  );
}

/** The trace is verified in this ceremony, against what was signed and nothing else. @returns the step that does */
function isVerified(survey: Survey, proving: PlacedStep, report: Report): PlacedStep | undefined {
  const { id } = proving.step;
  const expected: readonly (readonly [string, string | undefined])[] = [
    ['trace', `steps.${id}.trace`],
    ['sig', `steps.${id}.signature`],
    ['request', soleReference(inputOf(proving, 'request'))],
    ['group', soleReference(inputOf(proving, 'group'))],
  ];
  let found: PlacedStep | undefined;
  for (const verifying of survey.steps) {
    if (!uses(verifying, VERIFY) || verifying.order < proving.order) continue;
    const odd = expected.filter(
      ([input, reference]) => soleReference(inputOf(verifying, input)) !== reference,
    );
    // One that shares nothing with this signature is about another one.
    if (odd.length === expected.length) continue;
    for (const [input, reference] of odd) {
      report(
        'trace-mismatch',
        `${verifying.path}.with.${input}`,
        `of ${id} it must be \${{ ${String(reference)} }}`,
      );
    }
    if (odd.length === 0 && certain(verifying, proving)) found ??= verifying;
  }
  if (found === undefined) {
    report(
      'trace-unverified',
      `${proving.path}.uses`,
      `no later step verifies \${{ steps.${id}.trace }} against the request and the set, on every branch`,
    );
  }
  return found;
}

/**
 * A corrupt laptop verifies what it likes: witnesses say what another device found, of the signature whose digest they read.
 * @returns the step in which they do
 */
function isConfirmed(
  survey: Survey,
  proving: PlacedStep,
  verified: PlacedStep | undefined,
  report: Report,
): PlacedStep | undefined {
  const digest = `steps.${proving.step.id}.digest`;
  const later = survey.steps.filter((it) => it.order > proving.order && certain(it, proving));
  if (!later.some((it) => isReadBackOf(it, digest))) {
    report('trace-unread', `${proving.path}.uses`, `no witness reads back \${{ ${digest} }}`);
  }
  const confirmed = later.find(
    ({ step, order }) =>
      step.kind === 'human' &&
      step.human === 'confirm' &&
      isWitnessRole(step.by) &&
      step.each === step.by &&
      says(step.say, digest) &&
      order > (verified?.order ?? -1),
  );
  if (confirmed === undefined) {
    report(
      'trace-unconfirmed',
      `${proving.path}.uses`,
      `after the trace was verified here, no step lets each witness confirm what a second device says of \${{ ${digest} }}`,
    );
  }
  return confirmed;
}

/** The signature is what the cage is for; it leaves when the second device has seen it, and not before. */
function signatureLeaves(
  survey: Survey,
  proving: PlacedStep,
  confirmed: PlacedStep | undefined,
  report: Report,
): void {
  const signature = `steps.${proving.step.id}.signature`;
  const leaving = survey.steps.filter((it) => isPassedOn(it, signature));
  if (leaving.length === 0) {
    report('signature-kept', `${proving.path}.uses`, `no step hands over \${{ ${signature} }}`);
  }
  for (const { path, order } of leaving) {
    if (confirmed === undefined || order > confirmed.order) continue;
    report(
      'signature-early',
      path,
      `the signature leaves before ${confirmed.step.id}, in which the witnesses say that it may`,
    );
  }
}

/** A trace is randomised and may carry what a corrupt laptop hid in it: only who audits reads it, and nobody else may. */
function traceStaysSealed(survey: Survey, proving: PlacedStep, report: Report): void {
  const trace = `steps.${proving.step.id}.trace`;
  const sealed = survey.steps.some(
    (it) => uses(it, WRAP) && soleReference(inputOf(it, 'in')) === trace && certain(it, proving),
  );
  if (!sealed) {
    report(
      'trace-unsealed',
      `${proving.path}.uses`,
      `no step seals \${{ ${trace} }} to those who audit, by ${WRAP}`,
    );
  }
  for (const placed of survey.steps) {
    if (!isPassedOn(placed, trace)) continue;
    report(
      'trace-exposed',
      `${placed.path}.${placed.step.kind === 'human' ? 'value' : 'with.file'}`,
      'a trace can carry anything that a corrupt machine hid in it: it is handed on sealed',
    );
  }
}

function uses({ step }: PlacedStep, action: string): boolean {
  return step.kind === 'action' && step.uses === action;
}

/** Whether a step is done whenever the signature is made. */
function certain({ step }: PlacedStep, { step: signing }: PlacedStep): boolean {
  return step.when === signing.when && step.onFailure !== 'deviate';
}

function isReadBackOf({ step }: PlacedStep, reference: string): boolean {
  return (
    step.kind === 'human' &&
    step.human === 'read-back' &&
    isWitnessRole(step.by) &&
    soleReference(step.value) === reference
  );
}

/** Whether a file goes from this machine to somebody, by hand or by code. */
function isPassedOn(placed: PlacedStep, reference: string): boolean {
  const { step } = placed;
  if (step.kind === 'action')
    return step.uses === SHOW_CODE && soleReference(inputOf(placed, 'file')) === reference;
  return step.human === 'handover' && soleReference(step.value) === reference;
}

/** Whether people are told a value. */
function says(text: Expression | undefined, reference: string): boolean {
  if (typeof text !== 'string') return false;
  try {
    return parseText(text).some((part) => 'reference' in part && part.reference.text === reference);
  } catch (error) {
    // Reported where references are.
    if (error instanceof ExpressionError) return false;
    throw error;
  }
}
