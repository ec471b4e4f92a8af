/**
 * Reading JSON that other people's programs wrote. Our own files are refused for one unknown member; providers add members
 * without asking, and a ceremony must not end for that. So here what is needed is checked strictly, the rest is ignored and
 * named. What could be read in two ways (duplicate members, two spellings of one member) is still refused.
 */
import { fromBase64, fromBase64Url, toBase64 } from '#formats/bytes';
import { isObject, type Json, type JsonObject, parseJson } from '#formats/canonical-json';
import { InputError } from '#formats/errors';
import { decodePem } from '#formats/pem';

/** Longest document that is read. */
export const MAX_THEIRS_BYTES = 256 * 1024;

/** Members of a text are shorter, a PEM or a base64 key included. */
const MAX_TEXT = 64 * 1024;

/** One object of a provider's document: reads members, remembers which were asked for. */
export class Theirs {
  readonly #value: JsonObject;
  readonly #at: string;
  readonly #asked = new Set<string>();
  readonly #inner = new Map<string, Theirs>();

  constructor(value: JsonObject, at: string) {
    this.#value = value;
    this.#at = at;
  }

  /**
   * A document.
   * @param what - how errors name it
   * @throws {@link InputError} of the JSON reader, `E_PROVIDER_DOCUMENT` when it is no object
   */
  static parse(bytes: Uint8Array, what: string): Theirs {
    const limits = { maxBytes: MAX_THEIRS_BYTES, maxDepth: 16, fractions: true };
    const value = parseJson(bytes, what, limits);
    if (!isObject(value)) throw fault(what, 'an object was expected');
    return new Theirs(value, what);
  }

  /** Whether a member is there and not null, which is the same to every provider. */
  has(name: string): boolean {
    const value = this.#raw(name);
    return value !== undefined && value !== null;
  }

  /** A text. @throws {@link InputError} `E_PROVIDER_DOCUMENT` */
  text(name: string): string {
    const value = this.#ask(name);
    if (typeof value !== 'string' || value === '' || value.length > MAX_TEXT) {
      throw this.#fault(name, 'text was expected');
    }
    return value;
  }

  /** A text, or `undefined` when the member is absent or null. */
  optionalText(name: string): string | undefined {
    this.#asked.add(name);
    return this.has(name) ? this.text(name) : undefined;
  }

  /** A number, or `undefined` when the member is absent or null. */
  optionalNumber(name: string): number | undefined {
    this.#asked.add(name);
    if (!this.has(name)) return undefined;
    const value = this.#ask(name);
    if (typeof value !== 'number') throw this.#fault(name, 'a number was expected');
    return value;
  }

  /** `true` or `false`, or `undefined` when the member is absent or null. */
  optionalBoolean(name: string): boolean | undefined {
    this.#asked.add(name);
    if (!this.has(name)) return undefined;
    const value = this.#ask(name);
    if (typeof value !== 'boolean') throw this.#fault(name, 'true or false was expected');
    return value;
  }

  /** A list of texts. */
  texts(name: string): readonly string[] {
    const value = this.#ask(name);
    if (!Array.isArray(value)) throw this.#fault(name, 'a list was expected');
    return (value as readonly Json[]).map((item) => {
      if (typeof item !== 'string') throw this.#fault(name, 'a list of texts was expected');
      return item;
    });
  }

  /** An object inside: the same for the same name, so that what was asked of it stays known. */
  object(name: string): Theirs {
    const value = this.#ask(name);
    if (!isObject(value)) throw this.#fault(name, 'an object was expected');
    const known = this.#inner.get(name);
    if (known !== undefined) return known;
    const object = new Theirs(value, `${this.#at}: ${name}`);
    this.#inner.set(name, object);
    return object;
  }

  /** An object inside, or `undefined` when the member is absent, null or no object. */
  optionalObject(name: string): Theirs | undefined {
    this.#asked.add(name);
    return isObject(this.#raw(name)) ? this.object(name) : undefined;
  }

  /** Bytes in standard base64. */
  base64(name: string): Uint8Array {
    return fromBase64(this.text(name), `${this.#at}: ${name}`);
  }

  /** Bytes in base64url or, as some command lines print them, standard base64. */
  eitherBase64(name: string): Uint8Array {
    const text = this.text(name);
    const at = `${this.#at}: ${name}`;
    return /[+/=]/.test(text) ? fromBase64(text, at) : fromBase64Url(text, at);
  }

  /** DER of a PEM `PUBLIC KEY`. */
  publicKeyPem(name: string): Uint8Array {
    const at = `${this.#at}: ${name}`;
    const { label, bytes } = decodePem(new TextEncoder().encode(this.text(name)), at);
    if (label === 'PUBLIC KEY') return bytes;
    bytes.fill(0);
    throw this.#fault(name, 'a PEM of a public key was expected');
  }

  /** A moment: ISO 8601 with a zone, or seconds since 1970, as command lines print either; `undefined` when absent. */
  optionalTime(name: string): Date | undefined {
    this.#asked.add(name);
    if (!this.has(name)) return undefined;
    const value = this.#ask(name);
    const time = timeOf(value);
    if (time === undefined) throw this.#fault(name, 'a time was expected');
    return time;
  }

  /** Members that nobody asked for, by their paths, in the order of the document. */
  ignored(): readonly string[] {
    return [
      ...Object.keys(this.#value).filter((name) => !this.#asked.has(name)),
      ...[...this.#inner].flatMap(([name, object]) =>
        object.ignored().map((below) => `${name}.${below}`),
      ),
    ];
  }

  /** An error about this object; the caller throws it. */
  fault(name: string, problem: string): InputError {
    return this.#fault(name, problem);
  }

  #raw(name: string): Json | undefined {
    return Object.hasOwn(this.#value, name) ? this.#value[name] : undefined;
  }

  #ask(name: string): Json {
    this.#asked.add(name);
    const value = this.#raw(name);
    if (value === undefined || value === null) throw this.#fault(name, 'it is missing');
    return value;
  }

  #fault(name: string, problem: string): InputError {
    return fault(`${this.#at}: ${name}`, problem);
  }
}

/** A document, or `undefined` when it is none; never throws. For recognising what a file is. */
export function lookAt(bytes: Uint8Array, what = 'document'): Theirs | undefined {
  if (bytes.length > MAX_THEIRS_BYTES || bytes.find((byte) => byte > 0x20) !== 0x7b)
    return undefined;
  try {
    return Theirs.parse(bytes, what);
  } catch {
    return undefined;
  }
}

/** Base64url of a standard base64 text's bytes and the other way round are one value: what a JWK needs. */
export function jwkNumber(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

const ISO = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

function timeOf(value: Json): Date | undefined {
  if (typeof value === 'number') {
    return value > 0 && value < 253_402_300_800 ? new Date(value * 1000) : undefined;
  }
  if (typeof value !== 'string' || !ISO.test(value)) return undefined;
  const time = new Date(value.replace(' ', 'T'));
  return Number.isNaN(time.getTime()) ? undefined : time;
}

function fault(at: string, problem: string): InputError {
  return new InputError({ code: 'E_PROVIDER_DOCUMENT', message: `${at}: ${problem}` });
}
