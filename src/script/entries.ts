/**
 * What a session's journal and transcript hold: the exact type of every entry, and its strict reader. The engine writes
 * these, the transcript checker and the minutes read them; nothing else passes between the two.
 * @see docs/spec/transcript.md
 */
import type { ChainEntry } from '#custody/audit/chain';
import type { JsonObject } from '#formats/canonical-json';
import { InputError } from '#formats/errors';
import type { Infer, Schema } from '#formats/schema';
import * as s from '#formats/schema';

/** Letters, digits and hyphens: ids of acts, steps, roles, quorums, parameters. */
export const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const name = s.string({ pattern: NAME, max: 64, what: 'a lower-case name with hyphens' });
const person = s.string({ max: 128, pattern: /^\S(?:.*\S)?$/, what: "a person's name" });
const digest = s.string({ pattern: /^sha256:[0-9a-f]{64}$/, what: 'sha256: and 64 hex digits' });
const sentence = s.string({ max: 4096 });
const base64Text = (max: number): Schema<string> =>
  s.string({ pattern: BASE64, max, what: 'base64' });
const environment = s.oneOf('production', 'rehearsal', 'dev');
const scalar: Schema<string | number | boolean> = {
  parse(value, at) {
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      throw s.mismatch(at, 'a string, an integer, true or false');
    return value;
  },
};

/** An identity's public file, as plain JSON; `custody/authority` reads it further. */
const publicIdentity = s.object({
  type: s.oneOf('conclave/identity'),
  version: s.oneOf(1),
  id: s.hex(32),
  name: s.string({ max: 128 }),
  created: s.time(),
  environment,
  ed25519: base64Text(64),
  mlDsa65: base64Text(4096),
  xWing: base64Text(4096),
});

/** How well a participant's identity is known; `none` without one. */
const level = s.oneOf('verified', 'introduced', 'tofu', 'none');

const participant = s.object({
  name: person,
  role: name,
  identity: s.nullable(publicIdentity),
  level,
});

const probe = s.object({
  name: s.string({ max: 64 }),
  result: s.oneOf('ok', 'finding', 'not-checked'),
  detail: sentence,
});

const artifact = s.object({
  /** Relative to the session folder, with forward slashes. */
  path: s.string({
    max: 512,
    pattern: /^(?!\/)(?!.*(?:^|\/)\.{1,2}(?:\/|$))(?!.*\/\/)[^\\\0]+$/,
    what: 'a relative path',
  }),
  sha256: s.hex(32),
  size: s.integer({ min: 0 }),
});

/** `recorded` as typed at the keyboard, `unattended` from an answers file. */
const heard = s.oneOf('recorded', 'unattended');

const said = s.object({
  name: person,
  /** The answer, as recorded; never a secret. */
  said: sentence,
  graded: heard,
});

/** Which instance of which step an entry belongs to; `for` names the holder under `each:`. */
const where = { act: name, step: name, for: s.optional(person) };

/**
 * How somebody came by an identity on the way: made in the room or brought, and who typed its fingerprint as its owner read it.
 */
const enrolment = s.object({
  origin: s.oneOf('made', 'brought'),
  compared: s.nullable(s.object({ by: person, role: name, graded: heard })),
});

/** What a rehearsal can be disturbed by. */
export const FAULTS = [
  'power-cut',
  'wrong-pin',
  'token-pulled',
  'garbled-print',
  'bad-clock',
  'full-disk',
] as const;

/** One of {@link FAULTS}. */
export type Fault = (typeof FAULTS)[number];

