/**
 * Dealing a polynomial to others, and checking what they deal: the common core of key generation, refresh and resharing. They
 * differ in the constant: a random one whose dealer proves to know it, zero, or the dealer's weighted share of the old key.
 * Scalars are big integers here; see docs/secrets-in-memory.md for what that means.
 * @see docs/spec/threshold.md, "Dealing"; Feldman, FOCS 1987; Komlo and Goldberg, SAC 2020
 */
import type { RandomSource } from '#crypto/descriptor';
import { encodeIdentifier } from '#crypto/frost/equation';
import { type FrostSuite, hasEvenY, taprootTweak } from '#crypto/frost/suite';
import {
  anyScalar,
  type GroupPoint,
  lagrangeScalars,
  mod,
  type PrimeGroup,
  randomScalar,
} from '#crypto/math/prime-group';
import { committedAt, verifyScalarShare } from '#crypto/math/vss';
import { concat } from '#formats/bytes';
import { blame, blaming } from './culprit.js';

/** What a dealer keeps until everybody has a part, and what it publishes. */
export interface Dealing {
  /** Secret: constant first. */
  readonly coefficients: readonly bigint[];
  /** Coefficient · G, constant first. */
  readonly commitments: readonly GroupPoint[];
}

/**
 * A random polynomial with a given constant.
 * @param constant - 0 is allowed; absent for a random one
 */
export function deal(
  constant: bigint | undefined,
  threshold: number,
  { group }: FrostSuite,
  random: RandomSource,
): Dealing {
  const coefficients = [
    constant ?? randomScalar(group, random),
    // Never zero: the identity cannot be written down, and an honest dealer meets one with a probability of 2^-252.
    ...Array.from({ length: threshold - 1 }, () => randomScalar(group, random)),
  ];
  return { coefficients, commitments: coefficients.map((a) => times(group.base, a, group)) };
}

/** A party's part of a dealing: the polynomial at its number. */
export function partFor(
  { coefficients }: Pick<Dealing, 'coefficients'>,
  number: number,
  { group }: FrostSuite,
): bigint {
  const x = BigInt(number);
  return coefficients.reduceRight((sum, a) => mod(sum * x + a, group.order), 0n);
}

/** Whether a part is the one that its dealer committed to. */
export function isPart(
  part: bigint,
  commitments: readonly GroupPoint[],
  number: number,
  { group }: FrostSuite,
): boolean {
  return verifyScalarShare({ index: number, value: part }, commitments, group);
}

/**
 * The coefficients' commitments as a dealer sent them.
 * @param expected - what the constant must be, where everybody knows it: the identity then need not be sent
 * @throws NegativeError `E_THRESHOLD_CULPRIT`
 */
export function readCommitments(
  sent: readonly Uint8Array[],
  dealer: number,
  threshold: number,
  suite: FrostSuite,
): readonly GroupPoint[] {
  if (sent.length !== threshold) {
    throw blame(
      [dealer],
      `committed to ${sent.length} coefficients where the threshold is ${threshold}`,
    );
  }
  return sent.map((bytes) =>
    blaming(dealer, 'a commitment that is no point of the group', () =>
      suite.group.decode(bytes, 'commitment'),
    ),
  );
}

/**
 * The proof that a dealer knows the constant of its polynomial, so that it cannot cancel the others' out.
 * @param context - bound into the proof; empty only for vectors that have none
 * @see RFC 9591 leaves key generation open; this is the proof of frost-rs with the session's context after it
 */
export function proveConstant(
  suite: FrostSuite,
  dealer: number,
  dealing: Dealing,
  context: Uint8Array,
  random: RandomSource,
): Uint8Array {
  const { group } = suite;
  const drawn = randomScalar(group, random);
  const drawnPoint = group.base.multiply(drawn);
  const odd = suite.evenY && !hasEvenY(drawnPoint);
  const nonce = odd ? group.order - drawn : drawn;
  const point = odd ? drawnPoint.negate() : drawnPoint;
  const key = dealing.commitments[0] as GroupPoint;
  const challenge = proofChallenge(suite, dealer, key, point, context);
  const answer = mod(nonce + (dealing.coefficients[0] as bigint) * challenge, group.order);
  const r = point.toBytes();
  return concat(suite.evenY ? r.slice(1) : r, suite.encodeScalar(answer));
}

