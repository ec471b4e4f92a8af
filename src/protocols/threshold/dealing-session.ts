/**
 * Key generation, refresh and resharing as one protocol in four rounds. Contributors deal polynomials: with a random constant
 * that they prove to know (keygen), with zero (refresh), or with their weighted share of the key (reshare). Receivers add up
 * their parts. At the end everybody acknowledges one group record, or there is none.
 * @see docs/spec/threshold.md, "Key generation", "Refresh and removal", "Resharing"
 */
import { newOpening, openedShare } from '#crypto/frost/commitment';
import type { FrostSuite } from '#crypto/frost/suite';
import { type GroupPoint, mod } from '#crypto/math/prime-group';
import type { Cbor } from '#formats/cbor';
import { InternalError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { blame } from './culprit.js';
import {
  changePoint,
  changeShare,
  deal,
  type Dealing,
  isConstantProven,
  isPart,
  lagrangeOf,
  partFor,
  proveConstant,
  publicShareAt,
  readCommitments,
  sumCommitments,
  taprootChange,
} from './dealing.js';
import {
  bytesIn,
  checkEchoes,
  echoBody,
  type Exchange,
  listIn,
  othersOf,
  partsOf,
} from './exchange.js';
import { conclude, type Outcome } from './conclusion.js';
import type { Start } from './start-message.js';

const COMMITMENTS = 'commitments';
const PART = 'part';
const ECHO = 'echo';

/**
 * Runs a key generation, refresh or resharing.
 * @param old - x_i ‖ r_i of this party under the group of the start message, borrowed; absent where it holds none
 */
export async function runDealing(
  start: Start,
  exchange: Exchange,
  old: SecretBytes | undefined,
): Promise<Outcome> {
  const { message, suite } = start;
  const { contributors, receivers, threshold } = message;
  const { self } = exchange;
  const everybody = message.parties.map(({ number }) => number);
  const contributes = contributors.includes(self);
  const receives = receivers.includes(self);

  // Round 1: the contributors commit to their polynomials.
  const own = contributes ? ownDealing(start, exchange, old) : undefined;
  if (own !== undefined) {
    await exchange.broadcast(1, COMMITMENTS, commitmentBody(start, exchange, own));
  }
  const heard = exchange.hear(1, COMMITMENTS, contributors);
  const dealings = new Map<number, readonly GroupPoint[]>();
  for (const dealer of contributors) {
    const body = heard.get(dealer);
    dealings.set(
      dealer,
      body === undefined
        ? (own as Dealing).commitments
        : exchange.known('dealing', 1, COMMITMENTS, [dealer], () =>
            readDealing(start, dealer, body),
          ),
    );
  }

  // Round 2: parts to the receivers, and to everybody what was heard in round 1.
  if (own !== undefined) {
    for (const receiver of receivers) {
      if (receiver === self) continue;
      await exchange.tell(2, PART, receiver, suite.encodeScalar(partFor(own, receiver, suite)));
    }
  }
  const echo = exchange.echo(1, COMMITMENTS, contributors);
  await exchange.broadcast(2, ECHO, echoBody(echo));
  checkEchoes(echo, exchange.hear(2, ECHO, othersOf(exchange.roster, self)));
  const share = receives ? receivedShare(start, exchange, own, dealings) : undefined;

  const made = exchange.known('group', 1, COMMITMENTS, contributors, () =>
    newGroup(start, sumCommitments([...dealings.values()], threshold, suite.group)),
  );
  const total =
    share === undefined
      ? undefined
      : message.operation === 'refresh'
        ? mod(share + oldShare(old, suite), suite.group.order)
        : made.finish(share);
  const opening =
    total === undefined ? undefined : newOpening(total, suite, exchange.coins('opening'));
  return await conclude(start, exchange, everybody, { ...made, opening });
}

/** What this party deals. */
function ownDealing(start: Start, exchange: Exchange, old: SecretBytes | undefined): Dealing {
  const { message, suite } = start;
  const coins = exchange.coins('dealing');
  switch (message.operation) {
    case 'keygen':
      // Whoever deals alone may deal a key that exists.
      return deal(
        old === undefined ? undefined : oldShare(old, suite),
        message.threshold,
        suite,
        coins,
      );
    case 'refresh':
      return deal(0n, message.threshold, suite, coins);
    default: {
      const factor = lagrangeOf(message.contributors, suite).get(exchange.self) as bigint;
      const constant = mod(factor * oldShare(old, suite), suite.group.order);
      return deal(constant, message.threshold, suite, coins);
    }
  }
}

function oldShare(old: SecretBytes | undefined, suite: FrostSuite): bigint {
  if (old !== undefined) return old.use((bytes) => openedShare(bytes, suite));
  throw new InternalError({
    code: 'E_THRESHOLD_SHARE',
    message: 'a contributor takes part without its share',
  });
}

/** Commitments, and for a new key the proof. Where everybody knows the constant to be zero, its commitment is left out. */
function commitmentBody(start: Start, exchange: Exchange, own: Dealing): Cbor {
  const { message, suite, terms } = start;
  const points = own.commitments;
  const sent = (message.operation === 'refresh' ? points.slice(1) : points).map((point) =>
    point.toBytes(),
  );
  const proof =
    message.operation === 'keygen'
      ? proveConstant(suite, exchange.self, own, terms, exchange.coins('proof'))
      : null;
  return [sent, proof];
}

/** A dealer's commitments from its body, checked by what everybody knows. @throws NegativeError `E_THRESHOLD_CULPRIT` */
export function readDealing(start: Start, dealer: number, body: Cbor): readonly GroupPoint[] {
  const { message, suite, group, terms } = start;
  const { operation, threshold } = message;
  const [list, proof] = partsOf(body, 2, dealer, 'its commitments');
  const sent = listIn(list, dealer, 'its commitments');
  if (operation === 'refresh') {
    if (proof !== null)
      throw blame([dealer], 'sent its commitments in another form than agreed on');
    return [suite.group.identity, ...readCommitments(sent, dealer, threshold - 1, suite)];
  }
  const commitments = readCommitments(sent, dealer, threshold, suite);
  const constant = commitments[0] as GroupPoint;
  if (operation === 'keygen') {
    const bytes = bytesIn(proof, dealer, 'its proof');
    if (!isConstantProven(suite, dealer, constant, bytes, terms)) {
      throw blame([dealer], 'sent a proof of its constant that does not hold');
    }
    return commitments;
  }
  if (proof !== null) throw blame([dealer], 'sent its commitments in another form than agreed on');
  const factor = lagrangeOf(message.contributors, suite).get(dealer) as bigint;
  const owed = group?.publicShares.get(dealer)?.multiplyUnsafe(factor);
  if (owed?.equals(constant) !== true) {
    throw blame([dealer], 'deals another value than its weighted share');
  }
  return commitments;
}

/** The sum of the parts that this party received, each checked against its dealer's commitments. */
function receivedShare(
  { message, suite }: Start,
  exchange: Exchange,
  own: Dealing | undefined,
  dealings: ReadonlyMap<number, readonly GroupPoint[]>,
): bigint {
  const { self } = exchange;
  const parts = exchange.hear(2, PART, message.contributors, 'self');
  const wrong: number[] = [];
  let sum = own === undefined ? 0n : partFor(own, self, suite);
  for (const [dealer, body] of parts) {
    const part = scalarOrNone(body, suite);
    const commitments = dealings.get(dealer) as readonly GroupPoint[];
    if (part === undefined || !isPart(part, commitments, self, suite)) wrong.push(dealer);
    else sum = mod(sum + part, suite.group.order);
  }
  if (wrong.length > 0)
    throw blame(wrong, `sent party ${self} a part that is not what it committed to`);
  return sum;
}

function scalarOrNone(body: Cbor, suite: FrostSuite): bigint | undefined {
  if (!(body instanceof Uint8Array)) return undefined;
  try {
    return suite.decodeScalar(body, 'part');
  } catch {
    return undefined;
  } finally {
    body.fill(0);
  }
}

/**
 * Key and public shares after the session, and how a received sum becomes a share.
 * @param sum - commitments of all dealings, added up
 */
export function newGroup(
  { message, suite, group }: Start,
  sum: readonly GroupPoint[],
): {
  readonly key: GroupPoint;
  readonly publicShares: ReadonlyMap<number, GroupPoint>;
  readonly finish: (share: bigint) => bigint;
} {
  const at = (number: number): GroupPoint => publicShareAt(sum, number, suite);
  const shares = (of: (number: number) => GroupPoint): ReadonlyMap<number, GroupPoint> =>
    new Map(message.receivers.map((number) => [number, of(number)]));
  if (message.operation === 'keygen') {
    const plain = sum[0] as GroupPoint;
    if (plain.is0()) throw blame(message.contributors, 'dealt a key that is the identity');
    if (!suite.evenY) return { key: plain, publicShares: shares(at), finish: (share) => share };
    const change = taprootChange(plain, suite);
    return {
      key: changePoint(plain, change, suite),
      publicShares: shares((number) => changePoint(at(number), change, suite)),
      finish: (share) => changeShare(share, change, suite),
    };
  }
  const before = group as NonNullable<typeof group>;
  if (message.operation === 'refresh') {
    return {
      key: before.key,
      publicShares: shares((number) =>
        (before.publicShares.get(number) as GroupPoint).add(at(number)),
      ),
      finish: (share) => share,
    };
  }
  // Σ λ_i·Y_i is the key; a record whose public shares said otherwise would not have been read.
  return { key: before.key, publicShares: shares(at), finish: (share) => share };
}
