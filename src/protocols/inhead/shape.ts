/**
 * The circuits of a trace. What is opened is one list of openings, ascending: each has an integer or byte-wise share x and a
 * randomness r that a commitment hashes; where a key is split in bytes, one linear map gives the secret that K commits to.
 * @see docs/spec/cold-signing-trace.md, "The circuit"
 */
import { type Circuit, CircuitBuilder, type InputField, ONE, type Wire, ZERO } from './circuit.js';
import { add } from './gadget/adder.js';
import { combineBytes } from './gadget/interpolation.js';
import {
  bytesOfWords,
  compressClear,
  compressWires,
  INITIAL_STATE,
  wordsOfBytes,
} from './gadget/sha256.js';
import { type IntegerWidth, integerWidth } from './integer.js';

/** How long scalars and randomness are, and how many bits the group's order has. */
export interface ScalarSize {
  readonly scalarBytes: number;
  readonly randomnessBytes: number;
  readonly orderBits: number;
}

/** What a circuit's form depends on. */
export type Shape =
  | {
      readonly kind: 'scalar';
      readonly size: ScalarSize;
      readonly openings: number;
      /** Whether each opening's nonce is proven too. */
      readonly nonces: boolean;
      /** How much wider adders are than the parts; 8 except in tests of what 1 would let through. */
      readonly spare?: number;
    }
  | {
      readonly kind: 'bytes';
      /** λ of each opening, 1 … 255. */
      readonly factors: readonly number[];
    };

/** Hashes of one opening that end in its nonce: with them N has 256 bits more than the order at least. */
export function nonceHashes({ scalarBytes }: ScalarSize): number {
  return scalarBytes === 32 ? 2 : 3;
}

/** An integer of the bridge, as it is laid out in the inputs. */
export interface BridgedInteger extends IntegerWidth {
  /** Which opening, from 0. */
  readonly opening: number;
  readonly what: 'share' | 'nonce';
  /** First of its three input fields, one for each participant. */
  readonly field: number;
}

/** A circuit with what its inputs mean. */
export interface TraceCircuit {
  readonly shape: Shape;
  readonly circuit: Circuit;
  /** The bridge's integers in the order of the inputs; empty where shares are bytes. */
  readonly integers: readonly BridgedInteger[];
}

const SHORT: ScalarSize = { scalarBytes: 32, randomnessBytes: 23, orderBits: 256 };

/** Sizes of the inputs of an opening, by participant. */
export function openingIntegers(
  shape: Shape,
): readonly Omit<BridgedInteger, 'opening' | 'field'>[] {
  if (shape.kind === 'bytes') return [];
  const { size, nonces, spare } = shape;
  const width = (bits: number): IntegerWidth => {
    const { part, sum } = integerWidth(bits);
    return { part, sum: spare === undefined ? sum : part + spare };
  };
  return [
    { what: 'share', ...width(size.orderBits) },
    ...(nonces ? [{ what: 'nonce' as const, ...width(256 * nonceHashes(size)) }] : []),
  ];
}

function integerFields({ part, sum }: IntegerWidth): InputField[] {
  return [
    { owner: 1, bytes: part / 8 },
    { owner: 2, bytes: part / 8 },
    { owner: 3, bytes: Math.ceil(sum / 8) },
  ];
}

/** Builds the circuit of a shape. Public bits are the midstates of its hashes, in the order in which they are used. */
export function buildTraceCircuit(shape: Shape): TraceCircuit {
  return shape.kind === 'scalar' ? scalarCircuit(shape) : bytesCircuit(shape);
}

function scalarCircuit(shape: Extract<Shape, { kind: 'scalar' }>): TraceCircuit {
  const { size, openings, nonces } = shape;
  const own = openingIntegers(shape);
  const [x, n] = [own[0] as IntegerWidth, own[1]];
  const fields = [
    ...integerFields(x),
    { owner: 0 as const, bytes: size.randomnessBytes },
    ...(n === undefined ? [] : integerFields(n)),
  ];
  const hashes = nonces ? 1 + nonceHashes(size) : 1;
  const builder = new CircuitBuilder(
    openings * hashes * 256,
    Array.from({ length: openings }, () => fields).flat(),
  );
  for (let opening = 0; opening < openings; opening++) {
    const wires = fields.map((_, i) => builder.inputWires(opening * fields.length + i));
    const midstate = (hash: number): Wire[] =>
      builder.publicWires(256 * (opening * hashes + hash), 256);
    const sum = addParts(builder, wires.slice(0, 3), x);
    const message = [...scalarBits(sum, size), ...(wires[3] as Wire[])];
    const commitment = hashTail(builder, midstate(0), message);
    builder.output(commitment);
    builder.output(sum.slice(size.orderBits));
    if (n === undefined) continue;
    const nonce = addParts(builder, wires.slice(4, 7), n);
    const digests = Array.from({ length: hashes - 1 }, (_, i) =>
      hashTail(builder, midstate(1 + i), message),
    ).flat();
    const bytes = digests.length / 8;
    const expected = digests.map((_, j) => digests[8 * (bytes - 1 - (j >> 3)) + (j & 7)] as Wire);
    builder.output(expected.map((bit, j) => builder.xor(bit, nonce[j] as Wire)));
    builder.output(nonce.slice(expected.length));
  }
  const integers = Array.from({ length: openings }, (_, opening) =>
    own.map((each, i) => ({ ...each, opening, field: opening * fields.length + 4 * i })),
  ).flat();
  return { shape, circuit: builder.finish(), integers };
}

