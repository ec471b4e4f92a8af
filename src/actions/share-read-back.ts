/**
 * `share.read-back`: in a ceremony a custodian scans or types their card from the paper, and what comes back must be the share
 * that was dealt, before the original is wiped.
 */
import { equal } from '#formats/bytes';
import { NegativeError } from '#formats/errors';
import { defineAction } from './action.js';
import { collectShares } from './shares/collect.js';
import { readSources, takeSet } from './shares/sources.js';

/** What was compared. */
export interface ReadBackResult {
  readonly ok: boolean;
  /** As the card names itself. */
  readonly card: string;
}

export const shareReadBack = defineAction({
  id: 'share.read-back',
  summary: 'read a card back from the paper and compare it with its share',
  description:
    'Asks the custodian for the printed card, to be scanned or typed, and compares every byte with the share file. A card that was ' +
    'garbled by the printer, or belongs to somebody else, is found while the original is still there.',
  inputs: {
    shares: {
      type: 'shares',
      summary: 'the share file of this custodian',
      required: true,
      repeat: true,
    },
    set: { type: 'share-set', summary: 'description of the set', required: true },
  },
  outputs: {
    ok: { type: 'verdict', summary: 'whether the card is the share' },
    card: { type: 'string', summary: 'the card that was read' },
  },
  effect: 'none',
  only: 'ceremony',
  examples: [],
  run: async (input, context): Promise<ReadBackResult> => {
    const { shares, set } = takeSet(
      readSources(input.shares, context.files),
      input.set,
      context.files,
    );
    const [card] = await collectShares(context, 'one', set);
    try {
      const same =
        shares.length === 1 &&
        card !== undefined &&
        equal(card.bytes, shares[0]?.bytes ?? new Uint8Array(0));
      if (!same) {
        throw new NegativeError({
          code: 'E_CARD_OTHER',
          message: `${card?.name ?? 'the card'} is not the share of this custodian`,
          hint: 'look whether two cards were exchanged; print it again if not',
        });
      }
      return { ok: true, card: card.name };
    } finally {
      for (const { bytes } of [...shares, ...(card === undefined ? [] : [card])]) bytes.fill(0);
    }
  },
  present: ({ card }) => `${card} reads back as it was dealt`,
});
