/** Accepting a start message, one's own or another's: session keys, the identity's word for them, and a folder to keep both in. */
import { join } from 'node:path';
import type { GroupRecord } from '#crypto/frost/group';
import { sha256 } from '#crypto/hash';
import { certifySessionKeys } from '#custody/authority/session-keys';
import type { OpenIdentity } from '#custody/authority/identity';
import { decodePolicy, describe, evaluate, policyDigest } from '#custody/policy/allow-digest';
import { equal, toHex } from '#formats/bytes';
import { RefusedError, UsageError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { formatTime } from '#formats/time';
import { newSessionKeys } from '#protocols/parties/session-keys';
import {
  decodeStart,
  encodeStart,
  openStart,
  startVersion,
  type Operation,
  type Start,
  type StartMessage,
} from '#protocols/threshold/start-message';
import type { ActionContext } from '../context/context.js';
import type { GroupKeyShare } from '../context/group-share.js';
import { encodeAcceptance } from './certificate.js';
import { keysOf } from './keep.js';
import { introduce } from './memory.js';
import { NonceMarks } from './nonce-marks.js';
import { assertOwnFolder } from './own-folder.js';
import { type Asked, named, type PhaseResult, reportOf, runPhase } from './phases.js';
import {
  acceptanceName,
  inputFiles,
  openOwnIdentity,
  type Session,
  startPath,
  writeOut,
} from './session.js';
import { SessionHold } from './state.js';

const MAX_START_BYTES = 2 * 1024 * 1024;
const MAX_POLICY_BYTES = 64 * 1024;

/** What every start was told. */
export interface StartInput {
  readonly session: string;
  readonly in: readonly string[];
  readonly outDir: string;
  /** Reference of the key whose share takes part; looked up by the group's id when not given. */
  readonly key?: string | undefined;
  readonly policy?: string | undefined;
  /** Signing: the digest that this person expects to sign. */
  readonly expect?: string | undefined;
  readonly memory?: string | undefined;
  /** Signing with prepared nonces: the batch files of the others, for whoever begins, and the folder of one's own. */
  readonly batch?: readonly string[] | undefined;
  readonly prepared?: string | undefined;
}

/** What a proposal is made of: the message without what is the same for all. */
export type Proposal = Omit<StartMessage, 'type' | 'version' | 'session' | 'created' | 'operation'>;

/** What whoever proposes says about the commitments. */
export interface Proving {
  readonly proveOpenings?: boolean | undefined;
}

/** A proposal with proofs of openings, where they were asked for. */
export function provingAsAsked({ proveOpenings }: Proving, proposal: Proposal): Proposal {
  return proveOpenings === true ? { ...proposal, openings: 'proven' } : proposal;
}

/** How a threshold command runs, whatever it proposes. */
export function phased<I>(
  operation: Operation,
  propose: (input: I, context: ActionContext, identity: OpenIdentity) => Promise<Proposal>,
): (
  input: I & Proving & Asked & Omit<StartInput, 'session'>,
  context: ActionContext,
) => Promise<PhaseResult> {
  return async (input, context) =>
    await runPhase(
      operation,
      input,
      (placed) =>
        start(
          operation,
          placed,
          async (identity) => provingAsAsked(placed, await propose(placed, context, identity)),
          context,
        ),
      context,
    );
}

/**
 * Starts or joins a session.
 * @param propose - makes the proposal of whoever begins; it is asked only when nothing is joined
 * @param dealt - constant that this party deals, where it deals a key that exists; borrowed
 */
export async function start(
  operation: Operation,
  input: StartInput,
  propose: (identity: OpenIdentity) => Promise<Proposal>,
  context: ActionContext,
  dealt: () => SecretBytes | undefined = () => undefined,
): Promise<PhaseResult> {
  assertOwnFolder(input.prepared, input.session, '--session');
  const joins = input.in.length > 0;
  const identity = await openOwnIdentity(context);
  let adopted = false;
  let share: Awaited<ReturnType<typeof ownShare>>;
  try {
    const opened = joins
      ? await readStart(input, operation, context)
      : await proposed(operation, await propose(identity), context);
    const self = opened.message.parties.find((party) => party.identity === identity.identity.id);
    if (self === undefined) throw notInvited(identity);
    assertPolicy(opened, input, context);
    if (operation === 'sign') await assertExpected(opened, input, joins, context);
    share = await ownShare(opened, self.number, input.key, context);
    if (opened.prepared !== undefined) {
      assertNoMemory(input);
      const given = joins ? input.in : (input.batch ?? []);
      const { prepared, outDir } = input;
      const { answerPrepared } = await import('./prepared.js');
      const answer = await answerPrepared(
        opened,
        self.number,
        identity,
        share,
        { session: input.session, prepared, outDir, given, begins: !joins },
        context,
      );
      adopted = true;
      using session = answer.session;
      const { wrote, done, missing } = answer;
      return { ...reportOf(session, 'start'), wrote, done, waiting: named(opened, missing) };
    }
    if (input.prepared !== undefined) throw notPrepared();
    const constant = dealt();
    if (constant !== undefined) share = { key: undefined, opening: constant.clone(), epoch: 0 };
    const { acceptance, hold } = await accept(opened, self.number, identity, share, input, context);
    adopted = true;
    using session: Session = {
      hold,
      start: opened,
      identity,
      marks: new NonceMarks(),
      [Symbol.dispose]: () => {
        session.marks[Symbol.dispose]();
        hold[Symbol.dispose]();
        identity[Symbol.dispose]();
      },
    };
    const id = opened.message.session;
    const wrote = writeOut(
      [
        ...(joins
          ? []
          : [{ path: startPath(input.outDir, id), bytes: encodeStart(opened.message) }]),
        {
          path: join(input.outDir, acceptanceName(id, self.number)),
          bytes: acceptance,
        },
      ],
      context,
    );
    return { ...reportOf(session, 'start'), wrote };
  } finally {
    share?.opening.dispose();
    if (!adopted) identity[Symbol.dispose]();
  }
}

/** Accepts a start message: session keys, certified by the identity, and a folder that keeps both. */
export async function accept(
  opened: Start,
  self: number,
  identity: OpenIdentity,
  share: { readonly key: string | undefined; readonly opening: SecretBytes } | undefined,
  input: StartInput,
  context: ActionContext,
): Promise<{ readonly acceptance: Uint8Array; readonly hold: SessionHold }> {
  using keys = await newSessionKeys(context.random);
  const certificate = await certifySessionKeys(identity, {
    session: opened.message.session,
    purpose: opened.purpose,
    number: self,
    ed25519: keys.ed25519,
    xWing: keys.xWing,
  });
  const acceptance = encodeAcceptance(opened.terms, identity.identity, certificate);
  const known = { certificate: acceptance, terms: opened.terms };
  const memory =
    input.memory === undefined ? undefined : await introduce(input.memory, known, context);
  const hold = await SessionHold.create(
    input.session,
    identity,
    {
      start: encodeStart(opened.message),
      self,
      signing: keys.signing.clone(),
      opening: keys.opening.clone(),
      seed: SecretBytes.adopt(context.random(32), 'session coins'),
      share: share?.opening.clone(),
      key: share?.key,
      certificates: new Map([[self, acceptance]]),
      messages: [],
      memory,
    },
    context,
  );
  return { acceptance, hold };
}

/** A session on these words, by whoever begins. */
async function proposed(
  operation: Operation,
  proposal: Proposal,
  context: ActionContext,
): Promise<Start> {
  return await openStart(
    {
      type: 'conclave/threshold-start',
      session: toHex(context.random(32)),
      operation,
      created: formatTime(context.now()),
      ...proposal,
      version: startVersion(proposal),
    },
    'start message',
  );
}

/**
 * The start message among what was given. Beside one that names prepared nonces lie batches, and messages perhaps; beside any
 * other nothing.
 */
async function readStart(
  input: StartInput,
  operation: Operation,
  context: ActionContext,
): Promise<Start> {
  const files = inputFiles(input.in, context);
  const [first, ...more] = files;
  const starts =
    more.length === 0
      ? files
      : files.filter((path) => looksLikeStart(context.files.read(path, MAX_START_BYTES)));
  const [file, second] = starts;
  if (first === undefined || file === undefined || second !== undefined) throw oneStart();
  const opened = await decodeStart(context.files.read(file, MAX_START_BYTES), file);
  if (opened.prepared === undefined && more.length > 0) throw oneStart();
  if (opened.message.operation === operation) return opened;
  throw new UsageError({
    code: 'E_SESSION_OPERATION',
    message: `${file} starts a session for ${opened.message.operation}, not for ${operation}`,
    hint: `run conclave threshold ${opened.message.operation} start --in ${file}`,
  });
}

function looksLikeStart(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7b && Buffer.from(bytes).includes('"type":"conclave/threshold-start"');
}

function oneStart(): UsageError {
  return new UsageError({
    code: 'E_START_ONE',
    message: 'a session is joined with its start message and nothing else',
    hint: 'give acceptances and messages to round; only a session with prepared nonces takes batch files beside it',
  });
}

/** A batch has its own second place. */
function assertNoMemory({ memory }: StartInput): void {
  if (memory === undefined) return;
  throw new UsageError({
    code: 'E_MEMORY_PREPARED',
    message: 'prepared nonces are remembered where the batch was said to be when it was made',
    hint: 'leave --memory out',
  });
}

function notPrepared(): UsageError {
  return new UsageError({
    code: 'E_START_NOT_PREPARED',
    message: 'the start message names no prepared nonces',
    hint: 'leave --prepared out: nonces are then made for this session alone',
  });
}

/**
 * The share that this party brings, checked to belong to the very group of the session. Commitments may differ: a repair that
 * this party had no part in changes one.
 */
export async function ownShare(
  { message, group }: Start,
  self: number,
  key: string | undefined,
  context: ActionContext,
): Promise<
  | { readonly key: string | undefined; readonly opening: SecretBytes; readonly epoch: number }
  | undefined
> {
  if (group === undefined || !bringsShare({ message, group }, self)) return undefined;
  const reference = key ?? group.record.key;
  using kept: GroupKeyShare = await keysOf(context).openShare(reference);
  const { share } = kept;
  const ours = share.group;
  if (share.number !== self || !equal(ours.context, group.context)) {
    throw new RefusedError({
      code: 'E_GROUP_DIFFERS',
      message: `the session is about other shares of the key than the one in ${reference}`,
      hint: 'one of you has an older state of the group: compare group.json and its epoch',
    });
  }
  assertSameGroup(group.record, ours.record, reference);
  return { key: kept.record.id, opening: share.opening.clone(), epoch: ours.record.epoch };
}

/** Whether a party holds a share when the session begins: whoever joins does not, nor whoever lost it. */
export function bringsShare(
  { message, group }: Pick<Start, 'message' | 'group'>,
  self: number,
): boolean {
  const isMember = group?.record.members.some(({ number }) => number === self) === true;
  const isLost = message.operation === 'repair' && message.receivers.includes(self);
  return isMember && !isLost;
}

/**
 * What a group record says besides keys was agreed on by all members when their shares were made. Whoever proposes a session
 * could otherwise leave out the policy, or put somebody else in a member's place and have that member's share repaired for them.
 */
function assertSameGroup(theirs: GroupRecord, ours: GroupRecord, reference: string): void {
  const stranger = theirs.members.find(
    ({ number, identity }) =>
      ours.members.find((member) => member.number === number)?.identity !== identity,
  );
  const other =
    theirs.policy !== ours.policy
      ? `the policy is ${theirs.policy ?? 'none'}`
      : theirs.environment !== ours.environment
        ? `the key is for ${theirs.environment}`
        : stranger === undefined
          ? undefined
          : `member ${stranger.number} is ${stranger.identity.slice(0, 16)}`;
  if (other === undefined) return;
  throw new RefusedError({
    code: 'E_GROUP_DIFFERS',
    message: `the session says that ${other}, and the group record with the share in ${reference} says otherwise`,
    hint: 'do not join; ask who proposed it',
  });
}

/** A policy is shown, compared, and for signing evaluated, by each participant's own program. */
export function assertPolicy(
  { message }: Start,
  { policy: file }: Pick<StartInput, 'policy'>,
  context: ActionContext,
): void {
  if (file === undefined) {
    if (message.policy === null || message.operation !== 'sign') return;
    throw new UsageError({
      code: 'E_POLICY_MISSING',
      message: `the key is bound to the policy ${message.policy}, which is not here`,
      hint: 'give it with --policy: each participant checks it',
    });
  }
  const policy = decodePolicy(context.files.read(file, MAX_POLICY_BYTES), file);
  const digest = policyDigest(policy, (bytes) => sha256(bytes));
  if (digest !== message.policy) {
    throw new RefusedError({
      code: 'E_POLICY_OTHER',
      message: `${file} is ${digest}; the session is bound to ${message.policy ?? 'no policy'}`,
      hint: 'ask who proposed the session which policy was agreed on',
    });
  }
  context.progress(describe(policy));
  if (message.operation !== 'sign') return;
  const verdict = evaluate(policy, {
    operation: 'sign',
    digest: `sha256:${toHex(sha256(message.message ?? new Uint8Array(0)))}`,
  });
  if (verdict.allowed) return;
  throw new RefusedError({
    code: 'E_POLICY_REFUSED',
    message: `the policy does not allow this signature: ${verdict.reasons.join('; ')}`,
    hint: 'nothing was started',
  });
}

/** Whoever joins says what they mean to sign: typed, or confirmed when shown. */
async function assertExpected(
  { message }: Start,
  { expect }: StartInput,
  joins: boolean,
  context: ActionContext,
): Promise<void> {
  const digest = `sha256:${toHex(sha256(message.message ?? new Uint8Array(0)))}`;
  if (expect !== undefined) {
    if (expect === digest) return;
    throw new RefusedError({
      code: 'E_MESSAGE_OTHER',
      message: `the session signs ${digest}, and ${expect} was expected`,
      hint: 'do not join; ask who proposed it',
    });
  }
  if (!joins) return;
  const agreed = await context.ask.confirm?.(
    `Do you mean to sign ${digest}, the digest of ${message.message?.length ?? 0} bytes?`,
  );
  if (agreed === true) return;
  if (agreed === false) {
    throw new RefusedError({
      code: 'E_MESSAGE_OTHER',
      message: 'the session was not joined',
      hint: 'nothing was started',
    });
  }
  throw new UsageError({
    code: 'E_EXPECT_MISSING',
    message: 'whoever joins a signing session says what is to be signed',
    hint: `give the digest that you expect with --expect; this session signs ${digest}`,
  });
}

function notInvited({ identity }: OpenIdentity): RefusedError {
  return new RefusedError({
    code: 'E_NOT_INVITED',
    message: `${identity.name} takes no part in this session`,
    hint: 'name the identity that was invited with --identity',
  });
}
