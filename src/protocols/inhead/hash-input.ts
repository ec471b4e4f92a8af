/**
 * Every hash of a proof, with its tag and the exact bytes that go in. Encodings only: nothing here decides.
 * @see docs/spec/cold-signing-trace.md, "Hash inputs"
 */
import { sha256, shake256 } from '#crypto/hash';
import { concat, lengthPrefixed, u16be, utf8 } from '#formats/bytes';

const TAG = {
  statement: utf8('conclave/trace-h'),
  root: utf8('conclave/trace-r'),
  twinRoot: utf8('conclave/trace-w'),
  salt: utf8('conclave/trace-s'),
  seed: utf8('conclave/trace-d'),
  tape: utf8('conclave/trace-t'),
  commitment: utf8('conclave/trace-c'),
  challenge: utf8('conclave/trace-f'),
  trits: utf8('conclave/trace-e'),
  opening: utf8('conclave/trace-o'),
} as const;

/** Version of the format. */
export const TRACE_VERSION = 1;
/** ZKB++ with two of three participants opened; 0 where there is no proof. */
export const PROOF_SYSTEM = 1;
/** (2/3)^219 is below 2^-128. */
export const REPETITIONS = 219;
/** Bytes of salts, seeds, commitments and challenges. */
export const HASH_BYTES = 32;

/** Which participant of the three. */
export type Participant = 1 | 2 | 3;
export const PARTICIPANTS: readonly Participant[] = [1, 2, 3];

/** The one after: 1, 2, 3, 1 … */
export function successor(k: Participant): Participant {
  return ((k % 3) + 1) as Participant;
}

/** Parameters of the proof that every hash of the statement carries. */
export interface ProofParameters {
  readonly repetitions: number;
  /** Which circuit; 0 where there is none. */
  readonly circuitId: number;
}

/** version(1) ‖ proof system(1) ‖ repetitions(2) ‖ circuit id(2) */
function parameterBytes({ repetitions, circuitId }: ProofParameters): Uint8Array {
  return concat(
    Uint8Array.of(TRACE_VERSION, circuitId === 0 ? 0 : PROOF_SYSTEM),
    u16be(repetitions),
    u16be(circuitId),
  );
}

/** What h0 binds. */
export interface StatementFields extends ProofParameters {
  readonly level: number;
  /** G and REQ as they stand. */
  readonly group: Uint8Array;
  readonly request: Uint8Array;
  /** Strictly ascending. */
  readonly quorum: readonly number[];
  readonly signature: Uint8Array;
  /** D_i, E_i, z_i as far as the level has them, signer by signer. */
  readonly shares: readonly Uint8Array[];
}

/** h0 of a trace; 32 bytes. */
export function statementHash(fields: StatementFields): Uint8Array {
  const { level, group, request, quorum, signature, shares } = fields;
  return sha256(
    TAG.statement,
    parameterBytes(fields),
    Uint8Array.of(level),
    lengthPrefixed(group),
    lengthPrefixed(request),
    quorumBytes(quorum),
    lengthPrefixed(signature),
    ...shares.map(lengthPrefixed),
  );
}

/** What h0 of a proof about one commitment binds. */
export interface OpeningFields extends ProofParameters {
  /** A. */
  readonly context: Uint8Array;
  readonly number: number;
  /** Eight bytes. */
  readonly suite: Uint8Array;
  /** Y_i. */
  readonly publicShare: Uint8Array;
  /** C_i. */
  readonly commitment: Uint8Array;
}

/** h0 of a proof that one commitment opens to its public share; 32 bytes. */
export function openingHash(fields: OpeningFields): Uint8Array {
  const { context, number, suite, publicShare, commitment } = fields;
  return sha256(
    TAG.opening,
    parameterBytes(fields),
    context,
    u16be(number),
    suite,
    lengthPrefixed(publicShare),
    lengthPrefixed(commitment),
  );
}

/** u16be(count) ‖ u16be of each. */
export function quorumBytes(quorum: readonly number[]): Uint8Array {
  return concat(u16be(quorum.length), ...quorum.map(u16be));
}

/** The prover's root of all coins, hedged: 64 random bytes and everything it knows; 64 bytes, wiped by the caller. */
export function rootOf(
  random: Uint8Array,
  h0: Uint8Array,
  secrets: readonly Uint8Array[],
): Uint8Array {
  return shake256(64, TAG.root, random, h0, ...secrets);
}

/** The same without randomness, so that two machines make the same proof; 64 bytes, wiped by the caller. */
export function twinRootOf(h0: Uint8Array, secrets: readonly Uint8Array[]): Uint8Array {
  return shake256(64, TAG.twinRoot, h0, ...secrets);
}

export function saltOf(root: Uint8Array): Uint8Array {
  return shake256(HASH_BYTES, TAG.salt, root);
}

export function seedOf(
  root: Uint8Array,
  salt: Uint8Array,
  repetition: number,
  participant: Participant,
): Uint8Array {
  return shake256(HASH_BYTES, TAG.seed, root, salt, place(repetition, participant));
}

/** The tape of one participant in one repetition: masks, then (for 1 and 2) its inputs. */
export function tapeOf(
  seed: Uint8Array,
  salt: Uint8Array,
  repetition: number,
  participant: Participant,
  length: number,
): Uint8Array {
  return shake256(length, TAG.tape, salt, place(repetition, participant), seed);
}

/** What a participant is committed to. */
export interface CommittedView {
  readonly seed: Uint8Array;
  /** Its inputs, for 3; empty for the others. */
  readonly auxiliary: Uint8Array;
  readonly view: Uint8Array;
  /** X_k: its parts of the points, encoded one after another. */
  readonly points: Uint8Array;
}

/** com_k; 32 bytes. */
export function viewCommitment(
  salt: Uint8Array,
  repetition: number,
  participant: Participant,
  { seed, auxiliary, view, points }: CommittedView,
): Uint8Array {
  return sha256(
    TAG.commitment,
    salt,
    place(repetition, participant),
    seed,
    auxiliary,
    view,
    points,
  );
}

/**
 * The challenge.
 * @param firstMessage - per repetition and participant com ‖ output share ‖ X
 */
export function challengeOf(
  h0: Uint8Array,
  salt: Uint8Array,
  parameters: ProofParameters,
  firstMessage: readonly Uint8Array[],
): Uint8Array {
  return sha256(TAG.challenge, h0, salt, parameterBytes(parameters), ...firstMessage);
}

/**
 * Which pair is opened in each repetition: trits 0, 1, 2, two bits at a time, least significant first, 3 rejected.
 * @returns as many as repetitions
 */
export function tritsOf(challenge: Uint8Array, repetitions: number): Uint8Array {
  const trits = new Uint8Array(repetitions);
  // 3 of 4 pairs are taken; where that was not enough, a longer output of the same stream begins the same way.
  for (let length = Math.ceil(repetitions / 2) + 32; ; length *= 2) {
    let found = 0;
    for (const byte of shake256(length, TAG.trits, challenge)) {
      for (let shift = 0; shift < 8 && found < repetitions; shift += 2) {
        const trit = (byte >> shift) & 3;
        if (trit !== 3) trits[found++] = trit;
      }
    }
    if (found === repetitions) return trits;
  }
}

function place(repetition: number, participant: Participant): Uint8Array {
  return concat(u16be(repetition), Uint8Array.of(participant));
}
