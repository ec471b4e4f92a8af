/**
 * The public side of a FROST signature as small pure functions: binding factors, the group's nonce, the signs of Taproot, and
 * the equation that each signature share must satisfy. Nothing here knows a secret.
 * @see RFC 9591 §4 and §5.4
 */
import { concat } from '#formats/bytes';
import { type GroupPoint, lagrangeScalars, mod, type PrimeGroup } from '../math/prime-group.js';
import { type FrostSuite, hasEvenY } from './suite.js';

/** What a signer published before signing: D and E. */
export interface NonceCommitment {
  /** The signer's number, from 1. */
  readonly number: number;
  readonly hiding: GroupPoint;
  readonly binding: GroupPoint;
}

/** What is public of one signature before its last sum; the same for everybody who knows the commitments. */
export interface SigningEquation {
  /** The point whose signature this is: Y, for Taproot with even y. */
  readonly key: GroupPoint;
  /** R = Σ (D_i + ρ_i·E_i), before Taproot's sign. */
  readonly nonce: GroupPoint;
  /** c. */
  readonly challenge: bigint;
  /** ρ_i by signer. */
  readonly bindingFactors: ReadonlyMap<number, bigint>;
  /** λ_i by signer. */
  readonly lagrange: ReadonlyMap<number, bigint>;
  /** −1 where Taproot takes −Y for Y. */
  readonly keySign: 1 | -1;
  /** −1 where Taproot takes −R for R. */
  readonly nonceSign: 1 | -1;
}

/** A signer's number as the hash functions take it. */
export function encodeIdentifier(number: number, suite: FrostSuite): Uint8Array {
  return suite.encodeScalar(BigInt(number));
}

/**
 * ρ_i of each signer. RFC 9591 §4.4.
 * @param key - the group key as it signs: for Taproot with even y
 * @param commitments - ascending by number
 */
export function bindingFactors(
  suite: FrostSuite,
  key: GroupPoint,
  commitments: readonly NonceCommitment[],
  message: Uint8Array,
): ReadonlyMap<number, bigint> {
  const list = commitments.map(({ number, hiding, binding }) =>
    concat(encodeIdentifier(number, suite), hiding.toBytes(), binding.toBytes()),
  );
  const prefix = concat(key.toBytes(), suite.hash('msg', message), suite.hash('com', ...list));
  return new Map(
    commitments.map(({ number }) => [
      number,
      suite.hashToScalar('rho', prefix, encodeIdentifier(number, suite)),
    ]),
  );
}

/** R = Σ (D_i + ρ_i·E_i). RFC 9591 §4.5. */
export function groupNonce(
  commitments: readonly NonceCommitment[],
  factors: ReadonlyMap<number, bigint>,
  group: PrimeGroup,
): GroupPoint {
  return commitments.reduce(
    (sum, { number, hiding, binding }) =>
      sum.add(hiding).add(binding.multiplyUnsafe(factors.get(number) ?? 0n)),
    group.identity,
  );
}

/**
 * Everything that signers and verifiers compute from the same public values.
 * @param groupKey - Y
 * @param commitments - of the signers and no others, in any order; their numbers are distinct
 */
export function signingEquation(
  suite: FrostSuite,
  groupKey: GroupPoint,
  commitments: readonly NonceCommitment[],
  message: Uint8Array,
): SigningEquation {
  const sorted = [...commitments].sort((a, b) => a.number - b.number);
  const keySign = suite.evenY && !hasEvenY(groupKey) ? -1 : 1;
  const key = keySign === -1 ? negate(groupKey, suite.group) : groupKey;
  const factors = bindingFactors(suite, key, sorted, message);
  const nonce = groupNonce(sorted, factors, suite.group);
  const numbers = sorted.map(({ number }) => number);
  const lagrange = lagrangeScalars(numbers, suite.group);
  return {
    key,
    nonce,
    challenge: suite.challenge(nonce, key, message),
    bindingFactors: factors,
    lagrange: new Map(numbers.map((number, i) => [number, lagrange[i] as bigint])),
    keySign,
    nonceSign: suite.evenY && !hasEvenY(nonce) ? -1 : 1,
  };
}

/**
 * Whether z_i is what a signer owes: z_i·G = s_R·(D_i + ρ_i·E_i) + λ_i·c·s_Y·Y_i.
 * @param publicShare - Y_i
 */
export function verifySignatureShare(
  suite: FrostSuite,
  equation: SigningEquation,
  signer: NonceCommitment,
  publicShare: GroupPoint,
  share: bigint,
): boolean {
  const { group } = suite;
  const rho = equation.bindingFactors.get(signer.number);
  const lambda = equation.lagrange.get(signer.number);
  if (rho === undefined || lambda === undefined || share < 0n || share >= group.order) return false;
  const own = signer.hiding.add(signer.binding.multiplyUnsafe(rho));
  const nonce = equation.nonceSign === -1 ? negate(own, group) : own;
  const factor = mod(lambda * equation.challenge * BigInt(equation.keySign), group.order);
  return group.base.multiplyUnsafe(share).equals(nonce.add(publicShare.multiplyUnsafe(factor)));
}

/** R ‖ z in the suite's form; for Taproot R is x alone. */
export function encodeSignature(
  suite: FrostSuite,
  { nonce }: Pick<SigningEquation, 'nonce'>,
  z: bigint,
): Uint8Array {
  const r = nonce.toBytes();
  return concat(suite.evenY ? r.slice(1) : r, suite.encodeScalar(z));
}

/** −P, for public points. */
export function negate(point: GroupPoint, { order }: PrimeGroup): GroupPoint {
  return point.multiplyUnsafe(order - 1n);
}