function bytesCircuit(shape: Extract<Shape, { kind: 'bytes' }>): TraceCircuit {
  const { factors } = shape;
  const fields = factors.flatMap(() => [
    { owner: 0 as const, bytes: SHORT.scalarBytes },
    { owner: 0 as const, bytes: SHORT.randomnessBytes },
  ]);
  const builder = new CircuitBuilder(256 * (factors.length + 1), fields);
  const shares = factors.map((_, i) => builder.inputWires(2 * i));
  shares.forEach((share, i) => {
    const message = [...share, ...builder.inputWires(2 * i + 1)];
    builder.output(hashTail(builder, builder.publicWires(256 * i, 256), message));
  });
  const secret = combineBytes(
    builder,
    factors.map((factor, i) => ({ factor, bits: shares[i] as Wire[] })),
  );
  const message = [...secret, ...constantBytes(new Uint8Array(SHORT.randomnessBytes))];
  builder.output(hashTail(builder, builder.publicWires(256 * factors.length, 256), message));
  return { shape, circuit: builder.finish(), integers: [] };
}

/** (x^(1) + x^(2)) + x^(3), modulo 2^W. */
function addParts(
  builder: CircuitBuilder,
  parts: readonly Wire[][],
  { sum }: IntegerWidth,
): Wire[] {
  const [first, second, third] = parts.map((part) =>
    Array.from({ length: sum }, (_, i) => part[i] ?? ZERO),
  ) as [Wire[], Wire[], Wire[]];
  return add(builder, add(builder, first, second), third);
}

/** The scalar's bytes, big-endian, from its bits; those from the order's length on are constants. */
function scalarBits(sum: readonly Wire[], { scalarBytes, orderBits }: ScalarSize): Wire[] {
  return Array.from({ length: 8 * scalarBytes }, (_, i) => {
    const j = 8 * (scalarBytes - 1 - (i >> 3)) + (i & 7);
    return j < orderBits ? (sum[j] as Wire) : ZERO;
  });
}

/**
 * SHA-256 of one public block and then this message, with its padding.
 * @param midstate - 256 wires: the state after the block, as bytes
 * @returns 256 wires: the digest's bytes
 */
function hashTail(
  builder: CircuitBuilder,
  midstate: readonly Wire[],
  message: readonly Wire[],
): Wire[] {
  const length = message.length / 8;
  const padded = [...message, ...constantBytes(paddingAfter(64 + length))];
  let state = wordsOfBytes(midstate);
  for (let at = 0; at < padded.length; at += 512) {
    state = compressWires(builder, state, wordsOfBytes(padded.slice(at, at + 512)));
  }
  return bytesOfWords(state);
}

/** SHA-256's padding after so many bytes. */
function paddingAfter(length: number): Uint8Array {
  const total = 64 * Math.ceil((length + 9) / 64);
  const padding = new Uint8Array(total - length);
  padding[0] = 0x80;
  new DataView(padding.buffer).setUint32(padding.length - 4, 8 * length);
  return padding;
}

function constantBytes(bytes: Uint8Array): Wire[] {
  return [...bytes].flatMap((byte) =>
    Array.from({ length: 8 }, (_, bit) => (((byte >> bit) & 1) === 1 ? ONE : ZERO)),
  );
}

/** The public bits of a circuit: the state after each first block, as bytes, bit b of byte m being element 8m + b. */
export function midstateBits(firstBlocks: readonly Uint8Array[]): Uint8Array {
  const bits = new Uint8Array(256 * firstBlocks.length);
  firstBlocks.forEach((block, at) => {
    const state = compressClear(INITIAL_STATE, block);
    for (let i = 0; i < 256; i++) {
      const word = state[i >> 5] as number;
      bits[256 * at + i] = (word >>> (8 * (3 - ((i & 31) >> 3)) + (i & 7))) & 1;
    }
  });
  return bits;
}
