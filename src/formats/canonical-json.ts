/**
 * Canonical JSON (RFC 8785, restricted to integers) and a strict JSON reader.
 * Every public artifact that conclave hashes or signs is written by this encoder.
 * @see RFC 8785 §3.2
 */
import { equal, fromUtf8, isWellFormed, utf8 } from './bytes.js';
import { InputError, InternalError } from './errors.js';

/** What canonical JSON can carry: no fractions, no dates, no undefined. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };

/** Limits of the strict reader. */
export interface JsonLimits {
  /** Refused before parsing when longer; default 16 MiB. */
  readonly maxBytes?: number;
  /** Deepest nesting; default 32. */
  readonly maxDepth?: number;
  /** Accept fractions and exponents: for files of other programs only, whose numbers are read and never written again. */
  readonly fractions?: boolean;
}

/** Options of the encoder. */
export interface JsonStyle {
  /** Escape U+2028 and U+2029 as well: the Ratify protocol's one deviation from RFC 8785. */
  readonly escapeLineSeparators?: boolean;
}

/**
 * Canonical text of a value: members sorted by UTF-16 code units, no white space, integers only.
 * @throws {@link InternalError} `E_JSON_UNREPRESENTABLE` for values that canonical JSON cannot carry
 */
export function canonicalJson(value: Json, style: JsonStyle = {}): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw unrepresentable(`the number ${value}`);
    return Object.is(value, -0) ? '0' : String(value);
  }
  if (typeof value === 'string') {
    if (!isWellFormed(value)) throw unrepresentable('a string with a lone surrogate');
    const text = JSON.stringify(value);
    return style.escapeLineSeparators === true
      ? text.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
      : text;
  }
  if (isArray(value)) return `[${value.map((item) => canonicalJson(item, style)).join(',')}]`;
  if (typeof value === 'object' && isPlain(value)) {
    const members = Object.keys(value)
      .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
      .map((key) => `${canonicalJson(key, style)}:${canonicalJson(value[key] as Json, style)}`);
    return `{${members.join(',')}}`;
  }
  throw unrepresentable(typeof value);
}

/** UTF-8 bytes of {@link canonicalJson}; no final newline. */
export function canonicalJsonBytes(value: Json, style: JsonStyle = {}): Uint8Array {
  return utf8(canonicalJson(value, style));
}

/**
 * Strictly parsed JSON: duplicate members, trailing text, byte order marks, fractions and exponents, numbers beyond 2^53−1,
 * lone surrogates and deep nesting are refused. White space is allowed.
 * @param what - how errors name the input, e.g. `set.json`
 * @throws {@link InputError} `E_JSON_MALFORMED`, `E_JSON_TOO_LARGE`
 */
export function parseJson(input: string | Uint8Array, what: string, limits: JsonLimits = {}): Json {
  const maxBytes = limits.maxBytes ?? 16 * 1024 * 1024;
  if (input.length > maxBytes) {
    throw new InputError({
      code: 'E_JSON_TOO_LARGE',
      message: `${what} is longer than ${maxBytes} bytes`,
    });
  }
  const text = typeof input === 'string' ? input : fromUtf8(input, what);
  return new Reader(text, what, limits.maxDepth ?? 32, limits.fractions === true).document();
}

/**
 * Parses JSON that must be in canonical form, byte for byte; one final line feed is allowed.
 * @throws {@link InputError} `E_JSON_MALFORMED`, `E_JSON_TOO_LARGE`, `E_JSON_NOT_CANONICAL`
 */
export function parseCanonicalJson(input: Uint8Array, what: string, limits: JsonLimits = {}): Json {
  const value = parseJson(input, what, limits);
  const body = input.at(-1) === 0x0a ? input.subarray(0, -1) : input;
  if (!equal(canonicalJsonBytes(value), body)) {
    throw new InputError({
      code: 'E_JSON_NOT_CANONICAL',
      message: `${what} is not canonical JSON (RFC 8785)`,
      hint: 'it was edited or reformatted after it was written; use the original file',
    });
  }
  return value;
}

