/**
 * The header of an age file: stanzas, each a way to the file key, and a MAC over all of it under that key.
 * @see https://c2sp.org/age, "Header"
 */
import { hkdfSha256, hmacSha256 } from '#crypto/hash';
import { concat, equalConstantTime, fromBase64, toBase64, utf8 } from '#formats/bytes';
import type { ByteSource } from '#formats/byte-stream';
import { InputError } from '#formats/errors';
import { LineSource } from './line-source.js';

const VERSION = 'age-encryption.org/v1';
/** Longest header; a hundred post-quantum recipients are less. */
const MAX_HEADER_BYTES = 256 * 1024;
const MAX_LINE_BYTES = 4096;
const COLUMNS = 64;
/** Printable ASCII without space. */
const ARGUMENT = /^[\x21-\x7e]+$/;
const MAC_BYTES = 32;

/** One recipient's part. */
export interface Stanza {
  /** Its type, then what that needs. */
  readonly args: readonly [string, ...string[]];
  readonly body: Uint8Array;
}

/** A header as it was read. */
export interface AgeHeader {
  readonly stanzas: readonly Stanza[];
  readonly mac: Uint8Array;
  /** What the MAC is over: everything up to its three dashes. */
  readonly signed: Uint8Array;
}

/** Whether something begins as an age file does. */
export function looksLikeAge(head: Uint8Array): boolean {
  return Buffer.from(head.subarray(0, 19)).toString('latin1') === 'age-encryption.org/';
}

/**
 * Reads a header.
 * @returns it, and the payload behind it
 * @throws {@link InputError} `E_AGE_MALFORMED`
 */
export function readAgeHeader(
  source: ByteSource,
  what: string,
): { readonly header: AgeHeader; readonly rest: ByteSource } {
  const lines = new LineSource(source);
  const signed: string[] = [];
  let size = 0;
  const line = (): string => {
    const next = lines.next(MAX_LINE_BYTES);
    if (next.kind === 'long') throw malformed(what, 'a line that is too long');
    if (next.kind === 'end') throw malformed(what, 'it ends within its header');
    size += next.text.length + 1;
    if (size > MAX_HEADER_BYTES) throw malformed(what, 'its header is too long');
    return next.text;
  };
  const version = line();
  if (version !== VERSION) throw malformed(what, 'its first line is another');
  signed.push(version);
  const stanzas: Stanza[] = [];
  for (;;) {
    const text = line();
    if (text.startsWith('---')) {
      if (stanzas.length === 0) throw malformed(what, 'it has no recipient');
      if (!text.startsWith('--- ')) throw malformed(what, 'a malformed last line');
      const mac = base64(text.slice(4), what);
      if (mac.length !== MAC_BYTES) throw malformed(what, 'a MAC of another length');
      const bytes = Buffer.from(`${signed.join('\n')}\n---`, 'latin1');
      return { header: { stanzas, mac, signed: new Uint8Array(bytes) }, rest: lines.rest() };
    }
    signed.push(text);
    const [arrow, ...args] = text.split(' ');
    const [type] = args;
    if (arrow !== '->' || type === undefined || !args.every((arg) => ARGUMENT.test(arg))) {
      throw malformed(what, 'a malformed recipient line');
    }
    const body: Uint8Array[] = [];
    for (;;) {
      const part = line();
      signed.push(part);
      if (part.length > COLUMNS) throw malformed(what, 'a line that is too long');
      body.push(base64(part, what));
      if (part.length < COLUMNS) break;
    }
    stanzas.push({ args: args as [string, ...string[]], body: concat(...body) });
  }
}

/** The bytes of a header under its file key (borrowed). */
export function encodeAgeHeader(stanzas: readonly Stanza[], fileKey: Uint8Array): Uint8Array {
  const lines = stanzas.flatMap(({ args, body }) => {
    const text = unpadded(body);
    const full = text.match(/.{1,64}/g) ?? [];
    return [`-> ${args.join(' ')}`, ...full, ...(text.length % COLUMNS === 0 ? [''] : [])];
  });
  const signed = utf8(`${[VERSION, ...lines].join('\n')}\n---`);
  return concat(signed, utf8(` ${unpadded(macOf(signed, fileKey))}\n`));
}

/** Whether a header is that of its file key (borrowed). */
export function headerHolds({ signed, mac }: AgeHeader, fileKey: Uint8Array): boolean {
  return equalConstantTime(macOf(signed, fileKey), mac);
}

function macOf(signed: Uint8Array, fileKey: Uint8Array): Uint8Array {
  const key = hkdfSha256(fileKey, new Uint8Array(0), utf8('header'), 32);
  try {
    return hmacSha256(key, signed);
  } finally {
    key.fill(0);
  }
}

/** Standard base64 without padding. */
export function unpadded(bytes: Uint8Array): string {
  return toBase64(bytes).replace(/=+$/, '');
}

/**
 * Bytes of canonical base64 without padding.
 * @throws {@link InputError} `E_AGE_MALFORMED`
 */
export function base64(text: string, what: string): Uint8Array {
  if (/[^A-Za-z0-9+/]/.test(text) || text.length % 4 === 1) {
    throw malformed(what, 'base64 that is none');
  }
  try {
    return fromBase64(text.padEnd(Math.ceil(text.length / 4) * 4, '='), what);
  } catch {
    throw malformed(what, 'base64 that is not canonical');
  }
}

/** The error for an age file that is none. */
export function malformed(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_AGE_MALFORMED',
    message: `${what} is not a sound age file: ${problem}`,
  });
}
