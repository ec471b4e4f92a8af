/**
 * Where a session stands, as a pure function of its journal. Nothing here reads a clock, a file or the definition: the same
 * entries give the same state on every machine, which is what makes a resumed session the same session.
 */
import type { Json, JsonObject } from '#formats/canonical-json';
import { isObject } from '#formats/canonical-json';
import { NegativeError } from '#formats/errors';
import { asParticipant } from '#script/enrolment';
import {
  type Entry,
  type EntryData,
  parseQuorumAgreed,
  type Participant,
  QUORUM_AGREED,
  type RecordedArtifact,
  type Said,
} from '#script/entries';
import type { Side } from '#script/definition';
import { LayeredMap } from './layered-map.js';

/** How far an instance of a step has come. `deviated`: it failed and the ceremony went on without it, for a reason. */
export type InstanceStatus = 'open' | 'finished' | 'failed' | 'skipped' | 'deviated';

/** One instance of a step, since the last rollback before it. */
export interface InstanceState {
  readonly act: string;
  readonly step: string;
  readonly for?: string | undefined;
  readonly status: InstanceStatus;
  /** Sequence number of the entry that began it. */
  readonly begun: number;
  /** Failures since it was begun. */
  readonly failures: number;
  readonly outputs: Readonly<Record<string, Json>>;
  readonly artifacts: readonly RecordedArtifact[];
  readonly people: readonly Said[];
  /** What the quorum said that agreed to the last attempt; undefined before it has agreed, or when none is needed. */
  readonly agreed?: readonly Said[] | undefined;
  /** The last failure and what was to happen then. */
  readonly failure?: EntryData['step.failed'];
}

/** A key that was made in memory, by its public side. */
export interface KnownKey {
  readonly reference: string;
  readonly keyId: string;
  readonly algorithm: string;
  /** Base64 of the raw public key. */
  readonly publicKey: string;
  /** Its key record as plain data. */
  readonly record: JsonObject;
  /** Instance that made it. */
  readonly madeIn: string;
  /** Abandoned by a rollback or an unfinished step, and recorded as retired. */
  readonly retired: boolean;
  /** Wiped, or recorded as lost with the process. */
  readonly gone: boolean;
}

/** The state of a session. */
export interface SessionState {
  readonly opened: EntryData['session.opened'] | undefined;
  /** Participants, with identities enrolled on the way. */
  readonly participants: readonly Participant[];
  /** The act under way. */
  readonly act: string | undefined;
  /** By instance key, in the order in which they were begun. */
  readonly instances: LayeredMap<InstanceState>;
  /** Starts by instance key over the whole session; rollbacks do not reset it. */
  readonly attempts: LayeredMap<number>;
  /** By branch, the side that was taken, and the entry that says so. */
  readonly ways: ReadonlyMap<string, { readonly side: Side; readonly seq: number }>;
  /** By reference, e.g. `ceremony:generate`. */
  readonly keys: ReadonlyMap<string, KnownKey>;
  /** Sign-offs and the place of their entries. */
  readonly signoffs: readonly (EntryData['signoff'] & { readonly seq: number })[];
  readonly closed: EntryData['session.closed'] | undefined;
  readonly lastTime: string | undefined;
}

/** A session before its first entry. */
export const emptyState: SessionState = {
  opened: undefined,
  participants: [],
  act: undefined,
  instances: LayeredMap.of(),
  attempts: LayeredMap.of(),
  ways: new Map(),
  keys: new Map(),
  signoffs: [],
  closed: undefined,
  lastTime: undefined,
};

/** Names of the events by which a key's public side reaches the journal. */
export const KEY_ADDED = 'key.added';
export const KEY_CHANGED = 'key.changed';

/** The key of an instance, as an answers file spells it. */
export function keyOf(where: {
  readonly act: string;
  readonly step: string;
  readonly for?: string | undefined;
}): string {
  const key = `${where.act}/${where.step}`;
  return where.for === undefined ? key : `${key}/${where.for}`;
}

