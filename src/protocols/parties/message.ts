/**
 * Round messages: what one party of a session tells another, or all others. Signed by the sender's session key, bound to
 * session, round, addressee and roster, and sealed to the recipient whenever there is one: broadcasts are clear, all else is
 * private. Whether a message is new, repeated or contradicts an earlier one is judged in `inbox`.
 * @see docs/spec/party-message.md
 */
import { openHpke, sealHpke } from '#carriage/wrapping/hpke';
import type { RandomSource, SignatureImplementation } from '#crypto/descriptor';
import { sha256 } from '#crypto/hash';
import { resolve } from '#crypto/registry';
import { concat, equal, utf8 } from '#formats/bytes';
import { type Cbor, type CborMap, decodeCbor, encodeCbor } from '#formats/cbor';
import { InputError, InternalError, NegativeError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { DIGEST_BYTES, MAX_PARTY, partyOf, type Roster, rosterDigest } from './roster.js';

/** Longest accepted message. Threshold ECDSA's oblivious transfers are the largest bodies, about 250 KB. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** Longest `type`. */
const MAX_TYPE = 32;
const TYPE = /^[a-z][a-z0-9-]*$/;
const MAX_ROUND = 0xff;
const ED25519_SIGNATURE_BYTES = 64;
const X_WING_CIPHERTEXT_BYTES = 1120;
const AEAD_TAG_BYTES = 16;
const DOMAIN = utf8('conclave-message-v1\0');
const HPKE_INFO = utf8('conclave-message-v1');

/** CBOR keys of a message. */
const KEY = {
  version: 0,
  session: 1,
  round: 2,
  sender: 3,
  recipient: 4,
  roster: 5,
  type: 6,
  body: 7,
  enc: 8,
  sealed: 9,
  signature: 10,
} as const;

/** What is in clear in every message, and authenticated by both signature and seal. */
export interface MessageHeader {
  readonly session: Uint8Array;
  /** From 1. */
  readonly round: number;
  readonly sender: number;
  /** `null` for a broadcast. */
  readonly recipient: number | null;
  readonly rosterDigest: Uint8Array;
  /** What the body is, in the protocol's words, e.g. `commitments`. */
  readonly type: string;
}

/** A message as it travels: parsed, its signature not yet checked. */
export interface Message {
  readonly header: MessageHeader;
  readonly content:
    | { readonly kind: 'broadcast'; readonly body: Uint8Array }
    | { readonly kind: 'private'; readonly enc: Uint8Array; readonly sealed: Uint8Array };
  /** 64 bytes, Ed25519. */
  readonly signature: Uint8Array;
}

/** A message whose signature is good, that belongs to the session and is addressed to the reader or to all. */
export interface ReceivedMessage {
  readonly header: MessageHeader;
  /** In clear. Of private messages this is a secret that the receiver wipes. */
  readonly body: Uint8Array;
  /** SHA-256 over what was signed: two messages for one slot with different digests are an equivocation. */
  readonly digest: Uint8Array;
}

/**
 * A message, signed, and sealed when it has a recipient.
 * @param message - `body` and `seed`, the sender's Ed25519 session seed, are borrowed; `random` is for the seal
 * @throws {@link InternalError} `E_MESSAGE_UNSENDABLE` for a sender or recipient outside the roster, a round, type or body
 * that messages cannot carry
 */
export async function writeMessage(message: {
  readonly roster: Roster;
  readonly round: number;
  readonly sender: number;
  readonly recipient: number | null;
  readonly type: string;
  readonly body: Uint8Array;
  readonly seed: SecretBytes;
  readonly random: RandomSource;
}): Promise<Uint8Array> {
  const { roster, round, sender, recipient, type, body } = message;
  const addressee = recipient === null ? null : partyOf(roster, recipient);
  if (
    partyOf(roster, sender) === undefined ||
    addressee === undefined ||
    recipient === sender ||
    !isRound(round) ||
    !isType(type) ||
    body.length > MAX_MESSAGE_BYTES - 2048
  ) {
    throw new InternalError({
      code: 'E_MESSAGE_UNSENDABLE',
      message: `party ${sender} cannot send ${JSON.stringify(type)} in round ${round}`,
    });
  }
  const header: MessageHeader = {
    session: roster.session,
    round,
    sender,
    recipient,
    rosterDigest: rosterDigest(roster),
    type,
  };
  const members = headerMembers(header);
  if (addressee === null) {
    members.set(KEY.body, body);
  } else {
    const { enc, sealed } = await sealHpke({
      descriptor: await resolve('x-wing'),
      publicKey: addressee.xWing,
      info: HPKE_INFO,
      aad: encodeCbor(members),
      plaintext: body,
      random: message.random,
    });
    members.set(KEY.enc, enc).set(KEY.sealed, sealed);
  }
  const ed25519 = await sessionSigner();
  const signature = message.seed.use((seed) => ed25519.sign(toBeSigned(members), seed));
  return encodeCbor(members.set(KEY.signature, signature));
}

/**
 * A message's parts. Nothing is believed yet.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_MESSAGE_MALFORMED` and the errors of the CBOR reader
 */
export function decodeMessage(bytes: Uint8Array, what: string): Message {
  const value = decodeCbor(bytes, what, { maxBytes: MAX_MESSAGE_BYTES, maxDepth: 2 });
  if (!(value instanceof Map)) throw malformed(what, 'it is not a map');
  const map = value as CborMap;
  if (map.get(KEY.version) !== 1) throw malformed(what, 'its version is not 1');
  const round = map.get(KEY.round);
  const sender = map.get(KEY.sender);
  const recipient = map.get(KEY.recipient);
  const type = map.get(KEY.type);
  if (!isRound(round)) throw malformed(what, `the round is not from 1 to ${MAX_ROUND}`);
  if (!isParty(sender)) throw malformed(what, `the sender is not from 1 to ${MAX_PARTY}`);
  if (recipient !== null && !isParty(recipient)) {
    throw malformed(what, `the recipient is neither null nor from 1 to ${MAX_PARTY}`);
  }
  if (recipient === sender) throw malformed(what, 'sender and recipient are the same');
  if (!isType(type)) throw malformed(what, 'the type is not a short lower-case name');
  const header: MessageHeader = {
    session: bytesOf(map, KEY.session, what, DIGEST_BYTES),
    round,
    sender,
    recipient,
    rosterDigest: bytesOf(map, KEY.roster, what, DIGEST_BYTES),
    type,
  };
  const signature = bytesOf(map, KEY.signature, what, ED25519_SIGNATURE_BYTES);
  if (recipient === null) {
    onlySize(map, 9, what);
    return {
      header,
      content: { kind: 'broadcast', body: bytesOf(map, KEY.body, what) },
      signature,
    };
  }
  onlySize(map, 10, what);
  const enc = bytesOf(map, KEY.enc, what, X_WING_CIPHERTEXT_BYTES);
  const sealed = bytesOf(map, KEY.sealed, what);
  if (sealed.length < AEAD_TAG_BYTES) throw malformed(what, 'the sealed body is too short');
  return { header, content: { kind: 'private', enc, sealed }, signature };
}

/**
 * Whether a message belongs to this session and was signed by the party that it names. Anybody may check this, not only its
 * addressee.
 * @returns SHA-256 over what was signed
 * @throws {@link NegativeError} `E_MESSAGE_FOREIGN` for another session or roster, `E_MESSAGE_STRANGER` for a sender or
 * recipient who takes no part, `E_MESSAGE_FORGED` for a wrong signature (which tells nothing about the sender: anybody can
 * write a name)
 */
export async function authenticateMessage(
  message: Message,
  roster: Roster,
  what: string,
): Promise<Uint8Array> {
  const { header, signature } = message;
  if (!equal(header.session, roster.session)) {
    throw refused('E_MESSAGE_FOREIGN', `${what} belongs to another session`);
  }
  if (!equal(header.rosterDigest, rosterDigest(roster))) {
    throw refused('E_MESSAGE_FOREIGN', `${what} was written for another roster of this session`);
  }
  const sender = partyOf(roster, header.sender);
  if (sender === undefined) {
    throw refused('E_MESSAGE_STRANGER', `${what} names party ${header.sender}, who takes no part`);
  }
  if (header.recipient !== null && partyOf(roster, header.recipient) === undefined) {
    throw refused(
      'E_MESSAGE_STRANGER',
      `${what} is addressed to party ${header.recipient}, who takes no part`,
    );
  }
  const signed = toBeSigned(messageMembers(message));
  if (!(await sessionSigner()).verify(signature, signed, sender.ed25519)) {
    throw refused(
      'E_MESSAGE_FORGED',
      `${what} was not signed by party ${header.sender}`,
      'it was damaged or changed on the way, by whomever: leave it out, and ask that party for the file again',
    );
  }
  return sha256(signed);
}

/**
 * A message as its reader may rely on it: authenticated, addressed to `self` or to all, opened.
 * @param reader - `seed` is the reader's x-wing session seed, borrowed
 * @throws {@link NegativeError} as {@link authenticateMessage}; `E_MESSAGE_NOT_OURS` when it is sealed to somebody else or
 * one's own; `E_MESSAGE_UNSEALED` when the seal does not open although the signature is good: then `details.culprits`
 * names the sender
 */
export async function readMessage(
  bytes: Uint8Array,
  what: string,
  reader: { readonly roster: Roster; readonly self: number; readonly seed: SecretBytes },
): Promise<ReceivedMessage> {
  const message = decodeMessage(bytes, what);
  const { header, content } = message;
  const digest = await authenticateMessage(message, reader.roster, what);
  if (header.sender === reader.self) {
    throw refused('E_MESSAGE_NOT_OURS', `${what} was sent by party ${reader.self} itself`);
  }
  if (header.recipient !== null && header.recipient !== reader.self) {
    throw refused('E_MESSAGE_NOT_OURS', `${what} is addressed to party ${header.recipient}`);
  }
  if (content.kind === 'broadcast') return { header, body: content.body, digest };
  return { header, body: await unseal(header, content, reader.seed, what), digest };
}

/** The digest that {@link authenticateMessage} returns, for a message that one wrote oneself. */
export function messageDigest(message: Message): Uint8Array {
  return sha256(toBeSigned(messageMembers(message)));
}

async function unseal(
  header: MessageHeader,
  content: { readonly enc: Uint8Array; readonly sealed: Uint8Array },
  seed: SecretBytes,
  what: string,
): Promise<Uint8Array> {
  // HPKE is asynchronous and a loan is not: the copy lives exactly as long as the call.
  const secret = seed.use((bytes) => bytes.slice());
  try {
    return await openHpke({
      descriptor: await resolve('x-wing'),
      secret,
      enc: content.enc,
      info: HPKE_INFO,
      aad: encodeCbor(headerMembers(header)),
      sealed: content.sealed,
      what,
    });
  } catch (cause) {
    if (!(cause instanceof NegativeError)) throw cause;
    throw new NegativeError({
      code: 'E_MESSAGE_UNSEALED',
      message: `${what} is signed by party ${header.sender} but does not open`,
      details: { culprits: [header.sender] },
      cause,
    });
  } finally {
    secret.fill(0);
  }
}

function headerMembers(header: MessageHeader): Map<number, Cbor> {
  return new Map<number, Cbor>([
    [KEY.version, 1],
    [KEY.session, header.session],
    [KEY.round, header.round],
    [KEY.sender, header.sender],
    [KEY.recipient, header.recipient],
    [KEY.roster, header.rosterDigest],
    [KEY.type, header.type],
  ]);
}

function messageMembers({ header, content }: Message): Map<number, Cbor> {
  const members = headerMembers(header);
  return content.kind === 'broadcast'
    ? members.set(KEY.body, content.body)
    : members.set(KEY.enc, content.enc).set(KEY.sealed, content.sealed);
}

function toBeSigned(members: CborMap): Uint8Array {
  return concat(DOMAIN, encodeCbor(members));
}

async function sessionSigner(): Promise<SignatureImplementation> {
  const implementation = await (await resolve('ed25519')).load();
  if (implementation.kind !== 'signature') {
    throw new InternalError({
      code: 'E_MESSAGE_ALGORITHM',
      message: 'ed25519 is not a signature algorithm',
    });
  }
  return implementation;
}

/** Whether a value can be the round of a message. */
export function isRound(value: Cbor | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_ROUND;
}

function isParty(value: Cbor | undefined): value is number {
  return typeof value === 'number' && value >= 1 && value <= MAX_PARTY;
}

/** Whether a value can be the type of a message. */
export function isType(value: Cbor | undefined): value is string {
  return typeof value === 'string' && value.length <= MAX_TYPE && TYPE.test(value);
}

function bytesOf(map: CborMap, key: number, what: string, length?: number): Uint8Array {
  const value = map.get(key);
  if (!(value instanceof Uint8Array)) throw malformed(what, `member ${key} is not a byte string`);
  if (length !== undefined && value.length !== length) {
    throw malformed(what, `member ${key} is not ${length} bytes long`);
  }
  return value;
}

function onlySize(map: CborMap, size: number, what: string): void {
  if (map.size !== size) throw malformed(what, 'it has other members than its kind');
}

function malformed(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_MESSAGE_MALFORMED',
    message: `${what} is not a round message: ${problem}`,
  });
}

function refused(
  code: 'E_MESSAGE_FOREIGN' | 'E_MESSAGE_STRANGER' | 'E_MESSAGE_FORGED' | 'E_MESSAGE_NOT_OURS',
  message: string,
  hint?: string,
): NegativeError {
  return new NegativeError({ code, message, ...(hint === undefined ? {} : { hint }) });
}
