/**
 * One party's view of a session: what it has said, what it has heard, and who is silent. A protocol is a function over it that
 * says its messages in order and asks for those of the others; where one is missing it stops, and the whole function runs again
 * when more has arrived. Everything random comes from the session's seed under a label, so that running again says exactly the
 * same: a crash between writing down and telling never makes two versions of a message.
 */
import type { RandomSource } from '#crypto/descriptor';
import type { Committed } from '#crypto/frost/commitment';
import { sha256, shake256 } from '#crypto/hash';
import { equal, toHex, u32be, utf8 } from '#formats/bytes';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { InternalError, NegativeError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { compareEchoes, decodeEcho, type Echo, encodeEcho, slotOf } from '#protocols/parties/inbox';
import {
  decodeMessage,
  messageDigest,
  type ReceivedMessage,
  writeMessage,
} from '#protocols/parties/message';
import { MAX_PARTIES, type Roster, rosterDigest } from '#protocols/parties/roster';
import { blame } from './culprit.js';

const DOMAIN = utf8('conclave-threshold-coins-v1\0');
const MAX_BODY_BYTES = 64 * 1024;

/** A message that this party says. */
export interface Said {
  readonly round: number;
  readonly type: string;
  readonly recipient: number | null;
  readonly bytes: Uint8Array;
  /** SHA-256 over what is signed. */
  readonly digest: Uint8Array;
  /** A file that goes beside the message, whose digest is in it. */
  readonly enclosure?: Uint8Array;
}

/** What a run of a protocol came to. */
export type Progress<T> =
  | { readonly done: true; readonly said: readonly Said[]; readonly outcome: T }
  | {
      readonly done: false;
      readonly said: readonly Said[];
      /** Round that is waited for, and the parties whose messages it lacks. */
      readonly round: number;
      readonly missing: readonly number[];
      /** Their messages are there, and what they enclosed is not. */
      readonly enclosed: boolean;
    };

/** Stops a run until more messages are there; never leaves this module's {@link run}. */
class Waiting extends Error {
  readonly round: number;
  readonly missing: readonly number[];
  readonly enclosed: boolean;

  constructor(round: number, missing: readonly number[], enclosed = false) {
    super('waiting');
    this.round = round;
    this.missing = missing;
    this.enclosed = enclosed;
  }
}

/** What a protocol is given. */
export interface Exchange {
  readonly roster: Roster;
  readonly self: number;
  /** Bytes that are the same whenever this label is asked for the same in the same order. */
  coins(label: string): RandomSource;
  /** Says something to everybody. @param enclosure - a file that goes beside it; the body has its digest */
  broadcast(round: number, type: string, body: Cbor, enclosure?: Uint8Array): Promise<void>;
  /** Says something to one other party. @param body - a secret, wiped whatever happens */
  tell(round: number, type: string, recipient: number, body: Uint8Array): Promise<void>;
  /**
   * What each of `from` said in a round, this party itself left out of it where `to` is `self`; waits when one is missing.
   * @param to - a broadcast, or what was told to this party alone
   */
  hear(
    round: number,
    type: string,
    from: readonly number[],
    to?: 'all' | 'self',
  ): ReadonlyMap<number, Cbor>;
  /**
   * The files that others enclosed in a round; waits when one is missing.
   * @param digests - SHA-256 by sender, from their signed messages
   */
  enclosed(
    round: number,
    digests: ReadonlyMap<number, Uint8Array>,
  ): ReadonlyMap<number, Uint8Array>;
  /** A file that this party encloses: made once, and the same whenever it is asked for again. */
  enclosure(make: () => Generator<number, Uint8Array>): Promise<Uint8Array>;
  /** How proofs are made and verified; for sessions that agreed on them. */
  proofs(): OpeningProofs;
  /** Digest of the message in a broadcast slot, one's own included. */
  digestOf(round: number, type: string, sender: number): Uint8Array;
  /**
   * What broadcasts of a round come to, computed once for the very messages: a run that is repeated does not check again what it
   * checked. A refusal is not kept.
   * @param what - tells different results of the same messages apart
   * @param compute - gives what is public, and rests on nothing but these messages and the start message
   */
  known<T>(what: string, round: number, type: string, from: readonly number[], compute: () => T): T;
  /** Says which broadcasts of a round this party heard, for {@link checkEchoes}. */
  echo(round: number, type: string, from: readonly number[]): Echo;
  /** See {@link Seat.once}. */
  readonly once: (name: Uint8Array, use: Uint8Array) => Promise<void> | void;
}

/** Proofs that a commitment opens to its public share. Which system makes them is not a session's matter. */
export interface OpeningProofs {
  /**
   * The file of a proof, step by step; whoever does not run it to its end closes it.
   * @param opening - x_i ‖ r_i, borrowed
   * @param random - 64 bytes that nothing else is made of, borrowed
   */
  prove(
    committed: Committed,
    opening: Uint8Array,
    random: Uint8Array,
  ): Generator<number, Uint8Array>;
  /** @throws what a file that is no proof throws */
  verify(committed: Committed, file: Uint8Array, what: string): { readonly ok: boolean };
}

/** Files beside messages: too long for one, and bound to it by their digest. */
export interface Enclosures {
  readonly proofs: OpeningProofs;
  /** What a party enclosed, this one itself too; undefined until it is there. */
  of(sender: number): Uint8Array | undefined;
  /** Keeps what this party encloses. */
  keep(bytes: Uint8Array): void;
  /** Runs what takes its time, telling how far it is. */
  work<T>(steps: Generator<number, T>): Promise<T>;
}

/** What a party brings to every run. */
export interface Seat {
  readonly roster: Roster;
  readonly self: number;
  /** Ed25519 session seed; borrowed. */
  readonly signing: SecretBytes;
  /** 32 bytes from which all randomness of the session comes; borrowed. */
  readonly seed: SecretBytes;
  /** Messages of earlier runs of the same seat, so that they need not be sealed again; filled by each run. */
  readonly written?: Map<string, Said>;
  /** What earlier runs of the same seat found out, by the digests of the messages it rests on; filled by each run. */
  readonly known?: Map<string, unknown>;
  /** Authenticated, opened, one for each slot. */
  readonly received: readonly ReceivedMessage[];
  /** Absent where nobody encloses anything. */
  readonly enclosures?: Enclosures | undefined;
  /**
   * Writes down durably what a secret is used for, before anything that uses it exists.
   * @throws RefusedError when it was used for something else
   */
  readonly once: (name: Uint8Array, use: Uint8Array) => Promise<void> | void;
}

/**
 * Bytes that are the same whenever a seed and a label are, in the order in which they are drawn.
 * @param seed - 32 bytes, borrowed whenever something is drawn
 */
export function coinsOf(seed: SecretBytes, label: string): RandomSource {
  let drawn = 0;
  return (length) =>
    seed.use((bytes) =>
      shake256(length, DOMAIN, bytes, utf8(label), Uint8Array.of(0), u32be(drawn++)),
    );
}

/** Runs a protocol as far as the messages go. @throws NegativeError `E_THRESHOLD_CULPRIT`, `E_THRESHOLD_ECHO` */
export async function run<T>(
  seat: Seat,
  protocol: (exchange: Exchange) => Promise<T>,
): Promise<Progress<T>> {
  const said: Said[] = [];
  const exchange = createExchange(seat, said);
  try {
    return { done: true, outcome: await protocol(exchange), said };
  } catch (error) {
    if (error instanceof Waiting) {
      const { round, missing, enclosed } = error;
      return { done: false, said, round, missing, enclosed };
    }
    throw error;
  }
}

function createExchange(seat: Seat, said: Said[]): Exchange {
  const { roster, self, received } = seat;
  const coins = (label: string): RandomSource => coinsOf(seat.seed, label);
  const say = async (
    round: number,
    type: string,
    recipient: number | null,
    body: Cbor,
    enclosure?: Uint8Array,
  ): Promise<void> => {
    const encoded = encodeCbor(body);
    try {
      const label = `${round} ${type} ${recipient ?? 0} ${toHex(sha256(encoded))}`;
      const now =
        seat.written?.get(label) ?? (await written(round, type, recipient, encoded, label));
      seat.written?.set(label, now);
      said.push(enclosure === undefined ? now : { ...now, enclosure });
    } finally {
      if (recipient !== null) encoded.fill(0);
    }
  };
  const written = async (
    round: number,
    type: string,
    recipient: number | null,
    body: Uint8Array,
    label: string,
  ): Promise<Said> => {
    const bytes = await writeMessage({
      roster,
      round,
      sender: self,
      recipient,
      type,
      body,
      seed: seat.signing,
      // Bound to what is sealed: the same coins for two different bodies would open both.
      random: coins(`seal ${label}`),
    });
    const digest = messageDigest(decodeMessage(bytes, 'own message'));
    return { round, type, recipient, bytes, digest };
  };
  const enclosures = (): Enclosures => {
    if (seat.enclosures !== undefined) return seat.enclosures;
    throw new InternalError({
      code: 'E_EXCHANGE_ENCLOSURE',
      message: 'there is no place for a file beside a message',
    });
  };
  const find = (
    round: number,
    type: string,
    sender: number,
    recipient: number | null,
  ): ReceivedMessage | undefined => {
    const slot = slotOf({ round, type, sender, recipient });
    return received.find(({ header }) => slotOf(header) === slot);
  };
  const own = (round: number, type: string): Said | undefined =>
    said.find((each) => each.round === round && each.type === type && each.recipient === null);
  return {
    roster,
    self,
    coins,
    once: seat.once,
    broadcast: (round, type, body, enclosure) => say(round, type, null, body, enclosure),
    tell: async (round, type, recipient, body) => {
      try {
        await say(round, type, recipient, body);
      } finally {
        body.fill(0);
      }
    },
    hear: (round, type, from, to = 'all') => {
      const others = from.filter((sender) => sender !== self);
      const recipient = to === 'all' ? null : self;
      const missing = others.filter((sender) => find(round, type, sender, recipient) === undefined);
      if (missing.length > 0) throw new Waiting(round, missing);
      const bodies = new Map<number, Cbor>();
      for (const sender of others) {
        const message = find(round, type, sender, recipient) as ReceivedMessage;
        bodies.set(sender, decodeBody(message.body, sender, type));
      }
      return bodies;
    },
    enclosed: (round, digests) => {
      const found = new Map<number, Uint8Array>();
      for (const [sender, digest] of digests) {
        const bytes = seat.enclosures?.of(sender);
        // Who brings a file is not known; that it is the one is what its sender signed.
        if (bytes !== undefined && equal(sha256(bytes), digest)) found.set(sender, bytes);
      }
      const missing = [...digests.keys()].filter((sender) => !found.has(sender));
      if (missing.length > 0) throw new Waiting(round, missing, true);
      return found;
    },
    enclosure: async (make) => {
      const place = enclosures();
      const before = place.of(self);
      if (before !== undefined) return before;
      const made = await place.work(make());
      place.keep(made);
      return made;
    },
    proofs: () => enclosures().proofs,
    digestOf: (round, type, sender) => {
      const digest =
        sender === self ? own(round, type)?.digest : find(round, type, sender, null)?.digest;
      if (digest !== undefined) return digest;
      throw new InternalError({
        code: 'E_EXCHANGE_ORDER',
        message: `round ${round} of party ${sender} was not heard yet`,
      });
    },
    known<T>(
      what: string,
      round: number,
      type: string,
      from: readonly number[],
      compute: () => T,
    ): T {
      const digests = from.map((sender) => toHex(this.digestOf(round, type, sender)));
      const label = [what, toHex(rosterDigest(roster)), ...digests].join(' ');
      if (seat.known?.has(label) === true) return seat.known.get(label) as T;
      const result = compute();
      seat.known?.set(label, result);
      return result;
    },
    echo(round, type, from) {
      const heard = [...from].sort((a, b) => a - b);
      return {
        round,
        type,
        heard: heard.map((sender) => ({ sender, digest: this.digestOf(round, type, sender) })),
      };
    },
  };
}

/** An echo as a body. */
export function echoBody(echo: Echo): Uint8Array {
  return encodeEcho(echo);
}

/**
 * Compares what the others heard of a round with what this party heard.
 * @throws NegativeError `E_THRESHOLD_ECHO` with `details.disputed`, the parties whose messages differ
 */
export function checkEchoes(mine: Echo, theirs: ReadonlyMap<number, Cbor>): void {
  for (const [party, body] of theirs) {
    if (!(body instanceof Uint8Array)) throw blame([party], 'sent something that is no echo');
    let echo: Echo;
    try {
      echo = decodeEcho(body, 'echo');
    } catch {
      throw blame([party], 'sent something that is no echo');
    }
    const disputed = compareEchoes(mine, echo);
    if (disputed.length === 0) continue;
    const who = disputed.join(', ');
    throw new NegativeError({
      code: 'E_THRESHOLD_ECHO',
      message: `party ${party} heard something else than we did from party ${who} in round ${mine.round}`,
      hint: `either party ${who} said two different things, or party ${party} reports what it did not hear: give this session the copy that party ${party} has, and whoever signed two is named`,
      details: { disputed, reportedBy: party },
    });
  }
}

/** Every party of a roster but one. */
export function othersOf({ parties }: Roster, self: number): readonly number[] {
  return parties.map(({ number }) => number).filter((number) => number !== self);
}

/** A body's parts, or the sender is to blame. */
export function partsOf(body: Cbor, length: number, sender: number, what: string): readonly Cbor[] {
  if (Array.isArray(body) && body.length === length) return body as readonly Cbor[];
  throw blame([sender], `sent ${what} in another form than agreed on`);
}

/** A byte string of a body, or the sender is to blame. */
export function bytesIn(value: Cbor | undefined, sender: number, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw blame([sender], `sent ${what} in another form than agreed on`);
}

/** A list of byte strings of a body, or the sender is to blame. */
export function listIn(
  value: Cbor | undefined,
  sender: number,
  what: string,
): readonly Uint8Array[] {
  if (Array.isArray(value) && value.length <= MAX_PARTIES) {
    return (value as readonly Cbor[]).map((each) => bytesIn(each, sender, what));
  }
  throw blame([sender], `sent ${what} in another form than agreed on`);
}

function decodeBody(body: Uint8Array, sender: number, type: string): Cbor {
  try {
    return decodeCbor(body, type, { maxBytes: MAX_BODY_BYTES, maxDepth: 4 });
  } catch {
    throw blame([sender], `sent ${type} that cannot be read`);
  }
}
