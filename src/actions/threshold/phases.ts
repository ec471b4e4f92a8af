/** `round` and `finish` of every threshold command, and what they report. */
import { join } from 'node:path';
import type { Fields } from '#formats/action';
import { toHex } from '#formats/bytes';
import { NegativeError, TryAgainError, UsageError } from '#formats/errors';
import { encodeGroup } from '#crypto/frost/group';
import { sha256 } from '#crypto/hash';
import type { Progress } from '#protocols/threshold/exchange';
import type { Operation, Start } from '#protocols/threshold/start-message';
import type { ActionContext } from '../context/context.js';
import { phaseOutputs } from './fields.js';
import { keepShare } from './keep.js';
import { presentPhase, whom } from './present-phase.js';
import { openingName } from './proof-files.js';
import {
  acceptanceName,
  advance,
  type Ending,
  filesOf,
  handedOut,
  messageName,
  openSession,
  type Session,
  silentAtStart,
  type Skipped,
  startPath,
  takeIn,
  writeOut,
} from './session.js';
import { encodeTranscript } from './transcript.js';

/** The three phases. */
export const PHASES = ['start', 'round', 'finish'] as const;

/** Inputs of every threshold command. */
export const phaseFields = {
  phase: {
    type: 'string',
    summary: 'start a session or accept one, take the next step, or end it',
    choices: PHASES,
    positional: 0,
    placeholder: 'PHASE',
  },
  session: {
    type: 'path',
    summary: 'folder in which this party keeps the session until it ends',
    placeholder: 'DIR',
  },
  in: {
    type: 'file',
    summary:
      'what arrived: start message, acceptances, round messages; folders stand for all that lies in them',
    repeat: true,
    placeholder: 'FILE',
  },
  outDir: {
    type: 'path',
    summary: 'where what is for the others is written',
    default: '.',
    placeholder: 'DIR',
  },
} as const satisfies Fields;

/** Result of a phase. */
export interface PhaseResult {
  readonly phase: string;
  readonly operation: string;
  readonly session: string;
  /** This party's number. */
  readonly party: number;
  /** SHA-256 over the start message: equal for all who take part in the same session. */
  readonly terms: string;
  /** Whether the protocol is through and `finish` is next; after `finish`, true. */
  readonly done: boolean;
  /** Files written, for the others unless said otherwise. */
  readonly wrote: readonly string[];
  /** Whose messages are waited for. */
  readonly waiting: readonly { readonly number: number; readonly name: string }[];
  readonly skipped: readonly Skipped[];
  /** What people must know of the session, one sentence each. */
  readonly facts: readonly string[];
  /** After `finish` of a signature: its file. After that of a key: the group record and where the share rests. */
  readonly signature: string | null;
  readonly group: string | null;
  readonly key: string | null;
}

/** A phase and the folder that it needs. */
export interface Asked {
  readonly phase?: string | undefined;
  readonly session?: string | undefined;
  readonly in: readonly string[];
  readonly outDir: string;
}

/**
 * Runs the phase that was asked for.
 * @param begin - starts or joins a session
 * @throws UsageError `E_PHASE_MISSING`, `E_SESSION_MISSING`
 */
export async function runPhase<I extends Asked>(
  operation: Operation,
  input: I,
  begin: (input: I & { readonly session: string }) => Promise<PhaseResult>,
  context: ActionContext,
): Promise<PhaseResult> {
  const { phase, session } = input;
  if (phase === undefined) {
    throw new UsageError({
      code: 'E_PHASE_MISSING',
      message: `threshold ${operation} needs to know the phase`,
      hint: `say start, round or finish: conclave threshold ${operation} start …`,
    });
  }
  if (session === undefined) {
    throw new UsageError({
      code: 'E_SESSION_MISSING',
      message: 'a session needs a folder',
      hint: 'name it with --session; start makes it, finish empties it',
    });
  }
  const placed = { ...input, session };
  if (phase === 'start') return await begin(placed);
  return phase === 'round'
    ? await round(operation, placed, context)
    : await finish(operation, placed, context);
}

/** Takes in what arrived and says what is next. */
async function round(
  operation: Operation,
  input: { readonly session: string; readonly in: readonly string[]; readonly outDir: string },
  context: ActionContext,
): Promise<PhaseResult> {
  using session = await openSession(input.session, context);
  assertOperation(session.start, operation, input.session);
  const skipped = await takeIn(session, input.in, context);
  const silent = silentAtStart(session);
  const accepted = writeOut(openingFiles(session, silent.length, input.outDir, context), context);
  if (silent.length > 0) {
    throw notYet(session, silent, 'accepted yet', accepted, skipped);
  }
  const { progress } = await advance(session, context);
  if (progress.done) disposeEnding(progress.outcome);
  const wrote = [...accepted, ...writeOut(filesOf(progress.said, session, input.outDir), context)];
  const waiting = progress.done ? [] : progress.missing;
  if (wrote.length === 0 && waiting.length > 0) {
    throw notYet(session, waiting, lacking(progress), wrote, skipped);
  }
  return {
    ...reportOf(session, 'round'),
    done: progress.done,
    wrote,
    skipped,
    waiting: named(session.start, waiting),
  };
}

