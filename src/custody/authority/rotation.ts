/**
 * Rotation of our own keys and identities: one statement that names the old and the new, signed by both, so that neither a
 * thief of the old key nor the owner of a new one can claim the succession alone.
 * @see docs/spec/statement.md
 */
import type { Descriptor, SignatureImplementation } from '#crypto/descriptor';
import { sha256 } from '#crypto/hash';
import { keyId } from '#crypto/key-id';
import { resolve } from '#crypto/registry';
import { toBase64, toHex } from '#formats/bytes';
import { canonicalJson, type JsonObject } from '#formats/canonical-json';
import { type DsseEnvelope, preAuthenticationEncoding } from '#formats/dsse';
import { InputError, UsageError } from '#formats/errors';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';
import type { SecretBytes } from '#formats/secret-bytes';
import { formatTime } from '#formats/time';
import {
  buildStatement,
  encodeStatement,
  parseStatement,
  signStatement,
  STATEMENT_PAYLOAD_TYPE,
  type Statement,
  type StatementSigning,
  verifyEnvelope,
} from '#custody/audit/statement';
import { type Identity, identityJson, type OpenIdentity, parseIdentityJson } from './identity.js';
import { type RatifyReason, ratifyReasons } from './ratify-rotation.js';

/** Predicate type for keys. */
export const KEY_ROTATION_TYPE = 'https://conclave.dev/key-rotation/v1';

/** Predicate type for identities. */
export const IDENTITY_ROTATION_TYPE = 'https://conclave.dev/identity-rotation/v1';

const circumstances = {
  reason: s.oneOf(...ratifyReasons),
  /** In the operator's words, an alias of a reason included; empty when nothing was said. */
  note: s.string({ max: 1024 }),
  rotatedAt: s.time(),
};

const keySchema = s.object({
  id: s.hex(32),
  algorithm: s.string({ max: 64 }),
  profile: s.string({ max: 32 }),
  publicKey: s.base64(),
});

const keyRotationSchema = s.object({ old: keySchema, new: keySchema, ...circumstances });

const identityRotationSchema = s.object({
  old: s.json(),
  new: s.json(),
  ...circumstances,
});

/** What a rotation of keys says. */
export type KeyRotation = Infer<typeof keyRotationSchema>;

/** Why and when, for both kinds. */
export interface Circumstances {
  /** In the words of Ratify, so that one statement can be translated into the other. */
  readonly reason: RatifyReason;
  readonly note?: string;
  readonly now: Date;
}

/** A signing key with its private side. */
export interface RotatingKey {
  readonly descriptor: Descriptor;
  readonly publicKey: Uint8Array;
  readonly secret: SecretBytes;
}

/**
 * A rotation of keys, signed by both. Their algorithms may differ: a migration is a rotation too.
 * @param rotation - both private sides are borrowed
 * @throws {@link UsageError} `E_ROTATION_UNSIGNABLE` for keys that cannot sign, `E_ROTATION_SAME` for one key twice
 */
export async function signKeyRotation(
  rotation: { readonly old: RotatingKey; readonly new: RotatingKey } & Circumstances,
  options: StatementSigning = {},
): Promise<DsseEnvelope> {
  const keys = [rotation.old, rotation.new];
  const [old, next] = keys.map(keyJson) as [JsonObject, JsonObject];
  if (old['id'] === next['id']) throw sameKey();
  const statement = buildStatement({
    subjects: keys.map(({ descriptor, publicKey }, i) => ({
      name: i === 0 ? 'old' : 'new',
      digest: publicKeyDigest(descriptor, publicKey),
    })),
    predicateType: KEY_ROTATION_TYPE,
    predicate: { old, new: next, ...circumstancesJson(rotation) },
  });
  const payload = encodeStatement(statement);
  const message = preAuthenticationEncoding(STATEMENT_PAYLOAD_TYPE, payload);
  const signatures = [];
  for (const { descriptor, publicKey, secret } of keys) {
    const implementation = await loadSigner(descriptor);
    const sig = secret.use((bytes) => implementation.sign(message, bytes, options));
    signatures.push({ keyid: keyId(descriptor, publicKey), sig });
  }
  return { payloadType: STATEMENT_PAYLOAD_TYPE, payload, signatures };
}

/**
 * What a rotation of keys says and what is wrong with it. It proves that whoever held the old key and whoever held the new
 * one agreed; whether the old key is the one that was trusted is the caller's to say.
 * @throws {@link InputError} when it is not such a statement
 */
export async function verifyKeyRotation(
  envelope: DsseEnvelope,
  what: string,
): Promise<{
  readonly rotation: KeyRotation;
  readonly problems: readonly string[];
  /** Key ids of further signatures; told, never counted. */
  readonly unknown: readonly string[];
}> {
  const statement = expectType(envelope, KEY_ROTATION_TYPE, what);
  const rotation = keyRotationSchema.parse(statement.predicate, `${what}: predicate`);
  const message = preAuthenticationEncoding(envelope.payloadType, envelope.payload);
  const problems: string[] = [];
  if (rotation.old.id === rotation.new.id) problems.push('old and new key are the same');
  const expected: JsonObject[] = [];
  for (const which of ['old', 'new'] as const) {
    const key = rotation[which];
    const descriptor = await knownDescriptor(key, what);
    if (keyId(descriptor, key.publicKey) !== key.id) {
      problems.push(`the ${which} id is not that of the ${which} key`);
    }
    expected.push({ name: which, digest: publicKeyDigest(descriptor, key.publicKey) });
    const signatures = envelope.signatures.filter(({ keyid }) => keyid === key.id);
    const implementation = await descriptor.load();
    if (implementation.kind !== 'signature') {
      throw malformed(what, `a key of ${descriptor.name} cannot sign`);
    }
    const [signature] = signatures;
    if (signature === undefined) problems.push(`the ${which} key did not sign`);
    else if (signatures.length > 1) problems.push(`two signatures name the ${which} key`);
    else if (!implementation.verify(signature.sig, message, key.publicKey)) {
      problems.push(`the signature of the ${which} key does not verify`);
    }
  }
  problems.push(...subjectProblems(statement, expected));
  const unknown = envelope.signatures
    .map(({ keyid }) => keyid)
    .filter((keyid) => keyid !== rotation.old.id && keyid !== rotation.new.id);
  return { rotation, problems, unknown };
}

