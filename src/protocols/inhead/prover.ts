/**
 * The prover: simulates three participants in every repetition at once, commits to them, and opens two of each as the hash of all
 * commitments says.
 * @see docs/spec/cold-signing-trace.md, "Proving"
 */
import type { GroupPoint, PrimeGroup } from '#crypto/math/prime-group';
import { mod } from '#crypto/math/prime-group';
import { InternalError } from '#formats/errors';
import type { Circuit } from './circuit.js';
import { FIRST_PUBLIC, inputBytes, inputPlace, misshapen } from './circuit.js';
import {
  challengeOf,
  type Participant,
  PARTICIPANTS,
  saltOf,
  seedOf,
  successor,
  tapeOf,
  tritsOf,
  viewCommitment,
} from './hash-input.js';
import { fromBigEndian, fromLittleEndian, toTwosComplement } from './integer.js';
import { fromRows, lanesWords, toRows } from './lane.js';
import { encodePoints, type Statement } from './statement.js';
import { openedFirst, opensThird, type OpenedPair, type Proof, viewBytes } from './proof.js';

/** One opening's secrets; borrowed. */
export interface SecretOpening {
  /** The share: a scalar big-endian, or bytes. */
  readonly x: Uint8Array;
  readonly r: Uint8Array;
  /** Where nonces are proven: the concatenated digests, big-endian. */
  readonly nonce?: Uint8Array;
}

/** How far it is once the tapes are there. */
const DRAWN = 0.1;
/** Stretches into which the gates are cut. */
const GATE_STEPS = 8;

/** Participants of all repetitions; `[k - 1][repetition]`. */
type PerParticipant<T> = readonly (readonly T[])[];

/**
 * A proof of a statement. The caller verifies it before anybody sees it: this does not check that the secrets are right.
 * @param root - 64 bytes from which all coins come, never used for anything else; borrowed
 */
