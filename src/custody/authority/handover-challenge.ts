/**
 * Challenges of a hand-over: a fresh question that names the key and the container, for the side that received them. Its bytes,
 * as they stand in the file, are what the far side signs or answers with.
 * @see docs/spec/handover.md
 */
import type { RandomSource } from '#crypto/descriptor';
import { createSha256, sha256 } from '#crypto/hash';
import { fromHex, toHex, utf8 } from '#formats/bytes';
import type { ByteSource } from '#formats/byte-stream';
import { canonicalJson, parseCanonicalJson } from '#formats/canonical-json';
import { InputError } from '#formats/errors';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';
import { formatTime } from '#formats/time';
import type { Environment } from './record.js';

/** `type` of every challenge. */
export const CHALLENGE_TYPE = 'conclave/handover-challenge';

/** Providers sign messages of at most 4096 bytes; a challenge stays far below. */
const MAX_BYTES = 4096;

const NONCE_BYTES = 32;

/** Reads a container in pieces of this many bytes. */
const PIECE = 64 * 1024;

const POSSESSION = utf8('conclave-possession-v1\0');

const challengeSchema = s.object({
  type: s.oneOf(CHALLENGE_TYPE),
  version: s.oneOf(1),
  /** `import`: the key works there now. `possession`: all bytes of the container lie there. */
  asks: s.oneOf('import', 'possession'),
  nonce: s.hex(NONCE_BYTES),
  key: s.nullable(
    s.object({
      id: s.hex(32),
      algorithm: s.string({ max: 64 }),
      profile: s.string({ max: 32 }),
    }),
  ),
  container: s.object({ sha256: s.hex(32), size: s.integer({ min: 1 }) }),
  environment: s.oneOf('production', 'rehearsal', 'dev'),
  created: s.time(),
  expires: s.time(),
});

/** What a challenge says. */
export type Challenge = Infer<typeof challengeSchema>;

/** What {@link newChallenge} needs. */
export interface NewChallenge {
  readonly asks: Challenge['asks'];
  readonly key: Challenge['key'];
  readonly container: Challenge['container'];
  readonly environment: Environment;
  readonly now: Date;
  readonly days: number;
  readonly random: RandomSource;
}

/** A fresh challenge. */
export function newChallenge(wanted: NewChallenge): Challenge {
  const { asks, key, container, environment, now, days, random } = wanted;
  return challengeSchema.parse(
    {
      type: CHALLENGE_TYPE,
      version: 1,
      asks,
      nonce: toHex(random(NONCE_BYTES)),
      key: key === null ? null : { ...key },
      container: { ...container },
      environment,
      created: formatTime(now),
      expires: formatTime(new Date(now.getTime() + days * 86_400_000)),
    },
    'challenge',
  );
}

/** Canonical JSON and a line feed: exactly what is signed. */
export function encodeChallenge(challenge: Challenge): Uint8Array {
  return utf8(`${canonicalJson(challenge)}\n`);
}

/**
 * A challenge from its bytes.
 * @throws {@link InputError} of the JSON reader, `E_SCHEMA_MISMATCH`, `E_CHALLENGE_MALFORMED`
 */
export function decodeChallenge(bytes: Uint8Array, what: string): Challenge {
  const limits = { maxBytes: MAX_BYTES, maxDepth: 2 };
  const challenge = challengeSchema.parse(parseCanonicalJson(bytes, what, limits), what);
  if (bytes.at(-1) !== 0x0a)
    throw malformed(what, 'its last line feed is missing, and it is signed too');
  if (challenge.asks === 'import' && challenge.key === null) {
    throw malformed(what, 'it asks for an import and names no key');
  }
  return challenge;
}

/** What state and statements name a challenge by: the SHA-256 of its bytes, in hexadecimal. */
export function challengeId(bytes: Uint8Array): string {
  return toHex(sha256(bytes));
}

/** A container's digest and size, and the proof that somebody read all of it after this challenge was made. */
export interface Possession {
  readonly sha256: string;
  readonly size: number;
  /** 32 bytes in hexadecimal. */
  readonly proof: string;
}

/**
 * Reads a container once: its digest, its size, and SHA-256(label ‖ challenge id ‖ container). Who kept only the digest, or
 * part of the container, cannot compute the last; who reads it needs no key.
 * @param id - of the challenge
 */
export function possessionOf(source: ByteSource, id: string): Possession {
  const digest = createSha256();
  const proof = createSha256();
  proof.update(POSSESSION);
  proof.update(fromHex(id));
  const piece = new Uint8Array(PIECE);
  let size = 0;
  for (;;) {
    const count = source.read(piece, 0);
    if (count === 0) break;
    const read = piece.subarray(0, count);
    digest.update(read);
    proof.update(read);
    size += count;
  }
  return { sha256: toHex(digest.digest()), size, proof: toHex(proof.digest()) };
}

/** A container's digest and size. */
export function containerOf(source: ByteSource): Challenge['container'] {
  const { sha256: digest, size } = possessionOf(source, '00'.repeat(32));
  return { sha256: digest, size };
}

function malformed(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_CHALLENGE_MALFORMED',
    message: `${what} is no challenge of a hand-over: ${problem}`,
  });
}
