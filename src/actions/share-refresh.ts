/** `share refresh`: every share of a set changes, the secret does not and is never formed. */
import { RefusedError, TryAgainError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { DealtShare } from '#protocols/sharing/deal';
import { describeProof } from '#protocols/sharing/prove';
import { canRefresh, dealZero, refreshShare } from '#protocols/sharing/renew';
import {
  allIndices,
  describeStructure,
  indexName,
  indexNumber,
  type ShareIndex,
} from '#protocols/sharing/structure';
import { defineAction } from './action.js';
import {
  assertFree,
  type ChangeResult,
  type OldSet,
  presentChange,
  publishChange,
  readOldSet,
  reportChange,
} from './shares/change.js';
import { chooseRecipients } from './shares/recipients.js';
import { changeOutputs, oldSetFields, oldShares, sealingFields } from './shares/sealing-fields.js';
import type { Stretching } from './shares/seal.js';

export const shareRefresh = defineAction({
  id: 'share.refresh',
  summary: 'change every share of a set, not the secret',
  description:
    'Adds a fresh sharing of zero to the shares, one card after another, so that old and new ones no longer fit together. All ' +
    'cards must be there; a quorum alone can reshare. The secret is not put together: that every quorum still gives it is proven ' +
    'from the changes alone. The set keeps its id, its key and its sealed package, and begins a new epoch. Old shares still open ' +
    'the secret with their own set.json: a refresh takes effect when enough of them are destroyed.',
  inputs: { shares: oldShares, ...oldSetFields, ...sealingFields },
  outputs: changeOutputs,
  options: ['passphrase', 'identity', 'force'],
  effect: 'repeatable',
  secrecy: 'protects',
  exits: [75],
  examples: [
    {
      command:
        'conclave share refresh old/share-1.cbor old/share-2.cbor old/share-3.cbor --set old/set.json --seal-to ann.pub --seal-to ben.pub --seal-to cem.pub --out-dir new',
      explains:
        'new shares for the same three people, once a year or when a card was seen by somebody',
    },
  ],
  run: async (input, context): Promise<ChangeResult> => {
    const old = await readOldSet({ ...input, holders: input.custodians }, context);
    const { structure } = old;
    assertAllPresent(old);
    if (!canRefresh(structure)) {
      throw new RefusedError({
        code: 'E_SHARE_THRESHOLD_1',
        message: `${describeStructure(structure)}: one share alone is the secret, and a refresh does not change that`,
        hint: 'share reshare deals it to a real quorum',
      });
    }
    const indices = allIndices(structure);
    assertFree(indices, structure, input.outDir, context);
    using recipients = await chooseRecipients(input, indices, structure, context);
    context.progress(`refreshing ${indices.length} shares`);
    using changes = dealZero(structure, context.random);
    const shares: DealtShare[] = [];
    try {
      for (const named of old.shares) {
        const { index } = named.share;
        using opening: SecretBytes = await old.open(named);
        shares.push({ index, opening: refreshShare(opening, changes.of(index), context.random) });
      }
      const changed = await publishChange(
        { old, operation: 'refresh', structure, shares },
        {
          recipients: recipients.list,
          stretching: input.sealKdf as Stretching | undefined,
          outDir: input.outDir,
        },
        context,
      );
      const quorum = describeStructure(structure);
      const proven = `${describeProof(changes.proof)} proven from the changes`;
      return reportChange(old, changed, recipients, { quorum, proven }, context);
    } finally {
      for (const { opening } of shares) opening.dispose();
    }
  },
  present: (result) =>
    presentChange(
      result,
      'refreshed',
      `Destroy the old shares (root ${result.previousRoot.slice(0, 16)}): until then ${result.quorum} of them still open the secret.`,
    ),
});

function assertAllPresent({ structure, shares }: OldSet): void {
  const present = new Set(shares.map(({ share }) => indexNumber(share.index)));
  const missing: ShareIndex[] = allIndices(structure).filter(
    (index) => !present.has(indexNumber(index)),
  );
  if (missing.length === 0) return;
  const names = missing.map((index) => indexName(index, structure)).join(', ');
  throw new TryAgainError({
    code: 'E_SHARES_INCOMPLETE',
    message: `share ${names} is not here, and a refresh changes every share`,
    hint: 'bring all of them; or let a quorum deal a new set with share reshare',
    details: { missing: missing.map((index) => indexName(index, structure)) },
  });
}