export function prove(
  statement: Statement,
  openings: readonly SecretOpening[],
  root: Uint8Array,
): Proof {
  const steps = proveStepwise(statement, openings, root);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/**
 * The same, yielding how far it is, from 0 to 1, so that somebody can be told. Whoever does not run it to its end has to close it
 * (`return`), so that what it holds is wiped.
 */
export function* proveStepwise(
  statement: Statement,
  openings: readonly SecretOpening[],
  root: Uint8Array,
): Generator<number, Proof> {
  const held: Uint8Array[] = [];
  const kept = new Set<Uint8Array>();
  try {
    const proof = yield* proveHolding(statement, openings, root, held);
    for (const pair of proof.pairs) {
      for (const part of Object.values(pair) as Uint8Array[]) kept.add(part);
    }
    return proof;
  } finally {
    // Also where it fails or is given up: with the inputs of all three participants the shares are known.
    for (const secret of held) if (!kept.has(secret)) secret.fill(0);
  }
}

/** Puts into `held` what must not outlive the proof, unless it is a part of it. */
function* proveHolding(
  statement: Statement,
  openings: readonly SecretOpening[],
  root: Uint8Array,
  held: Uint8Array[],
): Generator<number, Proof> {
  const { h0, parameters, trace, group } = statement;
  const { circuit } = trace;
  const { repetitions } = parameters;
  const salt = saltOf(root);
  const all = Array.from({ length: repetitions }, (_, i) => i);
  const seeds: PerParticipant<Uint8Array> = PARTICIPANTS.map((k) =>
    all.map((repetition) => seedOf(root, salt, repetition, k)),
  );
  const hold = (values: PerParticipant<Uint8Array>): void => {
    for (const value of values.flat()) held.push(value);
  };
  hold(seeds);
  const maskBytes = viewBytes(circuit);
  const tapes: PerParticipant<Uint8Array> = PARTICIPANTS.map((k) =>
    all.map((repetition) => {
      const length = maskBytes + (k === 3 ? 0 : inputBytes(circuit, k));
      return tapeOf(seeds[k - 1]?.[repetition] as Uint8Array, salt, repetition, k, length);
    }),
  );
  hold(tapes);
  yield DRAWN;
  const inputs = inputsOf(statement, openings, tapes, maskBytes);
  hold(inputs);
  // Where there are points, most of the time goes into them.
  const evaluated = group === undefined ? 0.9 : 0.4;
  const run = yield* evaluate(statement, { tapes, inputs, repetitions }, held, evaluated);
  yield evaluated;
  const points =
    group === undefined ? undefined : yield* pointsOf(statement, group, inputs, evaluated);
  const committed = PARTICIPANTS.map((k) =>
    all.map((repetition) => ({
      seed: seeds[k - 1]?.[repetition] as Uint8Array,
      auxiliary: k === 3 ? (inputs[2]?.[repetition] as Uint8Array) : new Uint8Array(0),
      view: run.views[k - 1]?.[repetition] as Uint8Array,
      points: points?.[k - 1]?.[repetition] ?? new Uint8Array(0),
    })),
  );
  const commitments = PARTICIPANTS.map((k) =>
    all.map((repetition) => viewCommitment(salt, repetition, k, at(committed, k, repetition))),
  );
  const firstMessage = all.flatMap((repetition) =>
    PARTICIPANTS.flatMap((k) => [
      at(commitments, k, repetition),
      at(run.outputs, k, repetition),
      at(committed, k, repetition).points,
    ]),
  );
  const challenge = challengeOf(h0, salt, parameters, firstMessage);
  yield 0.95;
  const pairs = Array.from(tritsOf(challenge, repetitions), (trit, repetition): OpenedPair => {
    const p = openedFirst(trit);
    const q = successor(p);
    return {
      seedP: at(seeds, p, repetition),
      seedQ: at(seeds, q, repetition),
      viewQ: at(run.views, q, repetition),
      auxiliary: opensThird(trit) ? at(inputs, 3, repetition) : new Uint8Array(0),
      commitment: at(commitments, successor(q), repetition),
    };
  });
  return { salt, challenge, pairs };
}

function at<T>(values: PerParticipant<T>, k: Participant, repetition: number): T {
  return values[k - 1]?.[repetition] as T;
}

/** Inputs of the three: 1 and 2 have them from their tapes, 3 has what is left. */
function inputsOf(
  { trace }: Statement,
  openings: readonly SecretOpening[],
  tapes: PerParticipant<Uint8Array>,
  maskBytes: number,
): PerParticipant<Uint8Array> {
  const { circuit } = trace;
  const [first, second] = [0, 1].map((k) =>
    (tapes[k] as readonly Uint8Array[]).map((tape) => tape.subarray(maskBytes)),
  ) as [Uint8Array[], Uint8Array[]];
  const secrets = openings.flatMap(({ x, r, nonce }) =>
    nonce === undefined ? [x, r] : [x, r, nonce],
  );
  const third = first.map((own, repetition) => {
    const other = second[repetition] as Uint8Array;
    const out = new Uint8Array(inputBytes(circuit, 3));
    let field = 0;
    for (const secret of secrets) {
      const shared = circuit.inputs[field]?.owner === 0;
      const part = (of: Uint8Array, k: Participant): Uint8Array => {
        const { from, to } = inputPlace(circuit, k, shared ? field : field + k - 1);
        return of.subarray(from, to);
      };
      const [a, b, rest] = [part(own, 1), part(other, 2), part(out, 3)];
      if (shared) {
        // In place: what participant 3 has is the share itself wherever the other two are opened.
        for (const [i, byte] of secret.entries())
          rest[i] = byte ^ (a[i] as number) ^ (b[i] as number);
      } else {
        const left = fromBigEndian(secret) - fromLittleEndian(a) - fromLittleEndian(b);
        rest.set(toTwosComplement(left, rest.length));
      }
      field += shared ? 1 : 3;
    }
    return out;
  });
  return [first, second, third];
}

interface Run {
  readonly views: PerParticipant<Uint8Array>;
  readonly outputs: PerParticipant<Uint8Array>;
}

/** What the three have in every repetition. */
interface Given {
  readonly tapes: PerParticipant<Uint8Array>;
  readonly inputs: PerParticipant<Uint8Array>;
  readonly repetitions: number;
}

/** Evaluates the circuit for all three in every repetition; a value is three times as many words as lanes need. */
function* evaluate(
  { trace: { circuit }, publicBits }: Statement,
  { tapes, inputs, repetitions }: Given,
  held: Uint8Array[],
  until: number,
): Generator<number, Run> {
  const step = (part: number): number => DRAWN + (until - DRAWN) * part;
  const words = lanesWords(repetitions);
  const stride = 3 * words;
  const masks = new Int32Array(circuit.ands * stride);
  const results = new Int32Array(circuit.ands * stride);
  const values = new Int32Array(circuit.slots * stride);
  try {
    for (const [k, tape] of tapes.entries()) {
      toRows(tape, circuit.ands, { words: masks, stride, offset: k * words });
      yield step(0.1 + 0.1 * k);
    }
    placeInputs(circuit, publicBits, inputs, values, words);
    const gates = circuit.code.length / 3;
    let mask = 0;
    for (let stretch = 0; stretch < GATE_STEPS; stretch++) {
      const [from, to] = [stretch, stretch + 1].map((i) => Math.floor((gates * i) / GATE_STEPS));
      const code = circuit.code.subarray(3 * (from as number), 3 * (to as number));
      mask = runGates(code, values, masks, results, words, mask);
      yield step(0.3 + (0.4 * (stretch + 1)) / GATE_STEPS);
    }
    // A typed array swallows what is written past its end.
    if (mask !== results.length) throw misshapen();
    const outputs = new Int32Array(circuit.outputs.length * stride);
    circuit.outputs.forEach((slot, i) => {
      outputs.set(values.subarray(slot * stride, (slot + 1) * stride), i * stride);
    });
    const read = (from: Int32Array, bits: number, k: Participant): Uint8Array[] =>
      fromRows({ words: from, stride, offset: (k - 1) * words }, bits, repetitions);
    const views: Uint8Array[][] = [];
    for (const k of PARTICIPANTS) {
      const view = read(results, circuit.ands, k);
      for (const each of view) held.push(each);
      views.push(view);
      yield step(0.7 + 0.1 * k);
    }
    return { views, outputs: PARTICIPANTS.map((k) => read(outputs, circuit.outputs.length, k)) };
  } finally {
    for (const buffer of [masks, results, values]) buffer.fill(0);
  }
}

function placeInputs(
  circuit: Circuit,
  publicBits: Uint8Array,
  inputs: PerParticipant<Uint8Array>,
  values: Int32Array,
  words: number,
): void {
  const stride = 3 * words;
  // Constants are shared as (c, 0, 0): all of it is participant 1's. Slot 1 is the constant one.
  values.fill(-1, stride, stride + words);
  publicBits.forEach((bit, i) => {
    const from = (FIRST_PUBLIC + i) * stride;
    if (bit === 1) values.fill(-1, from, from + words);
  });
  for (const k of PARTICIPANTS) {
    let slot = FIRST_PUBLIC + circuit.publicBits;
    let byte = 0;
    for (const { owner, bytes } of circuit.inputs) {
      if (owner === 0 || owner === k) {
        const own = (inputs[k - 1] as readonly Uint8Array[]).map((all) =>
          all.subarray(byte, byte + bytes),
        );
        const rows = new Int32Array(8 * bytes * words);
        toRows(own, 8 * bytes, { words: rows, stride: words, offset: 0 });
        for (let bit = 0; bit < 8 * bytes; bit++) {
          const row = rows.subarray(bit * words, (bit + 1) * words);
          values.set(row, (slot + bit) * stride + (k - 1) * words);
        }
        rows.fill(0);
        byte += bytes;
      }
      slot += 8 * bytes;
    }
  }
}

/**
 * Runs a stretch of gates.
 * @param first - where the masks of its first multiplication begin
 * @returns where those of the next stretch do
 */
function runGates(
  code: Int32Array,
  values: Int32Array,
  masks: Int32Array,
  results: Int32Array,
  words: number,
  first: number,
): number {
  const stride = 3 * words;
  let mask = first;
  for (let i = 0; i < code.length; i += 3) {
    const out = code[i] as number;
    const a = (code[i + 1] as number) * stride;
    const b = (code[i + 2] as number) * stride;
    if (out >= 0) {
      const o = out * stride;
      for (let w = 0; w < stride; w++) {
        values[o + w] = (values[a + w] as number) ^ (values[b + w] as number);
      }
      continue;
    }
    const o = ~out * stride;
    for (let w = 0; w < words; w++) {
      const [one, two, three] = [w, words + w, 2 * words + w] as const;
      const x1 = values[a + one] as number;
      const x2 = values[a + two] as number;
      const x3 = values[a + three] as number;
      const y1 = values[b + one] as number;
      const y2 = values[b + two] as number;
      const y3 = values[b + three] as number;
      const t1 = masks[mask + one] as number;
      const t2 = masks[mask + two] as number;
      const t3 = masks[mask + three] as number;
      const z1 = (x1 & y1) ^ (x2 & y1) ^ (x1 & y2) ^ t1 ^ t2;
      const z2 = (x2 & y2) ^ (x3 & y2) ^ (x2 & y3) ^ t2 ^ t3;
      const z3 = (x3 & y3) ^ (x1 & y3) ^ (x3 & y1) ^ t3 ^ t1;
      values[o + one] = z1;
      values[o + two] = z2;
      values[o + three] = z3;
      results[mask + one] = z1;
      results[mask + two] = z2;
      results[mask + three] = z3;
    }
    mask += stride;
  }
  return mask;
}

/** Each participant's part of every point: its integer times the base; 3 has what is left of the point. */
function* pointsOf(
  { trace: { circuit, integers }, points }: Statement,
  group: PrimeGroup,
  inputs: PerParticipant<Uint8Array>,
  from: number,
): Generator<number, PerParticipant<Uint8Array>> {
  const out = PARTICIPANTS.map(() => [] as Uint8Array[]);
  const part = (k: 1 | 2, repetition: number, field: number): GroupPoint => {
    const { from, to } = inputPlace(circuit, k, field);
    const scalar = mod(fromLittleEndian(at(inputs, k, repetition).subarray(from, to)), group.order);
    return scalar === 0n ? group.identity : group.base.multiply(scalar);
  };
  const repetitions = inputs[0]?.length ?? 0;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const parts = integers.map(({ field }, i) => {
      const one = part(1, repetition, field);
      const two = part(2, repetition, field + 1);
      const rest = (points[i] as GroupPoint).add(one.add(two).negate());
      return [one, two, rest] as const;
    });
    out.forEach((own, k) => {
      const encoded = encodePoints(parts.map((three) => three[k] as GroupPoint));
      if (encoded === undefined) throw unprovable();
      own.push(encoded);
    });
    if (repetition % 16 === 0) yield from + ((0.95 - from) * repetition) / repetitions;
  }
  return out;
}

function unprovable(): InternalError {
  return new InternalError({
    code: 'E_PROOF_IDENTITY',
    message: 'a part of a point is the identity, which other coins would have avoided',
  });
}
