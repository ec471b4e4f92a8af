/** Which way a session goes: the side of a branch, and where a failure leads. Everything is journalled before it counts. */
import { type ConclaveError, TryAgainError } from '#formats/errors';
import { afterFailure, choose, isOnItsSide, targetIn, type Then, whyLeftOut } from '#script/branch';
import type { Step } from '#script/definition';
import { placesOf, spokenCondition } from '#script/paper-ways';
import { entryKey, type Instance, instanceKey } from '#script/plan';
import { instancesOf, resolverOf, type Session, waysOf, whereOf } from './session.js';

/** Whether the branch of an instance was not come to before. What a failure passed over has no part in it. */
export function isUndecided(session: Session, instance: Instance): boolean {
  const { branch } = instance.step;
  if (branch === undefined || session.recorder.state.ways.has(branch.branch)) return false;
  return !isPassedOver(session, instance);
}

/** Takes a side, says which, and journals what it followed from. */
export function takeBranch(session: Session, instance: Instance): void {
  const { definition, recorder, terminal } = session;
  const { branch = '' } = instance.step.branch ?? {};
  const chosen = choose(definition, branch, resolverOf(session, instance));
  recorder.write('branch.taken', { act: instance.act.id, branch, ...chosen });
  const because = Object.entries(chosen.values).map(
    ([name, value]) => `${name} is ${JSON.stringify(value)}`,
  );
  terminal.say(
    `${definition.branches[branch]?.summary ?? branch}: that ${spokenCondition(definition, chosen.condition)} ` +
      `${chosen.side === 'then' ? 'holds' : 'does not hold'} (${because.join(', ')}).`,
  );
  const left = chosen.side === 'then' ? 'else' : 'then';
  terminal.say(
    `On paper: the way "${chosen.side}", ${placesOf(definition, branch, chosen.side)}. ` +
      `Crossed out: ${placesOf(definition, branch, left)}.`,
  );
}

/** Whether an instance lies on the sides that were taken, and no failure led past it. */
export function isOnTheWay(session: Session, instance: Instance): boolean {
  return (
    isOnItsSide(instance.step, waysOf(session.recorder.state)) && !isPassedOver(session, instance)
  );
}

/** Journals that an instance is left out, and why. */
export function leaveOut(session: Session, instance: Instance): void {
  const { recorder } = session;
  const condition = whyLeftOut(instance, waysOf(recorder.state), isPassedOver(session, instance));
  recorder.write('step.skipped', { ...whereOf(instance), condition });
}

/** Whether a failure that led on led past this instance. */
function isPassedOver(session: Session, instance: Instance): boolean {
  const instances = instancesOf(session);
  const key = instanceKey(instance);
  const at = instances.findIndex((it) => instanceKey(it) === key);
  return instances.some((failed, from) => {
    if (from >= at || failed.step.elsewhere === undefined) return false;
    const known = session.recorder.state.instances.get(instanceKey(failed));
    return (
      known?.status === 'deviated' &&
      known.failure?.then === 'onward' &&
      at < targetIn(instances, failed.step.elsewhere)
    );
  });
}

/** What the definition wants after a failure that is about to be journalled. */
export function whatThen(
  { recorder }: Session,
  instances: readonly Instance[],
  instance: Instance,
): Then {
  const key = instanceKey(instance);
  const failures = (recorder.state.instances.get(key)?.failures ?? 0) + 1;
  const returns = recorder.entries.filter(
    (entry) =>
      entry.type === 'step.failed' && entry.data.then === 'back' && entryKey(entry.data) === key,
  ).length;
  const at = instances.findIndex((it) => instanceKey(it) === key);
  return afterFailure(instances, at, failures, returns);
}

/** How people are told. */
export function saysThen(then: Then, { elsewhere }: Step): string {
  const to = elsewhere === undefined ? '' : `the ${elsewhere.kind} "${elsewhere.name}"`;
  switch (then) {
    case 'retry':
      return 'It is tried again.';
    case 'deviate':
      return 'The ceremony can go on without it, as a deviation.';
    case 'onward':
      return `The ceremony can go on with ${to}, as a deviation.`;
    case 'back':
      return `The ceremony goes back to ${to}.`;
    case 'postpone':
      return 'The ceremony is postponed; it goes on at this step.';
    case 'abort':
      return 'The ceremony is aborted; what was done until now stays recorded.';
  }
}

/** Journals that people part for now. @throws TryAgainError `E_POSTPONED`, always */
export function postpone({ recorder }: Session, instance: Instance, error: ConclaveError): never {
  recorder.write('session.postponed', {
    by: recorder.administrator,
    reason: `${instanceKey(instance)} failed: ${error.message}`.slice(0, 4096),
    // Nobody was asked: the definition says so.
    graded: 'recorded',
  });
  throw new TryAgainError({
    code: 'E_POSTPONED',
    message: `postponed: ${error.message}`,
    hint: 'put it right, then go on with --resume; nothing is lost',
    cause: error,
  });
}

/** Goes back to what a failed step leads to. What lies between counts no more, and is done once more. */
export function goBack(
  { recorder }: Session,
  instances: readonly Instance[],
  instance: Instance,
): void {
  const { elsewhere } = instance.step;
  const to = elsewhere === undefined ? undefined : instances[targetIn(instances, elsewhere)];
  if (to === undefined) throw new Error(`${instance.step.id} leads nowhere`);
  const key = instanceKey(instance);
  const failed = recorder.state.instances.get(key)?.failure;
  recorder.write('rollback', {
    toAct: to.act.id,
    toStep: to.step.id,
    reason: `${key} failed: ${failed?.error.message ?? ''}`.slice(0, 4096),
  });
}
