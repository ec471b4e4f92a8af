/**
 * The equations that a published signature has to satisfy, share by share. With two nonces a signer they are FROST's; with one
 * they are forgeable by anybody and say something only beside the proof of level `nonces`.
 * @see docs/spec/cold-signing-trace.md, "Share equations"
 */
import {
  encodeSignature,
  type NonceCommitment,
  signingEquation,
  verifySignatureShare,
} from '#crypto/frost/equation';
import type { Group } from '#crypto/frost/group';
import { hasEvenY } from '#crypto/frost/suite';
import { decodeScalar, type GroupPoint, lagrangeScalars, mod } from '#crypto/math/prime-group';
import { equal } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { fromBigEndian } from './integer.js';
import { type ScalarContext, type ScalarSignature, signingKey } from './scalar-statement.js';

/** The published nonces as points, or why the equations do not hold. */
export type EquationVerdict =
  | { readonly ok: true; readonly nonces: readonly GroupPoint[] }
  | { readonly ok: false; readonly reason: string };

/** Whether numbers are exactly a quorum of a group, ascending. */
export function isQuorum({ record, publicShares }: Group, numbers: readonly number[]): boolean {
  return (
    numbers.length === record.threshold &&
    numbers.every((number, i) => publicShares.has(number) && number > (numbers[i - 1] ?? 0))
  );
}

/** Checks D_i, E_i and z_i against the public shares, and the signature against their sums. Answers, never throws. */
export function checkEquations(context: ScalarContext, signed: ScalarSignature): EquationVerdict {
  const { group, quorum, level } = context;
  if (!isQuorum(group, quorum)) return refused('the signers are not exactly a quorum');
  if (signed.shares.length !== quorum.length)
    return refused('it publishes another number of shares');
  try {
    return level === 'nonces' ? single(context, signed) : paired(context, signed);
  } catch (error) {
    if (error instanceof ConclaveError) return refused(error.message);
    throw error;
  }
}

function paired(context: ScalarContext, { signature, shares }: ScalarSignature): EquationVerdict {
  const { group, quorum, message } = context;
  const { suite, key, publicShares } = group;
  const commitments: NonceCommitment[] = [];
  for (const [i, { hiding, binding }] of shares.entries()) {
    if (binding === undefined) return refused('a second nonce is missing');
    commitments.push({
      number: quorum[i] as number,
      hiding: suite.group.decode(hiding, `D of share ${quorum[i]}`),
      binding: suite.group.decode(binding, `E of share ${quorum[i]}`),
    });
  }
  const equation = signingEquation(suite, key, commitments, message);
  if (equation.nonce.is0()) return refused('the nonces add up to the identity');
  const scalars = scalarsOf(context, shares);
  for (const [i, number] of quorum.entries()) {
    const publicShare = publicShares.get(number) as GroupPoint;
    if (!verifySignatureShare(suite, equation, number, publicShare, scalars[i] as bigint)) {
      return refused(`the equation of share ${number} does not hold`);
    }
  }
  const expected = encodeSignature(suite, equation, sum(scalars, group));
  if (!equal(expected, signature)) return refused('the signature is not the sum of its shares');
  return { ok: true, nonces: commitments.map(({ hiding }) => hiding) };
}

function single(context: ScalarContext, { signature, shares }: ScalarSignature): EquationVerdict {
  const { group, quorum, message } = context;
  const { suite, publicShares } = group;
  if (shares.some(({ binding }) => binding !== undefined))
    return refused('there is a second nonce');
  const nonces = shares.map(({ hiding }, i) =>
    suite.group.decode(hiding, `D of share ${quorum[i]}`),
  );
  const { nonce, nonceSign, factors } = singleNonceEquation(group, quorum, nonces, message);
  if (nonce.is0()) return refused('the nonces add up to the identity');
  const scalars = scalarsOf(context, shares);
  for (const [i, number] of quorum.entries()) {
    const own = nonces[i] as GroupPoint;
    const right = (nonceSign === -1 ? own.negate() : own).add(
      (publicShares.get(number) as GroupPoint).multiplyUnsafe(factors[i] as bigint),
    );
    if (!suite.group.base.multiplyUnsafe(scalars[i] as bigint).equals(right)) {
      return refused(`the equation of share ${number} does not hold`);
    }
  }
  const expected = encodeSignature(suite, { nonce }, sum(scalars, group));
  if (!equal(expected, signature)) return refused('the signature is not the sum of its shares');
  return { ok: true, nonces };
}

/** R = Σ D_i, its sign, and λ_i·c·s_Y of each signer. */
export function singleNonceEquation(
  group: Group,
  quorum: readonly number[],
  nonces: readonly GroupPoint[],
  message: Uint8Array,
): { readonly nonce: GroupPoint; readonly nonceSign: 1 | -1; readonly factors: readonly bigint[] } {
  const { suite, key } = group;
  const nonce = nonces.reduce((total, each) => total.add(each), suite.group.identity);
  // Of the identity there is no encoding to hash; whoever asked refuses it.
  if (nonce.is0()) return { nonce, nonceSign: 1, factors: [] };
  const keySign = suite.evenY && !hasEvenY(key) ? -1n : 1n;
  const challenge = suite.challenge(nonce, signingKey(group), message);
  return {
    nonce,
    nonceSign: suite.evenY && !hasEvenY(nonce) ? -1 : 1,
    factors: lagrangeScalars(quorum, suite.group).map((lambda) =>
      mod(lambda * challenge * keySign, suite.group.order),
    ),
  };
}

function scalarsOf({ group, quorum }: ScalarContext, shares: ScalarSignature['shares']): bigint[] {
  const { suite } = group;
  const lengths = { ...suite.group, scalarBytes: suite.scalarBytes };
  return shares.map(({ z }, i) => decodeScalar(z, lengths, `z of share ${quorum[i]}`));
}

function sum(scalars: readonly bigint[], { suite }: Group): bigint {
  return scalars.reduce((total, each) => mod(total + each, suite.group.order), 0n);
}

function refused(reason: string): EquationVerdict {
  return { ok: false, reason };
}

/** An unsigned big-endian integer modulo the order. */
export function reduced(bytes: Uint8Array, { suite }: Group): bigint {
  return mod(fromBigEndian(bytes), suite.group.order);
}
