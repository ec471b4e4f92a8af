/** Whether a share is of the set that a set.json describes, by what both say in clear. */
import { toHex } from '#formats/bytes';
import type { ShareFile } from '#protocols/sharing/envelope';
import { type ShareSet, structureOf } from '#protocols/sharing/share-set';
import type { Slip39Share } from '#protocols/sharing/slip39-mnemonic';
import { describeStructure } from '#protocols/sharing/structure';

/** Whether the part of a share file in clear is that of the set. */
export function shareBelongs(share: ShareFile, set: ShareSet): boolean {
  const structure = structureOf(set);
  return (
    set.scheme === 'envelope' &&
    toHex(share.setId) === set.setId &&
    toHex(share.root) === set.root &&
    share.environment === set.environment &&
    describeStructure(share.structure) === describeStructure(structure) &&
    // Of one group the description is the same for every group threshold.
    share.structure.groupThreshold === structure.groupThreshold
  );
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
