/** `share reshare`: the same secret among other people or under another quorum, dealt by a quorum of the old shares. */
import { allIndices } from '#protocols/sharing/structure';
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
import { assertWaived, structureFields, structureOfInput } from './shares/structure-input.js';

export const shareReshare = defineAction({
  id: 'share.reshare',
  summary: 'deal the same secret anew, under another quorum or to other people',
  description:
    'Each share of a quorum is dealt anew, and the parts are added up to new shares of the same secret, which itself is never ' +
    'formed. Thresholds, number of shares and groups are free. Each contribution is proven over every new quorum. The set keeps ' +
    'its id, its key and its sealed package, and begins a new epoch. Old shares still open the secret with their own set.json ' +
    'until enough of them are destroyed.',
  inputs: {
    from: oldShares,
    ...oldSetFields,
    ...structureFields,
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
        'conclave share reshare old/share-1.cbor old/share-3.cbor --threshold 3 --shares 5 --seal-passphrase-file new.txt --out-dir new',
      explains: 'from 2 of 3 to 3 of 5; old/set.json lies beside the old shares',
    },
  ],
  run: async (input, context): Promise<ChangeResult> => {
    const structure = structureOfInput(input, false);
    assertWaived(structure, context.waivers);
    const { from, set, holders, outDir } = input;
    const old = await readOldSet({ shares: from, set, holders }, context);
    const indices = allIndices(structure);
    assertFree(indices, structure, outDir, context);
    using recipients = await chooseRecipients(input, indices, structure, context);
    context.progress(`dealing ${indices.length} new shares`);
    const stretching = input.sealKdf as Stretching | undefined;
    return await redeal(old, 'reshare', structure, { stretching, outDir }, recipients, context);
  },
  present: (result) =>
    presentChange(
      result,
      'reshared',
      `Destroy the old shares (root ${result.previousRoot.slice(0, 16)}): until then a quorum of them still opens the secret.`,
    ),
});
