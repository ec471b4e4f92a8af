/**
 * What a party makes of the messages that have arrived: pure judgements over headers and digests. Who repeated, who said two
 * different things, who is missing, and whether everybody heard the same broadcast.
 * @see docs/spec/party-message.md
 */
import { sha256 } from '#crypto/hash';
import { concat, equal, toHex, u16be, utf8 } from '#formats/bytes';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { InputError } from '#formats/errors';
import {
  authenticateMessage,
  decodeMessage,
  isRound,
  isType,
  type MessageHeader,
} from './message.js';
import { DIGEST_BYTES, MAX_PARTIES, MAX_PARTY, type Roster, rosterDigest } from './roster.js';

const ECHO_DOMAIN = utf8('conclave-echo-v1\0');

/** Authenticated messages by slot: {@link slotOf} to the hex of the message's digest. Plain data, for a state file. */
export type Seen = Readonly<Record<string, string>>;

/** What an authenticated message is in the light of those before it. */
export type Judgement =
  | { readonly verdict: 'new'; readonly seen: Seen }
  /** The very message that is known already. Refused, and nobody's fault: files are copied. */
  | { readonly verdict: 'replay' }
  /** Another message in a slot that is taken: its signer said two things. */
  | { readonly verdict: 'equivocation'; readonly culprit: number }
  /** A message of a round that is over, and never seen in it: too late to count. */
  | { readonly verdict: 'stale' }
  /** A message of a round that has not begun here: keep it and offer it again then. */
  | { readonly verdict: 'early' };

/** The place of a message: each can be taken once. */
export function slotOf(
  header: Pick<MessageHeader, 'round' | 'type' | 'sender' | 'recipient'>,
): string {
  return `${header.round}/${header.type}/${header.sender}/${header.recipient ?? 'all'}`;
}

/**
 * Judges an authenticated message. Equivocation is found in any round, also one that is over.
 * @param round - the round that this party is in
 */
export function judge(
  message: { readonly header: MessageHeader; readonly digest: Uint8Array },
  seen: Seen,
  round: number,
): Judgement {
  const { header } = message;
  const slot = slotOf(header);
  const digest = toHex(message.digest);
  const known = Object.hasOwn(seen, slot) ? seen[slot] : undefined;
  if (known !== undefined) {
    return known === digest
      ? { verdict: 'replay' }
      : { verdict: 'equivocation', culprit: header.sender };
  }
  if (header.round < round) return { verdict: 'stale' };
  if (header.round > round) return { verdict: 'early' };
  return { verdict: 'new', seen: { ...seen, [slot]: digest } };
}

/** Numbers of the parties whose message of this round and type has not arrived at `self`. */
export function missingFrom(
  roster: Roster,
  self: number,
  expected: { readonly round: number; readonly type: string; readonly to: 'all' | 'self' },
  seen: Seen,
): readonly number[] {
  const { round, type } = expected;
  const recipient = expected.to === 'all' ? null : self;
  return roster.parties
    .map(({ number }) => number)
    .filter((sender) => sender !== self)
    .filter((sender) => !Object.hasOwn(seen, slotOf({ round, type, sender, recipient })));
}

/** What a party heard in one broadcast round: its own message and all others', by sender. */
export interface Echo {
  readonly round: number;
  readonly type: string;
  /** Digest by party number, ascending. */
  readonly heard: readonly { readonly sender: number; readonly digest: Uint8Array }[];
}

/**
 * One hash over a whole broadcast round: equal for all parties exactly if all heard the same. Short enough to be read aloud
 * or bound into the next round.
 */
export function echoDigest(roster: Roster, echo: Echo): Uint8Array {
  return sha256(
    ECHO_DOMAIN,
    rosterDigest(roster),
    u16be(echo.round),
    utf8(echo.type),
    Uint8Array.of(0),
    ...echo.heard.map(({ sender, digest }) => concat(u16be(sender), digest)),
  );
}

/** The body of an `echo` message: deterministic CBOR [round, type, [[sender, digest] …]]. */
export function encodeEcho(echo: Echo): Uint8Array {
  return encodeCbor([
    echo.round,
    echo.type,
    echo.heard.map(({ sender, digest }): Cbor => [sender, digest]),
  ]);
}

/** An echo from a message's body. @throws {@link InputError} `E_ECHO_MALFORMED` and the errors of the CBOR reader */
export function decodeEcho(body: Uint8Array, what: string): Echo {
  const value = decodeCbor(body, what, { maxBytes: 16 * 1024, maxDepth: 3 });
  if (!Array.isArray(value) || value.length !== 3) throw malformed(what);
  const [round, type, heard] = value as readonly Cbor[];
  if (!isRound(round) || !isType(type) || !Array.isArray(heard) || heard.length > MAX_PARTIES) {
    throw malformed(what);
  }
  let before = 0;
  const entries = (heard as readonly Cbor[]).map((item) => {
    if (!Array.isArray(item) || item.length !== 2) throw malformed(what);
    const [sender, digest] = item as readonly Cbor[];
    if (typeof sender !== 'number' || sender <= before || sender > MAX_PARTY) throw malformed(what);
    if (!(digest instanceof Uint8Array) || digest.length !== DIGEST_BYTES) throw malformed(what);
    before = sender;
    return { sender, digest };
  });
  return { round, type, heard: entries };
}

/**
 * Senders about whom two echoes of the same round disagree, or whom only one of them heard. It names the broadcasts to lay
 * side by side, not yet a culprit: the sender may have said two things, or the echoing party may lie. The two signed
 * messages decide; see {@link proveEquivocation}.
 */
export function compareEchoes(mine: Echo, theirs: Echo): readonly number[] {
  if (mine.round !== theirs.round || mine.type !== theirs.type) {
    return [...new Set([...mine.heard, ...theirs.heard].map(({ sender }) => sender))].sort(
      (a, b) => a - b,
    );
  }
  const digests = (echo: Echo): Map<number, string> =>
    new Map(echo.heard.map(({ sender, digest }) => [sender, toHex(digest)]));
  const [a, b] = [digests(mine), digests(theirs)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((sender) => a.get(sender) !== b.get(sender))
    .sort((x, y) => x - y);
}

/**
 * The party that signed two different messages for one slot, or undefined when these two prove nothing. Anybody with the
 * roster can check it.
 * @throws the errors of reading and authenticating either message
 */
export async function proveEquivocation(
  roster: Roster,
  first: { readonly bytes: Uint8Array; readonly what: string },
  second: { readonly bytes: Uint8Array; readonly what: string },
): Promise<number | undefined> {
  const a = decodeMessage(first.bytes, first.what);
  const b = decodeMessage(second.bytes, second.what);
  const digestA = await authenticateMessage(a, roster, first.what);
  const digestB = await authenticateMessage(b, roster, second.what);
  return slotOf(a.header) === slotOf(b.header) && !equal(digestA, digestB)
    ? a.header.sender
    : undefined;
}

function malformed(what: string): InputError {
  return new InputError({ code: 'E_ECHO_MALFORMED', message: `${what} is not an echo` });
}
