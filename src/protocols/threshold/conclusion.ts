/**
 * How every session that changes shares ends: each receiver commits to its new share, everybody computes the same group record,
 * and everybody acknowledges its digest. Without all acknowledgements there is no record, and nobody uses its share.
 * @see docs/spec/threshold.md, "Conclusion"
 */
import { openedShare, shareCommitment } from '#crypto/frost/commitment';
import {
  contextOf,
  groupDigest,
  type GroupRecord,
  pointText,
  type Published,
  publishedBy,
  withPublished,
} from '#crypto/frost/group';
import { sha256 } from '#crypto/hash';
import { keyId } from '#crypto/key-id';
import type { GroupPoint } from '#crypto/math/prime-group';
import { resolve } from '#crypto/registry';
import { concat, equal, toHex, u16be, utf8 } from '#formats/bytes';
import { NegativeError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { rosterDigest } from '#protocols/parties/roster';
import { blame } from './culprit.js';
import { times } from './dealing.js';
import { bytesIn, type Exchange, othersOf } from './exchange.js';
import {
  assertOwnProof,
  assertProven,
  CONFIRM,
  type Openings,
  ownProof,
  readConfirmation,
} from './proven-opening.js';
import type { Start } from './start-message.js';

const ACKNOWLEDGE = 'acknowledge';
const HEAD = utf8('conclave-threshold-head-v1\0');

/** What a session that changes shares leaves a party with. */
export interface Outcome {
  readonly record: GroupRecord;
  /** x_i ‖ r_i, owned by the receiver; absent for parties that hold no share afterwards, or keep the one they have. */
  readonly opening: SecretBytes | undefined;
  /** Proofs of the new commitments by number, each verified; empty where none were agreed on. */
  readonly proofs: ReadonlyMap<number, Uint8Array>;
}

/** What was computed before the conclusion. */
export interface Computed {
  readonly key: GroupPoint;
  /** Of all members after the session. */
  readonly publicShares: ReadonlyMap<number, GroupPoint>;
  /** x_i ‖ r_i of this party, adopted; absent where it has no new one. */
  readonly opening: Uint8Array | undefined;
}

/**
 * Rounds 3 and 4.
 * @param everybody - all parties of the session
 * @param committing - who commits to a share in round 3; the receivers when not given
 * @param kept - what members published that stay as they are
 */
export async function conclude(
  start: Start,
  exchange: Exchange,
  everybody: readonly number[],
  computed: Computed,
  committing: readonly number[] = start.message.receivers,
  kept: ReadonlyMap<number, Published> = new Map(),
): Promise<Outcome> {
  const { suite } = start;
  const { self } = exchange;
  const opening =
    computed.opening === undefined
      ? undefined
      : SecretBytes.adopt(computed.opening, `share ${self} of the group key`);
  try {
    if (opening !== undefined) {
      // What everybody else will check this party's signatures against.
      const share = opening.use((bytes) => openedShare(bytes, suite));
      const expected = computed.publicShares.get(self);
      if (expected?.equals(times(suite.group.base, share, suite.group)) !== true) {
        throw blame([self], 'computed a share that is not its public share');
      }
    }
    const draft = await draftRecord(start, computed);
    const a = contextOf(draft, suite);
    const commitment =
      opening === undefined
        ? undefined
        : opening.use((bytes) => shareCommitment(suite, a, self, bytes));
    const openings: Openings = { start, a, publicShares: computed.publicShares };
    const published = new Map(kept);
    const proofs = new Map<number, Uint8Array>();
    if (commitment !== undefined && opening !== undefined) {
      const proof = await ownProof(openings, exchange, commitment, opening);
      const digest = proof === undefined ? undefined : sha256(proof);
      const said = digest === undefined ? [a, commitment] : [a, commitment, digest];
      await exchange.broadcast(3, CONFIRM, said, proof);
      published.set(self, confirmed({ commitment, proof: digest }));
      if (proof !== undefined) {
        // Said, but not heard yet: nothing leaves before this run has come to its end.
        assertOwnProof(openings, exchange, commitment, proof);
        proofs.set(self, proof);
      }
    }
    const said = new Map(
      [...exchange.hear(3, CONFIRM, committing)].map(([party, body]) => {
        const confirmation = readConfirmation(start, party, body);
        if (!equal(confirmation.context, a)) {
          throw disagreement(party, 'another key or other public shares');
        }
        return [party, confirmation] as const;
      }),
    );
    for (const [party, confirmation] of said) published.set(party, confirmed(confirmation));
    for (const [party, proof] of assertProven(openings, exchange, said)) proofs.set(party, proof);
    const record: GroupRecord = {
      ...withPublished(draft, published),
      head: toHex(headOf(exchange, start, committing)),
    };
    const digest = groupDigest(record);
    await exchange.broadcast(4, ACKNOWLEDGE, digest);
    const acknowledged = exchange.hear(4, ACKNOWLEDGE, othersOf(exchange.roster, self));
    for (const party of everybody) {
      const body = acknowledged.get(party);
      if (body === undefined) continue;
      if (!equal(bytesIn(body, party, 'its acknowledgement'), digest)) {
        throw disagreement(party, 'another group record');
      }
    }
    return { record, opening, proofs };
  } catch (error) {
    opening?.dispose();
    throw error;
  }
}

/** The hash over what everybody said before the record: roster, then each broadcast of rounds 1 and 3 by sender. */
function headOf(exchange: Exchange, start: Start, committing: readonly number[]): Uint8Array {
  return headOver(start, committing, rosterDigest(exchange.roster), (round, type, sender) =>
    exchange.digestOf(round, type, sender),
  );
}

/**
 * The head of a group record.
 * @param digestOf - SHA-256 over what is signed of a broadcast
 */
export function headOver(
  { message }: Start,
  committing: readonly number[],
  roster: Uint8Array,
  digestOf: (round: number, type: string, sender: number) => Uint8Array,
): Uint8Array {
  const first = firstBroadcast(message.operation);
  const said = [
    ...message.contributors.map((sender) => [1, first, sender] as const),
    ...committing.map((sender) => [3, CONFIRM, sender] as const),
  ];
  return sha256(
    HEAD,
    roster,
    ...said.map(([round, type, sender]) =>
      concat(Uint8Array.of(round), u16be(sender), digestOf(round, type, sender)),
    ),
  );
}

/** What contributors say to everybody in round 1. */
export function firstBroadcast(operation: string): string {
  return operation === 'repair' || operation === 'enrol' ? 'summands' : 'commitments';
}

/** The record without commitments and head. */
export async function draftRecord(
  { message, suite, group }: Start,
  { key, publicShares }: Pick<Computed, 'key' | 'publicShares'>,
): Promise<GroupRecord> {
  const before = new Map(group?.record.members.map(({ number, identity }) => [number, identity]));
  const now = new Map(message.parties.map(({ number, identity }) => [number, identity]));
  return {
    type: 'conclave/group',
    version: 1,
    suite: message.suite,
    key: keyId(await resolve(suite.algorithm), suite.publicKey(key)),
    environment: message.environment,
    threshold: message.threshold,
    ceremony: group?.record.ceremony ?? message.session,
    epoch: (group?.record.epoch ?? 0) + 1,
    policy: message.policy,
    publicKey: pointText(key),
    members: [...publicShares]
      .sort(([a], [b]) => a - b)
      .map(([number, point]) => ({
        number,
        identity: now.get(number) ?? before.get(number) ?? '',
        publicShare: pointText(point),
        commitment: '',
      })),
    head: '',
  };
}

/** What the members of a group published that stay as they are, by number. */
export function keptCommitments(
  { group }: Start,
  except: readonly number[],
): ReadonlyMap<number, Published> {
  if (group === undefined) return new Map();
  return new Map([...publishedBy(group.record)].filter(([number]) => !except.includes(number)));
}

/** What a confirmation publishes, as a record has it. */
export function confirmed({
  commitment,
  proof,
}: {
  readonly commitment: Uint8Array;
  readonly proof: Uint8Array | undefined;
}): Published {
  return {
    commitment: toHex(commitment),
    proof: proof === undefined ? null : toHex(proof),
  };
}

function disagreement(party: number, about: string): NegativeError {
  return new NegativeError({
    code: 'E_THRESHOLD_DISAGREEMENT',
    message: `party ${party} confirms ${about} than ours`,
    hint: 'somebody told two parties different things; compare the messages of round 1, and begin again',
    details: { reportedBy: party },
  });
}
