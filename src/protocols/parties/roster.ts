/**
 * Who takes part in one session of a protocol, under which keys, on which terms. Every round message names the roster's
 * digest, so two parties that believe in different rosters cannot talk past each other.
 * @see docs/spec/party-message.md
 */
import { sha256 } from '#crypto/hash';
import { equal, utf8 } from '#formats/bytes';
import { type Cbor, type CborMap, decodeCbor, encodeCbor } from '#formats/cbor';
import { InputError } from '#formats/errors';

/** Length of a session id, of the terms' digest and of the roster's digest. */
export const DIGEST_BYTES = 32;

/** Largest party number; numbers are FROST identifiers as well, so 0 is nobody. */
export const MAX_PARTY = 0xffff;

/** Most parties of a session. */
export const MAX_PARTIES = 255;

const ED25519_BYTES = 32;
const X_WING_BYTES = 1216;
const DOMAIN = utf8('conclave-roster-v1\0');
const PURPOSE = /^[a-z0-9][a-z0-9/+.-]{0,63}$/;
const MAX_ROSTER_BYTES = 512 * 1024;

/** One participant of a session. */
export interface Party {
  /** 1 to 65535. */
  readonly number: number;
  /** Id of the identity that certified the session keys, 32 bytes. */
  readonly identity: Uint8Array;
  /** Raw Ed25519 key of this session, 32 bytes. */
  readonly ed25519: Uint8Array;
  /** Raw x-wing key of this session, 1216 bytes. */
  readonly xWing: Uint8Array;
}

/** A session's participants and terms. */
export interface Roster {
  /** 32 random bytes. */
  readonly session: Uint8Array;
  /** Protocol and operation, e.g. `frost-ed25519/keygen`. */
  readonly purpose: string;
  /** SHA-256 over whatever the protocol must have agreed on before it starts: thresholds, policy digest, key, message. */
  readonly terms: Uint8Array;
  /** Ascending by number. */
  readonly parties: readonly Party[];
}

/**
 * A roster, its parties put in order.
 * @throws {@link InputError} `E_ROSTER_MALFORMED` for a number, identity or key that occurs twice, or wrong lengths
 */
export function makeRoster(roster: Roster): Roster {
  const parties = [...roster.parties].sort((a, b) => a.number - b.number);
  return checked({ ...roster, parties }, 'roster');
}

/** The one encoding of a roster: deterministic CBOR. */
export function encodeRoster(roster: Roster): Uint8Array {
  return encodeCbor(
    new Map<number, Cbor>([
      [0, 1],
      [1, roster.session],
      [2, roster.purpose],
      [3, roster.terms],
      [4, roster.parties.map((p) => [p.number, p.identity, p.ed25519, p.xWing])],
    ]),
  );
}

/**
 * A roster from its bytes.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_ROSTER_MALFORMED` and the errors of the CBOR reader
 */
export function decodeRoster(bytes: Uint8Array, what: string): Roster {
  const value = decodeCbor(bytes, what, { maxBytes: MAX_ROSTER_BYTES, maxDepth: 4 });
  if (!(value instanceof Map)) throw malformed(what, 'it is not a map');
  const map = value as CborMap;
  const [version, session, purpose, terms, parties] = [0, 1, 2, 3, 4].map((key) => map.get(key));
  if (map.size !== 5 || version !== 1)
    throw malformed(what, 'its members are not those of version 1');
  if (
    !(session instanceof Uint8Array) ||
    typeof purpose !== 'string' ||
    !(terms instanceof Uint8Array) ||
    !Array.isArray(parties)
  ) {
    throw malformed(what, 'a member has the wrong type');
  }
  const read = (parties as readonly Cbor[]).map((party) => readParty(party, what));
  return checked({ session, purpose, terms, parties: read }, what);
}

/** SHA-256 over `conclave-roster-v1`, a zero byte and the roster's encoding; 32 bytes. */
export function rosterDigest(roster: Roster): Uint8Array {
  return sha256(DOMAIN, encodeRoster(roster));
}

/** The party with a number, if it takes part. */
export function partyOf(roster: Roster, number: number): Party | undefined {
  return roster.parties.find((party) => party.number === number);
}

function readParty(value: Cbor, what: string): Party {
  if (!Array.isArray(value) || value.length !== 4) throw malformed(what, 'a party is malformed');
  const [number, identity, ed25519, xWing] = value as readonly Cbor[];
  if (
    typeof number !== 'number' ||
    !(identity instanceof Uint8Array) ||
    !(ed25519 instanceof Uint8Array) ||
    !(xWing instanceof Uint8Array)
  ) {
    throw malformed(what, 'a party is malformed');
  }
  return { number, identity, ed25519, xWing };
}

function checked(roster: Roster, what: string): Roster {
  const { session, purpose, terms, parties } = roster;
  if (session.length !== DIGEST_BYTES || terms.length !== DIGEST_BYTES) {
    throw malformed(what, 'session id and terms have 32 bytes each');
  }
  if (!PURPOSE.test(purpose)) throw malformed(what, 'the purpose is not a short lower-case name');
  if (parties.length === 0 || parties.length > MAX_PARTIES) {
    throw malformed(what, `1 to ${MAX_PARTIES} parties can take part`);
  }
  for (const [i, party] of parties.entries()) {
    if (!Number.isInteger(party.number) || party.number < 1 || party.number > MAX_PARTY) {
      throw malformed(what, `party numbers go from 1 to ${MAX_PARTY}`);
    }
    if (
      party.identity.length !== DIGEST_BYTES ||
      party.ed25519.length !== ED25519_BYTES ||
      party.xWing.length !== X_WING_BYTES
    ) {
      throw malformed(what, `an identity or key of party ${party.number} has the wrong length`);
    }
    const before = parties.slice(0, i);
    if (before.some(({ number }) => number >= party.number)) {
      throw malformed(what, 'party numbers are repeated or out of order');
    }
    // One person under two numbers would count twice in a threshold; one key under two would let one speak for the other.
    if (
      before.some(
        (other) =>
          equal(other.identity, party.identity) ||
          equal(other.ed25519, party.ed25519) ||
          equal(other.xWing, party.xWing),
      )
    ) {
      throw malformed(what, `party ${party.number} shares an identity or key with another`);
    }
  }
  return roster;
}

function malformed(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_ROSTER_MALFORMED',
    message: `${what} is not a roster: ${problem}`,
  });
}
