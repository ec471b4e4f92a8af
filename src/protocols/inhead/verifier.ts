/**
 * The verifier: evaluates the two opened participants of every repetition, computes their points anew, and asks whether the hash
 * of everything is the challenge that chose them. It shares with the prover the circuit, the statement and encodings, no more.
 * @see docs/spec/cold-signing-trace.md, "Verifying"
 */
import type { GroupPoint } from '#crypto/math/prime-group';
import { mod } from '#crypto/math/prime-group';
import { equal } from '#formats/bytes';
import { type Circuit, FIRST_PUBLIC, inputBytes, inputPlace, misshapen } from './circuit.js';
import {
  challengeOf,
  type Participant,
  successor,
  tapeOf,
  tritsOf,
  viewCommitment,
} from './hash-input.js';
import { fromLittleEndian, fromTwosComplement } from './integer.js';
import { fromRows, lanesWords, toRows } from './lane.js';
import { openedFirst, opensThird, type OpenedPair, type Proof, viewBytes } from './proof.js';
import type { BridgedInteger } from './shape.js';
import { encodePoints, type Statement } from './statement.js';

/** The answer, with a reason when it is no. */
export type ProofVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** How far it is once the tapes of the opened are there. */
const OPENED = 0.1;
/** Stretches into which the gates are cut. */
const GATE_STEPS = 8;

/** An opened participant of one repetition. */
interface Opened {
  readonly participant: Participant;
  readonly seed: Uint8Array;
  /** Masks of its multiplications, at the beginning of its tape. */
  readonly tape: Uint8Array;
  /** Its own inputs: from the tape, or the auxiliary ones. */
  readonly inputs: Uint8Array;
}

