/** `share enrol`: one more member, by a new dealing to everybody. */
import { RefusedError, UsageError } from '#formats/errors';
import { allIndices, describeStructure, type Structure } from '#protocols/sharing/structure';
import { defineAction } from './action.js';
import { assertFree, type ChangeResult, presentChange, readOldSet } from './shares/change.js';
import { chooseRecipients } from './shares/recipients.js';
import { redeal } from './shares/redeal.js';
import {
  changeOutputs,
  holdersField,
  oldSetFields,
  oldShares,
  sealingFields,
} from './shares/sealing-fields.js';
import type { Stretching } from './shares/seal.js';
import { assertWaived } from './shares/structure-input.js';

export const shareEnrol = defineAction({
  id: 'share.enrol',
  summary: 'add a member to a set',
  description:
    'A quorum of the old shares deals the same secret to one member more, under the same threshold. Every member gets a new ' +
    'share, because every commitment names how many there are; the new member has the highest number of the group. The secret ' +
    'is never formed.',
  inputs: {
    shares: oldShares,
    ...oldSetFields,
    group: {
      type: 'integer',
      summary: 'group that grows, where there are several',
      min: 1,
      max: 16,
      placeholder: 'N',
    },
    ...sealingFields,
    ...holdersField,
  },
  outputs: changeOutputs,
  options: ['passphrase', 'identity', 'waive', 'force'],
  effect: 'repeatable',
  secrecy: 'protects',
  exits: [75],
  examples: [
    {
      command:
        'conclave share enrol old/share-1.cbor old/share-2.cbor --seal-to ann.pub --seal-to ben.pub --seal-to cem.pub --seal-to dee.pub --out-dir new',
      explains: 'from 2 of 3 to 2 of 4; the fourth identity is the new member’s',
    },
  ],
  run: async (input, context): Promise<ChangeResult> => {
    const { holders, outDir } = input;
    const old = await readOldSet({ shares: input.shares, set: input.set, holders }, context);
    const structure = grown(old.structure, input.group);
    assertWaived(structure, context.waivers);
    const indices = allIndices(structure);
    assertFree(indices, structure, outDir, context);
    using recipients = await chooseRecipients(input, indices, structure, context);
    context.progress(`dealing ${indices.length} new shares`);
    const stretching = input.sealKdf as Stretching | undefined;
    return await redeal(old, 'enrol', structure, { stretching, outDir }, recipients, context);
  },
  present: (result) =>
    presentChange(
      result,
      'enrolled',
      `Destroy the old shares (root ${result.previousRoot.slice(0, 16)}): until then a quorum of them still opens the secret.`,
    ),
});

function grown({ groupThreshold, groups }: Structure, group: number | undefined): Structure {
  if (group === undefined && groups.length > 1) {
    throw new UsageError({
      code: 'E_SHARE_GROUP',
      message: `this set has ${groups.length} groups, and nothing says which one grows`,
      hint: 'say --group N, counted from 1',
    });
  }
  const at = (group ?? 1) - 1;
  const own = groups[at];
  if (own === undefined) {
    throw new UsageError({
      code: 'E_SHARE_GROUP',
      message: `there is no group ${group ?? 1}: this set is ${describeStructure({ groupThreshold, groups })}`,
      hint: 'groups are counted from 1',
    });
  }
  if (own.shares === 255) {
    throw new RefusedError({
      code: 'E_SHARE_STRUCTURE',
      message: 'a group has at most 255 shares',
      hint: 'reshare with fewer members',
    });
  }
  const changed = { ...own, shares: own.shares + 1 };
  return { groupThreshold, groups: groups.with(at, changed) };
}
