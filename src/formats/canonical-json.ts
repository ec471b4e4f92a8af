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

const MAX_BYTES = 16 * 1024 * 1024;
const MAX_DEPTH = 32;

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
  // Most values have their members in order already: they were read from canonical text, or written that way.
  const text = isSorted(value) ? JSON.stringify(value) : write(value);
  return style.escapeLineSeparators === true
    ? // Outside strings these two never stand.
      text.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
    : text;
}

/**
 * Whether `JSON.stringify` spells a value as RFC 8785 wants it: the members of every object come in order.
 * @throws {@link InternalError} `E_JSON_UNREPRESENTABLE` for what {@link canonicalJson} cannot carry
 */
function isSorted(value: Json): boolean {
  if (typeof value === 'string') {
    if (!isWellFormed(value)) throw unrepresentable('a string with a lone surrogate');
    return true;
  }
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw unrepresentable(`the number ${value}`);
    return true;
  }
  if (value === null || typeof value === 'boolean') return true;
  let sorted = true;
  if (isArray(value)) {
    // By index, so that a hole is met as the undefined that it is.
    for (let i = 0; i < value.length; i++) sorted = isSorted(value[i] as Json) && sorted;
    return sorted;
  }
  if (typeof value !== 'object' || !isPlain(value)) throw unrepresentable(typeof value);
  let before: string | undefined;
  for (const key of Object.keys(value)) {
    if (!isWellFormed(key)) throw unrepresentable('a string with a lone surrogate');
    if (before !== undefined && key <= before) sorted = false;
    before = key;
    sorted = isSorted(value[key] as Json) && sorted;
  }
  return sorted;
}

/** The same for a value whose members come in any order; that it can be carried was seen before. */
function write(value: Json): string {
  if (!isObject(value) && !isArray(value)) return JSON.stringify(value);
  let text = '';
  if (isArray(value)) {
    for (const item of value) text += `${text === '' ? '' : ','}${write(item)}`;
    return `[${text}]`;
  }
  // Without a comparison of its own, sort() goes by UTF-16 code units.
  for (const key of Object.keys(value).sort())
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${write(value[key] as Json)}`;
  return `{${text}}`;
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
  const maxBytes = limits.maxBytes ?? MAX_BYTES;
  if (input.length > maxBytes) {
    throw new InputError({
      code: 'E_JSON_TOO_LARGE',
      message: `${what} is longer than ${maxBytes} bytes`,
    });
  }
  const text = typeof input === 'string' ? input : fromUtf8(input, what);
  return new Reader(text, what, limits.maxDepth ?? MAX_DEPTH, limits.fractions === true).document();
}

/**
 * Parses JSON that must be in canonical form, byte for byte; one final line feed is allowed.
 * @throws {@link InputError} `E_JSON_MALFORMED`, `E_JSON_TOO_LARGE`, `E_JSON_NOT_CANONICAL`
 */
export function parseCanonicalJson(input: Uint8Array, what: string, limits: JsonLimits = {}): Json {
  const body = input.at(-1) === 0x0a ? input.subarray(0, -1) : input;
  const known = wholesale(body, what, limits);
  if (known !== undefined) return known;
  const value = parseJson(input, what, limits);
  if (!equal(canonicalJsonBytes(value), body)) {
    throw new InputError({
      code: 'E_JSON_NOT_CANONICAL',
      message: `${what} is not canonical JSON (RFC 8785)`,
      hint: 'it was edited or reformatted after it was written; use the original file',
    });
  }
  return value;
}

/**
 * The value of canonical text, by the engine's own parser: it is lenient where {@link parseJson} is strict, but what it read
 * writes the same text again only if that text was canonical. Anything else is left to the strict reader, which says what is
 * wrong with it; so is whatever is long or deep, before a parser that bounds neither sees it.
 */
function wholesale(body: Uint8Array, what: string, limits: JsonLimits): Json | undefined {
  if (body.length >= (limits.maxBytes ?? MAX_BYTES)) return undefined;
  if (nests(body, limits.maxDepth ?? MAX_DEPTH)) return undefined;
  const text = fromUtf8(body, what);
  try {
    const value = JSON.parse(text) as Json;
    return canonicalJson(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether JSON opens more than `max` objects and arrays within each other, or is no JSON. */
function nests(bytes: Uint8Array, max: number): boolean {
  const { length } = bytes;
  let depth = 0;
  for (let i = 0; i < length; i++) {
    const byte = bytes[i];
    if (byte === 0x22) {
      // To the end of the string: what it holds opens nothing.
      for (i++; i < length && bytes[i] !== 0x22; i++) if (bytes[i] === 0x5c) i++;
    } else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > max) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return false;
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