/**
 * A rotation of identities, signed by both with both their keys.
 * @param rotation - both private sides are borrowed
 * @throws {@link UsageError} `E_ROTATION_SAME`
 */
export async function signIdentityRotation(
  rotation: { readonly old: OpenIdentity; readonly new: OpenIdentity } & Circumstances,
  options: StatementSigning = {},
): Promise<DsseEnvelope> {
  const { old, new: next } = rotation;
  if (old.identity.id === next.identity.id) throw sameKey();
  const statement = buildStatement({
    subjects: [identitySubject('old', old.identity), identitySubject('new', next.identity)],
    predicateType: IDENTITY_ROTATION_TYPE,
    predicate: {
      old: identityJson(old.identity),
      new: identityJson(next.identity),
      ...circumstancesJson(rotation),
    },
  });
  return signStatement(statement, [old, next], options);
}

/**
 * Which identities a rotation links, and what is wrong with it.
 * @throws {@link InputError} when it is not such a statement; {@link NegativeError} `E_IDENTITY_ID`
 */
export async function verifyIdentityRotation(
  envelope: DsseEnvelope,
  what: string,
): Promise<{
  readonly old: Identity;
  readonly new: Identity;
  readonly circumstances: Infer<typeof identityRotationSchema>;
  readonly problems: readonly string[];
}> {
  const statement = expectType(envelope, IDENTITY_ROTATION_TYPE, what);
  const circumstances = identityRotationSchema.parse(statement.predicate, `${what}: predicate`);
  const old = parseIdentityJson(circumstances.old, `${what}: old identity`);
  const next = parseIdentityJson(circumstances.new, `${what}: new identity`);
  const verdict = await verifyEnvelope(envelope, [old, next]);
  const problems = [...verdict.problems];
  if (old.id === next.id) problems.push('old and new identity are the same');
  for (const [which, identity] of [
    ['old', old],
    ['new', next],
  ] as const) {
    if (!verdict.signedBy.includes(identity)) problems.push(`the ${which} identity did not sign`);
  }
  problems.push(
    ...subjectProblems(statement, [identitySubject('old', old), identitySubject('new', next)]),
  );
  return { old, new: next, circumstances, problems };
}

function expectType(envelope: DsseEnvelope, type: string, what: string): Statement {
  const statement = parseStatement(envelope, what);
  if (statement.predicateType !== type) {
    throw s.mismatch(`${what}: predicateType`, JSON.stringify(type));
  }
  return statement;
}

function keyJson({ descriptor, publicKey }: RotatingKey): JsonObject {
  return {
    id: keyId(descriptor, publicKey),
    algorithm: descriptor.name,
    profile: descriptor.profile,
    publicKey: toBase64(publicKey),
  };
}

function circumstancesJson({ reason, note, now }: Circumstances): JsonObject {
  return { reason, note: note ?? '', rotatedAt: formatTime(now) };
}

/** In-toto wants digests of the thing itself; our own id stands beside it under its own name. */
function publicKeyDigest(
  descriptor: Descriptor,
  publicKey: Uint8Array,
): { readonly sha256: string; readonly 'conclave-key-v1': string } {
  return { sha256: toHex(sha256(publicKey)), 'conclave-key-v1': keyId(descriptor, publicKey) };
}

function identitySubject(
  name: string,
  identity: Identity,
): { readonly name: string; readonly digest: Readonly<Record<string, string>> } {
  return { name, digest: { 'conclave-identity-v1': identity.id } };
}

/** Subjects are plain data, so their canonical text decides. */
function subjectProblems(statement: Statement, expected: readonly JsonObject[]): readonly string[] {
  return canonicalJson(statement.subject) === canonicalJson(expected)
    ? []
    : ['the subjects are not the old and the new key'];
}

async function knownDescriptor(
  key: { readonly algorithm: string; readonly profile: string },
  what: string,
): Promise<Descriptor> {
  try {
    return await resolve(key.algorithm, key.profile);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw malformed(what, `the algorithm ${JSON.stringify(key.algorithm)} is not known`, cause);
  }
}

async function loadSigner(descriptor: Descriptor): Promise<SignatureImplementation> {
  const implementation = await descriptor.load();
  if (implementation.kind !== 'signature') {
    throw new UsageError({
      code: 'E_ROTATION_UNSIGNABLE',
      message: `a key of ${descriptor.name} cannot sign its own rotation`,
    });
  }
  return implementation;
}

function sameKey(): UsageError {
  return new UsageError({
    code: 'E_ROTATION_SAME',
    message: 'old and new key are the same',
    hint: 'generate a new key first',
  });
}

function malformed(what: string, problem: string, cause?: unknown): InputError {
  return new InputError({ code: 'E_ROTATION_MALFORMED', message: `${what}: ${problem}`, cause });
}
