/**
 * Signed statements: in-toto Statement v1 as the payload, DSSE around it, and for every signer two signatures, Ed25519 and
 * ML-DSA-65, over the same bytes. Both are demanded: there is no "either" mode.
 * @see https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 * @see docs/spec/statement.md
 */
import type { RandomSource, SignatureImplementation } from '#crypto/descriptor';
import { resolve } from '#crypto/registry';
import { canonicalJsonBytes, type JsonObject, parseCanonicalJson } from '#formats/canonical-json';
import { type DsseEnvelope, type DsseSignature, preAuthenticationEncoding } from '#formats/dsse';
import { InputError, InternalError } from '#formats/errors';
import type { Infer, Schema } from '#formats/schema';
import * as s from '#formats/schema';
import {
  components,
  SEED_BYTES,
  signingKeyIds,
  type StatementKeys,
  type StatementSigner,
} from './component-keys.js';

/** `_type` of every statement. */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

/** DSSE payload type of every statement. */
export const STATEMENT_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

const predicateSchema: Schema<JsonObject> = {
  parse: (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw s.mismatch(at, 'an object');
    return value as JsonObject;
  },
};

/** What a statement is about: a name and digests by algorithm, `sha256` above all. */
const subjectSchema = s.object({
  name: s.string({ max: 1024 }),
  digest: s.record(s.hex(), { key: /^[a-z0-9_-]{1,32}$/i, max: 8 }),
});

/** Strict reader of a statement. */
export const statementSchema = s.object({
  _type: s.oneOf(STATEMENT_TYPE),
  subject: s.array(subjectSchema, { min: 1 }),
  predicateType: s.string({ max: 512, pattern: /^[a-z][a-z0-9+.-]*:\S+$/i, what: 'a type URI' }),
  predicate: predicateSchema,
});

/** An in-toto Statement. */
export type Statement = Infer<typeof statementSchema>;

/** One subject of a statement. */
export type Subject = Statement['subject'][number];

/** Options of signing. */
export interface StatementSigning {
  /** Hedges ML-DSA against faults (FIPS 204 §3.4); without it signing is deterministic. */
  readonly random?: RandomSource;
}

/** Who signed, of those that were asked for. */
export interface SignatureVerdict<I> {
  /**
   * Identities of which both signatures are good, in the order given. Empty as soon as any signature under one of their key
   * ids is wrong or a key id appears twice: such an envelope was tampered with and counts for nobody.
   */
  readonly signedBy: readonly I[];
  /** What is wrong, one clause each. Only an envelope without problems may be relied on. */
  readonly problems: readonly string[];
  /** Key ids of signatures by nobody asked for; told, never counted. */
  readonly unknown: readonly string[];
}

/**
 * A statement, checked for its form.
 * @throws {@link InputError} `E_SCHEMA_MISMATCH`
 */
export function buildStatement(content: {
  readonly subjects: readonly Subject[];
  readonly predicateType: string;
  readonly predicate: JsonObject;
}): Statement {
  return statementSchema.parse(
    {
      _type: STATEMENT_TYPE,
      subject: content.subjects.map(({ name, digest }) => ({ name, digest: { ...digest } })),
      predicateType: content.predicateType,
      predicate: content.predicate,
    },
    'statement',
  );
}

/** Canonical JSON of a statement, without a final line feed: the payload that is signed. */
export function encodeStatement(statement: Statement): Uint8Array {
  const { _type, subject, predicateType, predicate } = statement;
  return canonicalJsonBytes({ _type, subject, predicateType, predicate });
}

/**
 * The statement in an envelope. Its signatures are {@link verifyEnvelope}'s business.
 * @param what - how errors name the envelope
 * @throws {@link InputError} `E_STATEMENT_TYPE` for another payload type, and the errors of the JSON reader
 */
export function parseStatement(envelope: DsseEnvelope, what: string): Statement {
  if (envelope.payloadType !== STATEMENT_PAYLOAD_TYPE) {
    throw new InputError({
      code: 'E_STATEMENT_TYPE',
      message: `${what} is no in-toto statement: its payload type is ${JSON.stringify(envelope.payloadType.slice(0, 128))}`,
    });
  }
  const at = `${what}: payload`;
  if (envelope.payload.at(-1) === 0x0a) {
    // The reader allows a final line feed for files; inside an envelope there is one spelling only.
    throw new InputError({ code: 'E_JSON_NOT_CANONICAL', message: `${at} ends in a line feed` });
  }
  return statementSchema.parse(parseCanonicalJson(envelope.payload, at), at);
}

/**
 * A statement in an envelope signed by everybody given: two signatures each, signers in the order given.
 * @param signers - borrowed: the caller wipes their seeds
 */
export async function signStatement(
  statement: Statement,
  signers: readonly StatementSigner[],
  options: StatementSigning = {},
): Promise<DsseEnvelope> {
  const payload = encodeStatement(statement);
  const signatures: DsseSignature[] = [];
  for (const signer of signers) {
    signatures.push(...(await signDetached(STATEMENT_PAYLOAD_TYPE, payload, signer, options)));
  }
  return { payloadType: STATEMENT_PAYLOAD_TYPE, payload, signatures };
}

