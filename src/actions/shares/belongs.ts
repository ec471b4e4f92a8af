/** Whether a share is of the set that a set.json describes, by what both say in clear. */
import { keyId } from '#crypto/key-id';
import { toHex } from '#formats/bytes';
import type { ShareFile } from '#protocols/sharing/envelope';
import { dealingRootOf, epochOf, type ShareSet, structureOf } from '#protocols/sharing/share-set';
import type { Slip39Share } from '#protocols/sharing/slip39-mnemonic';
import { describeStructure } from '#protocols/sharing/structure';

/** Whether the part of a share file in clear is that of the set. */
export function shareBelongs(share: ShareFile, set: ShareSet): boolean {
  const structure = structureOf(set);
  return (
    set.scheme === 'envelope' &&
    namesKeyOf(share, set) &&
    toHex(share.setId) === set.setId &&
    toHex(share.root) === dealingRootOf(set) &&
    share.epoch === epochOf(set) &&
    share.environment === set.environment &&
    describeStructure(share.structure) === describeStructure(structure) &&
    // Of one group the description is the same for every group threshold.
    share.structure.groupThreshold === structure.groupThreshold
  );
}

/**
 * Whether a share of a scalar names the key of the set, and a share of anything else none. The root does not cover what it names,
 * and a quorum brings back nothing but the key that is named.
 */
function namesKeyOf({ verifiable: mark }: ShareFile, set: ShareSet): boolean {
  const { verifiable, algorithm, profile, publicKey } = set;
  if (mark === undefined || verifiable === undefined) return mark === verifiable;
  return (
    mark.scheme === verifiable.scheme &&
    mark.algorithm === algorithm &&
    profile !== null &&
    publicKey !== null &&
    toHex(mark.keyId) === set.keyId &&
    set.keyId === keyId({ name: algorithm, profile }, publicKey)
  );
}

/** Why a share of the same set but of another dealing does not belong; undefined when it is of another set, or of this one. */
export function staleness(share: ShareFile, set: ShareSet, name: string): string | undefined {
  if (toHex(share.setId) !== set.setId || set.scheme !== 'envelope') return undefined;
  const epoch = epochOf(set);
  if (share.epoch < epoch) {
    return `it is of epoch ${share.epoch} of this set; ${name} is of epoch ${epoch}, which replaced it`;
  }
  if (share.epoch > epoch) {
    return `it is of epoch ${share.epoch} of this set, and ${name} of epoch ${epoch} is out of date`;
  }
  return toHex(share.root) === dealingRootOf(set)
    ? undefined
    : 'it is of the same set, but of another dealing of it';
}

/** Whether the header of SLIP-39 words is that of the set. Two sets agree in it by chance once in 32,768. */
export function wordsBelong(
  share: Slip39Share,
  { slip39, groupThreshold, groups }: ShareSet,
): boolean {
  const own = groups[share.groupIndex];
  return (
    slip39 !== null &&
    share.identifier === slip39.identifier &&
    share.extendable === slip39.extendable &&
    share.iterationExponent === slip39.iterationExponent &&
    share.groupThreshold === groupThreshold &&
    share.groupCount === groups.length &&
    share.memberThreshold === own?.threshold &&
    share.memberIndex < own.shares
  );
}
