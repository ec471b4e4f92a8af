/**
 * The bytes of a proof: salt, challenge, and for each repetition what opens two of the three participants. How long each part is
 * follows from the circuit and the challenge, so nothing carries a length.
 * @see docs/spec/cold-signing-trace.md, "The proof"
 */
import { concat } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { type Circuit, inputBytes } from './circuit.js';
import { HASH_BYTES, type Participant, successor, tritsOf } from './hash-input.js';

/** What one repetition opens: P, which the trit names, and its successor Q. */
export interface OpenedPair {
  readonly seedP: Uint8Array;
  readonly seedQ: Uint8Array;
  /** Results of Q's multiplications, one bit each. */
  readonly viewQ: Uint8Array;
  /** Inputs of participant 3, when it is P or Q; otherwise empty. */
  readonly auxiliary: Uint8Array;
  /** Commitment of the third, who stays closed. */
  readonly commitment: Uint8Array;
}

/** A proof as read. */
export interface Proof {
  readonly salt: Uint8Array;
  readonly challenge: Uint8Array;
  readonly pairs: readonly OpenedPair[];
}

/** Who P is for a trit. */
export function openedFirst(trit: number): Participant {
  return (trit + 1) as Participant;
}

/** Whether participant 3 is among the two opened. */
export function opensThird(trit: number): boolean {
  const p = openedFirst(trit);
  return p === 3 || successor(p) === 3;
}

/** Bytes of one view. */
export function viewBytes({ ands }: Circuit): number {
  return (ands + 7) >> 3;
}

/** The one encoding. */
export function encodeProof({ salt, challenge, pairs }: Proof): Uint8Array {
  const parts = pairs.flatMap(({ seedP, seedQ, viewQ, auxiliary, commitment }) => [
    seedP,
    seedQ,
    viewQ,
    auxiliary,
    commitment,
  ]);
  return concat(salt, challenge, ...parts);
}

/**
 * A proof for a circuit, by length and padding alone.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_TRACE_MALFORMED`
 */
export function decodeProof(
  bytes: Uint8Array,
  circuit: Circuit,
  repetitions: number,
  what: string,
): Proof {
  const fixed = 2 * HASH_BYTES;
  if (bytes.length < fixed) throw malformed(what, 'its proof is cut short');
  let at = 0;
  const take = (length: number): Uint8Array => {
    at += length;
    return bytes.slice(at - length, at);
  };
  const salt = take(HASH_BYTES);
  const challenge = take(HASH_BYTES);
  const trits = tritsOf(challenge, repetitions);
  const view = viewBytes(circuit);
  const auxiliary = inputBytes(circuit, 3);
  const thirds = trits.reduce((count, trit) => count + (opensThird(trit) ? 1 : 0), 0);
  const expected = fixed + repetitions * (3 * HASH_BYTES + view) + thirds * auxiliary;
  if (bytes.length !== expected) {
    throw malformed(
      what,
      `its proof has ${bytes.length} bytes, and its challenge asks for ${expected}`,
    );
  }
  const pairs = Array.from(trits, (trit): OpenedPair => ({
    seedP: take(HASH_BYTES),
    seedQ: take(HASH_BYTES),
    viewQ: take(view),
    auxiliary: take(opensThird(trit) ? auxiliary : 0),
    commitment: take(HASH_BYTES),
  }));
  const used = circuit.ands & 7;
  if (used !== 0 && pairs.some(({ viewQ }) => (viewQ[view - 1] as number) >> used !== 0)) {
    throw malformed(what, 'a view is not padded with zeros');
  }
  return { salt, challenge, pairs };
}

function malformed(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_TRACE_MALFORMED',
    message: `${what} is no trace of conclave: ${problem}`,
  });
}
