/**
 * BBQr, read only: files that other wallets and signers split over several codes. All parts are needed, in any order. The
 * format has no checksum of its own: what comes out is as sound as the codes were, and nothing more.
 * @see BBQr by Coinkite, "Spliting the Data", "Advanced Encodings"
 */
import { inflateRawSync } from 'node:zlib';
import { concat, equal, fromHex } from '#formats/bytes';
import { InputError, NegativeError } from '#formats/errors';
import { MAX_FILE_BYTES } from './payload.js';

/** One part. */
export interface BbqrPart {
  /** Encoding: hexadecimal, base32, or compressed base32. */
  readonly encoding: 'H' | '2' | 'Z';
  /** One letter: what kind of file. */
  readonly type: string;
  readonly total: number;
  /** From 0. */
  readonly index: number;
  readonly data: Uint8Array;
}

const HEADER = /^B\$([H2Z])([A-Z])([0-9A-Z]{2})([0-9A-Z]{2})([0-9A-Z]+)$/;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Most parts of a file of the size we take: 64 KiB in codes of 20 bytes and more. */
const MAX_PARTS = 1295;

/** Whether text begins like a part. */
export function looksLikeBbqr(text: string): boolean {
  return /^b\$/i.test(text);
}

/**
 * Takes a part apart; either case, since a scanner in keyboard mode may lose it.
 * @throws {@link InputError} `E_BBQR_MALFORMED`
 */
export function decodeBbqrPart(text: string, what: string): BbqrPart {
  const [, encoding, type, total, index, body] = HEADER.exec(text.toUpperCase()) ?? [];
  if (encoding === undefined || body === undefined || type === undefined) {
    throw malformed(`${what} is no part of a BBQr`);
  }
  const count = Number.parseInt(total as string, 36);
  const place = Number.parseInt(index as string, 36);
  if (count === 0 || count > MAX_PARTS || place >= count) {
    throw malformed(`${what} is part ${place + 1} of ${count}`);
  }
  const data = encoding === 'H' ? fromHex(body, what) : fromBase32(body, what);
  return { encoding: encoding as BbqrPart['encoding'], type, total: count, index: place, data };
}

/** Collects the parts of one file. */
export class BbqrDecoder {
  readonly total: number;
  readonly #first: BbqrPart;
  readonly #parts = new Map<number, Uint8Array>();
  #bytes = 0;

  constructor(first: BbqrPart) {
    this.total = first.total;
    this.#first = first;
  }

  /** Parts so far. */
  get received(): number {
    return this.#parts.size;
  }

  /**
   * Takes a part in.
   * @throws {@link InputError} `E_QR_TOO_LARGE`; {@link NegativeError} `E_BBQR_CONFLICT` for two different parts of one number
   */
  take(part: BbqrPart, what: string): 'new' | 'known' | 'foreign' {
    const { encoding, type, total } = this.#first;
    if (part.encoding !== encoding || part.type !== type || part.total !== total) return 'foreign';
    const known = this.#parts.get(part.index);
    if (known !== undefined) {
      if (equal(known, part.data)) return 'known';
      throw new NegativeError({
        code: 'E_BBQR_CONFLICT',
        message: `${what} is another part ${part.index + 1} than the one before`,
        hint: 'codes of two files are mixed, and BBQr cannot tell which; begin again with one',
      });
    }
    this.#bytes += part.data.length;
    if (this.#bytes > MAX_FILE_BYTES) throw tooLarge(what);
    this.#parts.set(part.index, part.data);
    return 'new';
  }

  /**
   * The file, once all parts are there.
   * @throws {@link InputError} `E_BBQR_MALFORMED`, `E_QR_TOO_LARGE`
   */
  file(what: string): Uint8Array {
    const parts = Array.from({ length: this.total }, (_, i) => this.#parts.get(i) as Uint8Array);
    const length = parts[0]?.length;
    if (parts.slice(0, -1).some((part) => part.length !== length)) {
      throw malformed(`the parts of ${what} differ in length`);
    }
    const joined = concat(...parts);
    if (this.#first.encoding !== 'Z') return joined;
    try {
      return new Uint8Array(inflateRawSync(joined, { maxOutputLength: MAX_FILE_BYTES }));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(what);
      throw malformed(`${what} does not decompress`, cause);
    }
  }
}

/** Unpadded base32 of whole bytes. @see RFC 4648 §6 */
function fromBase32(text: string, what: string): Uint8Array {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const letter of text) {
    const value = BASE32.indexOf(letter);
    if (value < 0) throw malformed(`${what} is not base32`);
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
      held &= (1 << bits) - 1;
    }
  }
  // What is left over must be less than a character and zero, else the same bytes had several spellings.
  if (bits >= 5 || held !== 0) throw malformed(`${what} is not base32 of whole bytes`);
  return Uint8Array.from(bytes);
}

function malformed(message: string, cause?: unknown): InputError {
  return new InputError({
    code: 'E_BBQR_MALFORMED',
    message,
    ...(cause === undefined ? {} : { cause }),
  });
}

function tooLarge(what: string): InputError {
  return new InputError({
    code: 'E_QR_TOO_LARGE',
    message: `${what} is longer than ${MAX_FILE_BYTES} bytes, more than is taken by QR code`,
  });
}
