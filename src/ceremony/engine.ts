/**
 * The engine: asks what comes next, does it, journals it, and asks again until the session is closed. All that it knows of
 * the past it knows from the journal, so that going on after a power cut is the same as going on.
 */
import { type ConclaveError, InterruptedError } from '#formats/errors';
import { type EntryData, QUORUM_AGREED, type Said } from '#script/entries';
import { holds, parseCondition } from '#script/expression';
import { type Instance, instanceKey } from '#script/plan';
import { isRestorable } from '#script/restorable';
import { decide, type Facts, type Next } from './decide.js';
import { recordDeviation } from './deviation.js';
import { withDevices } from './devices.js';
import { doneSentence } from './done.js';
import { isFailure } from './failure.js';
import { type SessionFiles, sessionFiles } from './files.js';
import { checkAgain } from './gate.js';
import {
  goBack,
  isOnTheWay,
  isUndecided,
  leaveOut,
  postpone,
  saysThen,
  takeBranch,
  whatThen,
} from './ways.js';
import { announce } from './heading.js';
import { askWhatNow } from './interruption.js';
import { clearLeftovers } from './leftovers.js';
import { agreeByQuorum } from './quorum.js';
import { restoreKey } from './restore.js';
import { actionOf, instancesOf, ownerOf, resolverOf, type Session, whereOf } from './session.js';
import { settle } from './settle.js';
import type { KnownKey } from './state.js';
import { contextOf } from './step-context.js';
import { callAction } from './steps/action.js';
import { doHumanStep, type StepResult } from './steps/human.js';
import { valuesOfType } from './steps/input.js';
import { recordDelay } from './delay.js';
import { VAULT } from './vault.js';

/** Runs a session until it is closed. What stands in its way is thrown, and the session can go on later. */
export async function proceed(session: Session): Promise<void> {
  const { recorder } = session;
  const undone = new Set<string>();
  let swept = false;
  for (;;) {
    const instances = instancesOf(session);
    const next = decide(instances, recorder.state, factsOf(session, undone));
    switch (next.do) {
      case 'publish':
        return;
      case 'enter':
        recorder.write('act.started', { act: next.act });
        break;
      case 'branch':
        takeBranch(session, next.instance);
        break;
      case 'skip':
        leaveOut(session, next.instance);
        break;
      case 'back':
        goBack(session, instances, next.instance);
        swept = false;
        break;
      case 'settle':
        if ((await settle(session, next.instance)) === 'undone') {
          undone.add(instanceKey(next.instance));
        }
        break;
      case 'deviate':
        await deviate(session, next.instance);
        break;
      case 'restore':
        await restoreKey(session, next.reference, next.instance);
        break;
      case 'rollback':
        rollBack(session, instances, next);
        swept = false;
        break;
      case 'run':
        if (!swept) {
          clearLeftovers(session.context.host.files, session.folder, recorder.state);
          swept = true;
        }
        undone.delete(instanceKey(next.instance));
        await attempt(session, instances, next);
        break;
      case 'close':
        close(session, next);
        break;
    }
  }
}

function factsOf(session: Session, undone: ReadonlySet<string>): Facts {
  const keysOf = (instance: Instance): readonly string[] => {
    const action = actionOf(session, instance);
    if (action === undefined || instance.step.kind !== 'action') return [];
    return valuesOfType(instance.step, action.inputs, 'key', resolverOf(session, instance)).filter(
      (value) => value.startsWith(VAULT),
    );
  };
  return {
    live: session.vault.live,
    undone,
    // Sealing shares can be repeated, but a complete set that lies there must be found and not be made a second time.
    settles: (instance) =>
      instance.step.kind === 'action' &&
      (instance.step.effect === 'irreversible' ||
        actionOf(session, instance)?.secrecy === 'protects'),
    opens: (instance) =>
      actionOf(session, instance)?.secrecy === 'destroys' || !isOnTheWay(session, instance)
        ? []
        : keysOf(instance),
    sealed: (reference) =>
      instancesOf(session).some(
        (instance) =>
          isRestorable(actionOf(session, instance)) &&
          session.recorder.state.instances.get(instanceKey(instance))?.status === 'finished' &&
          keysOf(instance).includes(reference),
      ),
    undecided: (instance) => isUndecided(session, instance),
    holds: (instance) =>
      isOnTheWay(session, instance) &&
      (instance.step.when === undefined ||
        holds(parseCondition(instance.step.when), resolverOf(session, instance))),
  };
}