/** Whether a proof of {@link proveConstant} holds. Answers, never throws. */
export function isConstantProven(
  suite: FrostSuite,
  dealer: number,
  key: GroupPoint,
  proof: Uint8Array,
  context: Uint8Array,
): boolean {
  if (proof.length !== suite.signatureBytes) return false;
  const { group } = suite;
  const pointLength = proof.length - suite.scalarBytes;
  try {
    const written = proof.subarray(0, pointLength);
    const point = group.decode(suite.evenY ? concat(Uint8Array.of(2), written) : written, 'proof');
    const answer = suite.decodeScalar(proof.subarray(pointLength), 'proof');
    const challenge = proofChallenge(suite, dealer, key, point, context);
    return group.base.multiplyUnsafe(answer).equals(point.add(key.multiplyUnsafe(challenge)));
  } catch {
    return false;
  }
}

function proofChallenge(
  suite: FrostSuite,
  dealer: number,
  key: GroupPoint,
  point: GroupPoint,
  context: Uint8Array,
): bigint {
  return suite.hashToScalar(
    'dkg',
    encodeIdentifier(dealer, suite),
    key.toBytes(),
    point.toBytes(),
    context,
  );
}

/** The sum of several dealings' commitments: those of the dealing whose parts are the sums of parts. */
export function sumCommitments(
  dealings: readonly (readonly GroupPoint[])[],
  threshold: number,
  { identity }: PrimeGroup,
): readonly GroupPoint[] {
  return Array.from({ length: threshold }, (_, k) =>
    dealings.reduce((sum, commitments) => sum.add(commitments[k] ?? identity), identity),
  );
}

/** The public share of a number under a sum of commitments; at 0 the group key. */
export function publicShareAt(
  commitments: readonly GroupPoint[],
  number: number,
  { group }: FrostSuite,
): GroupPoint {
  return committedAt(commitments, number, group);
}

/** λ_i of each of a quorum, at 0 or at another number. */
export function lagrangeOf(
  quorum: readonly number[],
  { group }: FrostSuite,
  at = 0,
): ReadonlyMap<number, bigint> {
  const factors = lagrangeScalars(quorum, group, at);
  return new Map(quorum.map((number, i) => [number, factors[i] as bigint]));
}

/** How Taproot makes an output key of a new group key: every share and public share changes alike. */
export interface TaprootChange {
  readonly negated: boolean;
  readonly tweak: bigint;
}

/**
 * The change that BIP 341 asks for, with no script: y made even, then the tweak added. Adding a constant to a polynomial adds
 * it to each of its values, so each party makes its own change.
 * @param key - the key of the sum, before the change
 */
export function taprootChange(key: GroupPoint, suite: FrostSuite): TaprootChange {
  const negated = !hasEvenY(key);
  return { negated, tweak: taprootTweak(key, suite) };
}

/** A share after {@link taprootChange}. */
export function changeShare(
  share: bigint,
  { negated, tweak }: TaprootChange,
  { group }: FrostSuite,
): bigint {
  return mod((negated ? -share : share) + tweak, group.order);
}

/** A public share, or the group key, after {@link taprootChange}. */
export function changePoint(
  point: GroupPoint,
  { negated, tweak }: TaprootChange,
  { group }: FrostSuite,
): GroupPoint {
  return (negated ? point.negate() : point).add(group.base.multiplyUnsafe(tweak));
}

/** A random scalar split into summands that add up to it: the first ones random, the last what is missing. */
export function splitSum(
  scalar: bigint,
  count: number,
  { group }: FrostSuite,
  random: RandomSource,
): readonly bigint[] {
  const drawn = Array.from({ length: count - 1 }, () => anyScalar(group, random));
  const last = drawn.reduce((rest, each) => mod(rest - each, group.order), scalar);
  return [...drawn, last];
}

/** scalar · point, where a scalar of zero is allowed. */
export function times(point: GroupPoint, scalar: bigint, { identity }: PrimeGroup): GroupPoint {
  return scalar === 0n ? identity : point.multiply(scalar);
}
