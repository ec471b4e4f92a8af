/**
 * The proof that goes with a commitment when shares are made: whoever published C_i knew (x_i, r_i) that open it, and x_i·G is the
 * public share Y_i for that same x_i. A trace's proof for one signer, over a statement of its own.
 * @see docs/spec/cold-signing-trace.md, "Commitments that are proven"
 */
import { type Committed, firstBlock } from '#crypto/frost/commitment';
import type { FrostSuite } from '#crypto/frost/suite';
import { concat, equal, u16be, utf8 } from '#formats/bytes';
import { ConclaveError, InputError } from '#formats/errors';
import { openingHash, PROOF_SYSTEM, REPETITIONS, rootOf, TRACE_VERSION } from './hash-input.js';
import { hasCircuit, parametersOf } from './level.js';
import { decodeProof, encodeProof } from './proof.js';
import { proveStepwise } from './prover.js';
import { scalarSize } from './scalar-statement.js';
import { makeStatement, type Statement } from './statement.js';
import { publishedLengths } from './trace-file.js';
import { type ProofVerdict, verifyProof } from './verifier.js';

const MAGIC = utf8('conclave/opening');
/** Magic, version, proof system, repetitions, circuit, suite, A, number. */
const HEADER_BYTES = 16 + 2 + 1 + 2 + 2 + 8 + 32 + 2;
const HASH_BYTES = 32;
/** Longest file that is read; one over Ed448 has 1.3 MB. */
export const MAX_OPENING_BYTES = 2 * 1024 * 1024;

/** A proof's file as read; nothing in it is believed. */
export interface OpeningFile {
  readonly repetitions: number;
  readonly circuitId: number;
  /** Eight bytes. */
  readonly suite: Uint8Array;
  readonly context: Uint8Array;
  readonly number: number;
  readonly publicShare: Uint8Array;
  readonly commitment: Uint8Array;
  /** The proof's own bytes, parsed by whoever has the circuit. */
  readonly proof: Uint8Array;
}

/** Whether shares of a suite's keys can be proven to be what was committed to. */
export function provesOpenings(suite: FrostSuite): boolean {
  return hasCircuit(scalarSize(suite).orderBits);
}

/**
 * The statement about one commitment.
 * @param repetitions - fewer than the format's only in tests and in published examples
 */
export function openingStatement(committed: Committed, repetitions = REPETITIONS): Statement {
  const { suite, context, number, publicShare, commitment } = committed;
  const size = scalarSize(suite);
  const parameters = { ...parametersOf('quorum', size.orderBits), repetitions };
  return makeStatement({
    h0: openingHash({
      ...parameters,
      context,
      number,
      suite: suite.code,
      publicShare: publicShare.toBytes(),
      commitment,
    }),
    parameters,
    shape: { kind: 'scalar', size, openings: 1, nonces: false },
    openings: [
      { firstBlocks: [firstBlock(suite, context, number)], commitment, points: [publicShare] },
    ],
    group: suite.group,
  });
}

/**
 * The file of a proof, step by step; whoever does not run it to its end closes it. It is not verified yet.
 * @param opening - x_i ‖ r_i, borrowed
 * @param random - 64 bytes that nothing else is made of, borrowed
 */
export function* proveOpening(
  committed: Committed,
  opening: Uint8Array,
  random: Uint8Array,
  repetitions = REPETITIONS,
): Generator<number, Uint8Array> {
  const { suite, context, number, publicShare, commitment } = committed;
  const statement = openingStatement(committed, repetitions);
  const x = opening.slice(0, suite.scalarBytes);
  const r = opening.slice(suite.scalarBytes);
  const root = rootOf(random, statement.h0, [x, r]);
  try {
    const proof = yield* proveStepwise(statement, [{ x, r }], root);
    return encodeOpening({
      ...statement.parameters,
      suite: suite.code,
      context,
      number,
      publicShare: publicShare.toBytes(),
      commitment,
      proof: encodeProof(proof),
    });
  } finally {
    for (const secret of [x, r, root]) secret.fill(0);
  }
}

