/**
 * Repair of one lost share, or enrolment of a member, in four rounds. Helpers split their weighted shares among each other and
 * pass on sums; the one who receives adds these up. Enrolment changes what every commitment is bound to, so that all members
 * take part in the conclusion and draw new randomness; repair changes the commitment of the repaired share alone.
 * @see docs/spec/threshold.md, "Repair and enrolment"
 */
import { newOpening, openedShare } from '#crypto/frost/commitment';
import type { FrostSuite } from '#crypto/frost/suite';
import type { GroupPoint } from '#crypto/math/prime-group';
import type { Group } from '#crypto/frost/group';
import type { Cbor } from '#formats/cbor';
import { InternalError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { blame, blaming } from './culprit.js';
import { conclude, keptCommitments, type Outcome } from './conclusion.js';
import { checkEchoes, echoBody, type Exchange, listIn, othersOf } from './exchange.js';
import {
  checkSummands,
  interpolatePublic,
  isCommitted,
  splitForRepair,
  type Summands,
  sumCommitment,
  sumScalars,
} from './repair-rounds.js';
import type { Start } from './start-message.js';

const SUMMANDS = 'summands';
const SUMMAND = 'summand';
const SUM = 'sum';
const ECHO = 'echo';

/**
 * Runs a repair or an enrolment.
 * @param old - x_i ‖ r_i of this party, borrowed; absent where it holds none
 */
export async function runRepair(
  start: Start,
  exchange: Exchange,
  old: SecretBytes | undefined,
): Promise<Outcome> {
  const { message, suite } = start;
  const group = start.group as Group;
  const helpers = message.contributors;
  const { self } = exchange;
  const target = targetOf(start);
  const helps = helpers.includes(self);

  // Round 1: every helper commits to its summands, and tells each other helper one of them.
  const own = helps
    ? splitForRepair(suite, helpers, self, target, shareOf(old, suite), exchange.coins('summands'))
    : undefined;
  if (own !== undefined) {
    const points = helpers.map((to) => (own.commitments.get(to) as GroupPoint).toBytes());
    await exchange.broadcast(1, SUMMANDS, points);
    for (const to of helpers) {
      if (to === self) continue;
      await exchange.tell(1, SUMMAND, to, suite.encodeScalar(own.scalars.get(to) as bigint));
    }
  }
  const heard = exchange.hear(1, SUMMANDS, helpers);
  const committed = new Map<number, ReadonlyMap<number, GroupPoint>>();
  for (const helper of helpers) {
    const body = heard.get(helper);
    committed.set(
      helper,
      body === undefined
        ? (own as Summands).commitments
        : exchange.known('summands', 1, SUMMANDS, [helper], () =>
            readSummands(start, helper, body),
          ),
    );
  }
  const forHelper = (to: number): GroupPoint[] =>
    helpers.map((from) => committed.get(from)?.get(to) as GroupPoint);

  // Round 2: what was heard, to everybody; the sum of the summands, to the one who receives.
  const echo = exchange.echo(1, SUMMANDS, helpers);
  await exchange.broadcast(2, ECHO, echoBody(echo));
  if (own !== undefined) {
    const summands = scalarsFrom(
      exchange.hear(1, SUMMAND, helpers, 'self'),
      (from) => committed.get(from)?.get(self) as GroupPoint,
      suite,
      self,
    );
    const sum = sumScalars([...summands, own.scalars.get(self) as bigint], suite);
    await exchange.tell(2, SUM, target, suite.encodeScalar(sum));
  }
  checkEchoes(echo, exchange.hear(2, ECHO, othersOf(exchange.roster, self)));

  const publicShares = new Map(group.publicShares);
  const quorum = new Map(helpers.map((i) => [i, group.publicShares.get(i) as GroupPoint]));
  publicShares.set(target, interpolatePublic(suite, quorum, target));
  let opening: Uint8Array | undefined;
  if (self === target) {
    const sums = scalarsFrom(
      exchange.hear(2, SUM, helpers, 'self'),
      (from) => sumCommitment(forHelper(from), suite),
      suite,
      self,
    );
    opening = newOpening(sumScalars(sums, suite), suite, exchange.coins('opening'));
  } else if (message.operation === 'enrol') {
    opening = newOpening(shareOf(old, suite), suite, exchange.coins('opening'));
  }
  const everybody = message.parties.map(({ number }) => number);
  return await conclude(
    start,
    exchange,
    everybody,
    { key: group.key, publicShares, opening },
    message.receivers,
    keptCommitments(start, message.receivers),
  );
}

/** Who is to hold a share that it does not hold now. */
export function targetOf({ message, group }: Start): number {
  const members = new Set(group?.record.members.map(({ number }) => number));
  const target =
    message.operation === 'repair'
      ? message.receivers[0]
      : message.receivers.find((number) => !members.has(number));
  if (target !== undefined) return target;
  throw new InternalError({ code: 'E_THRESHOLD_TARGET', message: 'nobody is to receive a share' });
}

function shareOf(old: SecretBytes | undefined, suite: FrostSuite): bigint {
  if (old !== undefined) return old.use((bytes) => openedShare(bytes, suite));
  throw new InternalError({
    code: 'E_THRESHOLD_SHARE',
    message: 'a member takes part without its share',
  });
}

/**
 * A helper's commitments to its summands from its body, checked to add up to what it owes.
 * @throws NegativeError `E_THRESHOLD_CULPRIT`
 */
export function readSummands(
  start: Start,
  helper: number,
  body: Cbor,
): ReadonlyMap<number, GroupPoint> {
  const { message, suite, group } = start;
  const sent = listIn(body, helper, 'its summands');
  if (sent.length !== message.contributors.length) {
    throw blame([helper], 'committed to another number of summands than there are helpers');
  }
  const commitments = new Map(
    message.contributors.map((to, i) => [
      to,
      blaming(helper, 'a commitment that is no point of the group', () =>
        suite.group.decode(sent[i] as Uint8Array, 'summand'),
      ),
    ]),
  );
  const publicShare = group?.publicShares.get(helper) as GroupPoint;
  checkSummands(suite, message.contributors, helper, targetOf(start), publicShare, commitments);
  return commitments;
}

/** Scalars that were told to this party, each checked; whoever sent a wrong one is named. */
function scalarsFrom(
  bodies: ReadonlyMap<number, Cbor>,
  commitment: (from: number) => GroupPoint,
  suite: FrostSuite,
  self: number,
): bigint[] {
  const wrong: number[] = [];
  const scalars: bigint[] = [];
  for (const [from, body] of bodies) {
    try {
      const scalar = suite.decodeScalar(body as Uint8Array, 'summand');
      if (isCommitted(scalar, commitment(from), suite)) scalars.push(scalar);
      else wrong.push(from);
    } catch {
      wrong.push(from);
    } finally {
      if (body instanceof Uint8Array) body.fill(0);
    }
  }
  if (wrong.length > 0)
    throw blame(wrong, `sent party ${self} a value that is not what was committed to`);
  return scalars;
}