/** Whether a JSON value is an object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function unrepresentable(what: string): InternalError {
  return new InternalError({
    code: 'E_JSON_UNREPRESENTABLE',
    message: `canonical JSON cannot carry ${what}`,
  });
}

const NUMBER = /-?(?:0|[1-9][0-9]*)/y;
const FRACTION = /[.eE]/;
const TAIL = /(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Recursive-descent reader over one text. */
class Reader {
  readonly #text: string;
  readonly #what: string;
  readonly #maxDepth: number;
  readonly #fractions: boolean;
  #at = 0;

  constructor(text: string, what: string, maxDepth: number, fractions: boolean) {
    this.#text = text;
    this.#what = what;
    this.#maxDepth = maxDepth;
    this.#fractions = fractions;
  }

  document(): Json {
    const value = this.#value(0);
    this.#space();
    if (this.#at !== this.#text.length) throw this.#fail('text after the end of the document');
    return value;
  }

  #value(depth: number): Json {
    if (depth > this.#maxDepth) throw this.#fail(`nesting deeper than ${this.#maxDepth}`);
    this.#space();
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#array(depth);
    if (first === '"') return this.#string();
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return this.#number();
  }

  #object(depth: number): JsonObject {
    const members: Record<string, Json> = Object.create(null) as Record<string, Json>;
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === '}') {
      this.#at++;
      return members;
    }
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') throw this.#fail('a member name was expected');
      const key = this.#string();
      if (Object.hasOwn(members, key))
        throw this.#fail(`the member ${JSON.stringify(key)} appears twice`);
      this.#space();
      if (this.#text[this.#at] !== ':') throw this.#fail('":" was expected');
      this.#at++;
      members[key] = this.#value(depth + 1);
      this.#space();
      const next = this.#text[this.#at++];
      if (next === '}') return members;
      if (next !== ',') throw this.#fail('"," or "}" was expected');
    }
  }

  #array(depth: number): Json[] {
    const items: Json[] = [];
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === ']') {
      this.#at++;
      return items;
    }
    for (;;) {
      items.push(this.#value(depth + 1));
      this.#space();
      const next = this.#text[this.#at++];
      if (next === ']') return items;
      if (next !== ',') throw this.#fail('"," or "]" was expected');
    }
  }

  #string(): string {
    let out = '';
    this.#at++;
    for (;;) {
      PLAIN.lastIndex = this.#at;
      const run = PLAIN.exec(this.#text)?.[0] ?? '';
      out += run;
      this.#at += run.length;
      const mark = this.#text[this.#at++];
      if (mark === '"') break;
      if (mark !== '\\') throw this.#fail('a string is not closed or holds a control character');
      const escape = this.#text[this.#at++] ?? '';
      if (escape === 'u') {
        const hex = this.#text.slice(this.#at, this.#at + 4);
        if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw this.#fail('a malformed \\u escape');
        out += String.fromCharCode(Number.parseInt(hex, 16));
        this.#at += 4;
      } else {
        const plain = ESCAPES[escape];
        if (plain === undefined) throw this.#fail('an unknown escape');
        out += plain;
      }
    }
    if (!isWellFormed(out)) throw this.#fail('a string with a lone surrogate');
    return out;
  }

  #number(): number {
    NUMBER.lastIndex = this.#at;
    const text = NUMBER.exec(this.#text)?.[0];
    if (text === undefined) throw this.#fail('a value was expected');
    this.#at += text.length;
    if (this.#fractions && FRACTION.test(this.#text[this.#at] ?? '')) return this.#fraction(text);
    if (FRACTION.test(this.#text[this.#at] ?? '')) throw this.#fail('only integers are allowed');
    const value = Number(text);
    if (!Number.isSafeInteger(value)) throw this.#fail('a number beyond 2^53-1');
    if (Object.is(value, -0)) throw this.#fail('negative zero');
    return value;
  }

  #fraction(whole: string): number {
    TAIL.lastIndex = this.#at;
    const tail = TAIL.exec(this.#text)?.[0] ?? '';
    this.#at += tail.length;
    const value = Number(whole + tail);
    if (tail === '' || !Number.isFinite(value)) throw this.#fail('a malformed number');
    return value;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #fail(problem: string): InputError {
    const before = this.#text.slice(0, this.#at).split('\n');
    const line = before.length;
    const column = (before.at(-1) ?? '').length + 1;
    return new InputError({
      code: 'E_JSON_MALFORMED',
      message: `${this.#what} is not valid JSON: ${problem} (line ${line}, column ${column})`,
    });
  }
}
