/**
 * Whether a session went as its definition says: every entry is walked again against the plan, and the first that has no
 * business where it stands is named. Written from `docs/spec/transcript.md`, apart from the engine that wrote the entries.
 */
import type { ActionDescription } from '#formats/action';
import { InputError } from '#formats/errors';
import type { Definition } from './definition.js';
import {
  type Entry,
  type EntryData,
  parseQuorumAgreed,
  type Participant,
  QUORUM_AGREED,
} from './entries.js';
import { ExpressionError, holds, parseCondition, type Resolve } from './expression.js';
import { targetIn, type Then } from './branch.js';
import { entryKey, type Instance, instanceKey, plan } from './plan.js';
import { Misstep } from './misstep.js';
import type { Replayed, Violation } from './replayed.js';
import { assertEnrolled, ReplayedEnrolments } from './replay-enrolments.js';
import { assertHeard, assertQuorum } from './replay-heard.js';
import { ReplayedKeys } from './replay-keys.js';
import { ReplayedMachine } from './replay-machine.js';
import { resolverAt } from './replay-scope.js';
import { ReplayedWays } from './replay-ways.js';

/**
 * Walks all entries of a session.
 * @param catalogue - descriptions of actions, for what outputs they have and whether they seal a secret
 */
export function replaySession(
  definition: Definition,
  entries: readonly Entry[],
  catalogue: readonly ActionDescription[] = [],
): Replayed {
  const walk = new Walk(definition, catalogue);
  for (const [i, entry] of entries.entries()) {
    try {
      walk.step(entry, entries[i - 1]);
    } catch (error) {
      // A reference without a value means that the definition and these entries do not belong together.
      const known =
        error instanceof Misstep || error instanceof InputError || error instanceof ExpressionError;
      if (!known) throw error;
      return walk.result({ seq: entry.seq, reason: `${entry.type}: ${error.message}` });
    }
  }
  const last = entries.at(-1);
  return walk.result(
    last?.type === 'session.closed'
      ? undefined
      : {
          seq: entries.length,
          reason: 'the session was never closed: its last entries are missing',
        },
  );
}

type Status = 'idle' | 'open' | 'interrupted' | Then;

class Walk {
  readonly #definition: Definition;
  readonly #actions: ReadonlyMap<string, ActionDescription>;
  #opened: EntryData['session.opened'] | undefined;
  #participants: readonly Participant[] = [];
  #instances: readonly Instance[] = [];
  #at = 0;
  #act: string | undefined;
  #status: Status = 'idle';
  #failures = 0;
  #resumed = false;
  /** Postponed, and not taken up again. */
  #away = false;
  readonly #machine: ReplayedMachine;
  readonly #ways: ReplayedWays;
  /** When the current instance was begun, and whether a deviation said that it took long. */
  #begun: { readonly time: string; late: boolean } | undefined;
  #closed: EntryData['session.closed'] | undefined;
  readonly #attempts = new Map<string, number>();
  /** What every finished instance left behind, by its place in the plan. */
  readonly #finished = new Map<number, EntryData['step.finished']>();
  /** Paths of the artifacts that count. */
  readonly #paths = new Set<string>();
  readonly #keys = new ReplayedKeys();
  readonly #enrolments = new ReplayedEnrolments();
  #signoffs: { readonly at: number; readonly data: EntryData['signoff'] }[] = [];
  constructor(definition: Definition, catalogue: readonly ActionDescription[]) {
    this.#definition = definition;
    this.#machine = new ReplayedMachine(definition.environment);
    this.#ways = new ReplayedWays(definition);
    this.#actions = new Map(catalogue.map((action) => [action.id, action]));
  }