/** The state after a whole journal. @throws NegativeError `E_JOURNAL_ORDER` */
export function replay(entries: readonly Entry[]): SessionState {
  return entries.reduce(reduce, emptyState);
}

/**
 * The state after one more entry.
 * @throws {@link NegativeError} `E_JOURNAL_ORDER` when this entry cannot follow what stands before it
 */
export function reduce(state: SessionState, entry: Entry): SessionState {
  const next = { ...state, lastTime: entry.time };
  if (state.closed !== undefined) throw disorder(entry, 'the session was closed before it');
  if ((state.opened === undefined) !== (entry.type === 'session.opened')) {
    throw disorder(entry, 'a journal begins with session.opened, once');
  }
  switch (entry.type) {
    case 'session.opened':
      return { ...next, opened: entry.data, participants: entry.data.participants };
    case 'act.started':
      return { ...next, act: entry.data.act };
    case 'branch.taken': {
      const { branch, side } = entry.data;
      return { ...next, ways: new Map(next.ways).set(branch, { side, seq: entry.seq }) };
    }
    case 'step.started':
      return started(next, entry);
    case 'step.finished': {
      const { outputs, artifacts, people } = entry.data;
      return change(next, entry, { status: 'finished', outputs, artifacts, people });
    }
    case 'step.failed': {
      const { failures } = current(next, entry);
      return change(next, entry, {
        status: 'failed',
        failure: entry.data,
        failures: failures + 1,
      });
    }
    case 'step.skipped':
      return {
        ...next,
        instances: next.instances.with(keyOf(entry.data), { ...fresh(entry), status: 'skipped' }),
      };
    case 'deviation':
      return deviated(next, entry);
    case 'participant.enrolled':
      return {
        ...next,
        participants: next.participants.map((participant) =>
          participant.name === entry.data.name && participant.role === entry.data.role
            ? asParticipant(entry.data)
            : participant,
        ),
      };
    case 'event':
      return entry.data.event === QUORUM_AGREED ? agreed(next, entry) : keyEvent(next, entry);
    case 'session.resumed':
    case 'session.postponed':
    case 'environment.checked':
    case 'objection':
    case 'fault.injected':
    case 'restore':
      return next;
    case 'rollback':
      return rolledBack(next, entry);
    case 'key.retired':
      return markKeys(next, entry.data.keyId, (key) =>
        // A key that was sealed or wiped since is not what was abandoned; only live references are.
        key.gone ? key : { ...key, retired: true },
      );
    case 'wipe':
      return markKeys(next, entry.data.key, (key) => ({ ...key, gone: true }));
    case 'signoff':
      return { ...next, signoffs: [...next.signoffs, { ...entry.data, seq: entry.seq }] };
    case 'session.closed':
      return { ...next, closed: entry.data };
  }
}

type Located = Entry & {
  readonly data: { readonly act: string; readonly step: string; readonly for?: string };
};

function fresh(entry: Located): InstanceState {
  const { act, step } = entry.data;
  return {
    act,
    step,
    ...(entry.data.for === undefined ? {} : { for: entry.data.for }),
    status: 'open',
    begun: entry.seq,
    failures: 0,
    outputs: {},
    artifacts: [],
    people: [],
  };
}

function started(state: SessionState, entry: Located): SessionState {
  const key = keyOf(entry.data);
  const before = state.instances.get(key);
  if (before !== undefined && before.status !== 'open' && before.status !== 'failed') {
    throw disorder(entry, `${key} was ${before.status} before`);
  }
  const attempts = (state.attempts.get(key) ?? 0) + 1;
  return {
    ...state,
    instances: state.instances.with(
      key,
      // Who agreed to an earlier attempt has not agreed to this one.
      before === undefined
        ? fresh(entry)
        : {
            ...before,
            status: 'open',
            agreed: undefined,
            // Postponed for it, people begin to count anew.
            failures: before.failure?.then === 'postpone' ? 0 : before.failures,
          },
    ),
    attempts: state.attempts.with(key, attempts),
  };
}