/** One attempt at one instance, journalled before and after. */
async function attempt(
  session: Session,
  instances: readonly Instance[],
  { instance, attempt: count }: Extract<Next, { do: 'run' }>,
): Promise<void> {
  const { recorder } = session;
  const where = whereOf(instance);
  retire(session, abandonedIn(session, instance));
  await checkAgain(session, instance.act.id);
  announce(session, instances, instance);
  recorder.write('step.started', { ...where, attempt: count });
  disturb(session, instance);
  const begun = session.context.now();
  const agreed: Said[] = [];
  let files = filesOf(session, instance);
  let people: Said[] = [];
  let result: StepResult | undefined;
  for (;;) {
    try {
      if (agreed.length === 0) agreed.push(...(await agree(session, instance)));
      // Once it is done it is not done again, whoever interrupts the question why it took so long.
      result ??= await withDevices(session, instance, () =>
        perform(session, instance, files, people),
      );
      await recordDelay(session, instance, begun);
      recorder.write('step.finished', {
        ...where,
        by: instance.by,
        outputs: result.outputs,
        artifacts: [...files.written()],
        people: [...agreed, ...people, ...result.people],
      });
      break;
    } catch (error) {
      if (error instanceof InterruptedError && session.terminal.interactive) {
        const next = await askWhatNow(session, instance, error);
        if (next.do === 'abort') {
          close(session, { do: 'close', outcome: 'aborted', reason: next.reason });
          return;
        }
        if (result !== undefined) continue;
        files = filesOf(session, instance);
        people = [];
        continue;
      }
      if (!isFailure(error)) throw error;
      fail(session, instances, instance, count, error);
      return;
    }
  }
  if (instance.step.kind !== 'action') return;
  const paths = files.written().map(({ path }) => path);
  session.terminal.say(doneSentence(session.folder, paths));
}

/** Begins the faults that a rehearsal asked for at this step, each once in the session, on the record. */
function disturb({ disturbance, recorder, terminal }: Session, instance: Instance): void {
  if (disturbance === undefined) return;
  const before = recorder.entries.flatMap((entry) =>
    entry.type === 'fault.injected' ? [entry.data] : [],
  );
  const faults = disturbance.begin(instance.step.id, before);
  for (const fault of faults) {
    recorder.write('fault.injected', { fault, act: instance.act.id, step: instance.step.id });
    terminal.say(`Rehearsal: here comes ${fault}.`);
  }
  disturbance.arm(faults);
}

/** What the quorum says, in the journal at once: should the program end before the step does, this is what is left of it. */
async function agree(session: Session, instance: Instance): Promise<readonly Said[]> {
  const people = await agreeByQuorum(session, instance);
  if (people.length > 0) {
    const data = { quorum: instance.step.needs ?? '', people: people.map((it) => ({ ...it })) };
    session.recorder.write('event', { ...whereOf(instance), event: QUORUM_AGREED, data });
  }
  return people;
}

async function perform(
  session: Session,
  instance: Instance,
  files: SessionFiles,
  people: Said[],
): Promise<StepResult> {
  const { context, terminal, recorder } = session;
  const { step } = instance;
  const resolve = resolverOf(session, instance);
  if (step.kind === 'human') {
    const begun = recorder.state.instances.get(instanceKey(instance))?.begun ?? 0;
    return await doHumanStep(instance, step, {
      terminal,
      resolve,
      random: context.random,
      roleOf: (name) => recorder.state.participants.find((it) => it.name === name)?.role ?? step.by,
      signedOff: (name) =>
        recorder.state.signoffs.some(({ person, seq }) => person === name && seq > begun),
      signoff: (data) => {
        recorder.write('signoff', data);
      },
    });
  }
  const action = actionOf(session, instance);
  if (action === undefined) throw new Error(`${step.uses} was not loaded`);
  const heard = (said: Said): void => void people.push(said);
  const work = (): ReturnType<typeof callAction> =>
    callAction(instance, step, action, resolve, contextOf(session, instance, files, heard));
  // Codes have the screen to themselves.
  const outputs = step.uses.startsWith('qr.')
    ? await work()
    : await terminal.progress(step.title, work);
  return { outputs, people: [] };
}

/** The files of one attempt. */
function filesOf(session: Session, instance: Instance): SessionFiles {
  return sessionFiles({
    files: session.context.host.files,
    session: session.folder,
    owner: (path) => ownerOf(session.recorder.state, path),
    instance: instanceKey(instance),
    outside: session.outside,
  });
}

