/**
 * DER, the small part that key formats need: a writer, and a reader that accepts exactly one encoding of each value.
 * @see ITU-T X.690 §8, §10
 */
import { concat } from '#formats/bytes';
import { InputError, InternalError } from '#formats/errors';

/** Identifier octets used here; context tags are IMPLICIT. */
export const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  sequence: 0x30,
  /** `[n]` IMPLICIT of a primitive type. */
  context: (n: number): number => 0x80 | n,
  /** `[n]` EXPLICIT, or IMPLICIT of a constructed type. */
  explicit: (n: number): number => 0xa0 | n,
} as const;

/** One value: identifier, shortest length, content parts one after another. */
export function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = concat(...content);
  const head = concat(Uint8Array.of(tag), encodeLength(body.length));
  const out = concat(head, body);
  body.fill(0);
  return out;
}

function encodeLength(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
}

/** SEQUENCE of the parts. */
export function derSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(TAG.sequence, ...parts);
}

/** OCTET STRING of the parts one after another. */
export function derOctetString(...parts: readonly Uint8Array[]): Uint8Array {
  return der(TAG.octetString, ...parts);
}

/** BIT STRING of whole bytes. */
export function derBitString(bytes: Uint8Array): Uint8Array {
  return der(TAG.bitString, Uint8Array.of(0), bytes);
}

/** INTEGER from 0 to 127. */
export function derSmallInteger(value: number): Uint8Array {
  return der(TAG.integer, Uint8Array.of(value));
}

/** INTEGER from big-endian bytes of a number that is not negative; leading zeros are dropped, a sign byte is added. */
export function derUnsigned(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const shortest = bytes.subarray(start);
  const signed = ((shortest[0] ?? 0) & 0x80) !== 0 || shortest.length === 0;
  return der(TAG.integer, ...(signed ? [Uint8Array.of(0), shortest] : [shortest]));
}

/** NULL. */
export function derNull(): Uint8Array {
  return der(TAG.null);
}

/**
 * OBJECT IDENTIFIER from its dotted form.
 * @throws {@link InternalError} `E_OID_MALFORMED`
 */
export function derOid(dotted: string): Uint8Array {
  const arcs = dotted.split('.').map(Number);
  const [first, second, ...rest] = arcs;
  if (
    first === undefined ||
    second === undefined ||
    first > 2 ||
    (first < 2 && second > 39) ||
    arcs.some((arc) => !Number.isSafeInteger(arc) || arc < 0)
  ) {
    throw new InternalError({
      code: 'E_OID_MALFORMED',
      message: `${dotted} is no object identifier`,
    });
  }
  return der(TAG.oid, ...[first * 40 + second, ...rest].map(base128));
}

function base128(value: number): Uint8Array {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest % 128));
  }
  return Uint8Array.from(bytes);
}

/**
 * Reads DER values one after another. Lengths must be definite, shortest and inside the input; a value of another type than
 * the one asked for is refused. Contents are views into the input, never copies: secrets stay in one place.
 * @throws {@link InputError} `E_DER_MALFORMED` from every method
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at = 0;

  /** @param what - how errors name the input */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  /** Identifier of the next value, or `undefined` at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** Content of the next value, which must have this identifier. */
  content(tag: number): Uint8Array {
    const found = this.#byte();
    if (found !== tag) throw this.fail(`type ${hex(found)} where ${hex(tag)} was expected`);
    const length = this.#length();
    if (length > this.#bytes.length - this.#at) throw this.fail('a value longer than its bytes');
    const content = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return content;
  }

  /** A reader over the next value, which must be a SEQUENCE. */
  sequence(): DerReader {
    return new DerReader(this.content(TAG.sequence), this.#what);
  }

  /** Content of the next value, which must be an OCTET STRING. */
  octetString(): Uint8Array {
    return this.content(TAG.octetString);
  }

  /** Bytes of the next value, which must be a BIT STRING without unused bits. */
  bitString(): Uint8Array {
    return this.bitStringContent(this.content(TAG.bitString));
  }

  /** Bytes of a BIT STRING's content, for implicitly tagged ones. */
  bitStringContent(content: Uint8Array): Uint8Array {
    if (content[0] !== 0) throw this.fail('a bit string that is not whole bytes');
    return content.subarray(1);
  }

  /** The next value, which must be an INTEGER from 0 to 127. */
  smallInteger(): number {
    const content = this.content(TAG.integer);
    const value = content[0];
    if (content.length !== 1 || value === undefined || value > 0x7f)
      throw this.fail('an integer out of range');
    return value;
  }

  /** Big-endian bytes, without a sign byte, of the next value, which must be an INTEGER that is not negative. */
  unsigned(): Uint8Array {
    const content = this.content(TAG.integer);
    const [first, second] = content;
    if (first === undefined) throw this.fail('an empty integer');
    if (first > 0x7f) throw this.fail('a negative integer');
    if (first !== 0) return content;
    if (second === undefined) return content;
    if (second < 0x80) throw this.fail('an integer that is not shortest');
    return content.subarray(1);
  }

  /** The next value, which must be NULL. */
  null(): void {
    if (this.content(TAG.null).length !== 0) throw this.fail('a NULL with content');
  }

  /** A reader over the next value, which must be explicitly tagged `[n]`. */
  explicit(n: number): DerReader {
    return new DerReader(this.content(TAG.explicit(n)), this.#what);
  }

  /** Dotted form of the next value, which must be an OBJECT IDENTIFIER. */
  oid(): string {
    const content = this.content(TAG.oid);
    const arcs: number[] = [];
    let arc = 0;
    for (const [i, byte] of content.entries()) {
      if (arc === 0 && byte === 0x80) throw this.fail('an object identifier that is not shortest');
      arc = arc * 128 + (byte & 0x7f);
      if (arc > 0xffff_ffff) throw this.fail('an object identifier out of range');
      if (byte < 0x80) {
        arcs.push(arc);
        arc = 0;
      } else if (i === content.length - 1) {
        throw this.fail('an object identifier that is cut short');
      }
    }
    const head = arcs[0];
    if (head === undefined) throw this.fail('an empty object identifier');
    const first = Math.min(2, Math.floor(head / 40));
    return [first, head - first * 40, ...arcs.slice(1)].join('.');
  }

  /** Refuses anything that is left. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw this.fail('bytes after the end');
  }

  /** The error for this input; the caller throws it. */
  fail(problem: string): InputError {
    return new InputError({
      code: 'E_DER_MALFORMED',
      message: `${this.#what} is not well-formed DER: ${problem}`,
    });
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw this.fail('the end came early');
    this.#at++;
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    // Four bytes count up to 4 GiB; more is never honest here, and 0x80 is an indefinite length.
    if (count === 0 || count > 4) throw this.fail('an indefinite or oversized length');
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte();
    if (length < 0x80 || length < 2 ** (8 * (count - 1)))
      throw this.fail('a length that is not shortest');
    return length;
  }
}

function hex(tag: number): string {
  return `0x${tag.toString(16).padStart(2, '0')}`;
}
