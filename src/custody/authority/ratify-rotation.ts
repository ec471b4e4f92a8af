/**
 * The Ratify protocol's KeyRotationStatement, so that its verifiers accept what is rotated here: old and new key, both of the
 * profile `ratify-v1`, sign the same canonical bytes.
 * @see Ratify protocol v1 §6 (canonical JSON), §8 (key rotation)
 * @see docs/spec/statement.md
 */
import { ratifyId, ratifyPublicKey, ratifySignature } from '#crypto/encodings/ratify-json';
import type { RandomSource, SignatureImplementation } from '#crypto/descriptor';
import { resolve } from '#crypto/registry';
import { concat } from '#formats/bytes';
import { canonicalJsonBytes, type JsonObject, parseJson } from '#formats/canonical-json';
import { InternalError, UsageError } from '#formats/errors';
import * as s from '#formats/schema';
import type { SecretBytes } from '#formats/secret-bytes';

/** Ratify's closed list of reasons. */
export const ratifyReasons = [
  'routine',
  'compromise_suspected',
  'device_lost',
  'recovery',
  'other',
] as const;

/** One of Ratify's reasons. */
export type RatifyReason = (typeof ratifyReasons)[number];

/** Words that people use for a reason and Ratify's verifiers refuse, with what they become. */
const aliases: Readonly<Record<string, RatifyReason>> = { self_custody_upgrade: 'routine' };

/** Where the halves of the pair meet: Ratify puts Ed25519 first. */
const ED25519_PUBLIC = 32;
const ED25519_SIGNATURE = 64;

/** A rotation statement; public keys and signatures are raw pairs, ed25519 ‖ ml-dsa-65. */
export interface RatifyRotation {
  readonly oldId: string;
  readonly oldPublicKey: Uint8Array;
  readonly newId: string;
  readonly newPublicKey: Uint8Array;
  readonly reason: RatifyReason;
  /** Seconds since 1970. */
  readonly rotatedAt: number;
  readonly signatureOld: Uint8Array;
  readonly signatureNew: Uint8Array;
}

/** A key of the profile `ratify-v1` with its private side: 64 bytes, ed25519 seed ‖ ml-dsa-65 seed. */
export interface RatifyKey {
  readonly publicKey: Uint8Array;
  readonly secret: SecretBytes;
}

const publicKeySchema = s.object({ ed25519: s.base64(32), ml_dsa_65: s.base64(1952) });
const signatureSchema = s.object({ ed25519: s.base64(64), ml_dsa_65: s.base64(3309) });

const rotationSchema = s.object({
  version: s.oneOf(1),
  old_id: s.hex(16),
  old_pub_key: publicKeySchema,
  new_id: s.hex(16),
  new_pub_key: publicKeySchema,
  reason: s.oneOf(...ratifyReasons),
  rotated_at: s.integer({ min: 0 }),
  signature_old: signatureSchema,
  signature_new: signatureSchema,
});

/** Ratify's limit for a bundle; a rotation has about 19 KB. */
const LIMITS = { maxBytes: 128 * 1024, maxDepth: 16 } as const;

/**
 * The reason as Ratify's verifiers know it. An alias is translated, and `said` is what people and records must be told.
 * @throws {@link UsageError} `E_ROTATION_REASON` for a word that is neither
 */
export function ratifyReason(word: string): {
  readonly reason: RatifyReason;
  readonly said?: string;
} {
  const known = ratifyReasons.find((reason) => reason === word);
  if (known !== undefined) return { reason: known };
  const reason = Object.hasOwn(aliases, word) ? aliases[word] : undefined;
  if (reason === undefined) {
    throw new UsageError({
      code: 'E_ROTATION_REASON',
      message: `${JSON.stringify(word)} is no reason for a rotation`,
      hint: `reasons are ${ratifyReasons.join(', ')}`,
    });
  }
  return {
    reason,
    said: `Ratify's verifiers refuse the reason ${word}: the statement says ${reason}, and this record keeps the word`,
  };
}

/**
 * A statement signed by both keys.
 * @param rotation - both private sides are borrowed; `random` hedges ML-DSA, without it the signatures are deterministic
 */
export async function signRatifyRotation(rotation: {
  readonly old: RatifyKey;
  readonly new: RatifyKey;
  readonly reason: RatifyReason;
  readonly rotatedAt: Date;
  readonly random?: RandomSource;
}): Promise<RatifyRotation> {
  const implementation = await loadSignature('ed25519+ml-dsa-65', 'ratify-v1');
  const unsigned = {
    oldId: ratifyId(rotation.old.publicKey),
    oldPublicKey: rotation.old.publicKey,
    newId: ratifyId(rotation.new.publicKey),
    newPublicKey: rotation.new.publicKey,
    reason: rotation.reason,
    rotatedAt: Math.floor(rotation.rotatedAt.getTime() / 1000),
  };
  const message = rotationSignBytes(unsigned);
  const options = rotation.random === undefined ? {} : { random: rotation.random };
  const sign = (key: RatifyKey): Uint8Array =>
    key.secret.use((secret) => implementation.sign(message, secret, options));
  return { ...unsigned, signatureOld: sign(rotation.old), signatureNew: sign(rotation.new) };
}

