/**
 * Certificates for session keys: a person's identity says which keys speak for that person in one session and in no other.
 * The keys themselves, and the messages they sign, are the business of `protocols/parties`.
 * @see docs/spec/party-message.md
 */
import { toBase64, toHex } from '#formats/bytes';
import type { DsseEnvelope } from '#formats/dsse';
import { NegativeError } from '#formats/errors';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';
import { sha256 } from '#crypto/hash';
import {
  buildStatement,
  parseStatement,
  signStatement,
  type StatementSigning,
  verifyEnvelope,
} from '#custody/audit/statement';
import type { Identity, OpenIdentity } from './identity.js';

/** Predicate type of a certificate. */
export const SESSION_KEYS_TYPE = 'https://conclave.dev/session-keys/v1';

const predicateSchema = s.object({
  /** Hex of the 32-byte session id. */
  session: s.hex(32),
  /** What the session is for, e.g. `frost-ed25519/keygen`. */
  purpose: s.string({ max: 64, pattern: /^[a-z0-9][a-z0-9/+.-]*$/ }),
  /** The party's number in the session. */
  number: s.integer({ min: 1, max: 0xffff }),
  /** Id of the identity that certifies. */
  identity: s.hex(32),
  /** Raw public keys of this session alone. */
  ed25519: s.base64(32),
  xWing: s.base64(1216),
});

/** What a certificate says. */
export type SessionKeys = Infer<typeof predicateSchema>;

/**
 * A certificate, signed with both of the identity's keys. Its subject is the pair of session keys, ed25519 ‖ x-wing.
 * @param by - borrowed
 */
export async function certifySessionKeys(
  by: OpenIdentity,
  keys: Omit<SessionKeys, 'identity'>,
  options: StatementSigning = {},
): Promise<DsseEnvelope> {
  const { session, purpose, number, ed25519, xWing } = keys;
  const statement = buildStatement({
    subjects: [subjectOf(keys)],
    predicateType: SESSION_KEYS_TYPE,
    predicate: {
      session,
      purpose,
      number,
      identity: by.identity.id,
      ed25519: toBase64(ed25519),
      xWing: toBase64(xWing),
    },
  });
  return signStatement(statement, [by], options);
}

/**
 * The session keys that a certificate vouches for.
 * @param identities - whose word counts: the participants agreed on beforehand
 * @param what - how errors name the certificate
 * @throws {@link NegativeError} `E_SESSION_KEYS_UNCERTIFIED` when it is not signed by the identity that it names or names
 * none of those given; {@link InputError} when it is not a certificate
 */
export async function verifySessionKeys(
  envelope: DsseEnvelope,
  identities: readonly Identity[],
  what: string,
): Promise<{ readonly keys: SessionKeys; readonly identity: Identity }> {
  const statement = parseStatement(envelope, what);
  if (statement.predicateType !== SESSION_KEYS_TYPE) {
    throw s.mismatch(`${what}: predicateType`, JSON.stringify(SESSION_KEYS_TYPE));
  }
  const keys = predicateSchema.parse(statement.predicate, `${what}: predicate`);
  const identity = identities.find(({ id }) => id === keys.identity);
  if (identity === undefined) {
    throw uncertified(what, 'it names an identity that takes no part');
  }
  const { signedBy, problems } = await verifyEnvelope(envelope, [identity]);
  if (signedBy.length !== 1 || problems.length > 0) {
    throw uncertified(what, problems[0] ?? `${identity.name} did not sign it`);
  }
  const subject = statement.subject[0];
  const expected = subjectOf(keys);
  if (
    statement.subject.length !== 1 ||
    subject?.name !== expected.name ||
    subject.digest['sha256'] !== expected.digest.sha256
  ) {
    throw uncertified(what, 'its subject is not the keys in it');
  }
  return { keys, identity };
}

function subjectOf(keys: Pick<SessionKeys, 'number' | 'ed25519' | 'xWing'>): {
  readonly name: string;
  readonly digest: { readonly sha256: string };
} {
  return {
    name: `session-keys/${keys.number}`,
    digest: { sha256: toHex(sha256(keys.ed25519, keys.xWing)) },
  };
}

function uncertified(what: string, why: string): NegativeError {
  return new NegativeError({
    code: 'E_SESSION_KEYS_UNCERTIFIED',
    message: `${what} certifies no session keys: ${why}`,
  });
}
