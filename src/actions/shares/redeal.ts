/** A new dealing by a quorum of old shares, for any structure: what reshare and enrol do. */
import { describeProof } from '#protocols/sharing/prove';
import { Collection, contribute, factorsOf } from '#protocols/sharing/renew';
import type { DealtShare } from '#protocols/sharing/deal';
import {
  describeStructure,
  indexNumber,
  quorumsAmong,
  type ShareIndex,
  type Structure,
} from '#protocols/sharing/structure';
import type { ActionContext } from '../context/context.js';
import {
  type ChangeResult,
  type OldSet,
  publishChange,
  reportChange,
  type Sealing,
} from './change.js';
import { assertQuorum, type NamedShare } from './gather.js';
import type { Recipients } from './recipients.js';

/**
 * Lets the first quorum among the old shares contribute, one after another, and publishes the sums.
 * @throws {@link TryAgainError} `E_QUORUM_INCOMPLETE` before anything is opened
 */
export async function redeal(
  old: OldSet,
  operation: 'reshare' | 'enrol',
  structure: Structure,
  sealing: Omit<Sealing, 'recipients'>,
  recipients: Recipients,
  context: ActionContext,
): Promise<ChangeResult> {
  const contributors = contributorsOf(old);
  const factors = factorsOf(contributors.map(({ share }) => share.index));
  using collection = new Collection(structure);
  let proven = '';
  for (const named of contributors) {
    using opening = await old.open(named);
    const factor = factors.get(indexNumber(named.share.index)) as number;
    using parts = contribute(opening, factor, structure, context.random);
    collection.add(parts);
    proven = describeProof(parts.proof);
  }
  const shares: readonly DealtShare[] = collection.take(structure, context.random);
  try {
    const changed = await publishChange(
      { old, operation, structure, shares },
      { ...sealing, recipients: recipients.list },
      context,
    );
    const told = {
      quorum: describeStructure(structure),
      proven: `${proven} proven for each of ${contributors.length} contributions`,
    };
    return reportChange(old, changed, recipients, told, context);
  } finally {
    for (const { opening } of shares) opening.dispose();
  }
}

function contributorsOf({ structure, shares }: OldSet): readonly NamedShare[] {
  const present = shares.map(({ share }) => share.index);
  assertQuorum(structure, present);
  const [quorum = []] = quorumsAmong(structure, present) as Iterable<readonly ShareIndex[]>;
  const numbers = new Set(quorum.map(indexNumber));
  return shares.filter(({ share }) => numbers.has(indexNumber(share.index)));
}
