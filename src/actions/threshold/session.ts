/** A party at work in a session: takes in what arrived, says what is next, and tells who is silent. */
import { dirname, join } from 'node:path';
import type { OpenIdentity } from '#custody/authority/identity';
import { equal, toHex } from '#formats/bytes';
import { NegativeError, TryAgainError, UsageError } from '#formats/errors';
import { judge, type Seen, slotOf } from '#protocols/parties/inbox';
import { readMessage, type ReceivedMessage } from '#protocols/parties/message';
import type { Party, Roster } from '#protocols/parties/roster';
import { type Outcome } from '#protocols/threshold/conclusion';
import {
  type Exchange,
  type Progress,
  run,
  type Said,
  type Seat,
} from '#protocols/threshold/exchange';
import { runDealing } from '#protocols/threshold/dealing-session';
import { runRepair } from '#protocols/threshold/repair-session';
import { runSigning } from '#protocols/threshold/signing-session';
import { decodeStart, type Start } from '#protocols/threshold/start-message';
import type { ActionContext } from '../context/context.js';
import { decodeBatch, looksLikeBatch } from './batch-file.js';
import { partyOf, rosterFrom } from './certificate.js';
import { NonceMarks } from './nonce-marks.js';
import {
  looksLikeOpening,
  MAX_OPENING_BYTES,
  openingProofs,
} from '#protocols/inhead/opening-proof';
import { stepping } from '../trace/progress.js';
import { proofName, takeProofs } from './proof-files.js';
import { SessionHold } from './state.js';

/** Longest message, acceptance or proof that is looked at. */
export const MAX_FILE_BYTES = MAX_OPENING_BYTES;

/** What a session ends in. */
export type Ending =
  | { readonly kind: 'signature'; readonly signature: Uint8Array }
  | { readonly kind: 'group'; readonly outcome: Outcome };

/** A file that was looked at and left alone, and why. */
export interface Skipped {
  readonly file: string;
  readonly why: string;
}