const schemas = {
  /** Always and only the first entry. */
  'session.opened': s.object({
    session: s.string({ max: 128, pattern: /^[A-Za-z0-9][A-Za-z0-9._:-]*$/, what: 'a session id' }),
    ceremony: name,
    title: sentence,
    classification: s.oneOf('production', 'dev'),
    mode: s.oneOf('run', 'rehearsal'),
    /** The mark that everything made in this session carries. */
    environment,
    definitionDigest: digest,
    executionDigest: digest,
    siteDigest: s.nullable(digest),
    parameters: s.record(scalar, { key: NAME, max: 64 }),
    /** In the order of the participants file; `each:` follows it. */
    participants: s.array(participant, { min: 1, max: 256 }),
    /** Head of the ceremony before this one, or null. */
    previous: s.nullable(s.object({ ceremony: name, head: s.hex(32) })),
    /** Self-reported, so never more than recorded. */
    tool: s.object({ version: s.string({ max: 64 }), digest }),
    airGap: s.array(probe, { max: 256 }),
  }),
  /** Progress enters an act; again when it enters it anew after a rollback to an earlier act. */
  'act.started': s.object({ act: name }),
  /** `attempt` counts all starts of this instance in the session, from 1. */
  'step.started': s.object({ ...where, attempt: s.integer({ min: 1, max: 1000 }) }),
  'step.finished': s.object({
    ...where,
    /** The participant who acted: the holder under `each:`, else the first holder of the step's `by:` role. */
    by: person,
    /** Named outputs of the action, or `answer` of an `ask`; a live key is a reference such as `ceremony:generate`. */
    outputs: s.record(s.json(), { max: 64 }),
    artifacts: s.array(artifact, { max: 1024 }),
    people: s.array(said, { max: 256 }),
  }),
  'step.failed': s.object({
    ...where,
    attempt: s.integer({ min: 1, max: 1000 }),
    error: s.object({ code: s.string({ max: 128 }), message: sentence }),
    /** What happens now; after `deviate` and `onward` a deviation for the same instance must follow, after `back` a rollback. */
    then: s.oneOf('abort', 'retry', 'deviate', 'postpone', 'back', 'onward'),
  }),
  /** At the first step of a branch: which side, and why. */
  'branch.taken': s.object({
    act: name,
    branch: name,
    side: s.oneOf('then', 'else'),
    condition: sentence,
    /** What the references of the condition stood for. */
    values: s.record(s.json(), { max: 64 }),
  }),
  /** Its `when:` did not hold, or it lies on a way that was not taken. */
  'step.skipped': s.object({ ...where, condition: sentence }),
  /** Something that did not go to script. Without `act` it concerns the whole session. */
  deviation: s.object({
    act: s.optional(name),
    step: s.optional(name),
    for: s.optional(person),
    /** `step`, or `environment.PROBE` for a required probe that is not ok, or `order`, `people`, `material`, `other`. */
    about: s.string({ max: 128, pattern: /^[a-z][a-z0-9.-]*$/, what: 'a deviation subject' }),
    expected: sentence,
    happened: sentence,
    reason: sentence,
    by: person,
    /** Who initialled it, besides the one who decided. */
    initials: s.array(person, { max: 64 }),
    graded: heard,
  }),
  /** The air-gap report once more: in every act, and when a session goes on, where the definition wants it. */
  'environment.checked': s.object({ act: name, airGap: s.array(probe, { max: 256 }) }),
  /** Somebody does not agree with what happens, in their own words; the ceremony goes on or not, but this stays. */
  objection: s.object({
    person,
    role: name,
    act: s.optional(name),
    step: s.optional(name),
    for: s.optional(person),
    reason: sentence,
    graded: heard,
  }),
  /** People decided to stop here and to go on later; the next entry tells of the gap. */
  'session.postponed': s.object({ by: person, reason: sentence, graded: heard }),
  /** A rehearsal was disturbed on purpose, as whoever started it had asked. */
  'fault.injected': s.object({ fault: s.oneOf(...FAULTS), act: name, step: name }),
  /** Somebody takes part by an identity from here on; without `how` nobody compared it. */
  'participant.enrolled': s.object({
    name: person,
    role: name,
    identity: publicIdentity,
    level,
    how: s.optional(enrolment),
  }),
  /** What an action itself reported while a step was under way. */
  event: s.object({ ...where, event: s.string({ max: 128 }), data: s.record(s.json()) }),
  /** The program was gone between `lastTime` and this entry. */
  'session.resumed': s.object({
    lastTime: s.time(),
    /** References of live secrets that went with the process. */
    lost: s.array(s.string({ max: 256 }), { max: 256 }),
    tool: s.object({ version: s.string({ max: 64 }), digest }),
  }),
  /** Progress goes back to the first instance of a step. */
  rollback: s.object({ toAct: name, toStep: name, reason: sentence }),
  /** A key whose private side was lost before anyone was told to rely on it. */
  'key.retired': s.object({
    keyId: s.hex(32),
    algorithm: s.string({ max: 64 }),
    publicKey: base64Text(16384),
    reason: s.oneOf('retired before use'),
  }),
  /** Shares were gathered and a lost secret recombined in memory. */
  restore: s.object({
    setId: s.hex(32),
    /** Indices of the shares that were used. */
    shares: s.array(s.integer({ min: 1, max: 65535 }), { min: 1, max: 1024 }),
    /** Id of the key that is live again. */
    key: s.hex(32),
    reference: s.string({ max: 256 }),
  }),
  /** The last copy in memory is gone. */
  wipe: s.object({
    ...where,
    key: s.hex(32),
    how: s.oneOf('wiped', 'lost with the process'),
  }),
  signoff: s.object({
    person,
    role: name,
    agrees: s.boolean(),
    /** Why not, when `agrees` is false. */
    reason: s.nullable(sentence),
    graded: heard,
  }),
  /** Always and only the last entry of a finished session. */
  'session.closed': s.object({
    outcome: s.oneOf('completed', 'aborted'),
    reason: s.nullable(sentence),
  }),
} as const;

