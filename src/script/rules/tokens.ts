/**
 * Keys that a ceremony brings into tokens: each arrival is challenged, in its own token, before the copy in memory is wiped. Keys
 * that it makes inside of one: nothing brings them back, and that is said before anybody relies on them.
 */
import type { Expression } from '../definition.js';
import { inputOf } from './actions.js';
import {
  actionOf,
  type PlacedStep,
  type Report,
  type Rules,
  soleReference,
  type Survey,
} from './survey.js';

const IMPORT = 'hsm.import';
/** The action that has a token make a key, which then never leaves it. */
const GENERATE = 'hsm.generate';
/** The waiver of whoever knows that such a key has no second copy. */
export const TOKEN_ONLY = 'token-only';
/** The action that looks into a token, and whether a name is free there. */
const INFO = 'hsm.info';
/** The action that has a token answer a challenge, and compares its key with another one. */
const ATTEST = 'hsm.attest';

/** All imports, and all keys that are made where they stay. */
export const tokenRules: Rules = (survey, report) => {
  if (!survey.definition.waive.includes(TOKEN_ONLY)) {
    for (const { path } of madeInTokens(survey)) {
      report(
        'token-only',
        `${path}.uses`,
        'this key never leaves its token: no step can copy it, share it or bring it to another maker’s, and it is lost with the ' +
          `token; make it with key.generate, split it and use ${IMPORT}, or say "waive: [${TOKEN_ONLY}]" if that is meant`,
      );
    }
  }
  const imports = survey.steps.filter(({ step }) => step.kind === 'action' && step.uses === IMPORT);
  for (const placed of imports) {
    arrivalIsVerified(survey, placed, report);
    freeNameIsTheKeys(survey, placed, report);
  }
  const places = imports.map((placed) => [inputOf(placed, 'key'), inputOf(placed, 'token')]);
  imports.forEach((placed, i) => {
    const earlier = places.slice(0, i);
    const [key, token] = places[i] ?? [];
    if (earlier.some(([otherKey, otherToken]) => otherKey === key && otherToken === token)) {
      report('import-twice', `${placed.path}.with.token`, `${String(token)} has this key already`);
    }
  });
};

/** The name that was found to be free in a token is the one under which the key goes there. */
function freeNameIsTheKeys(survey: Survey, placed: PlacedStep, report: Report): void {
  const id = /^steps\.([a-z0-9-]+)\./.exec(soleReference(inputOf(placed, 'key')) ?? '')?.[1];
  const maker = id === undefined ? undefined : survey.byId.get(id);
  if (maker === undefined) return;
  const name = inputOf(maker, 'name');
  for (const looking of survey.steps) {
    const { step, path, order } = looking;
    if (step.kind !== 'action' || step.uses !== INFO || order > placed.order) continue;
    const free = inputOf(looking, 'free');
    if (free === undefined || free === name) continue;
    if (inputOf(looking, 'token') !== inputOf(placed, 'token')) continue;
    const message = `${maker.step.id} names the key ${spelled(name)}, and ${step.id} looks whether ${spelled(free)} is free`;
    report('import-name', `${path}.with.free`, message);
    report('import-name', `${maker.path}.${name === undefined ? 'uses' : 'with.name'}`, message);
  }
}

function spelled(value: Expression | undefined): string {
  return value === undefined ? 'nothing' : String(value);
}

/** A later step challenges the key where it went to, compares it with what was brought there, and comes before the wipe. */
function arrivalIsVerified(survey: Survey, placed: PlacedStep, report: Report): void {
  const key = inputOf(placed, 'key');
  const token = inputOf(placed, 'token');
  const destroyer = survey.steps.find(
    (other) =>
      actionOf(survey, other)?.secrecy === 'destroys' &&
      other.step.kind === 'action' &&
      soleReference(inputOf(other, 'key')) === soleReference(key),
  );
  const end = destroyer?.order ?? Infinity;
  const challenged = survey.steps.some(
    (other) =>
      other.step.kind === 'action' &&
      other.step.uses === ATTEST &&
      other.step.when === placed.step.when &&
      other.step.onFailure !== 'deviate' &&
      other.order > placed.order &&
      other.order < end &&
      soleReference(inputOf(other, 'key')) === `steps.${placed.step.id}.uri` &&
      inputOf(other, 'token') === token &&
      soleReference(inputOf(other, 'same-as')) === soleReference(key),
  );
  if (!challenged) {
    report(
      'import-unverified',
      `${placed.path}.uses`,
      `before the key is wiped, ${ATTEST} must challenge \${{ steps.${placed.step.id}.uri }} in the same token, "same-as" the key that was brought there`,
    );
  }
}

/** Steps that have a token make a key. */
export function madeInTokens(survey: Survey): readonly PlacedStep[] {
  return survey.steps.filter(({ step }) => step.kind === 'action' && step.uses === GENERATE);
}
