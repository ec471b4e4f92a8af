/**
 * The two rounds of a FROST signature: nonces and their commitments, signature shares, and the aggregate, with everybody named
 * who sent something wrong. What touches a secret is noble's; what is public is recomputed here.
 * @see RFC 9591 §5
 */
import type { RandomSource } from '#crypto/descriptor';
import {
  encodeSignature,
  type NonceCommitment,
  type SigningEquation,
  signingEquation,
  verifySignatureShare,
} from '#crypto/frost/equation';
import type { Group } from '#crypto/frost/group';
import type { FrostSuite } from '#crypto/frost/suite';
import { type GroupPoint, mod } from '#crypto/math/prime-group';
import { InternalError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { blame, blaming } from './culprit.js';

/** What is public of the key that signs. */
export interface SigningKey {
  readonly suite: FrostSuite;
  readonly threshold: number;
  /** Y. */
  readonly key: GroupPoint;
  /** Y_i of every member, by number. */
  readonly publicShares: ReadonlyMap<number, GroupPoint>;
}

/** What is public of a group's key, for a suite of FROST. */
export function signingKey(suite: FrostSuite, { record, key, publicShares }: Group): SigningKey {
  return { suite, threshold: record.threshold, key, publicShares };
}

/** One pair of nonces: for one session and one message, and never a second. */
export interface Nonces {
  /** d ‖ e in the suite's encoding; the receiver disposes it. */
  readonly secret: SecretBytes;
  /** D, compressed. */
  readonly hiding: Uint8Array;
  /** E, compressed. */
  readonly binding: Uint8Array;
}

/** A nonce commitment as it travels. */
export interface SentCommitment {
  readonly number: number;
  readonly hiding: Uint8Array;
  readonly binding: Uint8Array;
}

/**
 * New nonces, hedged with the share against a weak generator. RFC 9591 §5.1.
 * @param share - x_i, a copy that this call may use and wipe belongs to the caller
 */
export function commit(
  suite: FrostSuite,
  number: number,
  share: bigint,
  random: RandomSource,
): Nonces {
  const signingShare = suite.encodeScalar(share);
  try {
    const { nonces, commitments } = suite.rounds.commit(
      { identifier: suite.rounds.Identifier.fromNumber(number), signingShare },
      (length = 32) => Uint8Array.from(random(length)),
    );
    const secret = new Uint8Array(2 * suite.scalarBytes);
    secret.set(nonces.hiding);
    secret.set(nonces.binding, suite.scalarBytes);
    nonces.hiding.fill(0);
    nonces.binding.fill(0);
    return {
      secret: SecretBytes.adopt(secret, 'signing nonces'),
      hiding: commitments.hiding,
      binding: commitments.binding,
    };
  } finally {
    signingShare.fill(0);
  }
}

/**
 * The commitments as the others sent them, ascending by number.
 * @throws NegativeError `E_THRESHOLD_CULPRIT` for bytes that are no points of the group
 */
export function readNonceCommitments(
  sent: readonly SentCommitment[],
  { group }: FrostSuite,
): readonly NonceCommitment[] {
  return [...sent]
    .sort((a, b) => a.number - b.number)
    .map(({ number, hiding, binding }) =>
      blaming(number, 'a nonce commitment that is no point of the group', () => ({
        number,
        hiding: group.decode(hiding, 'hiding nonce commitment'),
        binding: group.decode(binding, 'binding nonce commitment'),
      })),
    );
}

/**
 * z_i. RFC 9591 §5.2. Whoever calls this has written down, durably, that these nonces are used.
 * @param nonces - consumed: wiped whatever happens
 * @param commitments - of all signers, this one's among them
 * @throws {@link InternalError} `E_FROST_SIGN` when the nonces are not those that were committed to
 */
export function signShare(
  key: SigningKey,
  number: number,
  share: bigint,
  nonces: SecretBytes,
  commitments: readonly NonceCommitment[],
  message: Uint8Array,
): Uint8Array {
  const { suite } = key;
  const { rounds, scalarBytes } = suite;
  const signingShare = suite.encodeScalar(share);
  const [hiding, binding] = nonces.use((bytes) => [
    bytes.slice(0, scalarBytes),
    bytes.slice(scalarBytes),
  ]) as [Uint8Array, Uint8Array];
  try {
    return rounds.signShare(
      { identifier: rounds.Identifier.fromNumber(number), signingShare },
      nobleKey(key),
      { hiding, binding },
      commitments.map((each) => ({
        identifier: rounds.Identifier.fromNumber(each.number),
        hiding: each.hiding.toBytes(),
        binding: each.binding.toBytes(),
      })),
      message,
    );
  } catch (cause) {
    throw new InternalError({
      code: 'E_FROST_SIGN',
      message: 'the signature share could not be made',
      cause,
    });
  } finally {
    for (const bytes of [signingShare, hiding, binding]) bytes.fill(0);
    nonces.dispose();
  }
}

/**
 * The signature, from everybody's shares. Each share is checked by itself, so that whoever sent a wrong one is named even where
 * two wrong ones would cancel out.
 * @returns the signature in the form of the suite's algorithm
 * @throws NegativeError `E_THRESHOLD_CULPRIT`
 */
export function aggregate(
  key: SigningKey,
  commitments: readonly NonceCommitment[],
  message: Uint8Array,
  shares: ReadonlyMap<number, Uint8Array>,
): Uint8Array {
  const { suite } = key;
  const equation = signingEquation(suite, key.key, commitments, message);
  const wrong = commitments
    .map(({ number }) => number)
    .filter((number) => !isShare(key, equation, number, shares.get(number)));
  if (wrong.length > 0) throw blame(wrong, 'sent a wrong signature share');
  const z = [...shares.values()].reduce(
    (sum, share) => mod(sum + suite.decodeScalar(share, 'signature share'), suite.group.order),
    0n,
  );
  return encodeSignature(suite, equation, z);
}

function isShare(
  { suite, publicShares }: SigningKey,
  equation: SigningEquation,
  number: number,
  sent: Uint8Array | undefined,
): boolean {
  const publicShare = publicShares.get(number);
  if (sent === undefined || publicShare === undefined) return false;
  try {
    const share = suite.decodeScalar(sent, 'signature share');
    return verifySignatureShare(suite, equation, number, publicShare, share);
  } catch {
    return false;
  }
}

/** The key in noble's form. Of the commitments it looks at the first alone. */
function nobleKey({
  suite,
  threshold,
  key,
  publicShares,
}: SigningKey): Parameters<FrostSuite['rounds']['aggregate']>[0] {
  return {
    signers: { min: threshold, max: publicShares.size },
    commitments: [key.toBytes()],
    verifyingShares: Object.fromEntries(
      [...publicShares].map(([number, point]) => [
        suite.rounds.Identifier.fromNumber(number),
        point.toBytes(),
      ]),
    ),
  };
}
