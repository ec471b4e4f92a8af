/**
 * What a party sends when it accepts a start message: its identity's public side, and the identity's word for the session keys.
 * @see docs/spec/threshold.md, "Acceptance"
 */
import { type Identity, identityJson, parseIdentityJson } from '#custody/authority/identity';
import { verifySessionKeys } from '#custody/authority/session-keys';
import type { Party, Roster } from '#protocols/parties/roster';
import { makeRoster } from '#protocols/parties/roster';
import type { Start } from '#protocols/threshold/start-message';
import { equal, fromHex, toBase64, toHex, utf8 } from '#formats/bytes';
import { canonicalJson, parseCanonicalJson } from '#formats/canonical-json';
import { decodeDsse, type DsseEnvelope, encodeDsse } from '#formats/dsse';
import { NegativeError } from '#formats/errors';
import * as s from '#formats/schema';
import { assertCertified, decodeBatch } from './batch-file.js';

/** An identity has 4.5 KB, an envelope 9. */
const MAX_BYTES = 64 * 1024;

const schema = s.object({
  type: s.oneOf('conclave/threshold-acceptance'),
  version: s.oneOf(1),
  /** SHA-256 over the start message, as the roster names it. */
  terms: s.hex(32),
  identity: s.json(),
  /** DSSE envelope of the session keys, base64 of its text. */
  certificate: s.base64(),
});

/** What an acceptance says, before anything is believed. */
export interface Acceptance {
  readonly terms: string;
  readonly identity: Identity;
  readonly certificate: DsseEnvelope;
}

/** Canonical JSON and a line feed. */
export function encodeAcceptance(
  terms: Uint8Array,
  identity: Identity,
  certificate: DsseEnvelope,
): Uint8Array {
  return utf8(
    `${canonicalJson({
      type: 'conclave/threshold-acceptance',
      version: 1,
      terms: toHex(terms),
      identity: identityJson(identity),
      certificate: toBase64(utf8(encodeDsse(certificate))),
    })}\n`,
  );
}

/** @throws InputError `E_SCHEMA_MISMATCH` and those of the readers of identities and envelopes */
export function decodeAcceptance(bytes: Uint8Array, what: string): Acceptance {
  const read = schema.parse(parseCanonicalJson(bytes, what, { maxBytes: MAX_BYTES }), what);
  return {
    terms: read.terms,
    identity: parseIdentityJson(read.identity, `${what}: identity`),
    certificate: decodeDsse(read.certificate, `${what}: certificate`),
  };
}

/**
 * The party that an acceptance makes, or a batch where the start message names prepared nonces, checked against that message.
 * @throws NegativeError `E_ACCEPTANCE_FOREIGN` for another session or somebody who takes no part, `E_BATCH_DIFFERS` where the
 * message names other commitments than the batch has; those of the certificate
 */
export async function partyOf(bytes: Uint8Array, start: Start, what: string): Promise<Party> {
  if (start.prepared !== undefined) return await partyOfBatch(bytes, start, what);
  const { terms, identity, certificate } = decodeAcceptance(bytes, what);
  if (!equal(fromHex(terms), start.terms)) {
    throw foreign(what, 'accepts another start message');
  }
  const party = start.message.parties.find((each) => each.identity === identity.id);
  if (party === undefined) throw foreign(what, `is from ${identity.name}, who takes no part`);
  const { keys } = await verifySessionKeys(certificate, [identity], what);
  if (
    keys.session !== start.message.session ||
    keys.purpose !== start.purpose ||
    keys.number !== party.number
  ) {
    throw foreign(what, 'certifies keys for another session or number');
  }
  return {
    number: party.number,
    identity: fromHex(identity.id),
    ed25519: keys.ed25519,
    xWing: keys.xWing,
  };
}

async function partyOfBatch(bytes: Uint8Array, start: Start, what: string): Promise<Party> {
  const file = await decodeBatch(bytes, what);
  const { batch, id } = file;
  const pair = start.message.prepared?.find((each) => each.batch === toHex(id));
  if (pair === undefined) throw foreign(what, 'is a batch that the start message does not name');
  const party = start.message.parties.find(({ number }) => number === pair.number);
  if (
    party === undefined ||
    party.number !== batch.number ||
    party.identity !== batch.identity ||
    batch.suite !== start.suite.name ||
    batch.key !== start.group?.record.key ||
    !equal(batch.context, start.group.context)
  ) {
    throw foreign(what, 'is a batch of somebody else, or for other shares of the key');
  }
  const there = batch.commitments[pair.index];
  if (there === undefined || toHex(there) !== pair.hiding + pair.binding) {
    throw new NegativeError({
      code: 'E_BATCH_DIFFERS',
      message: `${what}: the start message names other commitments for pair ${pair.index} than the batch has`,
      hint: 'whoever proposed the session wrote down something else than the batch says; do not join',
    });
  }
  await assertCertified(file, what);
  return {
    number: party.number,
    identity: fromHex(batch.identity),
    ed25519: batch.ed25519,
    xWing: batch.xWing,
  };
}

/**
 * The roster that a start message and everybody's acceptances make.
 * @throws NegativeError `E_ACCEPTANCE_FOREIGN`, also for an acceptance that stands under another party's number
 */
export async function rosterFrom(
  start: Start,
  certificates: ReadonlyMap<number, Uint8Array>,
): Promise<Roster> {
  const parties: Party[] = [];
  for (const [number, bytes] of certificates) {
    const what = `acceptance of party ${number}`;
    const party = await partyOf(bytes, start, what);
    if (party.number !== number) throw foreign(what, `is that of party ${party.number}`);
    parties.push(party);
  }
  return makeRoster({
    session: fromHex(start.message.session),
    purpose: start.purpose,
    terms: start.terms,
    parties,
  });
}

function foreign(what: string, why: string): NegativeError {
  return new NegativeError({
    code: 'E_ACCEPTANCE_FOREIGN',
    message: `${what} ${why}`,
    hint: 'it belongs to another session; leave it out',
  });
}