/** A file as it came in. */
export interface Arrived {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** A party's session, open. Disposing wipes what is in memory. */
export interface Session extends Disposable {
  readonly hold: SessionHold;
  readonly start: Start;
  readonly identity: OpenIdentity;
  /** What its nonces are used for. */
  readonly marks: NonceMarks;
}

/** Opens the identity that `--identity` named. @throws UsageError `E_IDENTITY_MISSING` */
export async function openOwnIdentity(context: ActionContext): Promise<OpenIdentity> {
  const identity = await context.identities.open();
  if (identity !== undefined) return identity;
  throw new UsageError({
    code: 'E_IDENTITY_MISSING',
    message: 'a session needs to know who takes part here',
    hint: 'name your identity with --identity',
  });
}

/** The session in a folder, for the identity that started it. */
export async function openSession(path: string, context: ActionContext): Promise<Session> {
  const identity = await openOwnIdentity(context);
  try {
    const hold = await SessionHold.open(path, identity, context);
    try {
      const start = await decodeStart(hold.state.start, `${path}: start message`);
      const marks = new NonceMarks();
      return {
        hold,
        start,
        identity,
        marks,
        [Symbol.dispose]: () => {
          marks[Symbol.dispose]();
          hold[Symbol.dispose]();
          identity[Symbol.dispose]();
        },
      };
    } catch (error) {
      hold[Symbol.dispose]();
      throw error;
    }
  } catch (error) {
    identity[Symbol.dispose]();
    throw error;
  }
}

/** The files that `--in` names; of folders, all that lies in them. */
export function inputFiles(inputs: readonly string[], context: ActionContext): readonly string[] {
  const { files } = context;
  return inputs.flatMap((path) =>
    files.isDirectory(path) ? [...files.list(path)].sort().map((name) => join(path, name)) : [path],
  );
}

/**
 * Takes in acceptances and messages. What is kept is authentic, of this session, and new; it is durable before anything is
 * said in answer to it.
 * @returns what was left alone
 * @throws NegativeError `E_THRESHOLD_EQUIVOCATION`, and those of acceptances and messages
 */
export async function takeIn(
  session: Session,
  inputs: readonly string[],
  context: ActionContext,
): Promise<readonly Skipped[]> {
  const skipped: Skipped[] = [];
  const messages: Arrived[] = [];
  const proofs: Arrived[] = [];
  const certificates = new Map(session.hold.state.certificates);
  for (const file of inputFiles(inputs, context)) {
    const bytes = context.files.read(file, MAX_FILE_BYTES);
    const isBatch = looksLikeBatch(bytes);
    if (bytes[0] !== 0x7b && !isBatch) {
      (looksLikeOpening(bytes) ? proofs : messages).push({ file, bytes });
      continue;
    }
    if (equal(bytes, session.hold.state.start)) {
      skipped.push({ file, why: 'the start message itself' });
      continue;
    }
    if (isBatch && !(await namesBatch(session.start, bytes, file))) {
      skipped.push({ file, why: 'a batch that this session takes nothing from' });
      continue;
    }
    const party = await partyOf(bytes, session.start, file);
    const { number } = party;
    const known = certificates.get(number);
    if (known === undefined) certificates.set(number, bytes);
    else if (equal(known, bytes) || (await certifiesSame(known, party, session.start))) {
      skipped.push({ file, why: 'known already' });
    } else {
      throw new NegativeError({
        code: 'E_THRESHOLD_EQUIVOCATION',
        message: `${file}: party ${number} certifies other keys for this session than before`,
        hint: 'it started twice, or somebody uses its identity; begin a new session',
        details: { culprits: [number] },
      });
    }
  }
  if (certificates.size > session.hold.state.certificates.size) {
    session.hold.keep({ certificates, messages: session.hold.state.messages });
  }
  if (messages.length > 0) skipped.push(...(await takeMessages(session, messages)));
  if (proofs.length > 0) {
    const roster = await rosterFrom(session.start, session.hold.state.certificates);
    const heard = await received(session, roster);
    wipePrivate(heard);
    skipped.push(...takeProofs(session, proofs, heard));
  }
  return skipped;
}

/** Whether a start message takes nonces from the batch in a file. @throws InputError `E_BATCH_MALFORMED` */
export async function namesBatch(
  { message }: Start,
  bytes: Uint8Array,
  what: string,
): Promise<boolean> {
  const named = message.prepared;
  if (named === undefined) return false;
  const id = toHex((await decodeBatch(bytes, what)).id);
  return named.some(({ batch }) => batch === id);
}

/**
 * Whether an acceptance is for the same keys. Bytes may differ where nobody lied: the envelope's text is not signed, and
 * whoever carries a file could write it otherwise to have its sender blamed.
 */
async function certifiesSame(known: Uint8Array, party: Party, start: Start): Promise<boolean> {
  const before = await partyOf(known, start, `acceptance of party ${party.number}`);
  return equal(before.ed25519, party.ed25519) && equal(before.xWing, party.xWing);
}

async function takeMessages(
  session: Session,
  arrived: readonly Arrived[],
): Promise<readonly Skipped[]> {
  const { hold, start } = session;
  const waiting = silentAtStart(session);
  if (waiting.length > 0) {
    throw new TryAgainError({
      code: 'E_SESSION_INCOMPLETE',
      message: `round messages are here, but party ${waiting.join(', ')} has not accepted yet`,
      hint: 'give the acceptances first: without all of them nobody knows whose messages these are',
      details: { missing: waiting },
    });
  }
  const roster = await rosterFrom(start, hold.state.certificates);
  const skipped: Skipped[] = [];
  const kept = [...hold.state.messages];
  const before = await received(session, roster);
  wipePrivate(before);
  let seen = seenIn(before);
  for (const { file, bytes } of arrived) {
    let message: ReceivedMessage;
    try {
      message = await readMessage(bytes, file, {
        roster,
        self: hold.state.self,
        seed: hold.state.opening,
      });
    } catch (error) {
      if (error instanceof NegativeError && error.code === 'E_MESSAGE_NOT_OURS') {
        skipped.push({ file, why: 'one’s own, or for somebody else' });
        continue;
      }
      throw error;
    }
    wipePrivate([message]);
    const judged = judge(message, seen, message.header.round);
    if (judged.verdict === 'replay') {
      skipped.push({ file, why: 'known already' });
    } else if (judged.verdict === 'equivocation') {
      throw new NegativeError({
        code: 'E_THRESHOLD_EQUIVOCATION',
        message: `${file}: party ${judged.culprit} signed two different messages for round ${message.header.round}`,
        hint: 'keep both files as evidence; begin a new session without that party',
        details: { culprits: [judged.culprit] },
      });
    } else if (judged.verdict === 'new') {
      seen = judged.seen;
      kept.push(bytes);
    }
  }
  if (kept.length > hold.state.messages.length) {
    hold.keep({ certificates: hold.state.certificates, messages: kept });
  }
  return skipped;
}

/** Parties whose acceptance is missing. */
export function silentAtStart({ hold, start }: Session): readonly number[] {
  return start.message.parties
    .map(({ number }) => number)
    .filter((number) => !hold.state.certificates.has(number));
}

/** Every message that was kept, opened; the caller wipes what was private. */
async function received({ hold }: Session, roster: Roster): Promise<readonly ReceivedMessage[]> {
  const messages: ReceivedMessage[] = [];
  try {
    for (const [i, bytes] of hold.state.messages.entries()) {
      messages.push(
        await readMessage(bytes, `message ${i + 1} of this session`, {
          roster,
          self: hold.state.self,
          seed: hold.state.opening,
        }),
      );
    }
    return messages;
  } catch (error) {
    wipePrivate(messages);
    throw error;
  }
}

/** Bodies of what was sealed to this party. */
function wipePrivate(messages: readonly ReceivedMessage[]): void {
  for (const { header, body } of messages) if (header.recipient !== null) body.fill(0);
}

function seenIn(messages: readonly ReceivedMessage[]): Seen {
  return Object.fromEntries(messages.map(({ header, digest }) => [slotOf(header), toHex(digest)]));
}

/** Runs the session's protocol as far as it goes. The receiver disposes what the ending holds. */
export async function advance(
  session: Session,
  context: ActionContext,
): Promise<{ readonly roster: Roster; readonly progress: Progress<Ending> }> {
  const { hold, start } = session;
  const roster = await rosterFrom(start, hold.state.certificates);
  const messages = await received(session, roster);
  const seat: Seat = {
    roster,
    self: hold.state.self,
    signing: hold.state.signing,
    seed: hold.state.seed,
    received: messages,
    enclosures: {
      proofs: openingProofs,
      of: (sender) => hold.proof(sender),
      keep: (bytes) => {
        hold.keepProof(hold.state.self, bytes);
      },
      work: (steps) =>
        stepping(steps, { title: 'proving', about: 'what your commitment opens to' }, context),
    },
    once: (name, use) => session.marks.use(name, use, session, context),
  };
  try {
    return { roster, progress: await run(seat, protocolOf(start, hold.state.share)) };
  } finally {
    wipePrivate(messages);
  }
}

/** The protocol that a start message asks for. */
export function protocolOf(
  start: Start,
  share: SessionHold['state']['share'],
): (exchange: Exchange) => Promise<Ending> {
  switch (start.message.operation) {
    case 'sign':
      return async (exchange) => ({
        kind: 'signature',
        signature: await runSigning(start, exchange, share),
      });
    case 'repair':
    case 'enrol':
      return async (exchange) => ({
        kind: 'group',
        outcome: await runRepair(start, exchange, share),
      });
    default:
      return async (exchange) => ({
        kind: 'group',
        outcome: await runDealing(start, exchange, share),
      });
  }
}

/** Where a start message is written for the others. */
export function startPath(outDir: string, session: string): string {
  return join(outDir, `${session.slice(0, 8)}-start.json`);
}

/** What the acceptance of a party is called. */
export function acceptanceName(session: string, number: number): string {
  return `${session.slice(0, 8)}-0-acceptance-from-${number}.json`;
}

/** What the batch of a party is called where a session takes from it. */
export function batchName(session: string, number: number): string {
  return `${session.slice(0, 8)}-0-batch-from-${number}.cbor`;
}

/**
 * What whoever begins hands to the others: the start message and the batches that it takes from, so that nobody needs to look for
 * them.
 */
export function handedOut(
  { start, hold }: Pick<Session, 'start' | 'hold'>,
  outDir: string,
): readonly { readonly path: string; readonly bytes: Uint8Array }[] {
  const { session } = start.message;
  return [
    { path: startPath(outDir, session), bytes: hold.state.start },
    ...[...hold.state.certificates].map(([number, bytes]) => ({
      path: join(outDir, batchName(session, number)),
      bytes,
    })),
  ];
}

/** What a message of this session is called. */
export function messageName(
  session: string,
  sender: number,
  { round, type, recipient }: Pick<Said, 'round' | 'type' | 'recipient'>,
): string {
  const to = recipient === null ? 'all' : `${recipient}`;
  return `${session.slice(0, 8)}-${round}-${type}-from-${sender}-to-${to}.msg`;
}

/** The files of what a party says: its messages, and what goes beside them. */
export function filesOf(
  said: readonly Said[],
  { hold, start }: Pick<Session, 'hold' | 'start'>,
  folder: string,
): readonly { readonly path: string; readonly bytes: Uint8Array }[] {
  const { session } = start.message;
  const { self } = hold.state;
  return said.flatMap((each) => [
    { path: join(folder, messageName(session, self, each)), bytes: each.bytes },
    ...(each.enclosure === undefined
      ? []
      : [{ path: join(folder, proofName(session, self)), bytes: each.enclosure }]),
  ]);
}

/** Writes what is not there yet. A file that is there must be the very message. */
export function writeOut(
  files: readonly { readonly path: string; readonly bytes: Uint8Array }[],
  context: ActionContext,
): readonly string[] {
  const written: string[] = [];
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) {
    context.files.makeDirectory?.(folder);
  }
  for (const { path, bytes } of files) {
    if (context.files.exists(path)) {
      if (equal(context.files.read(path, MAX_FILE_BYTES), bytes)) continue;
    }
    context.files.write(path, bytes);
    written.push(path);
  }
  return written;
}
