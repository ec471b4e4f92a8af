/**
 * Deterministic CBOR: the subset that conclave's binary artifacts use, with exactly one encoding per value.
 * Integers up to 2^53−1, byte and text strings, arrays, maps with integer or text keys, booleans and null; definite lengths,
 * shortest heads, map keys in bytewise order of their encodings. Tags, floats and undefined do not exist here.
 * @see RFC 8949 §4.2.1
 */
import { concat, fromUtf8, isWellFormed, utf8 } from './bytes.js';
import { InputError, InternalError } from './errors.js';

/** A map; keys keep their type, so that `1` and `"1"` differ. */
export type CborMap = ReadonlyMap<number | string, Cbor>;

/** What deterministic CBOR can carry here. */
export type Cbor = null | boolean | number | string | Uint8Array | readonly Cbor[] | CborMap;

/** Limits of the reader. */
export interface CborLimits {
  /** Refused before parsing when longer; default 1 MiB. */
  readonly maxBytes?: number;
  /** Deepest nesting; default 16. */
  readonly maxDepth?: number;
}

/**
 * The one deterministic encoding of a value.
 * @throws {@link InternalError} `E_CBOR_UNREPRESENTABLE`
 */
export function encodeCbor(value: Cbor): Uint8Array {
  if (value === null) return Uint8Array.of(0xf6);
  if (typeof value === 'boolean') return Uint8Array.of(value ? 0xf5 : 0xf4);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw unrepresentable(`the number ${value}`);
    return value >= 0 ? head(0, value) : head(1, -1 - value);
  }
  if (typeof value === 'string') {
    if (!isWellFormed(value)) throw unrepresentable('a string with a lone surrogate');
    const text = utf8(value);
    return concat(head(3, text.length), text);
  }
  if (value instanceof Uint8Array) return concat(head(2, value.length), value);
  if (value instanceof Map) {
    const entries = [...(value as CborMap)].map(
      ([key, item]) => [encodeCbor(key), encodeCbor(item)] as const,
    );
    entries.sort(([a], [b]) => Buffer.compare(a, b));
    return joined(head(5, entries.length), entries.flat());
  }
  if (Array.isArray(value)) {
    const items = value as readonly Cbor[];
    return joined(head(4, items.length), items.map(encodeCbor));
  }
  throw unrepresentable(typeof value);
}

/**
 * Parses bytes that must be one deterministic encoding and nothing after it.
 * @param what - how errors name the input
 * @returns byte strings as copies, maps as `Map`
 * @throws {@link InputError} `E_CBOR_MALFORMED`, `E_CBOR_TOO_LARGE`
 */
export function decodeCbor(bytes: Uint8Array, what: string, limits: CborLimits = {}): Cbor {
  const maxBytes = limits.maxBytes ?? 1024 * 1024;
  if (bytes.length > maxBytes) {
    throw new InputError({
      code: 'E_CBOR_TOO_LARGE',
      message: `${what} is longer than ${maxBytes} bytes`,
    });
  }
  const reader = new Reader(bytes, what, limits.maxDepth ?? 16);
  return reader.document();
}

/** The parts are wiped: what is encoded may be a secret, and its caller can wipe the whole alone. */
function joined(start: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const whole = concat(start, ...parts);
  for (const part of parts) part.fill(0);
  return whole;
}

function head(major: number, argument: number): Uint8Array {
  const type = major << 5;
  if (argument < 24) return Uint8Array.of(type | argument);
  if (argument < 0x100) return Uint8Array.of(type | 24, argument);
  if (argument < 0x1_0000) return Uint8Array.of(type | 25, argument >> 8, argument & 0xff);
  const out = new Uint8Array(argument < 0x1_0000_0000 ? 5 : 9);
  const view = new DataView(out.buffer);
  if (out.length === 5) {
    out[0] = type | 26;
    view.setUint32(1, argument);
  } else {
    out[0] = type | 27;
    view.setBigUint64(1, BigInt(argument));
  }
  return out;
}