/**
 * What the start of a session leaves. A start that was interrupted before it had written all is made good by `round`: whoever
 * began has heard of nobody yet, and may be the only one who has the start message.
 */
function openingFiles(
  session: Session,
  silent: number,
  outDir: string,
  context: ActionContext,
): readonly { readonly path: string; readonly bytes: Uint8Array }[] {
  const { self, certificates, start } = session.hold.state;
  const { session: id, parties } = session.start.message;
  if (session.start.prepared !== undefined) {
    const share = { round: 1, type: 'signature-share', recipient: null };
    const answered = context.files.exists(join(outDir, messageName(id, self, share)));
    return answered ? [] : handedOut(session, outDir);
  }
  const acceptance = join(outDir, acceptanceName(id, self));
  const alone = silent === parties.length - 1;
  return [
    ...(alone && !context.files.exists(acceptance)
      ? [{ path: startPath(outDir, id), bytes: start }]
      : []),
    { path: acceptance, bytes: certificates.get(self) ?? new Uint8Array(0) },
  ];
}

/** Ends a session: keeps its result, then destroys its keys. */
async function finish(
  operation: Operation,
  input: {
    readonly session: string;
    readonly in: readonly string[];
    readonly outDir: string;
    readonly out?: string | undefined;
    readonly name?: string | undefined;
  },
  context: ActionContext,
): Promise<PhaseResult> {
  using session = await openSession(input.session, context);
  assertOperation(session.start, operation, input.session);
  const skipped = await takeIn(session, input.in, context);
  const silent = silentAtStart(session);
  if (silent.length > 0) throw notYet(session, silent, 'accepted yet', [], skipped);
  const { progress } = await advance(session, context);
  if (!progress.done) {
    throw notYet(session, progress.missing, lacking(progress), [], skipped);
  }
  const ending = progress.outcome;
  const base = { ...reportOf(session, 'finish'), done: true, skipped, waiting: [] };
  try {
    if (ending.kind === 'signature') {
      await assertVerifies(session.start, ending.signature);
      const out = input.out ?? join(input.outDir, 'signature');
      const wrote = writeOut([{ path: out, bytes: ending.signature }], context);
      const message = session.start.message.message ?? new Uint8Array(0);
      context.record({
        type: 'threshold.signed',
        data: {
          id: session.start.group?.record.key ?? '',
          session: session.start.message.session,
          signers: session.start.message.contributors.join(','),
          digest: `sha256:${toHex(sha256(message))}`,
        },
      });
      session.hold.end();
      await session.marks.end(session, context);
      return { ...base, wrote, signature: out };
    }
    const { outcome } = ending;
    const group = join(input.outDir, 'group.json');
    const transcript = join(input.outDir, 'transcript.json');
    const wrote = writeOut(
      [
        { path: group, bytes: encodeGroup(outcome.record) },
        {
          path: transcript,
          bytes: encodeTranscript(session.start, session.hold.state, progress.said, outcome.record),
        },
        ...[...outcome.proofs].map(([number, bytes]) => ({
          path: join(input.outDir, openingName(number)),
          bytes,
        })),
      ],
      context,
    );
    const key = await keepShare(session, outcome, input.name, context);
    context.record({
      type: `threshold.${operation}`,
      data: {
        id: outcome.record.key,
        session: session.start.message.session,
        epoch: outcome.record.epoch,
        group: `sha256:${toHex(sha256(encodeGroup(outcome.record)))}`,
      },
    });
    session.hold.end();
    return { ...base, wrote, group, key };
  } finally {
    disposeEnding(ending);
  }
}

/** What every phase reports. */
export function reportOf({ hold, start }: Session, phase: string): PhaseResult {
  return {
    phase,
    operation: start.message.operation,
    session: start.message.session,
    party: hold.state.self,
    terms: toHex(start.terms),
    done: false,
    wrote: [],
    waiting: [],
    skipped: [],
    facts: factsOf(start),
    signature: null,
    group: null,
    key: null,
  };
}

/** Who deals alone, and so has or had the whole key. */
function dealerOf({ contributors, parties }: Start['message']): string {
  const [dealer, second] = contributors;
  if (second !== undefined) return ', of which nobody ever holds all';
  const name = parties.find(({ number }) => number === dealer)?.name ?? '';
  return ` that ${name} deals, who knows all of it`;
}

