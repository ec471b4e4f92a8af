/** `share repair`: one lost share again, from a threshold of others of its group. */
import { TryAgainError, UsageError } from '#formats/errors';
import { Repair, repairFactors } from '#protocols/sharing/renew';
import {
  allIndices,
  describeStructure,
  indexName,
  indexNumber,
  type ShareIndex,
} from '#protocols/sharing/structure';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import {
  assertFree,
  type ChangeResult,
  type OldSet,
  presentChange,
  publishChange,
  readOldSet,
  reportChange,
} from './shares/change.js';
import type { NamedShare } from './shares/gather.js';
import { chooseRecipients } from './shares/recipients.js';
import { changeOutputs, oldSetFields, oldShares, sealingFields } from './shares/sealing-fields.js';
import type { Stretching } from './shares/seal.js';

export const shareRepair = defineAction({
  id: 'share.repair',
  summary: 'rebuild one lost share from others of its group',
  description:
    'A threshold of other members of the group is enough, and their shares stay as they are. The secret is never formed. The ' +
    'rebuilt share has new randomness and therefore a new commitment, so a new set.json goes to everybody; by it the lost card is ' +
    'refused should it turn up again. Repair is for a card that was destroyed: one that may be in other hands still works ' +
    'together with old descriptions, and calls for share refresh.',
  inputs: {
    shares: oldShares,
    lost: {
      type: 'string',
      summary: 'the lost share: its number, or GROUP-NUMBER',
      required: true,
      pattern: '(?:[1-9][0-9]?-)?[1-9][0-9]{0,2}',
      placeholder: 'I',
    },
    ...oldSetFields,
    ...sealingFields,
  },
  outputs: changeOutputs,
  options: ['passphrase', 'identity', 'force'],
  effect: 'repeatable',
  secrecy: 'protects',
  exits: [75],
  examples: [
    {
      command:
        'conclave share repair share-1.cbor share-3.cbor --lost 2 --seal-to ben.pub --out-dir new',
      explains: 'Ben’s card burnt; Ann and Cem rebuild it, and Ben alone can open it',
    },
  ],
  run: async (input, context): Promise<ChangeResult> => {
    const old = await readOldSet({ ...input, holders: input.custodians }, context);
    const { structure } = old;
    const lost = lostIndex(input.lost, old);
    const helpers = helpersOf(lost, old);
    assertFree([lost], structure, input.outDir, context);
    using recipients = await chooseRecipients(
      input,
      [lost],
      structure,
      forHolder(lost, old, context),
    );
    const factors = repairFactors(
      helpers.map(({ share }) => share.index),
      lost,
    );
    using repair = new Repair();
    for (const helper of helpers) {
      using opening = await old.open(helper);
      repair.add(opening, factors.get(indexNumber(helper.share.index)) as number);
    }
    using opening = repair.take(context.random);
    const changed = await publishChange(
      { old, operation: 'repair', structure, shares: [{ index: lost, opening }] },
      {
        recipients: recipients.list,
        stretching: input.sealKdf as Stretching | undefined,
        outDir: input.outDir,
      },
      context,
    );
    const told = {
      quorum: describeStructure(structure),
      proven: `share ${indexName(lost, structure)} from ${helpers.length} others`,
    };
    return reportChange(old, changed, recipients, told, context);
  },
  present: (result) =>
    presentChange(
      result,
      'repaired',
      'The other shares stay as they are, and need the new set.json. If the lost card may be in other hands, refresh the set.',
    ),
});

function lostIndex(text: string, { structure, set }: OldSet): ShareIndex {
  const found = allIndices(structure).find((index) => indexName(index, structure) === text);
  if (found !== undefined) return found;
  throw new UsageError({
    code: 'E_SHARE_NUMBER',
    message: `${set.name} has no share ${text}: it is ${describeStructure(structure)}`,
    hint: structure.groups.length === 1 ? 'say its number' : 'say group and number, such as 2-1',
  });
}

/** The first threshold of other members of the lost share's group. */
function helpersOf(lost: ShareIndex, { structure, shares, set }: OldSet): readonly NamedShare[] {
  const name = indexName(lost, structure);
  const twin = shares.find(({ share }) => indexNumber(share.index) === indexNumber(lost));
  if (twin !== undefined) {
    throw new UsageError({
      code: 'E_SHARE_NOT_LOST',
      message: `${twin.name} is share ${name}, which is said to be lost`,
      hint: 'leave it out, or say which one is lost',
    });
  }
  const own = shares.filter(({ share }) => share.index.group === lost.group);
  const threshold = structure.groups[lost.group - 1]?.threshold ?? 1;
  if (own.length >= threshold) return own.slice(0, threshold);
  throw new TryAgainError({
    code: 'E_QUORUM_INCOMPLETE',
    message: `the quorum is incomplete: ${own.length} of ${threshold} shares that can rebuild share ${name} are here`,
    hint: `nothing was written; it takes ${threshold} others of ${structure.groups.length === 1 ? set.name : `group ${lost.group}`}`,
  });
}

/** In a ceremony the role holds all shares in order; the lost one is sealed to its own holder. */
function forHolder(lost: ShareIndex, { structure }: OldSet, context: ActionContext): ActionContext {
  const at = allIndices(structure).findIndex((index) => indexNumber(index) === indexNumber(lost));
  return {
    ...context,
    ask: { ...context.ask, people: (role) => context.ask.people(role).slice(at, at + 1) },
  };
}
