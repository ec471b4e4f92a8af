/**
 * Changing a dealing without its secret: new shares of the same secret (refresh), shares for other people or another quorum
 * (reshare, enrol), one lost share again (repair). Everything here is linear over GF(2^8); the secret itself is never formed.
 * @see docs/spec/share.md, "Changing a set"
 */
import type { RandomSource } from '#crypto/descriptor';
import { addScaled, lagrangeFactors, multiply } from '#crypto/math/gf256';
import { concat, equalConstantTime } from '#formats/bytes';
import { InternalError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { RANDOMNESS_BYTES, SHARE_BYTES } from './commitment.js';
import { type DealtShare, recombine } from './deal.js';
import { proveQuorums, type Proof } from './prove.js';
import { splitBytes } from './shamir.js';
import {
  allIndices,
  indexName,
  indexNumber,
  type Quorum,
  type ShareIndex,
  type Structure,
} from './structure.js';

/** One value for each share of a structure, 32 bytes each: changes, or parts of new shares. Disposing wipes them. */
export interface Parts extends Disposable {
  readonly structure: Structure;
  /** Every quorum of the parts was recombined and gave what was dealt. */
  readonly proof: Proof;
  /** The value for one share; lent, disposed with the rest. */
  of(index: ShareIndex): SecretBytes;
}

/**
 * Deals 32 bytes in two levels, as a key-encryption key is dealt, and tries every quorum of the result.
 * @param value - borrowed
 * @throws {@link InternalError} `E_DEAL_NOT_PROVEN`
 */
export function dealParts(value: SecretBytes, structure: Structure, random: RandomSource): Parts {
  const { groupThreshold, groups } = structure;
  const overGroups: Quorum = { threshold: groupThreshold, shares: groups.length };
  const groupParts = value.use((bytes) => splitBytes(bytes, overGroups, random));
  const byNumber = new Map<number, SecretBytes>();
  const dispose = (): void => {
    for (const part of byNumber.values()) part.dispose();
  };
  try {
    groups.forEach((quorum, g) => {
      const members = splitBytes(groupParts[g] as Uint8Array, quorum, random);
      members.forEach((bytes, m) => {
        const index = { group: g + 1, member: m + 1 };
        const label = `part of share ${indexName(index, structure)}`;
        byNumber.set(indexNumber(index), SecretBytes.adopt(bytes, label));
      });
    });
    const of = (index: ShareIndex): SecretBytes => {
      const found = byNumber.get(indexNumber(index));
      if (found !== undefined) return found;
      throw new InternalError({ code: 'E_DEAL_INDEX', message: 'there is no such share' });
    };
    const proof = proveQuorums(
      structure,
      (quorum) => {
        const back = recombine(quorum.map((index) => ({ index, opening: of(index) })));
        const right = value.use((bytes) => equalConstantTime(bytes, back));
        back.fill(0);
        return right;
      },
      random,
    );
    if (proof.failed !== undefined) {
      throw new InternalError({
        code: 'E_DEAL_NOT_PROVEN',
        message: `parts ${proof.failed.map((i) => indexName(i, structure)).join(', ')} did not recombine`,
      });
    }
    return { structure, proof, of, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  } finally {
    for (const buffer of groupParts) buffer.fill(0);
  }
}

/**
 * A dealing of zero: added to the shares of a set it changes every one of them and not the secret. That each quorum of the
 * changes gives zero proves that each quorum of the new shares gives what it gave before, without looking at a share.
 */
export function dealZero(structure: Structure, random: RandomSource): Parts {
  using zero = SecretBytes.adopt(new Uint8Array(SHARE_BYTES), 'zero');
  return dealParts(zero, structure, random);
}

/**
 * Whether a refresh changes every share: with one group needed and a threshold of 1 in it, a share is the secret itself, and
 * the secret does not change.
 */
export function canRefresh({ groupThreshold, groups }: Structure): boolean {
  return groupThreshold > 1 || groups.every(({ threshold }) => threshold > 1);
}

/**
 * share ‖ r of the refreshed share: the old one plus its change, with new randomness.
 * @param opening - the old share(32) ‖ r(23), borrowed
 * @returns owned by the caller
 */
export function refreshShare(
  opening: SecretBytes,
  change: SecretBytes,
  random: RandomSource,
): SecretBytes {
  const share = opening.use((bytes) => bytes.slice(0, SHARE_BYTES));
  change.use((bytes) => {
    addScaled(share, 1, bytes);
  });
  return newOpening(share, random, opening.label);
}

/**
 * What each share of a quorum counts for: S is the sum of factor · share.
 * @param quorum - exactly GT groups with exactly t members each
 * @returns by share number; never zero
 */
export function factorsOf(quorum: readonly ShareIndex[]): ReadonlyMap<number, number> {
  const groups = [...new Set(quorum.map(({ group }) => group))];
  const overGroups = lagrangeFactors(groups);
  const factors = new Map<number, number>();
  groups.forEach((group, g) => {
    const members = quorum.filter((index) => index.group === group);
    const overMembers = lagrangeFactors(members.map(({ member }) => member));
    members.forEach((index, m) => {
      const factor = multiply(overGroups[g] as number, overMembers[m] as number);
      factors.set(indexNumber(index), factor);
    });
  });
  return factors;
}

/**
 * One old member's contribution to a new dealing: the share times its factor, dealt anew. The sum of the contributions of a
 * quorum, part by part, is a dealing of the secret in the new structure.
 * @param opening - the contributor's share(32) ‖ r(23), borrowed
 * @param factor - from {@link factorsOf} for the quorum that contributes
 */
export function contribute(
  opening: SecretBytes,
  factor: number,
  structure: Structure,
  random: RandomSource,
): Parts {
  const scaled = new Uint8Array(SHARE_BYTES);
  opening.use((bytes) => {
    addScaled(scaled, factor, bytes.subarray(0, SHARE_BYTES));
  });
  using value = SecretBytes.adopt(scaled, 'contribution');
  return dealParts(value, structure, random);
}

/** Sums of contributions, one for each new share. Disposing wipes what was not taken. */
export class Collection implements Disposable {
  readonly #sums: ReadonlyMap<number, { readonly index: ShareIndex; readonly bytes: Uint8Array }>;

  /** All sums begin at zero. */
  constructor(structure: Structure) {
    this.#sums = new Map(
      allIndices(structure).map((index) => [
        indexNumber(index),
        { index, bytes: new Uint8Array(SHARE_BYTES) },
      ]),
    );
  }

  /** Adds one contribution (borrowed). */
  add(parts: Parts): void {
    for (const { index, bytes } of this.#sums.values()) {
      parts.of(index).use((part) => {
        addScaled(bytes, 1, part);
      });
    }
  }

  /** The new shares with new randomness, ascending; owned by the caller. */
  take(structure: Structure, random: RandomSource): DealtShare[] {
    return allIndices(structure).map((index) => {
      const bytes = this.#sums.get(indexNumber(index))?.bytes ?? new Uint8Array(SHARE_BYTES);
      const label = `share ${indexName(index, structure)}`;
      const opening = newOpening(bytes.slice(), random, label);
      bytes.fill(0);
      return { index, opening };
    });
  }

  /** Wipes the sums. */
  [Symbol.dispose](): void {
    for (const { bytes } of this.#sums.values()) bytes.fill(0);
  }
}

/**
 * What t members of a group count for at the place of a lost member: its share is the sum of factor · share.
 * @param helpers - exactly the group's threshold of other members
 * @param lost - the member to rebuild
 */
export function repairFactors(
  helpers: readonly ShareIndex[],
  lost: ShareIndex,
): ReadonlyMap<number, number> {
  const factors = lagrangeFactors(
    helpers.map(({ member }) => member),
    lost.member,
  );
  return new Map(helpers.map((index, i) => [indexNumber(index), factors[i] as number]));
}

/** A lost share under reconstruction. Disposing wipes it. */
export class Repair implements Disposable {
  readonly #sum = new Uint8Array(SHARE_BYTES);

  /** Adds one helper's share (borrowed) times its factor of {@link repairFactors}. */
  add(opening: SecretBytes, factor: number): void {
    opening.use((bytes) => {
      addScaled(this.#sum, factor, bytes.subarray(0, SHARE_BYTES));
    });
  }

  /** share ‖ r of the rebuilt share, with new randomness; owned by the caller. */
  take(random: RandomSource): SecretBytes {
    const share = this.#sum.slice();
    this.#sum.fill(0);
    return newOpening(share, random, 'repaired share');
  }

  /** Wipes the sum. */
  [Symbol.dispose](): void {
    this.#sum.fill(0);
  }
}

/** Adopts `share`. */
function newOpening(share: Uint8Array, random: RandomSource, label: string): SecretBytes {
  const r = random(RANDOMNESS_BYTES);
  try {
    return SecretBytes.adopt(concat(share, r), label);
  } finally {
    share.fill(0);
    r.fill(0);
  }
}