function current(state: SessionState, entry: Located): InstanceState {
  const key = keyOf(entry.data);
  const instance = state.instances.get(key);
  if (instance?.status !== 'open') throw disorder(entry, `${key} is not under way`);
  return instance;
}

function change(
  state: SessionState,
  entry: Located,
  changes: Partial<InstanceState>,
): SessionState {
  const instance = current(state, entry);
  return {
    ...state,
    instances: state.instances.with(keyOf(entry.data), { ...instance, ...changes }),
  };
}

/** A deviation about a step that failed with `then: deviate` settles it; any other is only a record. */
function deviated(state: SessionState, entry: Extract<Entry, { type: 'deviation' }>): SessionState {
  const { act, step, about } = entry.data;
  if (act === undefined || step === undefined || about !== 'step') return state;
  const key = keyOf({ act, step, for: entry.data.for });
  const instance = state.instances.get(key);
  const then = instance?.failure?.then;
  if (instance?.status !== 'failed' || (then !== 'deviate' && then !== 'onward')) return state;
  return {
    ...state,
    instances: state.instances.with(key, { ...instance, status: 'deviated' }),
  };
}

function agreed(state: SessionState, entry: Extract<Entry, { type: 'event' }>): SessionState {
  const { people } = parseQuorumAgreed(entry.data.data, `journal.jsonl: entry ${entry.seq}`);
  return change(state, entry, { agreed: people });
}

function keyEvent(state: SessionState, entry: Extract<Entry, { type: 'event' }>): SessionState {
  const { event, data } = entry.data;
  if (event !== KEY_ADDED && event !== KEY_CHANGED) return state;
  const { reference, record } = data;
  if (typeof reference !== 'string' || !isObject(record)) {
    throw disorder(entry, `${event} names no key`);
  }
  const { id: keyId, algorithm, publicKey } = record;
  if (typeof keyId !== 'string' || typeof algorithm !== 'string' || typeof publicKey !== 'string') {
    throw disorder(entry, `${event} holds no key record`);
  }
  const before = state.keys.get(reference);
  if (event === KEY_CHANGED && before === undefined) {
    throw disorder(entry, `${reference} was never made`);
  }
  const key: KnownKey =
    event === KEY_ADDED || before === undefined
      ? {
          reference,
          keyId,
          algorithm,
          publicKey,
          record,
          madeIn: keyOf(entry.data),
          retired: false,
          gone: false,
        }
      : { ...before, keyId, record };
  return { ...state, keys: new Map(state.keys).set(reference, key) };
}

function rolledBack(
  state: SessionState,
  entry: Extract<Entry, { type: 'rollback' }>,
): SessionState {
  const { toAct, toStep } = entry.data;
  const targets = [...state.instances.values()].filter(
    ({ act, step }) => act === toAct && step === toStep,
  );
  if (targets.length === 0) throw disorder(entry, `${toAct}/${toStep} was never begun`);
  const from = Math.min(...targets.map(({ begun }) => begun));
  const kept = [...state.instances].filter(([, { begun }]) => begun < from);
  const names = new Set(kept.map(([key]) => key));
  return {
    ...state,
    act: state.act === toAct ? state.act : undefined,
    instances: LayeredMap.of(kept),
    ways: new Map([...state.ways].filter(([, { seq }]) => seq < from)),
    keys: new Map([...state.keys].filter(([, { madeIn }]) => names.has(madeIn))),
    signoffs: state.signoffs.filter(({ seq }) => seq < from),
  };
}

function markKeys(
  state: SessionState,
  keyId: string,
  mark: (key: KnownKey) => KnownKey,
): SessionState {
  return {
    ...state,
    keys: new Map(
      [...state.keys].map(([reference, key]) => [reference, key.keyId === keyId ? mark(key) : key]),
    ),
  };
}

function disorder(entry: Entry, problem: string): NegativeError {
  return new NegativeError({
    code: 'E_JOURNAL_ORDER',
    message: `journal.jsonl: entry ${entry.seq} (${entry.type}) is out of place: ${problem}`,
    hint: 'this session cannot go on; keep the folder as evidence and begin a new session',
    details: { entry: entry.seq },
  });
}