/** Whether a file proves that this very commitment opens to this very public share. Answers for any file that decodes. */
export function verifyOpening(
  committed: Committed,
  file: OpeningFile,
  repetitions = REPETITIONS,
): ProofVerdict {
  const other = otherThan(committed, file);
  if (other !== undefined) return { ok: false, reason: `it is about ${other}` };
  const statement = openingStatement(committed, repetitions);
  const { circuitId } = statement.parameters;
  if (file.circuitId !== circuitId || file.repetitions !== repetitions) {
    return { ok: false, reason: 'it has another circuit or another number of repetitions' };
  }
  try {
    const { circuit } = statement.trace;
    return verifyProof(statement, decodeProof(file.proof, circuit, repetitions, 'it'));
  } catch (error) {
    if (!(error instanceof ConclaveError) || error.exitCode !== 65) throw error;
    return { ok: false, reason: error.message };
  }
}

/** Proofs of openings as the sessions that make shares ask for them, over files. */
export const openingProofs = {
  prove: (
    committed: Committed,
    opening: Uint8Array,
    random: Uint8Array,
  ): Generator<number, Uint8Array> => proveOpening(committed, opening, random),
  /** @throws {@link InputError} `E_OPENING_MALFORMED` */
  verify: (committed: Committed, bytes: Uint8Array, what: string): ProofVerdict =>
    verifyOpening(committed, decodeOpening(bytes, what)),
};

function otherThan(
  { suite, context, number, publicShare, commitment }: Committed,
  file: OpeningFile,
): string | undefined {
  if (!equal(file.suite, suite.code)) return 'a key of another suite';
  if (!equal(file.context, context)) return 'another group or other public shares';
  if (file.number !== number) return `share ${file.number}`;
  if (!equal(file.publicShare, publicShare.toBytes())) return 'another public share';
  return equal(file.commitment, commitment) ? undefined : 'another commitment';
}

/** The one encoding. */
export function encodeOpening(file: OpeningFile): Uint8Array {
  const { repetitions, circuitId, suite, context, number, publicShare, commitment, proof } = file;
  return concat(
    MAGIC,
    u16be(TRACE_VERSION),
    Uint8Array.of(PROOF_SYSTEM),
    u16be(repetitions),
    u16be(circuitId),
    suite,
    context,
    u16be(number),
    publicShare,
    commitment,
    proof,
  );
}

/** Whether bytes look like such a file; cheap, never throws. */
export function looksLikeOpening(bytes: Uint8Array): boolean {
  return bytes.length > HEADER_BYTES && equal(bytes.subarray(0, MAGIC.length), MAGIC);
}

/**
 * A strictly parsed file.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_OPENING_MALFORMED`
 */
export function decodeOpening(bytes: Uint8Array, what: string): OpeningFile {
  if (!looksLikeOpening(bytes)) throw malformed(what, 'it does not begin like one');
  let at = MAGIC.length;
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw malformed(what, 'it is cut short');
    at += length;
    return bytes.slice(at - length, at);
  };
  const number16 = (): number => {
    const [high, low] = take(2) as unknown as [number, number];
    return (high << 8) | low;
  };
  const version = number16();
  if (version !== TRACE_VERSION) throw malformed(what, `version ${version} is not known`);
  if (take(1)[0] !== PROOF_SYSTEM) throw malformed(what, 'its proof system is not known');
  const repetitions = number16();
  const circuitId = number16();
  const suite = take(8);
  const [point = 0] = publishedLengths(suite) ?? [];
  if (point === 0) throw malformed(what, 'its suite is not known');
  const context = take(HASH_BYTES);
  const number = number16();
  if (number === 0) throw malformed(what, 'its number is 0');
  const publicShare = take(point);
  const commitment = take(HASH_BYTES);
  const proof = take(bytes.length - at);
  return { repetitions, circuitId, suite, context, number, publicShare, commitment, proof };
}

function malformed(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_OPENING_MALFORMED',
    message: `${what} is no proof of an opening: ${problem}`,
  });
}
