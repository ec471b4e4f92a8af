/**
 * What conclave puts into QR codes: a file with its kind, its name and its SHA-256, or that digest alone. The digest tells
 * damage and mixture; it does not tell who sent the file, which is what signatures inside it are for.
 * @see docs/spec/qr.md
 */
import { equal, isWellFormed, toHex, utf8 } from '#formats/bytes';
import { type Cbor, type CborMap, decodeCbor, encodeCbor } from '#formats/cbor';
import { InputError, NegativeError } from '#formats/errors';
import type { Sha256 } from './xoshiro.js';

/** UR type of a file. */
export const FILE_UR_TYPE = 'conclave-file';

/** UR type of the digest of a file that travels otherwise. */
export const DIGEST_UR_TYPE = 'conclave-digest';

/** Longest file that is carried by codes, in bytes. */
export const MAX_FILE_BYTES = 64 * 1024;

const VERSION = 1;
const MAX_NAME_BYTES = 128;
const DIGEST_BYTES = 32;
const KIND = /^[a-z][a-z0-9-]{0,31}$/;

/** What would be a path, hide a file, or move the cursor of whoever lists it. */
const FORBIDDEN_IN_NAMES =
  /^\.|[/\\:\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|^\s|\s$/;

/** A file on its way. */
export interface FilePayload {
  /** As `conclave show` names it, `file` for anything else; the sender's word. */
  readonly kind: string;
  /** Name without folders; the sender's word. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A file's digest on its way. */
export interface DigestPayload {
  readonly kind: string;
  readonly name: string;
  /** Length of the file in bytes. */
  readonly length: number;
  /** SHA-256, 32 bytes. */
  readonly sha256: Uint8Array;
}

/**
 * A file as CBOR `{1: 1, 2: kind, 3: name, 4: bytes, 5: SHA-256 of the bytes}`.
 * @throws {@link InputError} `E_QR_NAME`, `E_QR_TOO_LARGE`
 */
export function encodeFilePayload({ kind, name, bytes }: FilePayload, sha256: Sha256): Uint8Array {
  assertNamed(kind, name);
  if (bytes.length > MAX_FILE_BYTES) throw tooLarge(name, bytes.length);
  return encodeCbor(members(kind, name, bytes, sha256(bytes)));
}

/**
 * Reads a file and compares its digest.
 * @param what - how errors name the code or codes it came from
 * @throws {@link InputError} `E_QR_PAYLOAD_MALFORMED`, `E_QR_TOO_LARGE`; {@link NegativeError} `E_QR_DIGEST`
 */
export function decodeFilePayload(message: Uint8Array, what: string, sha256: Sha256): FilePayload {
  const { kind, name, content, digest } = read(message, what);
  if (!(content instanceof Uint8Array)) throw malformed(what, 'it carries no bytes');
  if (content.length > MAX_FILE_BYTES) throw tooLarge(what, content.length);
  if (!equal(sha256(content), digest)) {
    throw new NegativeError({
      code: 'E_QR_DIGEST',
      message: `the file in ${what} does not have the digest that came with it`,
      hint: 'scan it again; if that does not help, somebody changed it',
    });
  }
  return { kind, name, bytes: content };
}

/** A digest as CBOR `{1: 1, 2: kind, 3: name, 4: length, 5: SHA-256}`. @throws {@link InputError} `E_QR_NAME` */
export function encodeDigestPayload({ kind, name, length, sha256 }: DigestPayload): Uint8Array {
  assertNamed(kind, name);
  return encodeCbor(members(kind, name, length, sha256));
}

/** Reads a digest. @throws {@link InputError} `E_QR_PAYLOAD_MALFORMED` */
export function decodeDigestPayload(message: Uint8Array, what: string): DigestPayload {
  const { kind, name, content, digest } = read(message, what);
  if (typeof content !== 'number' || content < 0) throw malformed(what, 'it names no length');
  return { kind, name, length: content, sha256: digest };
}

/** A file name as it may travel: without folders, with everything that is not allowed replaced. */
export function payloadName(path: string): string {
  const last = path
    .slice(path.lastIndexOf('/') + 1)
    .trim()
    .replace(/^\.+/, '');
  const clean = last.replaceAll(new RegExp(FORBIDDEN_IN_NAMES, 'g'), '_');
  let name = clean;
  while (utf8(name).length > MAX_NAME_BYTES) name = [...name].slice(0, -1).join('');
  return isWellFormed(name) && isName(name) ? name : 'file';
}

/** Digest as people see it. */
export function digestText(sha256: Uint8Array): string {
  return `sha256:${toHex(sha256)}`;
}

interface Members {
  readonly kind: string;
  readonly name: string;
  readonly content: Cbor | undefined;
  readonly digest: Uint8Array;
}

function members(kind: string, name: string, content: Cbor, digest: Uint8Array) {
  return new Map<number, Cbor>([
    [1, VERSION],
    [2, kind],
    [3, name],
    [4, content],
    [5, digest],
  ]);
}

function read(message: Uint8Array, what: string): Members {
  const map = decodeCbor(message, what, { maxBytes: MAX_FILE_BYTES + 1024, maxDepth: 1 });
  if (!(map instanceof Map) || map.size !== 5) throw malformed(what, 'it has not its five members');
  const at = (key: number): Cbor | undefined => (map as CborMap).get(key);
  const [version, kind, name, content, digest] = [at(1), at(2), at(3), at(4), at(5)];
  if (version !== VERSION) throw malformed(what, `its version is not ${VERSION}`);
  if (typeof kind !== 'string' || !KIND.test(kind)) throw malformed(what, 'it names no kind');
  if (typeof name !== 'string' || !isName(name)) throw malformed(what, 'its name is no file name');
  if (!(digest instanceof Uint8Array) || digest.length !== DIGEST_BYTES) {
    throw malformed(what, 'it has no SHA-256');
  }
  return { kind, name, content, digest };
}

function isName(name: string): boolean {
  return name !== '' && utf8(name).length <= MAX_NAME_BYTES && !FORBIDDEN_IN_NAMES.test(name);
}

function assertNamed(kind: string, name: string): void {
  if (KIND.test(kind) && isName(name)) return;
  throw new InputError({
    code: 'E_QR_NAME',
    message: `${JSON.stringify(name)} (${kind}) cannot name a file in a QR code`,
    hint: 'give another name: without folders, at most 128 bytes, not beginning with a dot',
  });
}

function malformed(what: string, why: string): InputError {
  return new InputError({
    code: 'E_QR_PAYLOAD_MALFORMED',
    message: `${what} is not what conclave puts into codes: ${why}`,
  });
}

function tooLarge(what: string, length: number): InputError {
  return new InputError({
    code: 'E_QR_TOO_LARGE',
    message: `${what} has ${length} bytes; at most ${MAX_FILE_BYTES} are carried by QR codes`,
    hint: 'carry it as a file, and its digest by QR: conclave qr show FILE --digest',
  });
}