/** Types of the entries of a session. */
export type EntryType = keyof typeof schemas;

/** What each type of entry carries. */
export type EntryData = { readonly [T in EntryType]: Infer<(typeof schemas)[T]> };

/** One typed entry of the chain. */
export type EntryOf<T extends EntryType> = Omit<ChainEntry, 'type' | 'data'> & {
  readonly type: T;
  readonly data: EntryData[T];
};

/** Any entry of a session; a union told apart by `type`. */
export type Entry = { [T in EntryType]: EntryOf<T> }[EntryType];

/** A participant as the transcript records one. */
export type Participant = Infer<typeof participant>;

/** An identity's public file as plain JSON. */
export type PublicIdentity = Infer<typeof publicIdentity>;

/** How well an identity is known. */
export type TrustLevel = Infer<typeof level>;

/** A file that a step made. */
export type RecordedArtifact = Infer<typeof artifact>;

/** What a person said at a step. */
export type Said = Infer<typeof said>;

/** One probe of the air-gap report. */
export type RecordedProbe = Infer<typeof probe>;

/** What a quorum said before a step that needs it, as the event {@link QUORUM_AGREED} carries it. */
export interface QuorumAgreed {
  /** Name of the quorum. */
  readonly quorum: string;
  readonly people: readonly Said[];
}

/** Name of the event that says that a quorum agreed, written before what it agreed to begins. */
export const QUORUM_AGREED = 'quorum.agreed';

const quorumAgreed = s.object({ quorum: name, people: s.array(said, { max: 256 }) });

/**
 * What the event {@link QUORUM_AGREED} carries.
 * @param at - how errors name it
 * @throws InputError `E_SCHEMA_MISMATCH`
 */
export function parseQuorumAgreed(data: JsonObject, at: string): QuorumAgreed {
  return quorumAgreed.parse(data, at);
}

/** All types of entries. */
export const ENTRY_TYPES: readonly EntryType[] = Object.keys(schemas) as EntryType[];

/** Whether a string names an entry type. */
export function isEntryType(type: string): type is EntryType {
  return Object.hasOwn(schemas, type);
}

/**
 * The typed form of one chain entry; its own members are the chain's business, its data is read strictly here.
 * @param at - how errors name it, e.g. `journal.jsonl: entry 12`
 * @throws InputError `E_ENTRY_UNKNOWN`, `E_SCHEMA_MISMATCH`
 */
export function parseEntry(entry: ChainEntry, at: string): Entry {
  const { type } = entry;
  if (!isEntryType(type)) {
    throw new InputError({
      code: 'E_ENTRY_UNKNOWN',
      message: `${at}: unknown entry type ${JSON.stringify(type)}`,
    });
  }
  return { ...entry, type, data: parseEntryData(type, entry.data, at) } as Entry;
}

/**
 * The strictly read data of one type of entry. The engine calls it on what it is about to append, so that nothing is
 * journalled which no reader would accept.
 * @throws InputError `E_SCHEMA_MISMATCH`
 */
export function parseEntryData<T extends EntryType>(
  type: T,
  data: JsonObject,
  at: string,
): EntryData[T] {
  return schemas[type].parse(data, `${at}: ${type}`) as EntryData[T];
}
