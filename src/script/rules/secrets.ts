/**
 * The life of every secret that a ceremony makes: read back, protected, proven restorable, handed over, destroyed, in this
 * order on every branch. An action says of itself which of these it does (`secrecy`).
 */
import { isWitnessRole } from '../people.js';
import { isRestorable } from '../restorable.js';
import { inputOf } from './actions.js';
import { handedOver, sharesAreReadBack } from './shares.js';
import {
  actionOf,
  type PlacedStep,
  type Report,
  type Rules,
  soleReference,
  type Survey,
} from './survey.js';

/** The action that recombines every quorum and compares. */
const PROOF = 'share.prove';
const SIGN = 'sign';
const VERIFY = 'verify';
const HANDOVER_VERIFY = 'handover.verify';

/** All secrets. */
export const secretRules: Rules = (survey, report) => {
  for (const placed of survey.steps) {
    const action = actionOf(survey, placed);
    if (action?.secrecy !== 'creates') continue;
    for (const [output, field] of Object.entries(action.outputs)) {
      if (field.type === 'key') lifeOf(survey, placed, output, report);
    }
  }
  for (const placed of survey.steps) {
    if (placed.step.kind !== 'action') continue;
    nothingExposed(survey, placed, report);
    if (placed.step.uses === SIGN) signatureIsVerified(survey, placed, report);
    if (placed.step.uses === VERIFY) verificationMatches(survey, placed, report);
    if (placed.step.uses === PROOF) proofMatches(survey, placed, report);
  }
};

function lifeOf(survey: Survey, created: PlacedStep, output: string, report: Report): void {
  const { step, path } = created;
  const reference = `steps.${step.id}.${output}`;
  const at = `${path}.uses`;
  if (step.each !== undefined) {
    report('secret-each', `${path}.each`, 'a secret is made once, not once per holder');
    return;
  }
  const users = survey.steps.filter(
    ({ step: user }) =>
      user.kind === 'action' &&
      Object.values(user.with).some((value) => soleReference(value) === reference),
  );
  const protectors = users.filter((user) => actionOf(survey, user)?.secrecy === 'protects');
  const destroyers = users.filter((user) => actionOf(survey, user)?.secrecy === 'destroys');
  // What was wrapped opens elsewhere; only shares bring a key back into this ceremony, and only they can be proven here.
  const protector = protectors.find((placed) => isRestorable(actionOf(survey, placed)));
  const [destroyer, second] = destroyers;
  if (protectors[0] === undefined) {
    report('secret-unprotected', at, `the secret ${reference} is never split, wrapped or sealed`);
  } else if (protector === undefined) {
    report(
      'secret-unprotected',
      `${protectors[0].path}.uses`,
      `${protectors[0].step.id} leaves nothing from which ${reference} could be restored here: split it as well`,
    );
  }
  if (destroyer === undefined) {
    report('secret-not-destroyed', at, `the secret ${reference} is never wiped`);
    return;
  }
  if (second !== undefined) {
    report('secret-destroyed-twice', `${second.path}.uses`, `${reference} was wiped before`);
  }
  for (const stage of [...protectors, ...destroyers]) {
    if (stage.step.when !== step.when)
      report(
        'secret-conditional',
        `${stage.path}.when`,
        `on a branch without this step ${reference} would be left as it is`,
      );
    if (stage.step.onFailure === 'deviate')
      report(
        'secret-conditional',
        `${stage.path}.on-failure`,
        `without this step ${reference} would be left as it is`,
      );
    if (stage.step.each !== undefined)
      report('secret-each', `${stage.path}.each`, 'this is done once, not once per holder');
  }
  for (const user of users) {
    if (user.order > destroyer.order && user !== second)
      report('secret-after-wipe', `${user.path}.uses`, `${reference} was wiped before this step`);
  }
  for (const late of protectors) {
    if (late.order > destroyer.order)
      report(
        'secret-unprotected',
        `${late.path}.uses`,
        `${reference} is wiped before it is protected`,
      );
  }
  if (survey.definition.classification === 'production' && destroyer.step.needs === undefined)
    report(
      'secret-quorum',
      `${destroyer.path}.uses`,
      `in production a quorum agrees before ${reference} is wiped: "needs:"`,
    );
  if (protector === undefined) return;
  importComesFirst(survey, reference, destroyer, report);
  proofComesBetween(survey, protector, destroyer, report);
  publicSideIsReadBack(survey, created, report);
  sharesAreReadBack(survey, protector, destroyer, report);
  handedOver(survey, protector, report);
}

/** A key whose arrival elsewhere is verified is wiped with the receipt of that, and not without. */
function importComesFirst(
  survey: Survey,
  reference: string,
  destroyer: PlacedStep,
  report: Report,
): void {
  const verifying = survey.steps.find(
    ({ step }) =>
      step.kind === 'action' &&
      step.uses === HANDOVER_VERIFY &&
      Object.values(step.with).some((value) => soleReference(value) === reference),
  );
  if (verifying === undefined) return;
  const receipt = soleReference(inputOf(destroyer, 'after-import'));
  if (receipt !== `steps.${verifying.step.id}.receipt`)
    report(
      'secret-unproven',
      `${destroyer.path}.uses`,
      `"after-import" must be the receipt of ${verifying.step.id}`,
    );
}

