/**
 * Keys and signatures of the profile `ratify-v1` as the Ratify protocol writes them: JSON objects of two base64 strings.
 * Ratify names no file format for private keys; ours holds the two seeds, from which every implementation rebuilds its own.
 * @see Ratify protocol v1 §5, §6
 */
import { concat, toBase64, toHex } from '#formats/bytes';
import { canonicalJsonBytes, type JsonObject, parseJson } from '#formats/canonical-json';
import * as s from '#formats/schema';
import { sha256 } from '../hash.js';
import { assertLength } from '../lengths.js';

const ED = { seed: 32, public: 32, signature: 64 } as const;
const ML = { seed: 32, public: 1952, signature: 3309 } as const;
const LIMITS = { maxBytes: 16 * 1024, maxDepth: 2 } as const;

const publicSchema = pairSchema(ED.public, ML.public);
const signatureSchema = pairSchema(ED.signature, ML.signature);
const privateSchema = s.object({
  ed25519_seed: s.base64(ED.seed),
  ml_dsa_65_seed: s.base64(ML.seed),
});

function pairSchema(
  ed: number,
  ml: number,
): s.Schema<{ ed25519: Uint8Array; ml_dsa_65: Uint8Array }> {
  return s.object({ ed25519: s.base64(ed), ml_dsa_65: s.base64(ml) });
}

function pair(bytes: Uint8Array, edLength: number): JsonObject {
  return {
    ed25519: toBase64(bytes.subarray(0, edLength)),
    ml_dsa_65: toBase64(bytes.subarray(edLength)),
  };
}

/** JSON object of a raw public key (1984 bytes). @throws {@link InputError} `E_LENGTH_WRONG` */
export function ratifyPublicKey(publicKey: Uint8Array): JsonObject {
  assertLength(publicKey, ED.public + ML.public, 'ratify-v1 public key');
  return pair(publicKey, ED.public);
}

/** JSON object of a signature (3373 bytes). @throws {@link InputError} `E_LENGTH_WRONG` */
export function ratifySignature(signature: Uint8Array): JsonObject {
  assertLength(signature, ED.signature + ML.signature, 'ratify-v1 signature');
  return pair(signature, ED.signature);
}

/** The id that Ratify gives a public key: 32 hexadecimal digits. */
export function ratifyId(publicKey: Uint8Array): string {
  assertLength(publicKey, ED.public + ML.public, 'ratify-v1 public key');
  return toHex(sha256(publicKey).subarray(0, 16));
}

/** Canonical JSON text of a public key, as UTF-8 without a final newline. */
export function encodeRatifyPublic(publicKey: Uint8Array): Uint8Array {
  return canonicalJsonBytes(ratifyPublicKey(publicKey));
}

/**
 * The raw public key (1984 bytes) in a JSON text.
 * @throws {@link InputError} of the JSON reader and of the schema
 */
export function decodeRatifyPublic(input: Uint8Array, what: string): Uint8Array {
  const { ed25519, ml_dsa_65 } = publicSchema.parse(parseJson(input, what, LIMITS), what);
  return concat(ed25519, ml_dsa_65);
}

/**
 * The signature (3373 bytes) in a JSON text.
 * @throws {@link InputError} of the JSON reader and of the schema
 */
export function decodeRatifySignature(input: Uint8Array, what: string): Uint8Array {
  const { ed25519, ml_dsa_65 } = signatureSchema.parse(parseJson(input, what, LIMITS), what);
  return concat(ed25519, ml_dsa_65);
}

/**
 * Canonical JSON text of the two seeds (64 bytes, borrowed). The caller wipes the result; the base64 strings on the way to it
 * cannot be wiped.
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function encodeRatifyPrivate(secret: Uint8Array): Uint8Array {
  assertLength(secret, ED.seed + ML.seed, 'ratify-v1 private key');
  return canonicalJsonBytes({
    ed25519_seed: toBase64(secret.subarray(0, ED.seed)),
    ml_dsa_65_seed: toBase64(secret.subarray(ED.seed)),
  });
}

/**
 * The raw private form (64 bytes) in a JSON text; the caller owns and wipes it.
 * @throws {@link InputError} of the JSON reader and of the schema
 */
export function decodeRatifyPrivate(input: Uint8Array, what: string): Uint8Array {
  const seeds = privateSchema.parse(parseJson(input, what, LIMITS), what);
  const secret = concat(seeds.ed25519_seed, seeds.ml_dsa_65_seed);
  seeds.ed25519_seed.fill(0);
  seeds.ml_dsa_65_seed.fill(0);
  return secret;
}
