/**
 * The public side of a FROST signature as small pure functions: binding factors, the group's nonce, the signs of Taproot, and
 * the equation that each signature share must satisfy. Nothing here knows a secret.
 * @see RFC 9591 §4 and §5.4
 */
import { concat } from '#formats/bytes';
import { type GroupPoint, lagrangeScalars, mod } from '../math/prime-group.js';
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
  /** D_i + ρ_i·E_i by signer, before Taproot's sign. */
  readonly nonces: ReadonlyMap<number, GroupPoint>;
  /** R, their sum. */
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
  const key = keySign === -1 ? groupKey.negate() : groupKey;
  const factors = bindingFactors(suite, key, sorted, message);
  const nonces = new Map(
    sorted.map(({ number, hiding, binding }) => [
      number,
      hiding.add(binding.multiplyUnsafe(factors.get(number) ?? 0n)),
    ]),
  );
  // RFC 9591 §4.5.
  const nonce = [...nonces.values()].reduce((sum, own) => sum.add(own), suite.group.identity);
  const numbers = sorted.map(({ number }) => number);
  const lagrange = lagrangeScalars(numbers, suite.group);
  return {
    key,
    nonces,
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
 * @param number - the signer's; a number that is not among the equation's signers owes nothing that would hold
 * @param publicShare - Y_i
 */
export function verifySignatureShare(
  suite: FrostSuite,
  equation: SigningEquation,
  number: number,
  publicShare: GroupPoint,
  share: bigint,
): boolean {
  const { group } = suite;
  const own = equation.nonces.get(number);
  const lambda = equation.lagrange.get(number);
  if (own === undefined || lambda === undefined || share < 0n || share >= group.order) return false;
  const nonce = equation.nonceSign === -1 ? own.negate() : own;
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
