/**
 * Dealing a 32-byte key-encryption key among groups and members, with commitments, and recombining it.
 * Shares leave here unsealed; the action that called seals them to people.
 */
import type { RandomSource } from '#crypto/descriptor';
import { interpolate } from '#crypto/math/gf256';
import { concat, equalConstantTime } from '#formats/bytes';
import { InternalError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import {
  commitmentRoot,
  contextDigest,
  opensCommitment,
  RANDOMNESS_BYTES,
  secretCommitment,
  SHARE_BYTES,
  shareCommitment,
  type Suite,
} from './commitment.js';
import { proveQuorums, type Proof } from './prove.js';
import { splitBytes } from './shamir.js';
import {
  allIndices,
  indexName,
  indexNumber,
  type Quorum,
  type ShareIndex,
  type Structure,
  structureProblem,
} from './structure.js';

/** One custodian's part before it is sealed. */
export interface DealtShare {
  readonly index: ShareIndex;
  /** share(32) ‖ r(23); of a verifiable sharing the scalars and r(23). */
  readonly opening: SecretBytes;
}

/** A dealing: the secret key-encryption key, its shares, and what is published. */
export interface Dealing extends Disposable {
  readonly setId: Uint8Array;
  readonly structure: Structure;
  /** S, 32 bytes. */
  readonly kek: SecretBytes;
  /** Ascending by index. */
  readonly shares: readonly DealtShare[];
  /** A of the specification. */
  readonly context: Uint8Array;
  /** K. */
  readonly kekCommitment: Uint8Array;
  /** C_i, ascending like `shares`. */
  readonly commitments: readonly Uint8Array[];
  readonly root: Uint8Array;
  /** Trial recombination of the dealing. */
  readonly proof: Proof;
}

/**
 * Draws a set id and a key-encryption key, shares it, commits to it and tries every quorum.
 * @param publicKey - raw public key of the key to be sealed under it, empty for a file
 * @returns disposing it wipes key and shares
 * @throws {@link InternalError} `E_DEAL_STRUCTURE`, `E_DEAL_NOT_PROVEN`
 */
export function deal(structure: Structure, publicKey: Uint8Array, random: RandomSource): Dealing {
  const problem = structureProblem(structure);
  if (problem !== undefined) {
    throw new InternalError({ code: 'E_DEAL_STRUCTURE', message: `a share set needs ${problem}` });
  }
  const setId = random(32);
  const kek = SecretBytes.adopt(random(SHARE_BYTES), 'key-encryption key');
  const shares = dealShares(kek, structure, random);
  const dispose = (): void => {
    kek.dispose();
    for (const { opening } of shares) opening.dispose();
  };
  try {
    const context = contextDigest({ suite: 'gf256-v1', setId, structure, publicKey });
    const kekCommitment = kek.use((s) => secretCommitment('gf256-v1', context, s));
    const commitments = shares.map(({ index, opening }) =>
      opening.use((bytes) => shareCommitment('gf256-v1', context, index, bytes)),
    );
    const root = commitmentRoot(context, kekCommitment, commitments);
    const proof = proveDealt(shares, kek, structure, random);
    if (proof.failed !== undefined) {
      throw new InternalError({
        code: 'E_DEAL_NOT_PROVEN',
        message: `shares ${proof.failed.map((i) => indexName(i, structure)).join(', ')} did not recombine`,
      });
    }
    return {
      setId,
      structure,
      kek,
      shares,
      context,
      kekCommitment,
      commitments,
      root,
      proof,
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/**
 * S from exactly a quorum of openings: the sum of group factor · member factor · share, both Lagrange factors at 0.
 * @param openings - exactly GT groups with exactly t members each, borrowed
 * @returns 32 bytes owned by the caller; whether they are right, K or the sealed package tells
 */
export function recombine(openings: readonly DealtShare[]): Uint8Array {
  const groups = new Map<number, { x: number; y: Uint8Array }[]>();
  for (const { index, opening } of openings) {
    const y = opening.use((bytes) => bytes.slice(0, SHARE_BYTES));
    groups.set(index.group, [...(groups.get(index.group) ?? []), { x: index.member, y }]);
  }
  const groupShares = [...groups].map(([x, members]) => ({ x, y: interpolate(members) }));
  try {
    // A single group's share is S itself: interpolating one point gives it unchanged.
    return interpolate(groupShares);
  } finally {
    for (const { y } of [...groups.values()].flat()) y.fill(0);
    for (const { y } of groupShares) y.fill(0);
  }
}

/** Tries the quorums of openings that are all present against a known S. */
export function proveDealt(
  shares: readonly DealtShare[],
  kek: SecretBytes,
  structure: Structure,
  random: RandomSource,
): Proof {
  const byNumber = new Map(shares.map((share) => [indexNumber(share.index), share]));
  return proveQuorums(
    structure,
    (quorum) => {
      const recombined = recombine(
        quorum.map((index) => byNumber.get(indexNumber(index)) as DealtShare),
      );
      const right = kek.use((s) => equalConstantTime(s, recombined));
      recombined.fill(0);
      return right;
    },
    random,
  );
}

/** Whether a share opens its commitment. */
export function opensShare(
  context: Uint8Array,
  { index, opening }: DealtShare,
  commitment: Uint8Array,
  suite: Suite = 'gf256-v1',
): boolean {
  return opening.use((bytes) => opensCommitment(suite, context, index, bytes, commitment));
}

function dealShares(kek: SecretBytes, structure: Structure, random: RandomSource): DealtShare[] {
  const { groupThreshold, groups } = structure;
  const quorum: Quorum = { threshold: groupThreshold, shares: groups.length };
  const groupShares = kek.use((s) => splitBytes(s, quorum, random));
  const members = groups.map((own, g) => splitBytes(groupShares[g] as Uint8Array, own, random));
  for (const buffer of groupShares) buffer.fill(0);
  return allIndices(structure).map((index) => {
    const share = members[index.group - 1]?.[index.member - 1] as Uint8Array;
    const r = random(RANDOMNESS_BYTES);
    const opening = concat(share, r);
    share.fill(0);
    r.fill(0);
    const label = `share ${indexName(index, structure)}`;
    return { index, opening: SecretBytes.adopt(opening, label) };
  });
}
