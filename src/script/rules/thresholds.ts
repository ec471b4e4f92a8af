/**
 * Sessions of threshold keys: what is proposed is compared by everybody before it is accepted, every party takes part in every
 * round in order, the record is compared before anybody keeps a share of it, a signature is verified, and the keys of the session
 * are destroyed at the end.
 */
import type { Expression } from '../definition.js';
import { isWitnessRole } from '../people.js';
import { inputOf } from './actions.js';
import { type PlacedStep, type Report, type Rules, soleReference, type Survey } from './survey.js';

const PROPOSE = 'threshold.propose';
const REQUEST = 'threshold.request';
const CHANGE = 'threshold.change';
const ACCEPT = 'threshold.accept';
const ROUND = 'threshold.round';
const CONCLUDE = 'threshold.conclude';
const COMBINE = 'threshold.combine';
const KEEP = 'threshold.keep';
const CLOSE = 'threshold.close';
const VERIFY = 'verify';

const OPENINGS: readonly string[] = [PROPOSE, REQUEST, CHANGE];
const LED: readonly string[] = [ACCEPT, ROUND, CONCLUDE, COMBINE, KEEP, CLOSE];

/** What is no folder of the session: a parameter, which people bind to a medium, a keychain, or a token. */
const BEYOND_THE_SESSION = /^(?:\$\{\{|keychain(?::|$)|pkcs11:)/;

/** Who does a step of a session, and which one it is. */
interface Stage {
  readonly uses: string;
  readonly round?: number;
  /** Done by each party, or once by the administrator. */
  readonly each: boolean;
}

const rounds = (count: number): readonly Stage[] =>
  Array.from({ length: count }, (_, i) => ({ uses: ROUND, round: i + 1, each: true }));

/** A session that ends with new shares. */
const SHARING: readonly Stage[] = [
  { uses: ACCEPT, each: true },
  ...rounds(4),
  { uses: CONCLUDE, each: false },
  { uses: KEEP, each: true },
  { uses: CLOSE, each: true },
];

/** In this order. */
const STAGES: Readonly<Record<string, readonly Stage[]>> = {
  [PROPOSE]: SHARING,
  [CHANGE]: SHARING,
  [REQUEST]: [
    { uses: ACCEPT, each: true },
    ...rounds(2),
    { uses: COMBINE, each: false },
    { uses: CLOSE, each: true },
  ],
};

/** What people compare before they accept; a witness reads the first back. */
const TOLD: Readonly<Record<string, readonly string[]>> = {
  [PROPOSE]: ['terms', 'quorum', 'policy'],
  [REQUEST]: ['digest', 'id', 'policy'],
  [CHANGE]: ['terms', 'change', 'policy'],
};

/** All sessions. */
export const thresholdRules: Rules = (survey, report) => {
  const openings = survey.steps.filter((placed) => OPENINGS.includes(usesOf(placed)));
  for (const placed of survey.steps) {
    if (!LED.includes(usesOf(placed))) continue;
    const start = soleReference(inputOf(placed, 'start'));
    if (!openings.some(({ step }) => start === `steps.${step.id}.start`)) {
      report(
        'threshold-start',
        `${placed.path}.with.start`,
        'it is not the start message that a step proposed or requested here',
      );
    }
  }
  for (const opening of openings) sessionOf(survey, opening, report);
  foldersAreTold(survey, report);
};

function sessionOf(survey: Survey, opening: PlacedStep, report: Report): void {
  const uses = usesOf(opening);
  const role = inputOf(opening, 'custodians');
  const found = stagesOf(survey, opening, report);
  for (const [i, { placed, stage }] of found.entries()) {
    const { step, path, order } = placed;
    if (stage.each && (step.each !== role || step.by !== role)) {
      report(
        'threshold-party',
        `${path}.each`,
        `it is done by each ${String(role)}, who are the parties`,
      );
    }
    if (step.when !== undefined || step.onFailure === 'deviate') {
      report('threshold-incomplete', `${path}.uses`, 'without this step the session would not end');
    }
    if (found.slice(0, i).some((before) => before.placed.order > order)) {
      report('threshold-order', `${path}.uses`, 'it comes before a step that it builds on');
    }
  }
  const at = (name: string): PlacedStep | undefined =>
    found.find(({ stage }) => stage.uses === name)?.placed;
  const opened = `steps.${opening.step.id}`;
  const members = TOLD[uses] ?? [];
  isCompared(survey, { made: opening, members, before: at(ACCEPT), role }, report);
  if (uses === CHANGE) lostIsNamed(opening, report);
  if (uses === REQUEST) signatureIsVerified(survey, opening, at(COMBINE), opened, report);
  else {
    const [conclude, keep, close] = [at(CONCLUDE), at(KEEP), at(CLOSE)];
    recordIsKept(survey, { conclude, keep, close, role }, report);
  }
}

/** A repair says whose share is lost, and nothing else does. */
function lostIsNamed(opening: PlacedStep, report: Report): void {
  const repairs = inputOf(opening, 'operation') === 'repair';
  if (repairs === (inputOf(opening, 'lost') !== undefined)) return;
  report(
    'threshold-lost',
    `${opening.path}.with.operation`,
    repairs ? 'a repair needs to know whose share is "lost"' : 'only a repair has a "lost" share',
  );
}

/** The steps of a session by their stages; what is missing or there twice is reported. */
function stagesOf(
  survey: Survey,
  opening: PlacedStep,
  report: Report,
): readonly { readonly stage: Stage; readonly placed: PlacedStep }[] {
  const start = `steps.${opening.step.id}.start`;
  return (STAGES[usesOf(opening)] ?? []).flatMap((stage) => {
    const [placed, second] = survey.steps.filter(
      (each) =>
        usesOf(each) === stage.uses &&
        soleReference(inputOf(each, 'start')) === start &&
        (stage.round === undefined || inputOf(each, 'round') === stage.round),
    );
    const what = stage.round === undefined ? stage.uses : `${stage.uses} of round ${stage.round}`;
    if (second !== undefined)
      report('threshold-order', `${second.path}.uses`, `${what} is there twice`);
    if (placed !== undefined) return [{ stage, placed }];
    report('threshold-incomplete', `${opening.path}.uses`, `no step is ${what} of this session`);
    return [];
  });
}

/** A witness reads the first of these values back, and each party confirms all of them, before anybody acts on them. */
function isCompared(
  survey: Survey,
  {
    made,
    members,
    before,
    role,
  }: {
    readonly made: PlacedStep;
    readonly members: readonly string[];
    readonly before: PlacedStep | undefined;
    readonly role: Expression | undefined;
  },
  report: Report,
): void {
  if (before === undefined) return;
  const references = members.map((member) => `steps.${made.step.id}.${member}`);
  const between = survey.steps.filter(
    ({ step, order }) => order > made.order && order < before.order && step.when === undefined,
  );
  const readBacks = between.filter(
    ({ step }) => step.kind === 'human' && step.human === 'read-back' && isWitnessRole(step.by),
  );
  const readBack = readBacks.some(
    ({ step }) => step.kind === 'human' && soleReference(step.value) === references[0],
  );
  if (!readBack && survey.definition.classification === 'production') {
    const [other] = readBacks;
    report(
      'threshold-compared',
      other === undefined ? `${made.path}.uses` : `${other.path}.value`,
      `no witness reads back \${{ ${references[0] ?? ''} }} before ${before.step.id}`,
    );
  }
  const confirmed = between.some(
    ({ step }) =>
      step.kind === 'human' &&
      step.human === 'confirm' &&
      step.by === role &&
      step.each === role &&
      references.every((reference) => step.say?.includes(`\${{ ${reference} }}`) === true),
  );
  if (confirmed) return;
  report(
    'threshold-compared',
    `${made.path}.uses`,
    `no ${String(role)} confirms ${members.join(', ')} of ${made.step.id} before ${before.step.id}`,
  );
}

/** The record that is kept is the one that was concluded, and the share is opened where it was kept. */
function recordIsKept(
  survey: Survey,
  {
    conclude,
    keep,
    close,
    role,
  }: {
    readonly conclude: PlacedStep | undefined;
    readonly keep: PlacedStep | undefined;
    readonly close: PlacedStep | undefined;
    readonly role: Expression | undefined;
  },
  report: Report,
): void {
  if (conclude === undefined || keep === undefined) return;
  const members = ['record', 'id', 'policy'];
  isCompared(survey, { made: conclude, members, before: keep, role }, report);
  if (soleReference(inputOf(keep, 'record')) !== `steps.${conclude.step.id}.record`) {
    report(
      'threshold-record',
      `${keep.path}.with.record`,
      `it is not the record of ${conclude.step.id}`,
    );
  }
  if (close !== undefined && inputOf(close, 'out-dir') !== inputOf(keep, 'out-dir')) {
    report(
      'threshold-record',
      `${close.path}.uses`,
      `the shares lie in "out-dir" of ${keep.step.id}`,
    );
  }
}

/** Whatever was signed is verified: the same input, under the key that was asked for. */
function signatureIsVerified(
  survey: Survey,
  request: PlacedStep,
  combine: PlacedStep | undefined,
  opened: string,
  report: Report,
): void {
  if (combine === undefined) return;
  const verifying = survey.steps.find(
    (placed) =>
      usesOf(placed) === VERIFY &&
      placed.order > combine.order &&
      soleReference(inputOf(placed, 'signature')) === `steps.${combine.step.id}.signature`,
  );
  if (verifying === undefined) {
    report(
      'signature-unverified',
      `${combine.path}.uses`,
      `no later step verifies \${{ steps.${combine.step.id}.signature }}`,
    );
    return;
  }
  if (soleReference(inputOf(verifying, 'in')) !== soleReference(inputOf(request, 'in'))) {
    report(
      'signature-mismatch',
      `${verifying.path}.with.in`,
      `${request.step.id} asked for something else`,
    );
  }
  if (soleReference(inputOf(verifying, 'key')) !== `${opened}.public`) {
    report('signature-mismatch', `${verifying.path}.with.key`, 'another key signed');
  }
}

/** What people bring has one place for each purpose: a folder of shares is no inbox, and the inbox is the same all the time. */
function foldersAreTold(survey: Survey, report: Report): void {
  const purposes = new Map<string, string>();
  const places = new Map<string, string>();
  for (const placed of survey.steps) {
    const uses = usesOf(placed);
    if (![...OPENINGS, ...LED].includes(uses)) continue;
    const memory = inputOf(placed, 'memory');
    if (typeof memory === 'string' && !BEYOND_THE_SESSION.test(memory)) {
      report(
        'threshold-place',
        `${placed.path}.with.memory`,
        `a folder "${memory}" would go with the session: name one by a parameter of type path, or keychain:, or pkcs11:NAME`,
      );
    }
    for (const input of ['group', 'in', 'keys', 'inbox', 'policy', 'memory']) {
      const reference = soleReference(inputOf(placed, input));
      if (reference === undefined) continue;
      const purpose = purposes.get(reference) ?? input;
      const place = places.get(input) ?? reference;
      purposes.set(reference, purpose);
      places.set(input, place);
      if (purpose !== input) {
        report(
          'threshold-place',
          `${placed.path}.with.${input}`,
          `${reference} is "${purpose}" elsewhere`,
        );
      } else if (place !== reference) {
        report(
          'threshold-place',
          `${placed.path}.with.${input}`,
          `"${input}" is ${place} elsewhere`,
        );
      }
    }
  }
}

function usesOf({ step }: PlacedStep): string {
  return step.kind === 'action' ? step.uses : '';
}
