/** Bytes and their strict text encodings. Nothing here is lenient: what is accepted has exactly one spelling. */
import { InputError } from './errors.js';

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Whether a string is Unicode text: without lone surrogates, which UTF-8 cannot carry. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed();
}

/** UTF-8 bytes of a string; lone surrogates become U+FFFD, see {@link isWellFormed}. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/**
 * The string that strict UTF-8 bytes spell; a byte order mark is kept, so that parsers can refuse it.
 * @throws {@link InputError} `E_UTF8_MALFORMED`
 */
export function fromUtf8(bytes: Uint8Array, what = 'text'): string {
  try {
    return strictDecoder.decode(bytes);
  } catch (cause) {
    throw new InputError({
      code: 'E_UTF8_MALFORMED',
      message: `${what} is not valid UTF-8`,
      cause,
    });
  }
}

/** A new array holding the parts one after another. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** Whether two public byte strings are equal. For secrets use {@link equalConstantTime}. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether two byte strings are equal, in time that depends on their length only. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/**
 * Bytes of an even-length hexadecimal string, either case.
 * @throws {@link InputError} `E_HEX_MALFORMED`
 */
export function fromHex(text: string, what = 'hexadecimal text'): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) {
    throw new InputError({ code: 'E_HEX_MALFORMED', message: `${what} is not hexadecimal` });
  }
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** Standard base64 with padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** URL-safe base64 without padding (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/**
 * Bytes of canonical standard base64: padded, no white space, unused bits zero.
 * @throws {@link InputError} `E_BASE64_MALFORMED`
 */
export function fromBase64(text: string, what = 'base64 text'): Uint8Array {
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  if (toBase64(bytes) !== text) {
    throw new InputError({
      code: 'E_BASE64_MALFORMED',
      message: `${what} is not canonical base64`,
    });
  }
  return bytes;
}

/**
 * Bytes of canonical unpadded base64url.
 * @throws {@link InputError} `E_BASE64_MALFORMED`
 */
export function fromBase64Url(text: string, what = 'base64url text'): Uint8Array {
  const bytes = new Uint8Array(Buffer.from(text, 'base64url'));
  if (toBase64Url(bytes) !== text) {
    throw new InputError({
      code: 'E_BASE64_MALFORMED',
      message: `${what} is not canonical base64url`,
    });
  }
  return bytes;
}

/** Big-endian unsigned 16-bit integer. */
export function u16be(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff)
    throw new RangeError('u16 out of range');
  return Uint8Array.of(value >> 8, value & 0xff);
}

/** Big-endian unsigned 32-bit integer. */
export function u32be(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
    throw new RangeError('u32 out of range');
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value);
  return out;
}

/** The bytes behind a `u32be` length prefix: LP of the specifications. */
export function lengthPrefixed(bytes: Uint8Array): Uint8Array {
  return concat(u32be(bytes.length), bytes);
}
