/**
 * The statements of a hand-over, each signed by one identity: who wrapped what for whom, who holds a container, where a key was
 * found to work, which wrapping key must not be used any more.
 * @see docs/spec/handover.md
 */
import { sha256 } from '#crypto/hash';
import { toHex, utf8 } from '#formats/bytes';
import type { JsonObject } from '#formats/canonical-json';
import { decodeDsse, type DsseEnvelope, encodeDsse } from '#formats/dsse';
import { InputError } from '#formats/errors';
import type { Infer, Schema } from '#formats/schema';
import * as s from '#formats/schema';
import {
  buildStatement,
  parseStatement,
  signStatement,
  type StatementSigning,
  type Subject,
} from '#custody/audit/statement';
import type { OpenIdentity } from './identity.js';

const keySchema = s.object({
  id: s.hex(32),
  algorithm: s.string({ max: 64 }),
  profile: s.string({ max: 32 }),
});
const containerSchema = s.object({ sha256: s.hex(32), size: s.integer({ min: 1 }) });
const personSchema = s.object({ id: s.hex(32), name: s.string({ max: 256 }) });
const digest = s.string({ pattern: /^sha256:[0-9a-f]{64}$/, what: 'a digest' });
const environment = s.oneOf('production', 'rehearsal', 'dev');

const wrappedSchema = s.object({
  /** Null for a file. */
  key: s.nullable(keySchema),
  container: containerSchema,
  format: s.string({ max: 64 }),
  /** Digests of the keys that it is wrapped to. */
  to: s.array(digest, { min: 1, max: 64 }),
  environment,
  /** Who signs this. */
  sender: personSchema,
  time: s.time(),
});

const receiptSchema = s.object({
  /** SHA-256 of the challenge that this answers. */
  challenge: s.hex(32),
  container: containerSchema,
  proof: s.hex(32),
  environment,
  /** Who signs this. */
  holder: personSchema,
  time: s.time(),
});

const importedSchema = s.object({
  challenge: s.hex(32),
  key: keySchema,
  container: containerSchema,
  /** How the far side answered. */
  proof: s.object({
    kind: s.oneOf('signature', 'mac', 'ciphertext'),
    /** SHA-256 of the answer as it was given. */
    answer: s.hex(32),
    /** SHA-256 of the public key's file as it was given, or null for symmetric keys. */
    publicKey: s.nullable(s.hex(32)),
  }),
  environment,
  /** Who signs this: whoever checked the answer. */
  verifier: personSchema,
  time: s.time(),
});

const revokedSchema = s.object({
  /** SHA-256 of the wrapping key's SPKI. */
  wrappingKey: digest,
  reason: s.string({ max: 1024 }),
  revoker: personSchema,
  time: s.time(),
});

/** What the statements say. */
export type WrappedStatement = Infer<typeof wrappedSchema>;
export type ReceiptStatement = Infer<typeof receiptSchema>;
export type ImportedStatement = Infer<typeof importedSchema>;
export type RevokedStatement = Infer<typeof revokedSchema>;

/** One kind of statement. */
export interface HandoverKind<T> {
  readonly type: string;
  readonly schema: Schema<T>;
  readonly subjects: (said: T) => readonly Subject[];
  /** Id of the identity that must have signed it. */
  readonly signer: (said: T) => string;
  /** One line for people. */
  readonly summary: (said: T) => string;
}

const containerSubject = ({ sha256: hex }: { readonly sha256: string }): Subject => ({
  name: 'container',
  digest: { sha256: hex },
});
const keySubject = (id: string): Subject => ({ name: 'key', digest: { 'conclave-key-v1': id } });
const short = (hex: string): string => hex.slice(0, 16);

/** Travels with a container, which by itself names no sender. */
export const KEY_WRAPPED: HandoverKind<WrappedStatement> = {
  type: 'https://conclave.dev/key-wrapped/v1',
  schema: wrappedSchema,
  subjects: ({ container, key }) => [
    containerSubject(container),
    ...(key === null ? [] : [keySubject(key.id)]),
  ],
  signer: ({ sender }) => sender.id,
  summary: ({ key, container, sender, format }) =>
    `${key === null ? 'a file' : `${key.algorithm} key ${short(key.id)}`} wrapped (${format}) into ${short(container.sha256)} by ${sender.name}`,
};

/** A custodian holds a container. */
export const RECEIVED: HandoverKind<ReceiptStatement> = {
  type: 'https://conclave.dev/handover-receipt/v1',
  schema: receiptSchema,
  subjects: ({ container }) => [containerSubject(container)],
  signer: ({ holder }) => holder.id,
  summary: ({ holder, container }) =>
    `${holder.name} holds the container ${short(container.sha256)} (${container.size} bytes)`,
};