/** What people must know of a session before they take part. */
export function factsOf({ message, group }: Start): readonly string[] {
  // Whoever proposes chooses the names; the ids are what people compare.
  const people = message.parties
    .map((party) => `${whom(party)} (${party.identity.slice(0, 16)})`)
    .join(', ');
  const what = {
    keygen: `a ${message.suite} key${dealerOf(message)}; any ${message.threshold} of ${message.receivers.length} sign`,
    sign: `a signature of the key ${group?.record.key.slice(0, 16) ?? ''} over SHA-256 ${toHex(sha256(message.message ?? new Uint8Array(0)))}`,
    refresh: `new shares of the key ${group?.record.key.slice(0, 16) ?? ''}; whoever is not here is out`,
    reshare: `the key ${group?.record.key.slice(0, 16) ?? ''} for any ${message.threshold} of ${message.receivers.length}`,
    repair: `share ${message.receivers.join('')} of the key ${group?.record.key.slice(0, 16) ?? ''} again`,
    enrol: `one more member for the key ${group?.record.key.slice(0, 16) ?? ''}`,
  }[message.operation];
  return [
    ...(message.environment === 'production' ? [] : [`${message.environment} only`]),
    what,
    `taking part: ${people}`,
    message.policy === null ? 'no policy is bound to the key' : `policy ${message.policy}`,
    ...openingFacts(message, group),
    ...(message.prepared === undefined
      ? []
      : [
          `prepared nonces: ${message.prepared
            .map(({ number, index, batch }) => `${number} pair ${index} of ${batch.slice(0, 16)}`)
            .join(', ')}`,
        ]),
  ];
}

/** Whether commitments come with proofs, where anybody commits to anything. */
function openingFacts({ openings, operation }: Start['message'], group: Start['group']): string[] {
  if (operation === 'sign') return [];
  if (openings !== undefined) {
    return ['every new commitment comes with a proof of what it opens to, which all verify'];
  }
  return group?.record.version === 2
    ? ['the group’s commitments were proven, and the new ones will not be']
    : [];
}

/** What every threshold command is, as an action. */
export const phaseFacts = {
  outputs: phaseOutputs,
  only: 'cli',
  effect: 'repeatable',
  exits: [75],
  present: presentPhase,
} as const;

/** Parties by their numbers. */
export function named(
  { message }: Start,
  numbers: readonly number[],
): readonly { readonly number: number; readonly name: string }[] {
  return message.parties
    .filter(({ number }) => numbers.includes(number))
    .map(({ number, name }) => ({ number, name }));
}

/** What is missing of those who are waited for. */
function lacking(progress: Progress<Ending>): string {
  if (progress.done) return '';
  const { round, enclosed } = progress;
  return enclosed ? 'sent the proof that it confirmed' : `sent its part of round ${round}`;
}

function notYet(
  { start }: Session,
  missing: readonly number[],
  what: string,
  wrote: readonly string[],
  skipped: readonly Skipped[],
): TryAgainError {
  const who = named(start, missing)
    .map((party) =>
      whom(party) === party.name ? party.name : `party ${party.number} (${party.name})`,
    )
    .join(', ');
  return new TryAgainError({
    code: 'E_SESSION_INCOMPLETE',
    message: `${who} ${missing.length === 1 ? 'has' : 'have'} not ${what}`,
    hint:
      wrote.length === 0
        ? 'nothing is lost: run this again when their files are here'
        : `written for the others: ${wrote.join(', ')}; run this again when theirs are here`,
    details: { missing, wrote, skipped },
  });
}

function assertOperation({ message }: Start, operation: Operation, path: string): void {
  if (message.operation === operation) return;
  throw new UsageError({
    code: 'E_SESSION_OPERATION',
    message: `the session in ${path} is for ${message.operation}, not for ${operation}`,
    hint: `run conclave threshold ${message.operation}`,
  });
}

/** @throws NegativeError `E_THRESHOLD_SIGNATURE` for what is no signature of the group over its message */
export async function assertVerifies(
  { suite, group, message }: Start,
  signature: Uint8Array,
): Promise<void> {
  const { resolve } = await import('#crypto/registry');
  const implementation = await (await resolve(suite.algorithm)).load();
  const verifies =
    group !== undefined &&
    implementation.kind === 'signature' &&
    implementation.verify(
      signature,
      message.message ?? new Uint8Array(0),
      suite.publicKey(group.key),
    );
  if (verifies) return;
  throw new NegativeError({
    code: 'E_THRESHOLD_SIGNATURE',
    message: 'the signature does not verify under the group key, and was not written',
    hint: 'this should not happen when every share was checked; report it',
  });
}

function disposeEnding(ending: Ending): void {
  if (ending.kind === 'group') ending.outcome.opening?.dispose();
}
