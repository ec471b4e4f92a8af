/**
 * Schemas for plain data: strict readers from parsed JSON to typed values. Unknown and missing members are refused, and
 * every error says where. (Ceremony definitions, with their line numbers, are read by `script/` instead.)
 */
import { fromBase64 } from './bytes.js';
import { isObject, type Json } from './canonical-json.js';
import { InputError } from './errors.js';

/** A strict reader of one shape; `at` is where we are, e.g. `set.json: groups[0].threshold`. */
export interface Schema<T> {
  parse(value: Json | undefined, at: string): T;
}

/** The type that a schema yields. */
export type Infer<S> = S extends Schema<infer T> ? T : never;

/** The error every schema throws: `E_SCHEMA_MISMATCH`, exit 65. */
export function mismatch(at: string, expected: string): InputError {
  return new InputError({ code: 'E_SCHEMA_MISMATCH', message: `${at}: ${expected} was expected` });
}

function schema<T>(parse: (value: Json | undefined, at: string) => T): Schema<T> {
  return { parse };
}

/** A string, at most `max` UTF-16 units (default 4096), matching `pattern` when given. */
export function string(
  options: { pattern?: RegExp; max?: number; what?: string } = {},
): Schema<string> {
  const what = options.what ?? 'a string';
  return schema((value, at) => {
    if (typeof value !== 'string' || value.length > (options.max ?? 4096)) throw mismatch(at, what);
    if (options.pattern !== undefined && !options.pattern.test(value)) throw mismatch(at, what);
    return value;
  });
}

/** An integer within `min` and `max`. */
export function integer(options: { min?: number; max?: number } = {}): Schema<number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = options;
  return schema((value, at) => {
    if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max)
      throw mismatch(at, `an integer from ${min} to ${max}`);
    return value as number;
  });
}

/** `true` or `false`. */
export function boolean(): Schema<boolean> {
  return schema((value, at) => {
    if (typeof value !== 'boolean') throw mismatch(at, 'true or false');
    return value;
  });
}

/** Exactly one of the given strings or integers. */
export function oneOf<const T extends string | number>(...allowed: readonly T[]): Schema<T> {
  return schema((value, at) => {
    if (!(allowed as readonly unknown[]).includes(value))
      throw mismatch(at, allowed.map((a) => JSON.stringify(a)).join(' or '));
    return value as T;
  });
}

/** `null`, or what `inner` reads. */
export function nullable<T>(inner: Schema<T>): Schema<T | null> {
  return schema((value, at) => (value === null ? null : inner.parse(value, at)));
}

/** Any JSON value. */
export function json(): Schema<Json> {
  return schema((value, at) => {
    if (value === undefined) throw mismatch(at, 'a value');
    return value;
  });
}

/** An array of `min` to `max` (default 4096) items. */
export function array<T>(
  inner: Schema<T>,
  options: { min?: number; max?: number } = {},
): Schema<readonly T[]> {
  const { min = 0, max = 4096 } = options;
  return schema((value, at) => {
    if (!Array.isArray(value)) throw mismatch(at, 'an array');
    const items = value as readonly Json[];
    if (items.length < min || items.length > max)
      throw mismatch(at, `an array of ${min} to ${max} items`);
    return items.map((item, i) => inner.parse(item, `${at}[${i}]`));
  });
}

/** An object whose member names are free and whose values share one schema. */
export function record<T>(
  inner: Schema<T>,
  options: { key?: RegExp; max?: number } = {},
): Schema<Readonly<Record<string, T>>> {
  return schema((value, at) => {
    if (!isObject(value)) throw mismatch(at, 'an object');
    const keys = Object.keys(value);
    if (keys.length > (options.max ?? 1024))
      throw mismatch(at, `at most ${options.max ?? 1024} members`);
    const out: Record<string, T> = Object.create(null) as Record<string, T>;
    for (const key of keys) {
      if (options.key !== undefined && !options.key.test(key))
        throw mismatch(`${at}.${key}`, 'another member name');
      out[key] = inner.parse(value[key], `${at}.${key}`);
    }
    return { ...out };
  });
}

