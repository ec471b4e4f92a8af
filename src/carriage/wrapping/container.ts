/**
 * The container's frame: two lines of text, then bytes. The lines say everything that is public, in one spelling only, and are
 * associated data of all that follows.
 * @see docs/spec/container.md
 */
import { concat, equal, utf8 } from '#formats/bytes';
import { type ByteSource, prepended } from '#formats/byte-stream';
import { canonicalJson, parseCanonicalJson } from '#formats/canonical-json';
import { InputError, NegativeError } from '#formats/errors';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';

/** First line of every container. */
export const MAGIC = utf8('conclave container 1\n');
/** Longest second line, its line feed counted. */
export const MAX_HEADER_BYTES = 64 * 1024;
/** Most recipients. */
export const MAX_RECIPIENTS = 64;
/** Most bytes that are sealed at once, and longest key package. */
export const MAX_SINGLE_BYTES = 64 * 1024;

/** Bounds of the size of chunks, which is a power of two. */
const CHUNK = { min: 2 ** 12, max: 2 ** 22 } as const;

const name = s.string({ max: 64 });

const headerSchema = s.object({
  type: s.oneOf('conclave/container'),
  version: s.oneOf(1),
  /** `single`: HPKE seals the content itself. `stream`: HPKE seals a content key, chunks follow. */
  body: s.oneOf('single', 'stream'),
  /** Plaintext bytes of every chunk but the last; null for `single`. */
  chunk: s.nullable(s.integer(CHUNK)),
  content: s.oneOf('key', 'file'),
  created: s.time(),
  environment: s.oneOf('production', 'rehearsal', 'dev'),
  epoch: s.integer({ min: 0, max: 0xffff_ffff }),
  key: s.nullable(
    s.object({
      id: s.hex(32),
      algorithm: name,
      profile: name,
      purposes: s.array(name, { max: 8 }),
      policy: s.nullable(s.string({ pattern: /^sha256:[0-9a-f]{64}$/, what: 'a policy digest' })),
    }),
  ),
  recipients: s.array(
    s.object({
      /** Key id of the recipient. */
      id: s.hex(32),
      /** KEM identifier of HPKE. */
      kem: s.integer({ min: 0, max: 0xffff }),
      /** Length of the recipient's part below. */
      bytes: s.integer({ min: 1, max: 16 * 1024 }),
    }),
    { min: 1, max: MAX_RECIPIENTS },
  ),
  /** KDF and AEAD by their identifiers in HPKE. */
  suite: s.object({ kdf: s.oneOf(1), aead: s.oneOf(2) }),
});

/** What a container says in clear. */
export type ContainerHeader = Infer<typeof headerSchema>;

/** A container, opened as far as anybody can. */
export interface Frame {
  readonly header: ContainerHeader;
  /** Both lines as they stand: associated data. */
  readonly prefix: Uint8Array;
  /** What follows the lines. */
  readonly rest: ByteSource;
}

/** Both lines of a container. */
export function encodePrefix(header: ContainerHeader): Uint8Array {
  const line = utf8(`${canonicalJson(header)}\n`);
  if (line.length > MAX_HEADER_BYTES) throw malformed('this container', 'its header is too long');
  return concat(MAGIC, line);
}

/** Whether something begins as a container does, of whatever version. */
export function looksLikeContainer(head: Uint8Array): boolean {
  const common = MAGIC.length - 2;
  return head.length > common && equal(head.subarray(0, common), MAGIC.subarray(0, common));
}

/**
 * Reads the lines of a container.
 * @throws {@link InputError} `E_CONTAINER_VERSION`, `E_CONTAINER_MALFORMED`, `E_SCHEMA_MISMATCH` and the errors of the JSON reader
 * @throws {@link NegativeError} `E_NOT_AUTHENTIC` when it ends within them
 */
export function readFrame(source: ByteSource, what: string): Frame {
  const head = new Uint8Array(MAGIC.length + MAX_HEADER_BYTES);
  let length = 0;
  let end = -1;
  while (end < 0 && length < head.length) {
    const count = source.read(head, length);
    if (count === 0) break;
    end = head.subarray(0, length + count).indexOf(0x0a, Math.max(length, MAGIC.length));
    length += count;
  }
  const magic = head.subarray(0, Math.min(length, MAGIC.length));
  if (!equal(magic, MAGIC)) {
    if (equal(magic, MAGIC.subarray(0, magic.length))) throw notAuthentic(what);
    if (!looksLikeContainer(head)) throw malformed(what, 'it does not begin as one');
    throw new InputError({
      code: 'E_CONTAINER_VERSION',
      message: `${what} is a container of a version that this conclave does not know`,
      hint: 'it may have been written by a newer conclave',
    });
  }
  if (end < 0) {
    if (length < head.length) throw notAuthentic(what);
    throw malformed(what, 'its header does not end');
  }
  // Canonical JSON has no line feed of its own, and its reader takes one behind it.
  const line = head.subarray(MAGIC.length, end + 1);
  const value = parseCanonicalJson(line, `${what}: header`, { maxBytes: MAX_HEADER_BYTES });
  const header = headerSchema.parse(value, `${what}: header`);
  assertSound(header, what);
  return {
    header,
    prefix: head.slice(0, end + 1),
    rest: prepended(head.slice(end + 1, length), source),
  };
}

/** What the members say of each other. */
function assertSound(header: ContainerHeader, what: string): void {
  const { body, chunk, content, key, recipients } = header;
  if ((body === 'single') !== (chunk === null)) throw malformed(what, 'its chunks are unclear');
  if (chunk !== null && (chunk & (chunk - 1)) !== 0) {
    throw malformed(what, 'its chunks are no power of two');
  }
  if (body === 'single' && recipients.length !== 1) {
    throw malformed(what, 'what is sealed at once has one recipient');
  }
  if ((content === 'key') !== (key !== null)) throw malformed(what, 'its content is unclear');
  const ids = new Set(recipients.map(({ id }) => id));
  if (ids.size !== recipients.length) throw malformed(what, 'a recipient is named twice');
}

/**
 * The one answer to whatever is wrong with what is sealed: changed, cut short, extended, or sealed to another key. Telling them
 * apart would tell an attacker how close a forgery came.
 */
export function notAuthentic(what: string, ids: readonly string[] = []): NegativeError {
  const names = ids.map((id) => id.slice(0, 16)).join(', ');
  return new NegativeError({
    code: 'E_NOT_AUTHENTIC',
    message: `${what} does not open: it was changed or cut short, or it is sealed to another key`,
    hint:
      names === ''
        ? 'fetch it again, and compare its digest with what the sender says'
        : `it says that it is sealed to key ${names}; if that is yours, fetch it again`,
  });
}

/** The error for a container that is none. */
export function malformed(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_CONTAINER_MALFORMED',
    message: `${what} is no container: ${problem}`,
  });
}
