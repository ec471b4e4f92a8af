/**
 * What binds a signature of level `shares` to its request: one Schnorr proof of each signer's share over h0.
 * @see docs/spec/cold-signing-trace.md, "Binding"
 */
import type { RandomSource } from '#crypto/descriptor';
import type { Group } from '#crypto/frost/group';
import { sha256, sha512, shake256 } from '#crypto/hash';
import { decodeScalar, encodeScalar, type GroupPoint, mod } from '#crypto/math/prime-group';
import { concat, u16be, utf8 } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { reduced } from './share-equation.js';

const TAG_NONCE = utf8('conclave/trace-k');
const TAG_CHALLENGE = utf8('conclave/trace-b');
const WIDE_BYTES = 114;

/**
 * U ‖ s of each signer, one after another.
 * @param shares - x_i big-endian, in the order of the quorum; borrowed
 */
export function proveBinding(
  group: Group,
  h0: Uint8Array,
  quorum: readonly number[],
  shares: readonly Uint8Array[],
  random: RandomSource,
): Uint8Array {
  const { suite, publicShares } = group;
  const lengths = { ...suite.group, scalarBytes: suite.scalarBytes };
  const parts = shares.map((x, i) => {
    const number = quorum[i] as number;
    const drawn = random(32);
    const wide =
      suite.scalarBytes === 32
        ? sha512(TAG_NONCE, drawn, x, h0)
        : shake256(WIDE_BYTES, TAG_NONCE, drawn, x, h0);
    const k = reduced(wide, group);
    for (const secret of [drawn, wide]) secret.fill(0);
    const point = suite.group.base.multiply(k).toBytes();
    const e = challenge(group, h0, number, publicShares.get(number) as GroupPoint, point);
    return concat(point, encodeScalar(mod(k + e * reduced(x, group), suite.group.order), lengths));
  });
  return concat(...parts);
}

/** Whether the proofs of all signers hold. Answers, never throws. */
export function verifyBinding(
  group: Group,
  h0: Uint8Array,
  quorum: readonly number[],
  proof: Uint8Array,
): boolean {
  const { suite, publicShares } = group;
  const lengths = { ...suite.group, scalarBytes: suite.scalarBytes };
  const { pointBytes, base } = suite.group;
  const each = pointBytes + suite.scalarBytes;
  if (proof.length !== each * quorum.length) return false;
  try {
    return quorum.every((number, i) => {
      const own = proof.subarray(i * each, (i + 1) * each);
      const written = own.subarray(0, pointBytes);
      const point = suite.group.decode(written, 'U');
      const s = decodeScalar(own.subarray(pointBytes), lengths, 's');
      const key = publicShares.get(number) as GroupPoint;
      const e = challenge(group, h0, number, key, written);
      return base.multiplyUnsafe(s).equals(point.add(key.multiplyUnsafe(e)));
    });
  } catch (error) {
    if (error instanceof ConclaveError) return false;
    throw error;
  }
}

function challenge(
  group: Group,
  h0: Uint8Array,
  number: number,
  key: GroupPoint,
  point: Uint8Array,
): bigint {
  return reduced(sha256(TAG_CHALLENGE, h0, u16be(number), key.toBytes(), point), group);
}