function fail(
  session: Session,
  instances: readonly Instance[],
  instance: Instance,
  count: number,
  error: ConclaveError,
): void {
  const { recorder, terminal } = session;
  const then = whatThen(session, instances, instance);
  recorder.write('step.failed', {
    ...whereOf(instance),
    attempt: count,
    error: { code: error.code, message: error.message.slice(0, 4096) },
    then,
  });
  terminal.say(`This step failed: ${error.message}.`);
  if (error.hint !== undefined) terminal.say(error.hint);
  terminal.say(saysThen(then, instance.step));
  if (then === 'postpone') postpone(session, instance, error);
}

async function deviate(session: Session, instance: Instance): Promise<void> {
  const { recorder } = session;
  const failure = recorder.state.instances.get(instanceKey(instance))?.failure;
  await recordDeviation(session, {
    key: instanceKey(instance),
    where: whereOf(instance),
    about: 'step',
    expected: instance.step.title,
    happened: failure?.error.message ?? 'the step failed',
  });
}

/** Keys that an unfinished attempt of this instance had made, and that no process holds any more. */
function abandonedIn(session: Session, instance: Instance): readonly KnownKey[] {
  const key = instanceKey(instance);
  return [...session.recorder.state.keys.values()].filter(({ madeIn }) => madeIn === key);
}

/** Records keys as retired before use, each once, and forgets what may still be in memory of them. */
function retire(session: Session, keys: readonly KnownKey[]): void {
  const { recorder, vault } = session;
  for (const key of keys) {
    if (key.retired || key.gone) continue;
    recorder.write('key.retired', retirement(key));
  }
  vault.forget(keys.map(({ reference }) => reference));
}

function retirement(key: KnownKey): EntryData['key.retired'] {
  return {
    keyId: key.keyId,
    algorithm: key.algorithm,
    publicKey: key.publicKey,
    reason: 'retired before use',
  };
}

/**
 * Goes back to the step that made a lost key. What would be undone on the way must hang on that key: if anything irreversible
 * does not, or another key was sealed meanwhile, going back would do more harm than the loss, and the ceremony ends instead.
 */
function rollBack(
  session: Session,
  instances: readonly Instance[],
  { to, lost }: Extract<Next, { do: 'rollback' }>,
): void {
  const { recorder } = session;
  const from = instances.indexOf(to);
  const facts = factsOf(session, new Set());
  const behind = instances.slice(from);
  const undoneKeys = [...recorder.state.keys.values()].filter(({ madeIn }) =>
    behind.some((instance) => instanceKey(instance) === madeIn),
  );
  const harmed = behind.find((instance) => {
    const secrecy = actionOf(session, instance)?.secrecy;
    return (
      recorder.state.instances.get(instanceKey(instance))?.status === 'finished' &&
      (secrecy === 'protects' ||
        (instance.step.kind === 'action' &&
          instance.step.effect === 'irreversible' &&
          secrecy !== 'creates' &&
          !facts.opens(instance).some((reference) => lost.includes(reference))))
    );
  });
  const sealedKey = undoneKeys.find(({ reference }) => facts.sealed(reference));
  if (harmed !== undefined || sealedKey !== undefined) {
    const what = harmed === undefined ? (sealedKey?.reference ?? '') : instanceKey(harmed);
    close(session, {
      do: 'close',
      outcome: 'aborted',
      reason:
        `${lost.join(', ')} was lost with the process before it was sealed, ` +
        `and going back would undo ${what}`,
    });
    return;
  }
  retire(session, undoneKeys);
  recorder.write('rollback', {
    toAct: to.act.id,
    toStep: to.step.id,
    reason: `${lost.join(', ')} was lost with the process before every share was sealed`,
  });
  session.terminal.say(
    `The key of "${to.step.title}" was lost before it was shared. Nobody relied on it; it is recorded as retired, and the ` +
      'ceremony goes back to that step.',
  );
}

/** Closes the session. Keys that nobody will ever open again are recorded as such. */
function close(session: Session, { outcome, reason }: Extract<Next, { do: 'close' }>): void {
  const { recorder, vault } = session;
  const facts = factsOf(session, new Set());
  const unsealed = [...recorder.state.keys.values()].filter(
    ({ reference, gone }) => !gone && !facts.sealed(reference),
  );
  if (outcome === 'aborted') retire(session, unsealed);
  vault[Symbol.dispose]();
  recorder.write('session.closed', { outcome, reason });
}