/** Whether a proof convinces of a statement. Answers, never throws, for any proof that decodes. */
export function verifyProof(statement: Statement, proof: Proof): ProofVerdict {
  const steps = verifyStepwise(statement, proof);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The same, yielding how far it is, from 0 to 1, so that somebody can be told. */
export function* verifyStepwise(
  statement: Statement,
  proof: Proof,
): Generator<number, ProofVerdict> {
  const { h0, parameters, trace } = statement;
  const { salt, challenge, pairs } = proof;
  const { repetitions } = parameters;
  if (pairs.length !== repetitions)
    return { ok: false, reason: 'it has another number of repetitions' };
  const trits = tritsOf(challenge, repetitions);
  const opened = pairs.map((pair, i) => openPair(pair, trits[i] as number, salt, i, trace.circuit));
  yield OPENED;
  // Where there are points, most of the time goes into them.
  const evaluated = statement.group === undefined ? 0.9 : 0.4;
  const run = yield* evaluatePairs(statement, proof, opened, evaluated);
  const firstMessage: Uint8Array[] = [];
  for (const [repetition, pair] of pairs.entries()) {
    const [p, q] = opened[repetition] as readonly [Opened, Opened];
    const points = pointsOf(statement, p, q);
    if (points === undefined) return { ok: false, reason: 'a part of a point is the identity' };
    const views = [run.viewP[repetition] as Uint8Array, pair.viewQ];
    const outputs = [run.outputP[repetition] as Uint8Array, run.outputQ[repetition] as Uint8Array];
    const coms = [p, q].map(({ participant, seed }, i) =>
      viewCommitment(salt, repetition, participant, {
        seed,
        auxiliary: participant === 3 ? pair.auxiliary : new Uint8Array(0),
        view: views[i] as Uint8Array,
        points: points[i] as Uint8Array,
      }),
    );
    const third = statement.output.map(
      (byte, i) => byte ^ (outputs[0]?.[i] as number) ^ (outputs[1]?.[i] as number),
    );
    const messages = [
      [coms[0], outputs[0], points[0]],
      [coms[1], outputs[1], points[1]],
      [pair.commitment, third, points[2]],
    ] as Uint8Array[][];
    // P, Q and the third are consecutive; the message has them as 1, 2, 3.
    for (const k of [1, 2, 3]) {
      firstMessage.push(...(messages[(k - p.participant + 3) % 3] as Uint8Array[]));
    }
    if (repetition % 16 === 0) yield evaluated + ((1 - evaluated) * repetition) / repetitions;
  }
  if (!equal(challengeOf(h0, salt, parameters, firstMessage), challenge)) {
    return {
      ok: false,
      reason: 'its challenge is not the hash of what it opens and of this statement',
    };
  }
  return { ok: true };
}

function openPair(
  { seedP, seedQ, auxiliary }: OpenedPair,
  trit: number,
  salt: Uint8Array,
  repetition: number,
  circuit: Circuit,
): readonly [Opened, Opened] {
  const masks = viewBytes(circuit);
  const open = (participant: Participant, seed: Uint8Array): Opened => {
    const own = participant === 3 ? 0 : inputBytes(circuit, participant);
    const tape = tapeOf(seed, salt, repetition, participant, masks + own);
    const inputs = participant === 3 && opensThird(trit) ? auxiliary : tape.subarray(masks);
    return { participant, seed, tape, inputs };
  };
  const p = openedFirst(trit);
  return [open(p, seedP), open(successor(p), seedQ)];
}

interface PairRun {
  readonly viewP: readonly Uint8Array[];
  readonly outputP: readonly Uint8Array[];
  readonly outputQ: readonly Uint8Array[];
}

/** Evaluates P and Q of all repetitions side by side; Q's multiplications are read from its view, P's are computed. */
function* evaluatePairs(
  { trace: { circuit }, publicBits, parameters }: Statement,
  { pairs }: Proof,
  opened: readonly (readonly [Opened, Opened])[],
  until: number,
): Generator<number, PairRun> {
  const step = (part: number): number => OPENED + (until - OPENED) * part;
  const lanes = parameters.repetitions;
  const words = lanesWords(lanes);
  const pair = 2 * words;
  const rows = circuit.ands;
  // T_P ⊕ T_Q is all that is needed of the masks; Q's results lie beside it, and P's take its place.
  const tape = new Int32Array(rows * pair);
  toRows(
    opened.map(([p]) => p.tape),
    circuit.ands,
    { words: tape, stride: pair, offset: 0 },
  );
  toRows(
    opened.map(([, q]) => q.tape),
    circuit.ands,
    { words: tape, stride: pair, offset: words },
  );
  const viewQ = new Int32Array(rows * words);
  toRows(
    pairs.map((each) => each.viewQ),
    circuit.ands,
    { words: viewQ, stride: words, offset: 0 },
  );
  yield step(0.3);
  const values = new Int32Array(circuit.slots * pair);
  placePublic(publicBits, opened, values, words);
  placePrivate(circuit, opened, values, words);

  let and = 0;
  const { code } = circuit;
  const pause = 3 * Math.ceil(code.length / 3 / GATE_STEPS);
  for (let i = 0; i < code.length; i += 3) {
    if (i % pause === 0) yield step(0.3 + (0.4 * i) / code.length);
    const target = code[i] as number;
    const left = (code[i + 1] as number) * pair;
    const right = (code[i + 2] as number) * pair;
    if (target >= 0) {
      for (let w = 0; w < pair; w++) {
        values[target * pair + w] = (values[left + w] as number) ^ (values[right + w] as number);
      }
      continue;
    }
    const out = ~target * pair;
    for (let w = 0; w < words; w++) {
      const xp = values[left + w] as number;
      const yp = values[right + w] as number;
      const xq = values[left + words + w] as number;
      const yq = values[right + words + w] as number;
      const masks = (tape[and * pair + w] as number) ^ (tape[and * pair + words + w] as number);
      const zp = (xp & (yp ^ yq)) ^ (xq & yp) ^ masks;
      values[out + w] = zp;
      tape[and * pair + w] = zp;
      values[out + words + w] = viewQ[and * words + w] as number;
    }
    and++;
  }
  // A typed array swallows what is written past its end.
  if (and !== circuit.ands) throw misshapen();

  const outputs = new Int32Array(circuit.outputs.length * pair);
  circuit.outputs.forEach((slot, i) => {
    outputs.set(values.subarray(slot * pair, (slot + 1) * pair), i * pair);
  });
  const bits = circuit.outputs.length;
  return {
    viewP: fromRows({ words: tape, stride: pair, offset: 0 }, circuit.ands, lanes),
    outputP: fromRows({ words: outputs, stride: pair, offset: 0 }, bits, lanes),
    outputQ: fromRows({ words: outputs, stride: pair, offset: words }, bits, lanes),
  };
}

/** Public bits and the constant one belong to participant 1 alone: to P in some repetitions, to Q in others. */
function placePublic(
  publicBits: Uint8Array,
  opened: readonly (readonly [Opened, Opened])[],
  values: Int32Array,
  words: number,
): void {
  const isOne = new Int32Array(2 * words);
  opened.forEach((pair, lane) => {
    pair.forEach(({ participant }, i) => {
      const word = i * words + (lane >> 5);
      if (participant === 1) isOne[word] = (isOne[word] as number) | (1 << (lane & 31));
    });
  });
  values.set(isOne, 2 * words);
  publicBits.forEach((bit, i) => {
    if (bit === 1) values.set(isOne, (FIRST_PUBLIC + i) * 2 * words);
  });
}

/** Inputs of P and Q; a field that is another participant's alone is zero. */
function placePrivate(
  circuit: Circuit,
  opened: readonly (readonly [Opened, Opened])[],
  values: Int32Array,
  words: number,
): void {
  const total = circuit.inputs.reduce((sum, { bytes }) => sum + bytes, 0);
  const first = FIRST_PUBLIC + circuit.publicBits;
  for (const side of [0, 1] as const) {
    const laid = opened.map((pair) => {
      const { participant, inputs } = pair[side];
      const out = new Uint8Array(total);
      let from = 0;
      let to = 0;
      for (const { owner, bytes } of circuit.inputs) {
        if (owner === 0 || owner === participant) {
          out.set(inputs.subarray(from, from + bytes), to);
          from += bytes;
        }
        to += bytes;
      }
      return out;
    });
    const rows = values.subarray(first * 2 * words);
    toRows(laid, 8 * total, { words: rows, stride: 2 * words, offset: side * words });
  }
}

/**
 * The points of P, Q and the third, encoded: those of P and Q are computed from their integers, which are public now, so that
 * variable time is right; the third's are what is left. A check over points that the proof brought would let torsion through.
 */
function pointsOf(
  { trace: { circuit, integers }, group, points }: Statement,
  p: Opened,
  q: Opened,
): readonly [Uint8Array, Uint8Array, Uint8Array] | undefined {
  if (group === undefined) return [new Uint8Array(0), new Uint8Array(0), new Uint8Array(0)];
  const times = ({ participant, inputs }: Opened, { field, sum }: BridgedInteger): GroupPoint => {
    const { from, to } = inputPlace(circuit, participant, field + participant - 1);
    const bytes = inputs.subarray(from, to);
    const integer = participant === 3 ? fromTwosComplement(bytes, sum) : fromLittleEndian(bytes);
    return group.base.multiplyUnsafe(mod(integer, group.order));
  };
  const parts = integers.map((integer, i) => {
    const [ofP, ofQ] = [times(p, integer), times(q, integer)];
    return [ofP, ofQ, (points[i] as GroupPoint).add(ofP.add(ofQ).negate())] as const;
  });
  const encoded = [0, 1, 2].map((side) =>
    encodePoints(parts.map((part) => part[side] as GroupPoint)),
  );
  const [ofP, ofQ, third] = encoded;
  return ofP === undefined || ofQ === undefined || third === undefined
    ? undefined
    : [ofP, ofQ, third];
}
