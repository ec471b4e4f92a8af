/**
 * PKCS#11 URIs: how people, records and other programs name a token and an object in it. The reader is stricter than the
 * standard asks: what conclave would ignore, it refuses, because an ignored attribute names another key than was meant.
 * @see RFC 7512 §2.3
 */
import { fromUtf8, toHex, utf8 } from '#formats/bytes';
import { RefusedError, UsageError } from '#formats/errors';

/** Kinds of objects that a URI can ask for (RFC 7512 `type`). */
export type TokenObjectType = 'private' | 'public' | 'secret-key' | 'data';

/** What a URI says; every member narrows the choice. */
export interface TokenUri {
  readonly token?: string;
  readonly serial?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  /** CKA_LABEL. */
  readonly object?: string;
  /** CKA_ID. */
  readonly id?: Uint8Array;
  readonly type?: TokenObjectType;
  /** Path of the module. */
  readonly modulePath?: string;
  /** Name of the module without folder, `lib` and suffix. */
  readonly moduleName?: string;
  /** File that holds the PIN. */
  readonly pinSource?: string;
}

const SCHEME = 'pkcs11:';

/** Longer URIs are none: token labels have 32 bytes, object labels rarely more. */
const MAX_LENGTH = 2048;

/** What may stand unencoded in a value (RFC 7512 §2.3: pk11-pchar and pk11-qchar). */
const PATH_CHARACTERS = /^(?:[A-Za-z0-9\-._~:[\]@!$'()*+,=&]|%[0-9A-Fa-f]{2})*$/;
const QUERY_CHARACTERS = /^(?:[A-Za-z0-9\-._~:[\]@!$'()*+,=/?|]|%[0-9A-Fa-f]{2})*$/;

const TYPES: readonly string[] = ['private', 'public', 'secret-key', 'data'];

const PATH_ATTRIBUTES: readonly string[] = [
  'token',
  'serial',
  'manufacturer',
  'model',
  'object',
  'id',
  'type',
];
const QUERY_ATTRIBUTES: readonly string[] = ['module-path', 'module-name', 'pin-source'];

/**
 * Reads a URI as typed.
 * @throws {@link UsageError} `E_TOKEN_URI` for anything that is not one, or says more than conclave heeds;
 * {@link RefusedError} `E_TOKEN_URI_PIN` for a PIN inside
 */
export function parseTokenUri(text: string): TokenUri {
  if (!text.startsWith(SCHEME)) throw malformed(text, `it does not begin with ${SCHEME}`);
  if (text.length > MAX_LENGTH) throw malformed(text.slice(0, 64), 'it is too long');
  const [path = '', ...queries] = text.slice(SCHEME.length).split('?');
  const query = queries.length === 0 ? undefined : queries.join('?');
  const given = new Map([
    ...attributes(text, path, ';', PATH_CHARACTERS, PATH_ATTRIBUTES),
    ...(query === undefined
      ? []
      : attributes(text, query, '&', QUERY_CHARACTERS, QUERY_ATTRIBUTES)),
  ]);
  const textOf = (name: string): string | undefined => {
    const bytes = given.get(name);
    if (bytes === undefined) return undefined;
    if (bytes.length === 0) throw malformed(text, `${name} is empty`);
    const value = decodeText(text, name, bytes);
    if (/\p{Cc}/u.test(value)) throw malformed(text, `${name} holds a control character`);
    return value;
  };
  const type = textOf('type');
  if (type !== undefined && !TYPES.includes(type)) {
    throw malformed(text, `type is one of ${TYPES.join(', ')}`);
  }
  const id = given.get('id');
  if (id?.length === 0) throw malformed(text, 'id is empty');
  const pinSource = textOf('pin-source');
  return withoutUndefined({
    token: textOf('token'),
    serial: textOf('serial'),
    manufacturer: textOf('manufacturer'),
    model: textOf('model'),
    object: textOf('object'),
    id,
    type: type as TokenObjectType | undefined,
    modulePath: textOf('module-path'),
    moduleName: textOf('module-name'),
    pinSource: pinSource === undefined ? undefined : pinFile(text, pinSource),
  });
}

/** A URI in its one spelling: attributes in a fixed order, everything that is not unreserved percent-encoded. */
export function formatTokenUri(uri: TokenUri): string {
  const path = [
    pair('token', uri.token),
    pair('serial', uri.serial),
    pair('manufacturer', uri.manufacturer),
    pair('model', uri.model),
    pair('object', uri.object),
    uri.id === undefined ? undefined : `id=${percentBytes(uri.id)}`,
    pair('type', uri.type),
  ].filter((part) => part !== undefined);
  const query = [
    pair('module-path', uri.modulePath, '/'),
    pair('module-name', uri.moduleName),
    pair('pin-source', uri.pinSource === undefined ? undefined : `file:${uri.pinSource}`, '/:'),
  ].filter((part) => part !== undefined);
  return `${SCHEME}${path.join(';')}${query.length === 0 ? '' : `?${query.join('&')}`}`;
}

function* attributes(
  uri: string,
  part: string,
  separator: string,
  characters: RegExp,
  known: readonly string[],
): Generator<[string, Uint8Array]> {
  if (part === '') return;
  const seen = new Set<string>();
  for (const attribute of part.split(separator)) {
    const equals = attribute.indexOf('=');
    if (equals <= 0) throw malformed(uri, `${JSON.stringify(attribute)} is no NAME=VALUE`);
    const name = attribute.slice(0, equals);
    const value = attribute.slice(equals + 1);
    if (name === 'pin-value') {
      throw new RefusedError({
        code: 'E_TOKEN_URI_PIN',
        message: 'a PIN in a URI stays in the shell history and in the list of processes',
        hint: 'write it into a file that only you can read, and name that by --pin-file or pin-source',
      });
    }
    if (name.startsWith('slot-')) {
      throw malformed(
        uri,
        'slots are numbered anew whenever it pleases the module; name the token',
      );
    }
    if (!known.includes(name)) throw malformed(uri, `conclave does not heed ${name}`);
    if (seen.has(name)) throw malformed(uri, `${name} is given twice`);
    seen.add(name);
    if (!characters.test(value)) throw malformed(uri, `${name} must be percent-encoded`);
    yield [name, percentDecode(value)];
  }
}

function percentDecode(value: string): Uint8Array {
  const out: number[] = [];
  for (let i = 0; i < value.length; i++) {
    if (value[i] === '%') {
      out.push(Number.parseInt(value.slice(i + 1, i + 3), 16));
      i += 2;
    } else {
      out.push(value.charCodeAt(i));
    }
  }
  return Uint8Array.from(out);
}

function decodeText(uri: string, name: string, bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes, name);
  } catch {
    throw malformed(uri, `${name} is no UTF-8`);
  }
}

/** `pin-source` as a file: an absolute path, or a `file:` URI without a host. Programs (`|command`) are not run. */
function pinFile(uri: string, source: string): string {
  const path = source.replace(/^file:(?:\/\/(?=\/))?/, '');
  if (source.startsWith('|') || !/^(?:\/(?!\/)|[A-Za-z]:[\\/])/.test(path)) {
    throw malformed(uri, 'pin-source must be the absolute path of a file');
  }
  return path;
}

function pair(name: string, value: string | undefined, plain = ''): string | undefined {
  return value === undefined ? undefined : `${name}=${percentText(value, plain)}`;
}

function percentText(value: string, plain: string): string {
  return [...value]
    .map((character) =>
      /^[A-Za-z0-9\-._~]$/.test(character) || plain.includes(character)
        ? character
        : percentBytes(utf8(character)),
    )
    .join('');
}

function percentBytes(bytes: Uint8Array): string {
  return toHex(bytes)
    .toUpperCase()
    .replace(/../g, (digits) => `%${digits}`);
}

function withoutUndefined(uri: { [K in keyof TokenUri]: TokenUri[K] | undefined }): TokenUri {
  return Object.fromEntries(Object.entries(uri).filter(([, value]) => value !== undefined));
}

function malformed(uri: string, problem: string): UsageError {
  return new UsageError({
    code: 'E_TOKEN_URI',
    message: `${uri} is no PKCS#11 URI that conclave reads: ${problem}`,
    hint: 'write it like pkcs11:token=LABEL;object=NAME, quoted for the shell',
  });
}