/** Marks a member as optional: when absent it is left out of the result. */
export interface Optional<T> {
  readonly optional: Schema<T>;
}

/** An optional member of {@link object}. */
export function optional<T>(inner: Schema<T>): Optional<T> {
  return { optional: inner };
}

type Shape = Readonly<Record<string, Schema<unknown> | Optional<unknown>>>;
type Flatten<T> = { readonly [K in keyof T]: T[K] };
type ObjectOf<S extends Shape> = Flatten<
  {
    [K in keyof S as S[K] extends Optional<unknown> ? never : K]: S[K] extends Schema<infer T>
      ? T
      : never;
  } & {
    [K in keyof S as S[K] extends Optional<unknown> ? K : never]?: S[K] extends Optional<infer T>
      ? T
      : never;
  }
>;

/** An object with exactly these members; others are refused by name. */
export function object<const S extends Shape>(shape: S): Schema<ObjectOf<S>> {
  const members = Object.entries(shape).map(([key, member]) =>
    'optional' in member
      ? { key, below: `.${key}`, inner: member.optional, optional: true }
      : { key, below: `.${key}`, inner: member, optional: false },
  );
  const names = new Set(Object.keys(shape));
  // What every object inherits would count as given.
  if (members.some(({ key }) => key in Object.prototype)) throw new TypeError('a name of Object');
  return schema((value, at) => {
    if (!isObject(value)) throw mismatch(at, 'an object');
    for (const key of Object.keys(value)) {
      if (names.has(key)) continue;
      throw new InputError({
        code: 'E_SCHEMA_MISMATCH',
        message: `${at}: unknown member ${JSON.stringify(key)}`,
      });
    }
    const out: Record<string, unknown> = {};
    for (const { key, below, inner, optional } of members) {
      const given = value[key];
      if (given !== undefined) {
        out[key] = inner.parse(given, at + below);
      } else if (!optional) {
        throw new InputError({
          code: 'E_SCHEMA_MISMATCH',
          message: `${at}: the member ${JSON.stringify(key)} is missing`,
        });
      }
    }
    return out as ObjectOf<S>;
  });
}

/** Lower-case hexadecimal of exactly `length` bytes (any length when omitted), as text. */
export function hex(length?: number): Schema<string> {
  return schema((value, at) => {
    const what =
      length === undefined ? 'lower-case hexadecimal' : `${length} bytes of lower-case hexadecimal`;
    if (typeof value !== 'string' || value.length % 2 !== 0 || !/^[0-9a-f]*$/.test(value))
      throw mismatch(at, what);
    if (length !== undefined && value.length !== 2 * length) throw mismatch(at, what);
    return value;
  });
}

/** Canonical base64, as bytes; exactly `length` of them when given. */
export function base64(length?: number): Schema<Uint8Array> {
  return schema((value, at) => {
    if (typeof value !== 'string') throw mismatch(at, 'base64');
    const bytes = fromBase64(value, at);
    if (length !== undefined && bytes.length !== length)
      throw mismatch(at, `${length} bytes of base64`);
    return bytes;
  });
}

/** UTC time to the second or millisecond, `2026-11-23T09:30:00Z`, as text. */
export function time(): Schema<string> {
  return schema((value, at) => {
    if (
      typeof value !== 'string' ||
      !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/.test(value) ||
      !isCalendarTime(value)
    ) {
      throw mismatch(at, 'a UTC time like 2026-11-23T09:30:00Z');
    }
    return value;
  });
}

/** Whether the digits of a time, which has the right form, are a day and an hour that exist. There are no leap seconds. */
function isCalendarTime(text: string): boolean {
  const two = (at: number): number => 10 * text.charCodeAt(at) + text.charCodeAt(at + 1) - 528;
  const [year, month, day] = [100 * two(0) + two(2), two(5), two(8)];
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && leap ? 29 : (DAYS[month - 1] ?? 0);
  if (day < 1 || day > days) return false;
  return two(11) < 24 && two(14) < 60 && two(17) < 60;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