/** A key was found to work on the far side. */
export const KEY_IMPORTED: HandoverKind<ImportedStatement> = {
  type: 'https://conclave.dev/key-imported/v1',
  schema: importedSchema,
  subjects: ({ container, key }) => [containerSubject(container), keySubject(key.id)],
  signer: ({ verifier }) => verifier.id,
  summary: ({ key, proof, verifier }) =>
    `${key.algorithm} key ${short(key.id)} works on the far side (${proof.kind}), checked by ${verifier.name}`,
};

/** A wrapping key must not be used any more. */
export const WRAPPING_KEY_REVOKED: HandoverKind<RevokedStatement> = {
  type: 'https://conclave.dev/wrapping-key-revoked/v1',
  schema: revokedSchema,
  subjects: ({ wrappingKey }) => [
    { name: 'wrapping key', digest: { sha256: wrappingKey.slice('sha256:'.length) } },
  ],
  signer: ({ revoker }) => revoker.id,
  summary: ({ wrappingKey, revoker, reason }) =>
    `wrapping key ${wrappingKey.slice(0, 23)} revoked by ${revoker.name}: ${reason}`,
};

/**
 * A signed statement: the bytes of its file.
 * @param signer - borrowed
 */
export async function signHandover<T>(
  kind: HandoverKind<T>,
  said: T,
  signer: OpenIdentity,
  options: StatementSigning = {},
): Promise<Uint8Array> {
  const predicate = said as unknown as JsonObject;
  const statement = buildStatement({
    subjects: kind.subjects(said),
    predicateType: kind.type,
    predicate,
  });
  // What is signed must be what a reader takes.
  kind.schema.parse(predicate, 'statement');
  return utf8(encodeDsse(await signStatement(statement, [signer], options)));
}

/** A statement as read; its signatures are `verifyEnvelope`'s business. */
export interface ReadHandover<T> {
  readonly said: T;
  readonly envelope: DsseEnvelope;
  /** SHA-256 of the file. */
  readonly sha256: string;
}

/**
 * A statement of one kind from its file.
 * @throws {@link InputError} `E_HANDOVER_KIND` for a statement of another kind, `E_HANDOVER_SUBJECT` when its subjects are not
 * what it speaks of, and those of the readers
 */
export function readHandover<T>(
  kind: HandoverKind<T>,
  bytes: Uint8Array,
  what: string,
): ReadHandover<T> {
  const envelope = decodeDsse(bytes, what);
  const statement = parseStatement(envelope, what);
  if (statement.predicateType !== kind.type) {
    throw new InputError({
      code: 'E_HANDOVER_KIND',
      message: `${what} is another statement: ${JSON.stringify(statement.predicateType)}`,
      hint: `a statement of the type ${kind.type} is needed here`,
    });
  }
  const said = kind.schema.parse(statement.predicate, `${what}: predicate`);
  const expected = kind.subjects(said);
  const same =
    statement.subject.length === expected.length &&
    expected.every(({ name, digest: wanted }, i) => {
      const found = statement.subject[i];
      return found?.name === name && JSON.stringify(found.digest) === JSON.stringify(wanted);
    });
  if (!same) {
    throw new InputError({
      code: 'E_HANDOVER_SUBJECT',
      message: `${what}: its subjects are not what it speaks of`,
    });
  }
  return { said, envelope, sha256: toHex(sha256(bytes)) };
}

/** A statement of a hand-over in words. */
export interface HandoverSummary {
  /** What it says, as one sentence without a full stop. */
  readonly sentence: string;
  /** Who must have signed it, by id and as the statement names them. */
  readonly signer: { readonly id: string; readonly name: string };
  readonly environment: 'production' | 'rehearsal' | 'dev';
}

/**
 * What a statement says, whichever of the four it is; its signatures are not looked at.
 * @returns `undefined` for a statement of something else
 * @throws {@link InputError} as {@link readHandover} does
 */
export function summariseHandover(bytes: Uint8Array, what: string): HandoverSummary | undefined {
  const { predicateType } = parseStatement(decodeDsse(bytes, what), what);
  switch (predicateType) {
    case KEY_WRAPPED.type: {
      const { said } = readHandover(KEY_WRAPPED, bytes, what);
      const { sender: signer, environment: mark } = said;
      return { sentence: KEY_WRAPPED.summary(said), signer, environment: mark };
    }
    case RECEIVED.type: {
      const { said } = readHandover(RECEIVED, bytes, what);
      const { holder: signer, environment: mark } = said;
      return { sentence: RECEIVED.summary(said), signer, environment: mark };
    }
    case KEY_IMPORTED.type: {
      const { said } = readHandover(KEY_IMPORTED, bytes, what);
      const { verifier: signer, environment: mark } = said;
      return { sentence: KEY_IMPORTED.summary(said), signer, environment: mark };
    }
    case WRAPPING_KEY_REVOKED.type: {
      const { said } = readHandover(WRAPPING_KEY_REVOKED, bytes, what);
      const sentence = WRAPPING_KEY_REVOKED.summary(said);
      return { sentence, signer: said.revoker, environment: 'production' };
    }
    default:
      return undefined;
  }
}
