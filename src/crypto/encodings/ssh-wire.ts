/**
 * The data types of the SSH protocols, as far as keys and signatures need them.
 * @see RFC 4251 §5
 */
import { concat, equal, lengthPrefixed, utf8 } from '#formats/bytes';
import { InputError } from '#formats/errors';

/** `string` of some text. */
export function sshText(text: string): Uint8Array {
  return lengthPrefixed(utf8(text));
}

/** `mpint` of an unsigned big-endian number. */
export function sshUnsigned(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length && bytes[start] === 0) start++;
  const magnitude = bytes.subarray(start);
  const isHigh = ((magnitude[0] ?? 0) & 0x80) !== 0;
  return lengthPrefixed(isHigh ? concat(Uint8Array.of(0), magnitude) : magnitude);
}

/**
 * Reads SSH values one after another; contents are views into the input.
 * @throws {@link InputError} `E_SSH_MALFORMED` from every method
 */
export class SshReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at = 0;

  /** @param what - how errors name the input */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  /** The next `length` bytes. */
  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw this.fail('the end came early');
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  /** The next `uint32`. */
  u32(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.take(4);
    return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  }

  /** The bytes of the next `string`. */
  string(): Uint8Array {
    return this.take(this.u32());
  }

  /** The next `string`, which must be these bytes. */
  expect(expected: Uint8Array, problem: string): void {
    if (!equal(this.string(), expected)) throw this.fail(problem);
  }

  /** The next `mpint`, which must not be negative, as big-endian bytes without leading zeroes. */
  unsigned(): Uint8Array {
    const bytes = this.string();
    const [first, second] = bytes;
    if (first === undefined) return bytes;
    if ((first & 0x80) !== 0) throw this.fail('a negative number');
    if (first !== 0) return bytes;
    if (second === undefined || (second & 0x80) === 0) throw this.fail('a number not shortest');
    return bytes.subarray(1);
  }

  /** What is left. */
  rest(): Uint8Array {
    return this.take(this.#bytes.length - this.#at);
  }

  /** Refuses anything that is left. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw this.fail('bytes after the end');
  }

  /** The error for this input; the caller throws it. */
  fail(problem: string): InputError {
    return new InputError({
      code: 'E_SSH_MALFORMED',
      message: `${this.#what} is not a well-formed SSH key: ${problem}`,
    });
  }
}
