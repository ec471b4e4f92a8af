/**
 * The custody envelope's form: a key sealed under a data key of its own, and the data key wrapped to a key-encryption key. All
 * else in it is public and is associated data of both.
 * @see docs/spec/envelope.md
 */
import { sha256 } from '#crypto/hash';
import { concat, toBase64, utf8 } from '#formats/bytes';
import { canonicalJson, parseCanonicalJson } from '#formats/canonical-json';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';

/** Who holds the key-encryption key: somebody else for the key's owner, or the owner. */
export const custodies = ['custodial', 'self'] as const;

/** One of the two. */
export type HeldBy = (typeof custodies)[number];

/** Longest envelope: a record grows by its history, and base64 by a third. */
export const MAX_ENVELOPE_BYTES = 6 * 1024 * 1024;

const name = s.string({ max: 64 });

const publicShape = {
  created: s.time(),
  custody: s.oneOf(...custodies),
  environment: s.oneOf('production', 'rehearsal', 'dev'),
  epoch: s.integer({ min: 0, max: 0xffff_ffff }),
  /** The key-encryption key: its id, and its KEM in HPKE. */
  kek: s.object({ id: s.hex(32), kem: s.integer({ min: 0, max: 0xffff }) }),
  key: s.object({
    id: s.hex(32),
    algorithm: name,
    profile: name,
    purposes: s.array(name, { max: 8 }),
    policy: s.nullable(s.string({ pattern: /^sha256:[0-9a-f]{64}$/, what: 'a policy digest' })),
  }),
  type: s.oneOf('conclave/envelope'),
  version: s.oneOf(1),
};

const headerSchema = s.object(publicShape);

const envelopeSchema = s.object({
  ...publicShape,
  /** enc ‖ sealed data key. */
  wrappedDek: s.base64(),
  /** Ciphertext ‖ tag. */
  wrappedKey: s.base64(),
});

/** What an envelope says in clear. */
export type EnvelopeHeader = Infer<typeof headerSchema>;

/** An envelope, its two halves still sealed. */
export interface Envelope {
  readonly header: EnvelopeHeader;
  readonly wrappedDek: Uint8Array;
  readonly wrappedKey: Uint8Array;
}

/** Whether something begins as an envelope does; members stand in order, so its type is near the beginning. */
export function looksLikeEnvelope(head: Uint8Array): boolean {
  if (head[0] !== 0x7b) return false;
  const begin = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, 1024));
  return begin.includes('"type":"conclave/envelope"');
}

/** Canonical JSON and a line feed. */
export function encodeEnvelope({ header, wrappedDek, wrappedKey }: Envelope): Uint8Array {
  const halves = { wrappedDek: toBase64(wrappedDek), wrappedKey: toBase64(wrappedKey) };
  return utf8(`${canonicalJson({ ...header, ...halves })}\n`);
}

/**
 * Reads an envelope.
 * @throws {@link InputError} `E_SCHEMA_MISMATCH` and the errors of the JSON reader
 */
export function decodeEnvelope(bytes: Uint8Array, what: string): Envelope {
  const value = parseCanonicalJson(bytes, what, { maxBytes: MAX_ENVELOPE_BYTES });
  const { wrappedDek, wrappedKey, ...header } = envelopeSchema.parse(value, what);
  return { header, wrappedDek, wrappedKey };
}

/** Associated data of the key: the header's canonical JSON. */
export function keyBinding(header: EnvelopeHeader): Uint8Array {
  return utf8(canonicalJson(header));
}

/** Associated data of the data key: the header and the SHA-256 of the half that the data key opens. */
export function dekBinding(header: EnvelopeHeader, wrappedKey: Uint8Array): Uint8Array {
  return concat(keyBinding(header), sha256(wrappedKey));
}
