/**
 * `share.read-back`: in a ceremony a custodian scans or types their card from the paper, or names the file on their medium, and what
 * comes back must be the share that was dealt, before the original is wiped.
 */
import { grouped } from '#carriage/transport/card-facts';
import { equal, toHex } from '#formats/bytes';
import { NegativeError } from '#formats/errors';
import { defineAction } from './action.js';
import { collectShares } from './shares/collect.js';
import { readShare, readSources, type ShareSource, takeSet } from './shares/sources.js';

/** What was compared. */
export interface ReadBackResult {
  readonly ok: boolean;
  /** As the card names itself. */
  readonly card: string;
  /** Root of the set as what was read has it; null for words, which have none. */
  readonly root: string | null;
}

export const shareReadBack = defineAction({
  id: 'share.read-back',
  summary: 'read a share back from paper or medium and compare it with the one that was dealt',
  description:
    'Asks the custodian for the printed card, to be scanned or typed, or for the file on the medium, and compares every byte with the ' +
    'share file. What was garbled on the way, or belongs to somebody else, is found while the original is still there.',
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
          hint: 'look whether two were exchanged; print or copy it again if not',
        });
      }
      return { ok: true, card: card.name, root: rootOn(card) };
    } finally {
      for (const { bytes } of [...shares, ...(card === undefined ? [] : [card])]) bytes.fill(0);
    }
  },
  present: ({ card, root }) =>
    root === null
      ? `${card} reads back as it was dealt`
      : `${card} reads back as it was dealt, and has the root\n${grouped(root)}`,
});

/** The root that stands on what was read, not in the description of the set. */
function rootOn(card: ShareSource): string | null {
  const read = readShare(card);
  if (read.kind === 'envelope') return toHex(read.share.root);
  read.share.value.fill(0);
  return null;
}