function unrepresentable(what: string): InternalError {
  return new InternalError({
    code: 'E_CBOR_UNREPRESENTABLE',
    message: `deterministic CBOR cannot carry ${what} here`,
  });
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  readonly #maxDepth: number;
  #at = 0;

  constructor(bytes: Uint8Array, what: string, maxDepth: number) {
    this.#bytes = bytes;
    this.#what = what;
    this.#maxDepth = maxDepth;
  }

  document(): Cbor {
    const value = this.#value(0);
    if (this.#at !== this.#bytes.length) throw this.#fail('bytes after the end');
    return value;
  }

  #value(depth: number): Cbor {
    if (depth > this.#maxDepth) throw this.#fail(`nesting deeper than ${this.#maxDepth}`);
    const initial = this.#byte();
    const major = initial >> 5;
    if (major === 7) return this.#simple(initial);
    const argument = this.#argument(initial & 0x1f);
    switch (major) {
      case 0:
        return argument;
      case 1:
        if (argument >= Number.MAX_SAFE_INTEGER) throw this.#fail('an integer beyond 2^53-1');
        return -1 - argument;
      case 2:
        // Not `slice`: of a Buffer that is a view.
        return new Uint8Array(this.#take(argument));
      case 3:
        return fromUtf8(this.#take(argument), this.#what);
      case 4:
        return this.#array(argument, depth);
      case 5:
        return this.#map(argument, depth);
      default:
        throw this.#fail('a tag');
    }
  }

  #simple(initial: number): boolean | null {
    if (initial === 0xf4) return false;
    if (initial === 0xf5) return true;
    if (initial === 0xf6) return null;
    throw this.#fail('a float or simple value');
  }

  #array(length: number, depth: number): Cbor[] {
    // Each item takes a byte at least, so a length beyond the rest is a lie: refused before anything is allocated.
    if (length > this.#bytes.length - this.#at) throw this.#fail('an array longer than its bytes');
    const items: Cbor[] = [];
    for (let i = 0; i < length; i++) items.push(this.#value(depth + 1));
    return items;
  }

  #map(length: number, depth: number): CborMap {
    if (length * 2 > this.#bytes.length - this.#at) throw this.#fail('a map longer than its bytes');
    const members = new Map<number | string, Cbor>();
    let previous: Uint8Array | undefined;
    for (let i = 0; i < length; i++) {
      const start = this.#at;
      const key = this.#value(depth + 1);
      if (typeof key !== 'number' && typeof key !== 'string')
        throw this.#fail('a map key that is neither integer nor text');
      const encoded = this.#bytes.subarray(start, this.#at);
      if (previous !== undefined && Buffer.compare(previous, encoded) >= 0) {
        throw this.#fail('map keys out of order or repeated');
      }
      previous = encoded;
      members.set(key, this.#value(depth + 1));
    }
    return members;
  }

  #argument(info: number): number {
    if (info < 24) return info;
    if (info === 24) return this.#shortest(this.#byte(), 24);
    if (info > 27) throw this.#fail('an indefinite length');
    const size = 1 << (info - 24);
    const field = this.#take(size);
    let value = 0n;
    for (const byte of field) value = (value << 8n) | BigInt(byte);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#fail('an integer beyond 2^53-1');
    return this.#shortest(
      Number(value),
      size === 2 ? 0x100 : size === 4 ? 0x1_0000 : 0x1_0000_0000,
    );
  }

  #shortest(value: number, minimum: number): number {
    if (value < minimum) throw this.#fail('a head that is not the shortest');
    return value;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw this.#fail('the end came early');
    this.#at++;
    return byte;
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw this.#fail('the end came early');
    const field = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return field;
  }

  #fail(problem: string): InputError {
    return new InputError({
      code: 'E_CBOR_MALFORMED',
      message: `${this.#what} is not deterministic CBOR: ${problem} (byte ${this.#at})`,
    });
  }
}
