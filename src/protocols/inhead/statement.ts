/**
 * What a proof is about, apart from how it is proven: a circuit with its public bits and expected outputs, and, where shares are
 * scalars, the points that each integer of the bridge is the logarithm of.
 */
import type { GroupPoint, PrimeGroup } from '#crypto/math/prime-group';
import { concat } from '#formats/bytes';
import { InternalError } from '#formats/errors';
import {
  buildTraceCircuit,
  midstateBits,
  nonceHashes,
  openingIntegers,
  type Shape,
  type TraceCircuit,
} from './shape.js';
import type { ProofParameters } from './hash-input.js';

/** One opening as everybody knows it. */
export interface PublicOpening {
  /** First blocks of its hashes: of the commitment, then of the nonce by purpose. */
  readonly firstBlocks: readonly Uint8Array[];
  /** C_i. */
  readonly commitment: Uint8Array;
  /** Y_i, then D_i where nonces are proven; none where shares are bytes. */
  readonly points: readonly GroupPoint[];
}

/** The secret that byte-wise shares give. */
export interface PublicSecret {
  readonly firstBlock: Uint8Array;
  /** K. */
  readonly commitment: Uint8Array;
}

/** A statement ready to be proven or verified. */
export interface Statement {
  readonly h0: Uint8Array;
  readonly parameters: ProofParameters;
  readonly trace: TraceCircuit;
  /** One byte each, 0 or 1. */
  readonly publicBits: Uint8Array;
  /** Expected output bits, padded with zeros. */
  readonly output: Uint8Array;
  /** Undefined where shares are bytes. */
  readonly group: PrimeGroup | undefined;
  /** The points of the bridge's integers, in their order. */
  readonly points: readonly GroupPoint[];
}

/** What a statement is made of. */
export interface StatementParts {
  readonly h0: Uint8Array;
  readonly parameters: ProofParameters;
  readonly shape: Shape;
  readonly openings: readonly PublicOpening[];
  readonly secret?: PublicSecret;
  readonly group?: PrimeGroup;
}

/**
 * Puts a statement together.
 * @throws {@link InternalError} `E_STATEMENT_SHAPE` when the parts do not fit the shape
 */
export function makeStatement(parts: StatementParts): Statement {
  const { h0, parameters, shape, openings, secret, group } = parts;
  assertFits(parts);
  const trace = buildTraceCircuit(shape);
  const firstBlocks = openings.flatMap((opening) => opening.firstBlocks);
  return {
    h0,
    parameters,
    trace,
    publicBits: midstateBits(
      secret === undefined ? firstBlocks : [...firstBlocks, secret.firstBlock],
    ),
    output: expectedOutput(shape, openings, secret),
    group,
    points: openings.flatMap(({ points }) => points),
  };
}

function assertFits({ shape, openings, secret, group }: StatementParts): void {
  const count = shape.kind === 'scalar' ? shape.openings : shape.factors.length;
  const hashes = shape.kind === 'scalar' && shape.nonces ? 1 + nonceHashes(shape.size) : 1;
  const points = openingIntegers(shape).length;
  const fits =
    openings.length === count &&
    openings.every((each) => each.firstBlocks.length === hashes && each.points.length === points) &&
    (shape.kind === 'bytes') === (secret !== undefined) &&
    (shape.kind === 'scalar') === (group !== undefined);
  if (fits) return;
  throw new InternalError({
    code: 'E_STATEMENT_SHAPE',
    message: 'a statement does not fit its circuit',
  });
}

function expectedOutput(
  shape: Shape,
  openings: readonly PublicOpening[],
  secret: PublicSecret | undefined,
): Uint8Array {
  const bits: number[] = [];
  const push = (bytes: Uint8Array): void => {
    for (const byte of bytes) for (let bit = 0; bit < 8; bit++) bits.push((byte >> bit) & 1);
  };
  const zeros = (count: number): void => {
    for (let i = 0; i < count; i++) bits.push(0);
  };
  const integers = openingIntegers(shape);
  for (const { commitment } of openings) {
    push(commitment);
    for (const { what, sum } of integers) {
      // A share's bits beyond the order, and all of a nonce: what it should be is added to it, bit by bit.
      zeros(what === 'share' && shape.kind === 'scalar' ? sum - shape.size.orderBits : sum);
    }
  }
  if (secret !== undefined) push(secret.commitment);
  const out = new Uint8Array((bits.length + 7) >> 3);
  bits.forEach((bit, i) => {
    out[i >> 3] = (out[i >> 3] as number) | (bit << (i & 7));
  });
  return out;
}

/** Points one after another, canonical: X of one participant. Undefined where one is the identity, which has no encoding. */
export function encodePoints(points: readonly GroupPoint[]): Uint8Array | undefined {
  if (points.some((point) => point.is0())) return undefined;
  return concat(...points.map((point) => point.toBytes()));
}