/** The envelope with the signatures of further signers after those that it has. */
export async function addSignatures(
  envelope: DsseEnvelope,
  signers: readonly StatementSigner[],
  options: StatementSigning = {},
): Promise<DsseEnvelope> {
  const signatures = [...envelope.signatures];
  for (const signer of signers) {
    signatures.push(
      ...(await signDetached(envelope.payloadType, envelope.payload, signer, options)),
    );
  }
  return { ...envelope, signatures };
}

/**
 * One signer's two signatures over DSSE's pre-authentication encoding of the bytes, Ed25519 first.
 * @param signer - borrowed: the caller wipes its seeds
 * @see FIPS 204 §5.2 (pure ML-DSA, empty context); RFC 8032 §5.1.6
 */
export async function signDetached(
  payloadType: string,
  bytes: Uint8Array,
  signer: StatementSigner,
  options: StatementSigning = {},
): Promise<DsseSignature[]> {
  const { ed25519, mlDsa65 } = await loadSigners();
  const ids = signingKeyIds(signer.identity);
  const message = preAuthenticationEncoding(payloadType, bytes);
  return signer.seeds.use((seeds) => {
    const first = seeds.subarray(0, SEED_BYTES);
    const second = seeds.subarray(SEED_BYTES, 2 * SEED_BYTES);
    return [
      { keyid: ids.ed25519, sig: ed25519.sign(message, first) },
      { keyid: ids.mlDsa65, sig: mlDsa65.sign(message, second, options) },
    ];
  });
}

/**
 * Who of the given identities signed an envelope.
 * @see {@link verifyDetached}
 */
export async function verifyEnvelope<I extends StatementKeys>(
  envelope: DsseEnvelope,
  identities: readonly I[],
): Promise<SignatureVerdict<I>> {
  return verifyDetached(envelope.payloadType, envelope.payload, envelope.signatures, identities);
}

/**
 * Who of the given identities signed these bytes. Of every identity both signatures are demanded; one alone is a problem, a
 * wrong one or a repeated key id voids the whole set, signatures by others are told and ignored.
 * An identity that did not sign at all is no problem here: who had to sign is the caller's to say.
 */
export async function verifyDetached<I extends StatementKeys>(
  payloadType: string,
  bytes: Uint8Array,
  signatures: readonly DsseSignature[],
  identities: readonly I[],
): Promise<SignatureVerdict<I>> {
  const { ed25519, mlDsa65 } = await loadSigners();
  const message = preAuthenticationEncoding(payloadType, bytes);
  const problems: string[] = [];
  const byKeyId = new Map<string, Uint8Array>();
  let tampered = false;
  for (const { keyid, sig } of signatures) {
    if (byKeyId.has(keyid)) {
      tampered = true;
      problems.push(`two signatures name the key ${short(keyid)}`);
    }
    byKeyId.set(keyid, sig);
  }
  const signedBy: I[] = [];
  const known = new Set<string>();
  const pairs = new Set<string>();
  for (const identity of identities) {
    const ids = signingKeyIds(identity);
    // One identity given twice is one signer; two that share one key are a forgery of one of them.
    const pair = `${ids.ed25519} ${ids.mlDsa65}`;
    if (pairs.has(pair)) continue;
    pairs.add(pair);
    if (known.has(ids.ed25519) || known.has(ids.mlDsa65)) {
      tampered = true;
      problems.push(`${identity.name} shares a key with another identity`);
    }
    known.add(ids.ed25519).add(ids.mlDsa65);
    const parts = [
      {
        name: components.ed25519.name,
        sig: byKeyId.get(ids.ed25519),
        by: ed25519,
        key: identity.ed25519,
      },
      {
        name: components.mlDsa65.name,
        sig: byKeyId.get(ids.mlDsa65),
        by: mlDsa65,
        key: identity.mlDsa65,
      },
    ];
    const present = parts.filter((part) => part.sig !== undefined);
    const wrong = present.filter(
      (part) => !part.by.verify(part.sig as Uint8Array, message, part.key),
    );
    for (const part of wrong) {
      tampered = true;
      problems.push(`the ${part.name} signature of ${identity.name} does not verify`);
    }
    if (present.length === 1) {
      const missing = parts.find((part) => part.sig === undefined);
      problems.push(
        `${identity.name} signed with one key only: the ${missing?.name ?? 'other'} signature is missing`,
      );
    }
    if (present.length === 2 && wrong.length === 0) signedBy.push(identity);
  }
  const unknown = [...byKeyId.keys()].filter((keyid) => !known.has(keyid));
  return { signedBy: tampered ? [] : signedBy, problems, unknown };
}

async function loadSigners(): Promise<{
  readonly ed25519: SignatureImplementation;
  readonly mlDsa65: SignatureImplementation;
}> {
  const [ed25519, mlDsa65] = await Promise.all([
    loadSignature(components.ed25519.name),
    loadSignature(components.mlDsa65.name),
  ]);
  return { ed25519, mlDsa65 };
}

async function loadSignature(name: string): Promise<SignatureImplementation> {
  const implementation = await (await resolve(name)).load();
  if (implementation.kind !== 'signature') {
    throw new InternalError({
      code: 'E_STATEMENT_ALGORITHM',
      message: `${name} is not a signature algorithm`,
    });
  }
  return implementation;
}

/** A key id as people see it in problems; the envelope is untrusted, so neither its length nor its characters are. */
function short(keyid: string): string {
  return JSON.stringify(keyid.length > 16 ? `${keyid.slice(0, 16)}…` : keyid);
}