  result(violation: Violation | undefined): Replayed {
    const artifacts = [...this.#finished.values()].flatMap((finished) => finished.artifacts);
    return {
      violation,
      participants: this.#participants,
      enrolled: this.#enrolments.all,
      artifacts: new Map(artifacts.map((artifact) => [artifact.path, artifact])),
      keys: this.#keys.all,
      changedSets: this.#changedSets(),
      signoffs: this.#signoffs.map(({ data }) => data),
      closed: this.#closed,
    };
  }

  /** What steps said that protect something and were given no key: they changed a set that people brought. */
  #changedSets(): Replayed['changedSets'] {
    return [...this.#finished].flatMap(([at, { outputs }]) => {
      const step = this.#instances[at]?.step;
      const action = step?.kind === 'action' ? this.#actions.get(step.uses) : undefined;
      if (action?.secrecy !== 'protects') return [];
      if (Object.values(action.inputs).some(({ type }) => type === 'key')) return [];
      const { setId, root } = outputs;
      return typeof setId === 'string' && typeof root === 'string' ? [{ setId, root }] : [];
    });
  }

  step(entry: Entry, before: Entry | undefined): void {
    if (this.#closed !== undefined) throw new Misstep('it comes after the session was closed');
    if ((entry.type === 'session.opened') !== (this.#opened === undefined))
      throw new Misstep('a session is opened once, by its first entry');
    this.#clock(entry, before);
    if (this.#away && entry.type !== 'session.resumed' && entry.type !== 'deviation')
      throw new Misstep('the session was postponed, and did not go on');
    switch (entry.type) {
      case 'session.opened':
        this.#opened = entry.data;
        this.#participants = entry.data.participants;
        this.#machine.opened(entry.data);
        this.#instances = plan(this.#definition, this.#participants);
        return;
      case 'act.started':
        return this.#enterAct(entry.data.act);
      case 'branch.taken':
        return this.#take(entry.data);
      case 'step.started':
        return this.#start(entry.data, entry.time);
      case 'step.skipped':
        return this.#skip(entry.data);
      case 'step.finished':
        return this.#finish(entry.data, entry.time);
      case 'step.failed':
        return this.#fail(entry.data);
      case 'deviation':
        return this.#deviate(entry.data);
      case 'environment.checked':
        return this.#machine.checked(entry.data, this.#act);
      case 'objection':
        return this.#object(entry.data);
      case 'session.postponed':
        this.#known(entry.data.by);
        this.#away = true;
        return;
      case 'fault.injected':
        if (this.#opened?.mode !== 'rehearsal')
          throw new Misstep('only a rehearsal is disturbed on purpose');
        return;
      case 'participant.enrolled':
        return this.#enrol(entry.data);
      case 'event':
        return this.#event(entry.data);
      case 'session.resumed':
        if (entry.data.lastTime !== before?.time)
          throw new Misstep('it does not tell the time of the entry before it');
        this.#resumed = true;
        this.#away = false;
        this.#machine.lookAgain();
        if (this.#status === 'open') this.#status = 'interrupted';
        else if (this.#status === 'postpone') {
          this.#status = 'retry';
          this.#failures = 0;
        }
        return;
      case 'rollback':
        return this.#rollBack(entry.data);
      case 'key.retired':
        return this.#keys.mark(entry.data.keyId, 'retired');
      case 'restore':
        if (!this.#resumed) throw new Misstep('nothing was lost that could be restored');
        return this.#keys.restore(entry.data, this.#definition);
      case 'wipe':
        return this.#keys.mark(entry.data.key, 'wiped');
      case 'signoff':
        return this.#signOff(entry.data);
      case 'session.closed':
        return this.#close(entry.data);
    }
  }

  /** Time may stand still, never go back without a word. */
  #clock(entry: Entry, before: Entry | undefined): void {
    if (before === undefined || entry.time === before.time) return;
    if (Date.parse(entry.time) >= Date.parse(before.time)) return;
    if (entry.type !== 'deviation' || entry.data.about !== 'clock')
      throw new Misstep(`its time ${entry.time} is before that of its predecessor, ${before.time}`);
  }

  get #current(): Instance {
    const instance = this.#instances[this.#at];
    if (instance === undefined) throw new Misstep('all steps of the definition were done before');
    return instance;
  }

  #enterAct(act: string): void {
    const current = this.#current;
    if (this.#status !== 'idle') throw new Misstep(`${instanceKey(current)} is still under way`);
    if (act !== current.act.id)
      throw new Misstep(`the act ${current.act.id} comes next, not ${act}`);
    if (this.#act === act) throw new Misstep(`the act ${act} was entered before`);
    this.#act = act;
    this.#machine.lookAgain();
  }

  #object({ person, role, reason }: EntryData['objection']): void {
    if (!this.#participants.some((it) => it.name === person && it.role === role))
      throw new Misstep(`${person} does not take part as ${role}`);
    if (reason.trim() === '') throw new Misstep(`${person} objects and gives no reason`);
  }

  /** The current instance, if that is what an entry is about. */
  #expect(where: { readonly act: string; readonly step: string; readonly for?: string }): Instance {
    const current = this.#current;
    const isCurrent =
      where.step === current.step.id && where.act === current.act.id && where.for === current.for;
    if (!isCurrent) throw new Misstep(`${instanceKey(current)} comes next, not ${entryKey(where)}`);
    if (this.#act !== current.act.id)
      throw new Misstep(`the act ${current.act.id} was not entered`);
    return current;
  }

  #take(data: EntryData['branch.taken']): void {
    const current = this.#current;
    if (this.#status !== 'idle') throw new Misstep(`${instanceKey(current)} is under way`);
    if (this.#act !== current.act.id || data.act !== current.act.id)
      throw new Misstep(`the act ${current.act.id} was not entered`);
    this.#ways.take(data, this.#at, current, this.#resolver(current));
  }

  #start(data: EntryData['step.started'], time: string): void {
    const current = this.#expect(data);
    this.#machine.mustBeInOrder();
    if (this.#status === 'open') throw new Misstep('it was begun before and has not ended');
    const ended: readonly Status[] = ['deviate', 'abort', 'postpone', 'back', 'onward'];
    if (ended.includes(this.#status)) throw new Misstep('it failed, and was not to be tried again');
    this.#keys.mustBeRetired();
    if (this.#status === 'idle') {
      if (!this.#holds(current))
        throw new Misstep('its condition does not hold: it had to be skipped');
    } else if (this.#status === 'interrupted') {
      this.#keys.mustBeRetiredOf(instanceKey(current));
    }
    const key = instanceKey(current);
    const attempt = (this.#attempts.get(key) ?? 0) + 1;
    if (data.attempt !== attempt)
      throw new Misstep(`it is attempt ${attempt}, not ${data.attempt}`);
    this.#attempts.set(key, attempt);
    this.#begun = { time, late: false };
    this.#status = 'open';
  }

  #skip(data: EntryData['step.skipped']): void {
    const current = this.#expect(data);
    if (this.#status !== 'idle') throw new Misstep('it was begun before');
    if (this.#holds(current)) throw new Misstep('its condition holds: it could not be skipped');
    this.#advance();
  }

  #finish(data: EntryData['step.finished'], time: string): void {
    const current = this.#expect(data);
    const { step } = current;
    if (this.#status !== 'open' && this.#status !== 'interrupted')
      throw new Misstep('it was not under way');
    this.#inTime(current, time);
    if (data.by !== current.by) throw new Misstep(`${current.by} acts here, not ${data.by}`);
    for (const { name } of data.people) this.#known(name);
    const action = step.kind === 'action' ? this.#actions.get(step.uses) : undefined;
    const strange =
      action && Object.keys(data.outputs).find((name) => !Object.hasOwn(action.outputs, name));
    if (strange !== undefined && action !== undefined)
      throw new Misstep(`${action.id} has no output ${strange}`);
    const signedOff = this.#signoffs.filter(({ at }) => at === this.#at);
    assertHeard(current, data, new Set(signedOff.map((it) => it.data.person)), () =>
      this.#resolver(current),
    );
    assertQuorum(this.#definition, this.#participants, current, data);
    assertEnrolled(current, this.#participants);
    for (const { path } of data.artifacts) {
      if (this.#paths.has(path)) throw new Misstep(`${path} was made by an earlier step already`);
      this.#paths.add(path);
    }
    this.#finished.set(this.#at, data);
    this.#advance();
  }

  /** Whoever took longer than the definition allows has said why. Of an interrupted attempt the gap tells. */
  #inTime({ step }: Instance, time: string): void {
    if (step.timeout === undefined || this.#begun === undefined || this.#status !== 'open') return;
    const seconds = (Date.parse(time) - Date.parse(this.#begun.time)) / 1000;
    if (seconds > step.timeout * 60 && !this.#begun.late)
      throw new Misstep(`it took longer than ${step.timeout} minutes, and no deviation says why`);
  }

  /** That a quorum agreed is said at a step that needs it, and of people who take part. */
  #agreed({ step }: Instance, { data }: EntryData['event']): void {
    const { quorum, people } = parseQuorumAgreed(data, QUORUM_AGREED);
    if (step.needs !== quorum) throw new Misstep(`${step.id} does not need the quorum ${quorum}`);
    for (const { name } of people) this.#known(name);
  }

  #fail(data: EntryData['step.failed']): void {
    const current = this.#expect(data);
    if (this.#status !== 'open' && this.#status !== 'interrupted')
      throw new Misstep('it was not under way');
    if (data.attempt !== this.#attempts.get(instanceKey(current)))
      throw new Misstep(`its attempt is not ${data.attempt}`);
    this.#failures++;
    const expected = this.#ways.afterFailure(this.#instances, this.#at, this.#failures);
    if (data.then !== expected)
      throw new Misstep(`the definition says ${expected} then, not ${data.then}`);
    this.#status = expected;
  }

  #deviate(data: EntryData['deviation']): void {
    this.#known(data.by);
    for (const name of data.initials) this.#known(name);
    this.#machine.explained(data.about);
    const { act, step } = data;
    const current = this.#instances[this.#at];
    if (act === undefined || step === undefined || current === undefined) return;
    if (entryKey({ ...data, act, step }) !== instanceKey(current)) return;
    if (data.about === 'time' && this.#begun !== undefined) this.#begun.late = true;
    if (data.about !== 'step') return;
    if (this.#status === 'onward') this.#ways.leadOn(this.#instances, this.#at);
    if (this.#status === 'deviate' || this.#status === 'onward') this.#advance();
  }

  #enrol(data: EntryData['participant.enrolled']): void {
    this.#participants = this.#enrolments.enrol(data, {
      current: this.#current,
      underWay: this.#status === 'open' || this.#status === 'interrupted',
      participants: this.#participants,
      signoffs: this.#signoffs.map((it) => it.data),
    });
  }

  #event(data: EntryData['event']): void {
    const current = this.#expect(data);
    if (this.#status !== 'open' && this.#status !== 'interrupted')
      throw new Misstep('its step was not under way');
    if (data.event === QUORUM_AGREED) this.#agreed(current, data);
    this.#keys.event(data, instanceKey(current));
    this.#enrolments.event(data, instanceKey(current));
  }

  #rollBack({ toAct, toStep }: EntryData['rollback']): void {
    const back = this.#status === 'back' ? this.#current.step.elsewhere : undefined;
    if (!this.#resumed && back === undefined)
      throw new Misstep('nothing was interrupted that could be rolled back');
    const target = this.#instances.findIndex(
      ({ act, step }) => act.id === toAct && step.id === toStep,
    );
    if (target < 0 || target > this.#at)
      throw new Misstep(`${toAct}/${toStep} lies not behind ${instanceKey(this.#current)}`);
    if (back !== undefined && target !== targetIn(this.#instances, back))
      throw new Misstep(`the failure leads back to ${back.name}, not to ${toStep}`);
    for (const [at, finished] of [...this.#finished]) {
      if (at < target) continue;
      const { step } = this.#instances[at] as Instance;
      const action = step.kind === 'action' ? this.#actions.get(step.uses) : undefined;
      if (action?.secrecy === 'protects')
        throw new Misstep(`${entryKey(finished)} had sealed a key: it cannot be undone`);
      this.#finished.delete(at);
      for (const { path } of finished.artifacts) this.#paths.delete(path);
    }
    const undone = new Set(this.#instances.slice(target, this.#at + 1).map(instanceKey));
    this.#keys.abandon(undone);
    this.#signoffs = this.#signoffs.filter(({ at }) => at < target);
    if (this.#act !== toAct) this.#act = undefined;
    this.#ways.undo(target);
    this.#at = target;
    this.#status = 'idle';
    this.#failures = 0;
  }

  #signOff(data: EntryData['signoff']): void {
    const current = this.#current;
    const { step } = current;
    const under = this.#status === 'open' || this.#status === 'interrupted';
    if (!under || step.kind !== 'human' || step.human !== 'sign-off')
      throw new Misstep('no sign-off was under way');
    if (data.person !== (current.for ?? current.by) || data.role !== (step.each ?? step.by))
      throw new Misstep(`it is not for ${data.person} to sign off here`);
    if (!data.agrees && (data.reason ?? '').trim() === '')
      throw new Misstep(`${data.person} disagrees and gives no reason`);
    if (this.#signoffs.some(({ at }) => at === this.#at))
      throw new Misstep(`${data.person} signed off before`);
    this.#signoffs.push({ at: this.#at, data });
  }

  #close(data: EntryData['session.closed']): void {
    const rest = this.#instances.length - this.#at;
    if (data.outcome === 'completed') {
      if (this.#status !== 'idle' || rest > 0)
        throw new Misstep(`it says completed, and ${rest} steps were not done`);
      const { kept } = this.#keys;
      if (kept !== undefined && this.#someStepWipes())
        throw new Misstep(`the key ${kept.keyId.slice(0, 16)} was never wiped`);
    }
    this.#closed = data;
  }

  #someStepWipes(): boolean {
    return this.#instances.some(
      ({ step }) => step.kind === 'action' && this.#actions.get(step.uses)?.secrecy === 'destroys',
    );
  }

  #advance(): void {
    this.#at++;
    this.#status = 'idle';
    this.#failures = 0;
  }

  #known(name: string): void {
    if (!this.#participants.some((participant) => participant.name === name))
      throw new Misstep(`${name} does not take part`);
  }

  #holds(instance: Instance): boolean {
    const { when } = instance.step;
    if (!this.#ways.includes(this.#at, instance)) return false;
    return when === undefined || holds(parseCondition(when), this.#resolver(instance));
  }

  #resolver(instance: Instance): Resolve {
    const opened = this.#opened as EntryData['session.opened'];
    const whose = { definition: this.#definition, participants: this.#participants, opened };
    return resolverAt(
      { ...whose, instances: this.#instances, finished: this.#finished, ways: this.#ways.taken },
      instance,
    );
  }
}
