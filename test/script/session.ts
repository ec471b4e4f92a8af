/** A made-up session of a shipped ceremony: entries as an engine would write them, written here without one. */
import { entryHash, nextEntry, type ChainEntry, type ChainHead } from '#custody/audit/chain';
import { buildStatement, signStatement } from '#custody/audit/statement';
import { identityJson, newIdentity, type OpenIdentity } from '#custody/authority/identity';
import { sha256, shake256 } from '#crypto/hash';
import { toHex, utf8 } from '#formats/bytes';
import type { Json, JsonObject } from '#formats/canonical-json';
import { decodeDsse, encodeDsse, type DsseEnvelope } from '#formats/dsse';
import type { Definition } from '#script/definition';
import { type Entry, type Participant, parseEntry, type PublicIdentity } from '#script/entries';
import { evaluate } from '#script/expression';
import { parseDefinition } from '#script/parse';
import { executionDigest, holders, type Instance, plan } from '#script/plan';
import { resolverFor } from '#script/scope';
import { buildTranscriptStatement } from '#script/transcript';

/** A step of the chain before it is linked: type, data and, when it matters, seconds since the start. */
export interface Draft {
  readonly type: string;
  readonly data: JsonObject;
  readonly at?: number;
}

/** A made-up session. */
export interface Made {
  readonly definitionText: string;
  readonly definition: Definition;
  readonly drafts: readonly Draft[];
  readonly participants: readonly Participant[];
  readonly identities: ReadonlyMap<string, OpenIdentity>;
  /** Content of artifacts, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly keyId: string;
}

const START = Date.parse('2026-11-23T09:00:00Z');
let counter = 0;
const random = (length: number): Uint8Array => shake256(length, utf8(`test ${counter++}`));
const KEY_ID = 'ab'.repeat(32);
const SET_ID = 'cd'.repeat(32);
const ROOT = 'ef'.repeat(32);

/** Facts that the tests' stand-in for artifact kinds tells of `shares/set.json`. */
export const SHARE_SET = { setId: SET_ID, root: ROOT } as const;

/** One identity per person; slow enough to be made once per file. */
export async function makePeople(
  definition: Definition,
  environment: 'production' | 'rehearsal' | 'dev',
): Promise<{ participants: Participant[]; identities: Map<string, OpenIdentity> }> {
  const participants: Participant[] = [];
  const identities = new Map<string, OpenIdentity>();
  for (const [role, { count, identity }] of Object.entries(definition.roles)) {
    for (let i = 1; i <= count; i++) {
      const name = count === 1 ? role : `${role}-${i}`;
      if (identity === 'optional') {
        participants.push({ name, role, identity: null, level: 'none' });
        continue;
      }
      const open = await newIdentity({ name, environment, now: new Date(START), random });
      identities.set(name, open);
      participants.push({
        name,
        role,
        identity: identityJson(open.identity) as unknown as PublicIdentity,
        level: 'verified',
      });
    }
  }
  return { participants, identities };
}

/** A whole, undisturbed session. */
export async function makeSession(
  definitionText: string,
  mode: 'run' | 'rehearsal' = 'run',
  people?: Awaited<ReturnType<typeof makePeople>>,
): Promise<Made> {
  const { definition } = parseDefinition(utf8(definitionText), 'definition.yaml');
  const environment =
    mode === 'rehearsal' ? 'rehearsal' : definition.classification === 'dev' ? 'dev' : 'production';
  const { participants, identities } = people ?? (await makePeople(definition, environment));
  const parameters = Object.fromEntries(
    Object.entries(definition.parameters).map(([name, it]) => [name, it.default ?? '']),
  );
  const definitionDigest = `sha256:${toHex(sha256(utf8(definitionText)))}`;
  const execution = { definitionDigest, parameters, participants };
  const opened = {
    session: '2026-11-23T09-00-00Z',
    ceremony: definition.id,
    title: definition.title,
    classification: definition.classification,
    mode,
    environment,
    definitionDigest,
    executionDigest: executionDigest(execution, (bytes) => sha256(bytes)),
    siteDigest: null,
    parameters,
    participants: participants as unknown as Json,
    previous: null,
    tool: { version: '0.1.0', digest: `sha256:${'0'.repeat(64)}` },
    airGap: definition.environment.require.map((name) => ({ name, result: 'ok', detail: 'fine' })),
  } as const;
  const drafts: Draft[] = [{ type: 'session.opened', data: opened }];
  const files = new Map<string, Uint8Array>();
  const outputs = new Map<string, Map<string, Record<string, Json>>>();
  const graded = definition.unattended || mode === 'rehearsal' ? 'unattended' : 'recorded';
  let act: string | undefined;
  for (const instance of plan(definition, participants)) {
    const { step } = instance;
    if (act !== instance.act.id) {
      act = instance.act.id;
      drafts.push({ type: 'act.started', data: { act } });
    }
    const where = whereOf(instance);
    drafts.push({ type: 'step.started', data: { ...where, attempt: 1 } });
    const who = instance.for ?? instance.by;
    const done: Record<string, Json> = {};
    const artifacts: Json[] = [];
    const people: Json[] = [];
    const make = (path: string): void => {
      const bytes = utf8(`content of ${path}\n`);
      files.set(path, bytes);
      artifacts.push({ path, sha256: toHex(sha256(bytes)), size: bytes.length });
    };
    const resolve = resolverFor(
      {
        definition,
        participants,
        parameters,
        session: {
          id: opened.session,
          definitionDigest,
          executionDigest: opened.executionDigest,
        },
        outputs,
      },
      instance,
    );
    const quorum = step.needs === undefined ? undefined : definition.quorums[step.needs];
    if (quorum !== undefined)
      for (const { name } of holders(participants, quorum.of).slice(0, quorum.threshold))
        people.push({ name, said: 'agreed', graded });
    if (step.kind === 'human') {
      if (step.human === 'sign-off') {
        drafts.push({
          type: 'signoff',
          data: { person: who, role: step.by, agrees: true, reason: null, graded },
        });
      } else {
        const said =
          step.human === 'read-back'
            ? JSON.stringify(evaluate(step.value ?? '', resolve)).slice(1, -1)
            : 'yes';
        people.push({ name: who, said, graded });
        if (step.human === 'seal') done['serial'] = `B-${instance.for ?? ''}`;
      }
    } else if (step.uses === 'key.generate') {
      Object.assign(done, { key: 'ceremony:generate', public: 'key.pub', id: KEY_ID });
      make('artifacts/key.pub');
      drafts.push({ type: 'event', data: keyEvent(where, 'key.added', environment, null) });
    } else if (step.uses === 'share.split') {
      const shares = Array.from({ length: definition.roles['custodian']?.count ?? 0 }, (_, i) => {
        make(`artifacts/shares/share-${i + 1}.share`);
        return `shares/share-${i + 1}.share`;
      });
      make('artifacts/shares/set.json');
      Object.assign(done, { set: 'shares/set.json', shares, setId: SET_ID, root: ROOT });
      const sharing = { setId: SET_ID, root: ROOT };
      drafts.push({ type: 'event', data: keyEvent(where, 'key.changed', environment, sharing) });
    } else if (step.uses === 'sign') {
      done['signature'] = 'file.sig';
      make('artifacts/file.sig');
    } else if (step.uses === 'key.wipe') {
      drafts.push({ type: 'wipe', data: { ...where, key: KEY_ID, how: 'wiped' } });
      done['key'] = KEY_ID;
    }
    const perHolder = outputs.get(step.id) ?? new Map<string, Record<string, Json>>();
    outputs.set(step.id, perHolder.set(instance.for ?? '', done));
    drafts.push({
      type: 'step.finished',
      data: { ...where, by: instance.by, outputs: done, artifacts, people },
    });
  }
  drafts.push({ type: 'session.closed', data: { outcome: 'completed', reason: null } });
  return { definitionText, definition, drafts, participants, identities, files, keyId: KEY_ID };
}

/** An event about the session's one key. */
export function keyEvent(
  where: JsonObject,
  event: string,
  environment: string,
  shares: Json,
  keyId = KEY_ID,
): JsonObject {
  const record = {
    id: keyId,
    algorithm: 'ed25519+ml-dsa-65',
    publicKey: 'AAAA',
    environment,
    shares,
  };
  return { ...where, event, data: { reference: 'ceremony:generate', record } };
}

/** Links drafts to a chain. */
export function link(drafts: readonly Draft[]): readonly ChainEntry[] {
  let head: ChainHead | undefined;
  return drafts.map(({ type, data, at }, i) => {
    const time = new Date(START + (at ?? i) * 1000).toISOString().replace('.000Z', 'Z');
    const entry = nextEntry(head, { time, type, data });
    head = { seq: entry.seq, hash: entryHash(entry) };
    return entry;
  });
}

/** Typed entries of drafts. */
export function entriesOf(drafts: readonly Draft[]): readonly Entry[] {
  return link(drafts).map((entry, i) => parseEntry(entry, `entry ${i}`));
}

/** What a forger or an engine may do differently when the transcript is made. */
export interface Publishing {
  /** Who signs; administrator and witnesses when not given. */
  readonly signers?: readonly OpenIdentity[];
  readonly definitionText?: string;
  /** Changes the statement before it is signed. */
  readonly change?: (statement: Record<string, unknown>) => void;
}

/** The bytes of `transcript.json` for drafts. */
export async function publish(
  made: Made,
  drafts: readonly Draft[] = made.drafts,
  { signers, definitionText, change }: Publishing = {},
): Promise<Uint8Array> {
  const statement = structuredClone(
    buildTranscriptStatement({
      entries: entriesOf(drafts),
      definition: definitionText ?? made.definitionText,
      version: '0.1.0',
    }),
  ) as unknown as Record<string, unknown>;
  change?.(statement);
  const signing =
    signers ??
    made.participants.flatMap(({ name, role }) =>
      role === 'custodian' ? [] : [made.identities.get(name) as OpenIdentity],
    );
  const { subject, predicateType, predicate } = statement as never;
  const built = buildStatement({ subjects: subject, predicateType, predicate });
  return utf8(encodeDsse(await signStatement(built, signing)));
}

/** An envelope with its signatures changed, back as bytes. */
export function reEnvelope(
  bytes: Uint8Array,
  change: (envelope: DsseEnvelope) => DsseEnvelope,
): Uint8Array {
  return utf8(encodeDsse(change(decodeDsse(bytes, 'transcript.json'))));
}

/** Where an instance is, as entries spell it. */
export function whereOf(instance: Instance): JsonObject {
  return {
    act: instance.act.id,
    step: instance.step.id,
    ...(instance.for === undefined ? {} : { for: instance.for }),
  };
}
