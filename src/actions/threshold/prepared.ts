/**
 * Answering a start message that names prepared nonces: the pair is checked, taken out of the batch for good, and then used, all
 * in one command.
 * @see docs/spec/threshold.md, "Signing with prepared nonces"
 */
import { openedShare } from '#crypto/frost/commitment';
import type { OpenIdentity } from '#custody/authority/identity';
import { equal, fromHex, toHex } from '#formats/bytes';
import { NegativeError, RefusedError, TryAgainError, UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { looksLikeOpening } from '#protocols/inhead/opening-proof';
import { authenticateMessage, decodeMessage } from '#protocols/parties/message';
import { noncesOf, pairOf } from '#protocols/threshold/batch';
import { nonceName } from '#protocols/threshold/nonce-use';
import { encodeStart, type PreparedPair, type Start } from '#protocols/threshold/start-message';
import type { ActionContext } from '../context/context.js';
import { decodeBatch, looksLikeBatch, MAX_BATCH_FILE_BYTES } from './batch-file.js';
import { BatchHold } from './batch-state.js';
import { partyOf, rosterFrom } from './certificate.js';
import { assertKnown, openMemory } from './memory.js';
import { NonceMarks } from './nonce-marks.js';
import {
  advance,
  filesOf,
  handedOut,
  inputFiles,
  MAX_FILE_BYTES,
  namesBatch,
  type Session,
  takeIn,
  writeOut,
} from './session.js';
import { SessionHold } from './state.js';

/** The share that a signer brings, and the epoch of the record beside it. */
export interface Brought {
  readonly key: string | undefined;
  /** x_i ‖ r_i; borrowed. */
  readonly opening: SecretBytes;
  readonly epoch: number;
}

/** A batch file as it was given. */
export interface GivenBatch {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** What an answer came to. The caller disposes the session. */
export interface Answer {
  readonly session: Session;
  readonly wrote: readonly string[];
  /** Whether the signature could be put together at once. */
  readonly done: boolean;
  readonly missing: readonly number[];
}

/** The batch files among what was given; of folders, all in them. */
export function batchesAmong(
  inputs: readonly string[],
  context: ActionContext,
): readonly GivenBatch[] {
  return inputFiles(inputs, context).flatMap((file) => {
    if (context.files.isDirectory(file)) return [];
    const bytes = context.files.read(file);
    return bytes.length <= MAX_BATCH_FILE_BYTES && looksLikeBatch(bytes) ? [{ file, bytes }] : [];
  });
}

/**
 * Signs with the pair that a start message names for this party. Nothing is lost by a refusal: the pair is taken out only after
 * everything was checked.
 * @param identity - adopted by the session that is returned
 * @param given - files and folders in which the batches of the others are, and messages may be
 * @param begins - whether this party proposed the session, and hands it out
 * @throws RefusedError `E_BATCH_FOREIGN`, `E_BATCH_STALE`, `E_BATCH_USED`, `E_NONCE_USED`; NegativeError `E_BATCH_DIFFERS`;
 * TryAgainError `E_SESSION_INCOMPLETE` where a batch is missing; the errors of the second place
 */
export async function answerPrepared(
  start: Start,
  self: number,
  identity: OpenIdentity,
  share: Brought | undefined,
  input: {
    readonly session: string;
    readonly prepared?: string | undefined;
    readonly outDir: string;
    readonly given: readonly string[];
    readonly begins: boolean;
  },
  context: ActionContext,
): Promise<Answer> {
  const pair = start.message.prepared?.find(({ number }) => number === self);
  if (input.prepared === undefined || pair === undefined || share === undefined) {
    throw new UsageError({
      code: 'E_PREPARED_MISSING',
      message: 'the session takes prepared nonces, and your batch was not named',
      hint: 'name its folder with --prepared',
    });
  }
  const certificates = await certificatesFor(start, input.given, context);
  const hold = await takeOut(start, self, identity, share, pair, input, certificates, context);
  const session: Session = {
    hold,
    start,
    identity,
    marks: new NonceMarks(),
    [Symbol.dispose]: () => {
      session.marks[Symbol.dispose]();
      hold[Symbol.dispose]();
      identity[Symbol.dispose]();
    },
  };
  try {
    rememberNamed(start, context);
    // What was given with the start message is known already, but for messages of those who were faster.
    await takeIn(session, input.begins ? [] : input.given, context);
    const { progress } = await advance(session, context);
    const wrote = writeOut(
      [
        ...(input.begins ? handedOut(session, input.outDir) : []),
        ...filesOf(progress.said, session, input.outDir),
      ],
      context,
    );
    return {
      session,
      wrote,
      done: progress.done,
      missing: progress.done ? [] : progress.missing,
    };
  } catch (error) {
    // Disposed without the identity, which is the caller's still.
    session.marks[Symbol.dispose]();
    hold[Symbol.dispose]();
    throw error;
  }
}

/** The batches that a start message names, each certified and with the very commitments in it. */
async function certificatesFor(
  start: Start,
  given: readonly string[],
  context: ActionContext,
): Promise<Map<number, Uint8Array>> {
  const certificates = new Map<number, Uint8Array>();
  for (const { file, bytes } of batchesAmong(given, context)) {
    if (!(await namesBatch(start, bytes, file))) continue;
    certificates.set((await partyOf(bytes, start, file)).number, bytes);
  }
  return certificates;
}

/** Checks the pair, takes it out of the batch, and opens the session with it, in this order. */
async function takeOut(
  start: Start,
  self: number,
  identity: OpenIdentity,
  share: Brought,
  pair: PreparedPair,
  input: {
    readonly session: string;
    readonly prepared?: string | undefined;
    readonly given: readonly string[];
    readonly begins: boolean;
  },
  certificates: Map<number, Uint8Array>,
  context: ActionContext,
): Promise<SessionHold> {
  const path = input.prepared ?? '';
  using batch = await BatchHold.open(path, identity, context);
  const { file, memory, signing, opening } = batch.state;
  const own = await decodeBatch(file, path);
  if (toHex(own.id) !== pair.batch) {
    throw new RefusedError({
      code: 'E_BATCH_FOREIGN',
      message: `the session names batch ${pair.batch.slice(0, 16)} for you, and the one in ${path} is ${toHex(own.id).slice(0, 16)}`,
      hint: 'name the folder of that batch with --prepared; where it is none of yours, do not join',
    });
  }
  assertFresh(own.batch, start, share, path);
  await partyOf(file, start, `your batch in ${path}`);
  certificates.set(self, file);
  const silent = start.message.parties.filter(({ number }) => !certificates.has(number));
  if (silent.length > 0) {
    throw new TryAgainError({
      code: 'E_SESSION_INCOMPLETE',
      message: `the batch of ${silent.map(({ number, name }) => `party ${number} (${name})`).join(', ')} is not here`,
      hint: 'give the batch files of all signers with --in, or --batch where you begin; nothing was used',
      details: { missing: silent.map(({ number }) => number) },
    });
  }
  if (!input.begins) await assertHeard(start, certificates, input.given, context);
  using seed = batch.seedAt(pair.index);
  assertMakes(seed, start, self, share, pair);
  const ordered = new Map([...certificates].sort(([a], [b]) => a - b));
  if (memory !== undefined) {
    using place = await openMemory(memory, context);
    await assertKnown(place, { certificate: file, terms: own.id });
  }
  return await SessionHold.create(
    input.session,
    identity,
    {
      start: encodeStart(start.message),
      self,
      signing: signing.clone(),
      opening: opening.clone(),
      seed: seed.clone(),
      share: share.opening.clone(),
      key: share.key,
      certificates: ordered,
      messages: [],
      memory,
    },
    context,
    () => {
      batch.spend(pair.index);
    },
  );
}

/**
 * Whether everything that was given beside the batches will be taken in: what would be refused afterwards would cost a pair.
 * @throws the errors of batches and messages
 */
async function assertHeard(
  start: Start,
  certificates: ReadonlyMap<number, Uint8Array>,
  given: readonly string[],
  context: ActionContext,
): Promise<void> {
  const roster = await rosterFrom(start, certificates);
  const own = encodeStart(start.message);
  for (const file of inputFiles(given, context)) {
    const bytes = context.files.read(file, MAX_FILE_BYTES);
    if (equal(bytes, own) || looksLikeOpening(bytes)) continue;
    if (looksLikeBatch(bytes)) await namesBatch(start, bytes, file);
    else await authenticateMessage(decodeMessage(bytes, file), roster, file);
  }
}

/** Whether the shares are those that the batch was made with. @throws RefusedError `E_BATCH_STALE` */
export function assertFresh(
  batch: { readonly context: Uint8Array; readonly epoch: number },
  { group }: Pick<Start, 'group'>,
  { epoch }: Pick<Brought, 'epoch'>,
  path: string,
): void {
  if (group !== undefined && equal(batch.context, group.context) && batch.epoch === epoch) return;
  throw new RefusedError({
    code: 'E_BATCH_STALE',
    message: `the batch in ${path} was made with other shares of the key, from before a change`,
    hint: 'none of it can be used: end it with conclave threshold prepare end, and make a new one',
  });
}

/** The seed and the share must make the commitments that are signed for. @throws NegativeError `E_BATCH_DIFFERS` */
function assertMakes(
  seed: SecretBytes,
  { suite }: Start,
  self: number,
  share: Brought,
  pair: PreparedPair,
): void {
  const nonces = noncesOf(
    suite,
    self,
    share.opening.use((bytes) => openedShare(bytes, suite)),
    seed,
  );
  nonces.secret.dispose();
  if (toHex(pairOf(nonces)) === pair.hiding + pair.binding) return;
  throw new NegativeError({
    code: 'E_BATCH_DIFFERS',
    message: `the start message names other commitments for pair ${pair.index} than your seed makes`,
    hint: 'do not join; nothing was used',
  });
}

/** Where this home writes down which pairs it has seen named, so that it does not propose them again. */
export function namedMark(start: Pick<Start, 'suite'>, pair: Uint8Array): string {
  const { pointBytes } = start.suite.group;
  return `named/${toHex(nonceName(start.suite, pair.slice(0, pointBytes), pair.slice(pointBytes)))}`;
}

/** Writes down which pairs a start message names. It is a courtesy, and no defence: each signer looks after its own. */
function rememberNamed(start: Start, { once }: ActionContext): void {
  for (const { hiding, binding } of start.message.prepared ?? []) {
    const mark = namedMark(start, fromHex(hiding + binding));
    if (once?.read(mark) === undefined) once?.write(mark, start.terms);
  }
}
