/** What a stranger can check of a session that made or changed shares: that its record follows from what was said in public. */
import { contextOf, type GroupRecord, publishedBy } from '#crypto/frost/group';
import type { GroupPoint } from '#crypto/math/prime-group';
import { equal, fromHex } from '#formats/bytes';
import { type Cbor, decodeCbor } from '#formats/cbor';
import { NegativeError } from '#formats/errors';
import { confirmed, draftRecord, firstBroadcast, headOver, keptCommitments } from './conclusion.js';
import { sumCommitments } from './dealing.js';
import { newGroup, readDealing } from './dealing-session.js';
import { CONFIRM, readConfirmation } from './proven-opening.js';
import { interpolatePublic } from './repair-rounds.js';
import { readSummands } from './repair-session.js';
import type { Start } from './start-message.js';

/** A broadcast whose signature is good. */
export interface Broadcast {
  readonly round: number;
  readonly type: string;
  readonly sender: number;
  readonly body: Uint8Array;
  /** SHA-256 over what was signed. */
  readonly digest: Uint8Array;
}

/**
 * Recomputes a record.
 * @param roster - digest of the roster
 * @returns what is wrong, as sentences without a full stop; empty when all holds
 */
export async function checkPublicly(
  start: Start,
  record: GroupRecord,
  broadcasts: readonly Broadcast[],
  roster: Uint8Array,
): Promise<readonly string[]> {
  const { message } = start;
  const find = (round: number, type: string, sender: number): Broadcast => {
    const found = broadcasts.find(
      (each) => each.round === round && each.type === type && each.sender === sender,
    );
    if (found !== undefined) return found;
    throw new NegativeError({
      code: 'E_TRANSCRIPT_INCOMPLETE',
      message: `what party ${sender} said in round ${round} is not there`,
    });
  };
  try {
    const computed = await draftRecord(
      start,
      publicGroup(start, (type, sender) => body(find(1, type, sender))),
    );
    const a = contextOf(computed, start.suite);
    const published = new Map(keptCommitments(start, message.receivers));
    const given = publishedBy(record);
    const problems: string[] = [];
    for (const receiver of message.receivers) {
      const said = readConfirmation(start, receiver, body(find(3, CONFIRM, receiver)));
      if (!equal(said.context, a))
        problems.push(`party ${receiver} confirms another key or other public shares`);
      published.set(receiver, confirmed(said));
    }
    if (computed.publicKey !== record.publicKey)
      problems.push('the key is not the one that was dealt');
    const shares = ({ members }: GroupRecord): string =>
      members.map((m) => `${m.number} ${m.identity} ${m.publicShare}`).join();
    if (shares(computed) !== shares(record)) {
      problems.push('the public shares are not those that were dealt');
    }
    const differs = (what: 'commitment' | 'proof'): boolean =>
      [...given].some(([number, each]) => published.get(number)?.[what] !== each[what]);
    if (differs('commitment')) {
      problems.push('a commitment is not the one that its holder published');
    }
    if (differs('proof')) problems.push('a proof is not the one that its holder published');
    const facts: (keyof GroupRecord)[] = [
      'suite',
      'key',
      'environment',
      'threshold',
      'ceremony',
      'epoch',
      'policy',
    ];
    const other = facts.filter((fact) => computed[fact] !== record[fact]);
    if (other.length > 0)
      problems.push(`the record says otherwise than the session about its ${other.join(', ')}`);
    const head = headOver(start, message.receivers, roster, (...slot) => find(...slot).digest);
    if (!equal(head, fromHex(record.head)))
      problems.push('the record does not follow these messages');
    return problems;
  } catch (error) {
    if (error instanceof NegativeError) return [error.message];
    throw error;
  }
}

/**
 * Key and public shares after a session, from what contributors said in round 1.
 * @throws NegativeError `E_THRESHOLD_CULPRIT`
 */
export function publicGroup(
  start: Start,
  said: (type: string, sender: number) => Cbor,
): { readonly key: GroupPoint; readonly publicShares: ReadonlyMap<number, GroupPoint> } {
  const { message, suite, group } = start;
  const type = firstBroadcast(message.operation);
  if (group !== undefined && (message.operation === 'repair' || message.operation === 'enrol')) {
    const publicShares = new Map(group.publicShares);
    const quorum = new Map(
      message.contributors.map((i) => [i, group.publicShares.get(i) as GroupPoint]),
    );
    for (const helper of message.contributors) readSummands(start, helper, said(type, helper));
    for (const receiver of message.receivers) {
      if (!publicShares.has(receiver)) {
        publicShares.set(receiver, interpolatePublic(suite, quorum, receiver));
      }
    }
    return { key: group.key, publicShares };
  }
  const dealings = message.contributors.map((dealer) =>
    readDealing(start, dealer, said(type, dealer)),
  );
  return newGroup(start, sumCommitments(dealings, message.threshold, suite.group));
}

function body({ body: bytes, sender }: Broadcast): Cbor {
  return decodeCbor(bytes, `message of party ${sender}`, { maxBytes: 64 * 1024, maxDepth: 4 });
}
