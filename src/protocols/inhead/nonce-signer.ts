/**
 * The signer of level `nonces`: one prover has all shares and makes every nonce from them, so that one nonce a signer is safe, and
 * nobody chooses any. It is refused for participants on separate machines, where one of them could choose last.
 * @see docs/spec/cold-signing-trace.md, "Nonces"
 */
import { encodeSignature } from '#crypto/frost/equation';
import { sha256 } from '#crypto/hash';
import { encodeScalar, mod } from '#crypto/math/prime-group';
import { concat } from '#formats/bytes';
import { InternalError } from '#formats/errors';
import {
  nonceBlocks,
  nonceContext,
  type ScalarContext,
  type ScalarSignature,
} from './scalar-statement.js';
import { reduced, singleNonceEquation } from './share-equation.js';

/** One signer's secrets; borrowed. */
export interface ScalarOpening {
  /** x_i, big-endian. */
  readonly x: Uint8Array;
  readonly r: Uint8Array;
}

/** A signature and the nonces it rests on; the caller wipes them. */
export interface NonceSigned extends ScalarSignature {
  /** N_i, the concatenated hashes, in the order of the quorum. */
  readonly secrets: readonly Uint8Array[];
}

/**
 * Signs with every nonce a function of shares and context alone.
 * @param openings - in the order of the quorum
 * @throws {@link InternalError} `E_TRACE_NONCE` for a nonce of zero, with a probability of 2^-252
 */
export function signWithFixedNonces(
  context: ScalarContext,
  openings: readonly ScalarOpening[],
): NonceSigned {
  const { group, quorum, message } = context;
  const { suite } = group;
  const { order } = suite.group;
  const n0 = nonceContext(context);
  const secrets = openings.map(({ x, r }, i) =>
    concat(...nonceBlocks(suite, n0, quorum[i] as number).map((block) => sha256(block, x, r))),
  );
  const scalars = secrets.map((secret) => reduced(secret, group));
  if (scalars.some((scalar) => scalar === 0n)) {
    throw new InternalError({ code: 'E_TRACE_NONCE', message: 'a nonce is zero' });
  }
  const nonces = scalars.map((scalar) => suite.group.base.multiply(scalar));
  const { nonce, nonceSign, factors } = singleNonceEquation(group, quorum, nonces, message);
  const shares = openings.map(({ x }, i) =>
    mod(
      BigInt(nonceSign) * (scalars[i] as bigint) + (factors[i] as bigint) * reduced(x, group),
      order,
    ),
  );
  const z = shares.reduce((total, each) => mod(total + each, order), 0n);
  const lengths = { ...suite.group, scalarBytes: suite.scalarBytes };
  return {
    signature: encodeSignature(suite, { nonce }, z),
    shares: shares.map((share, i) => ({
      hiding: nonces[i]?.toBytes() as Uint8Array,
      binding: undefined,
      z: encodeScalar(share, lengths),
    })),
    secrets,
  };
}
