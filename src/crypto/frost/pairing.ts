/**
 * Signatures by shares of a key whose signatures add up: x_i·H(m) is the signature of a share, and what a quorum says, weighted by
 * its Lagrange factors, is the signature of the whole. There are no nonces, and saying it twice says the same.
 * @see draft-irtf-cfrg-bls-signature §2; Boldyreva, Threshold Signatures (2003)
 */
import { InternalError } from '#formats/errors';
import type { SignatureImplementation } from '../descriptor.js';
import { encodeScalar, type GroupPoint } from '../math/prime-group.js';
import { resolve } from '../registry.js';
import type { FrostSuite } from './suite.js';

/** What a signer and whoever adds up need. */
export interface PairingShares {
  /** The signature of a share x_i: an ordinary one, under the public share. */
  sign(share: bigint, message: Uint8Array): Uint8Array;
  /** Whether a share of a signature is the one of a public share. Answers, never throws. */
  verify(publicShare: GroupPoint, message: Uint8Array, share: Uint8Array): boolean;
  /** Σ λ_i·σ_i of shares that were verified. */
  combine(
    shares: ReadonlyMap<number, Uint8Array>,
    factors: ReadonlyMap<number, bigint>,
  ): Uint8Array;
}

/** The shares of a suite whose `scheme` is `pairing`. */
export async function loadPairingShares(suite: FrostSuite): Promise<PairingShares> {
  const [loaded, { bls12_381 }] = await Promise.all([
    (await resolve(suite.algorithm)).load(),
    import('@noble/curves/bls12-381.js'),
  ]);
  if (suite.scheme !== 'pairing' || loaded.kind !== 'signature') {
    throw new InternalError({
      code: 'E_SUITE_SCHEME',
      message: `signatures of ${suite.name} do not add up`,
    });
  }
  const implementation: SignatureImplementation = loaded;
  const { Point } = bls12_381.G2;
  return {
    sign: (share, message) => {
      const secret = encodeScalar(share, suite.group);
      try {
        return implementation.sign(message, secret);
      } finally {
        secret.fill(0);
      }
    },
    verify: (publicShare, message, share) =>
      implementation.verify(share, message, suite.publicKey(publicShare)),
    combine: (shares, factors) =>
      [...shares]
        .reduce(
          (sum, [number, bytes]) =>
            sum.add(Point.fromBytes(bytes).multiplyUnsafe(factors.get(number) ?? 0n)),
          Point.ZERO,
        )
        .toBytes(),
  };
}