/** A restore is proven before the original is wiped. */
function proofComesBetween(
  survey: Survey,
  protector: PlacedStep,
  destroyer: PlacedStep,
  report: Report,
): void {
  const outputs = `steps.${protector.step.id}.`;
  const proof = survey.steps.find(
    ({ step, order }) =>
      step.kind === 'action' &&
      step.uses === PROOF &&
      step.when === protector.step.when &&
      step.onFailure !== 'deviate' &&
      order > protector.order &&
      order < destroyer.order &&
      Object.values(step.with).some((value) => soleReference(value)?.startsWith(outputs) === true),
  );
  if (proof === undefined) {
    report(
      'secret-unproven',
      `${destroyer.path}.uses`,
      `before it is wiped, ${PROOF} must show that what ${protector.step.id} made restores it`,
    );
  }
}

/** What would put an unsplit secret, or an unsealed share, on a disk; and what would mark a real key as a toy. */
const EXPOSING: Readonly<Record<string, readonly string[]>> = {
  creates: ['out', 'store', 'format', 'dev'],
  protects: ['unsealed'],
};

function nothingExposed(survey: Survey, placed: PlacedStep, report: Report): void {
  if (placed.step.kind !== 'action') return;
  const secrecy = actionOf(survey, placed)?.secrecy;
  for (const input of secrecy === undefined ? [] : (EXPOSING[secrecy] ?? [])) {
    const value = placed.step.with[input];
    if (value !== undefined && value !== false)
      report(
        'secret-exposed',
        `${placed.path}.with.${input}`,
        'in a ceremony an unsplit secret lives in memory only, and every share is sealed',
      );
  }
}

/** Everything a proof takes from a split it takes from one split. */
function proofMatches(survey: Survey, proof: PlacedStep, report: Report): void {
  if (proof.step.kind !== 'action') return;
  const sources = new Set<string>();
  for (const [input, value] of Object.entries(proof.step.with)) {
    const source = /^steps\.([a-z0-9-]+)\./.exec(soleReference(value) ?? '')?.[1];
    const target = source === undefined ? undefined : survey.byId.get(source);
    if (target !== undefined && actionOf(survey, target)?.secrecy === 'protects')
      sources.add(target.step.id);
    else if (input === 'set' || input === 'shares')
      report('secret-unproven', `${proof.path}.with.${input}`, 'it is not what a split made');
  }
  const [first] = sources;
  const split = first === undefined ? undefined : survey.byId.get(first);
  for (const [input, field] of Object.entries(actionOf(survey, proof)?.inputs ?? {})) {
    if (field.type !== 'role' || split?.step.kind !== 'action') continue;
    const expected = split.step.with[input];
    if (proof.step.with[input] !== expected)
      report(
        'secret-unproven',
        `${proof.path}.with.${input}`,
        `the shares were made for each ${String(expected)}, who must open them`,
      );
  }
  if (sources.size > 1) {
    report('secret-unproven', `${proof.path}.with`, `it mixes ${[...sources].join(' and ')}`);
  }
}

/** In production a witness reads back what identifies the new key, before anyone relies on it. */
function publicSideIsReadBack(survey: Survey, created: PlacedStep, report: Report): void {
  if (survey.definition.classification !== 'production') return;
  const found = survey.steps.some(
    ({ step, order }) =>
      order > created.order &&
      step.kind === 'human' &&
      step.human === 'read-back' &&
      isWitnessRole(step.by) &&
      soleReference(step.value)?.startsWith(`steps.${created.step.id}.`) === true,
  );
  if (!found) {
    report(
      'key-read-back',
      `${created.path}.uses`,
      `no witness reads back the id or fingerprint of what ${created.step.id} made`,
    );
  }
}

/** Whatever is signed is verified: same input, by this signature. */
function signatureIsVerified(survey: Survey, signing: PlacedStep, report: Report): void {
  const found = survey.steps.some(
    (placed) =>
      placed.order > signing.order &&
      placed.step.kind === 'action' &&
      placed.step.uses === VERIFY &&
      soleReference(inputOf(placed, 'signature')) === `steps.${signing.step.id}.signature`,
  );
  if (!found) {
    report(
      'signature-unverified',
      `${signing.path}.uses`,
      `no later step verifies \${{ steps.${signing.step.id}.signature }}`,
    );
  }
}

/** A verification of a signature of this ceremony names what was signed and the key that signed. */
function verificationMatches(survey: Survey, verifying: PlacedStep, report: Report): void {
  // The action itself also looks at whole artifacts; a step of a ceremony verifies one signature.
  for (const input of ['key', 'in', 'signature']) {
    if (inputOf(verifying, input) === undefined)
      report('input-missing', `${verifying.path}.uses`, `${VERIFY} needs "${input}" in a ceremony`);
  }
  const source = /^steps\.([a-z0-9-]+)\.signature$/.exec(
    soleReference(inputOf(verifying, 'signature')) ?? '',
  )?.[1];
  const signing = source === undefined ? undefined : survey.byId.get(source);
  if (signing?.step.kind !== 'action' || signing.step.uses !== SIGN) return;
  const signed = soleReference(inputOf(signing, 'in'));
  if (soleReference(inputOf(verifying, 'in')) !== signed) {
    report(
      'signature-mismatch',
      `${verifying.path}.with.in`,
      `${signing.step.id} signed something else: \${{ ${String(signed)} }}`,
    );
  }
  const maker = (placed: PlacedStep): string | undefined =>
    /^(steps\.[a-z0-9-]+|parameters)\./.exec(soleReference(inputOf(placed, 'key')) ?? '')?.[1];
  if (maker(verifying) !== maker(signing)) {
    report(
      'signature-mismatch',
      `${verifying.path}.with.key`,
      `${signing.step.id} signed with another key`,
    );
  }
}