/** The bytes that both keys sign: canonical JSON of the statement without its signatures. */
export function rotationSignBytes(
  rotation: Omit<RatifyRotation, 'signatureOld' | 'signatureNew'>,
): Uint8Array {
  return canonicalJsonBytes(unsignedJson(rotation), { escapeLineSeparators: true });
}

/**
 * What is wrong with a statement, in Ratify's order; empty when it holds. Whether the old key is the one that was trusted is
 * the caller's to say.
 */
export async function verifyRatifyRotation(rotation: RatifyRotation): Promise<readonly string[]> {
  const problems: string[] = [];
  if (ratifyId(rotation.oldPublicKey) !== rotation.oldId) {
    problems.push('the old id is not that of the old key');
  }
  if (ratifyId(rotation.newPublicKey) !== rotation.newId) {
    problems.push('the new id is not that of the new key');
  }
  if (rotation.oldId === rotation.newId) problems.push('old and new key are the same');
  const message = rotationSignBytes(rotation);
  for (const [which, signature, publicKey] of [
    ['old', rotation.signatureOld, rotation.oldPublicKey],
    ['new', rotation.signatureNew, rotation.newPublicKey],
  ] as const) {
    for (const half of await wrongHalves(signature, message, publicKey)) {
      problems.push(`the ${half} signature of the ${which} key does not verify`);
    }
  }
  return problems;
}

/** Canonical JSON as Ratify writes it: no final line feed. */
export function encodeRatifyRotation(rotation: RatifyRotation): Uint8Array {
  return canonicalJsonBytes(
    {
      ...unsignedJson(rotation),
      signature_old: ratifySignature(rotation.signatureOld),
      signature_new: ratifySignature(rotation.signatureNew),
    },
    { escapeLineSeparators: true },
  );
}

/**
 * A statement from JSON text. As in Ratify's own decoders the spelling of white space is free, all else is strict.
 * @throws {@link InputError} `E_SCHEMA_MISMATCH`, a reason outside the list included, and the errors of the JSON reader
 */
export function decodeRatifyRotation(bytes: Uint8Array, what: string): RatifyRotation {
  const raw = rotationSchema.parse(parseJson(bytes, what, LIMITS), what);
  const pair = (half: { ed25519: Uint8Array; ml_dsa_65: Uint8Array }): Uint8Array =>
    concat(half.ed25519, half.ml_dsa_65);
  return {
    oldId: raw.old_id,
    oldPublicKey: pair(raw.old_pub_key),
    newId: raw.new_id,
    newPublicKey: pair(raw.new_pub_key),
    reason: raw.reason,
    rotatedAt: raw.rotated_at,
    signatureOld: pair(raw.signature_old),
    signatureNew: pair(raw.signature_new),
  };
}

function unsignedJson(rotation: Omit<RatifyRotation, 'signatureOld' | 'signatureNew'>): JsonObject {
  return {
    version: 1,
    old_id: rotation.oldId,
    old_pub_key: ratifyPublicKey(rotation.oldPublicKey),
    new_id: rotation.newId,
    new_pub_key: ratifyPublicKey(rotation.newPublicKey),
    reason: rotation.reason,
    rotated_at: rotation.rotatedAt,
  };
}

/** The halves are checked apart, so that a verdict can name the one that is wrong; both are demanded all the same. */
async function wrongHalves(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
): Promise<readonly string[]> {
  const ed25519 = await loadSignature('ed25519');
  const mlDsa65 = await loadSignature('ml-dsa-65');
  const wrong: string[] = [];
  if (
    !ed25519.verify(
      signature.subarray(0, ED25519_SIGNATURE),
      message,
      publicKey.subarray(0, ED25519_PUBLIC),
    )
  ) {
    wrong.push('Ed25519');
  }
  if (
    !mlDsa65.verify(
      signature.subarray(ED25519_SIGNATURE),
      message,
      publicKey.subarray(ED25519_PUBLIC),
    )
  ) {
    wrong.push('ML-DSA-65');
  }
  return wrong;
}

async function loadSignature(name: string, profile?: string): Promise<SignatureImplementation> {
  const implementation = await (await resolve(name, profile)).load();
  if (implementation.kind !== 'signature') {
    throw new InternalError({
      code: 'E_ROTATION_ALGORITHM',
      message: `${name} is not a signature algorithm`,
    });
  }
  return implementation;
}
