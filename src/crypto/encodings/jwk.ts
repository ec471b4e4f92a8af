/**
 * JSON Web Keys: public and private keys as a JSON object.
 *
 * The reader takes one spelling of each key: no member twice, none that it does not know, canonical base64url, numbers at their
 * full length, and an `alg` or `use` that fits the key.
 * @see RFC 7517 §4, RFC 7518 §6, RFC 8037 §2, RFC 7638 §3, RFC 9864, draft-ietf-cose-dilithium §3
 */
import { fromBase64Url, toBase64Url, utf8 } from '#formats/bytes';
import { canonicalJson, isObject, type JsonObject, parseJson } from '#formats/canonical-json';
import { InputError } from '#formats/errors';
import * as s from '#formats/schema';
import type { Descriptor } from '../descriptor.js';
import { sha256 } from '../hash.js';
import {
  findDescriptor,
  findRsa,
  hasNoForm,
  joinPrivate,
  joinPublic,
  type KeyType,
  PARTS,
  type Parts,
  privateParts,
  publicParts,
  wipeParts,
} from './key-parts.js';

/** Longest JWK that is read; the largest public key is 2592 bytes. */
const LIMITS = { maxBytes: 64 * 1024, maxDepth: 3 } as const;

/** Members that say something about a key without being part of it. */
const ABOUT = {
  kty: s.string({ max: 16 }),
  alg: s.optional(s.string({ max: 64 })),
  kid: s.optional(s.string({ max: 1024 })),
  use: s.optional(s.oneOf('sig', 'enc')),
  key_ops: s.optional(s.array(s.string({ max: 32 }), { max: 8 })),
  // WebCrypto's exports have it.
  ext: s.optional(s.boolean()),
} as const;

/** What `alg` says of a key that is for agreement (RFC 7518 §4.6). */
const AGREEMENTS = ['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A192KW', 'ECDH-ES+A256KW'];

/** What a JWK held. Private bytes are owned by the caller, who wipes them. */
export type Jwk =
  | { readonly side: 'public'; readonly descriptor: Descriptor; readonly publicKey: Uint8Array }
  | { readonly side: 'private'; readonly descriptor: Descriptor; readonly secret: Uint8Array };

/**
 * A public key as JWK: one line of canonical JSON and a line feed. `kid` is the key's thumbprint.
 * @throws {@link UsageError} `E_ENCODING_UNSUPPORTED` for algorithms that JOSE does not know, and for symmetric ones
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function encodeJwkPublic(descriptor: Descriptor, publicKey: Uint8Array): Uint8Array {
  const type = typeOf(descriptor);
  if (type === 'oct') throw hasNoForm(descriptor, 'public JWK');
  const kid = jwkThumbprint(descriptor, publicKey) as string;
  const jwk = { ...required(type, descriptor, publicKey), ...algOf(descriptor), kid };
  return utf8(`${canonicalJson(jwk)}\n`);
}

/**
 * A private key as JWK, post-quantum ones as their seed. The caller wipes the result; the base64url strings on the way to it
 * cannot be wiped.
 * @param secret - raw private form; borrowed
 * @param publicKey - raw public key; not looked at for symmetric keys
 * @throws {@link UsageError} `E_ENCODING_UNSUPPORTED`
 */
export function encodeJwkPrivate(
  descriptor: Descriptor,
  secret: Uint8Array,
  publicKey: Uint8Array,
): Uint8Array {
  const type = typeOf(descriptor);
  const kid = jwkThumbprint(descriptor, publicKey);
  const parts = privateParts(type, descriptor, secret, publicKey);
  try {
    const jwk = {
      ...required(type, descriptor, type === 'oct' ? new Uint8Array(0) : publicKey),
      ...textOf(parts),
      ...algOf(descriptor),
      ...(kid === undefined ? {} : { kid }),
    };
    return utf8(`${canonicalJson(jwk)}\n`);
  } finally {
    wipeParts(type, parts);
  }
}

/**
 * SHA-256 thumbprint of a public key in base64url (RFC 7638); `undefined` where JOSE does not know the algorithm, and for
 * symmetric keys, whose thumbprint would be a hash of the secret.
 */
export function jwkThumbprint(descriptor: Descriptor, publicKey: Uint8Array): string | undefined {
  const type = descriptor.jose === undefined ? 'oct' : typeOf(descriptor);
  if (type === 'oct') return undefined;
  return toBase64Url(sha256(utf8(canonicalJson(required(type, descriptor, publicKey)))));
}

/**
 * The key in a JWK.
 * @param bytes - JSON text; borrowed
 * @param what - how errors name the input
 * @throws {@link InputError} of the JSON reader and of the schema, `E_BASE64_MALFORMED`, `E_LENGTH_WRONG`, `E_JWK_MISMATCH`,
 * `E_ALGORITHM_UNSUPPORTED`, `E_KEY_INCONSISTENT`
 */
export async function decodeJwk(bytes: Uint8Array, what: string): Promise<Jwk> {
  const value = parseJson(bytes, what, LIMITS);
  if (!isObject(value)) throw s.mismatch(what, 'a JSON object');
  const type = keyTypeOf(value, what);
  const isPrivate = PARTS[type].private.some((name) => name in value);
  const names = [
    ...PARTS[type].public,
    ...(isPrivate || type === 'oct' ? PARTS[type].private : []),
  ];
  const shape: Record<string, s.Schema<string>> = {};
  if (type === 'OKP' || type === 'EC') shape['crv'] = s.string({ max: 32 });
  for (const name of names) shape[name] = s.string({ max: LIMITS.maxBytes });
  const read = s.object({ ...ABOUT, ...shape }).parse(value, what) as Members;
  const descriptor = await descriptorFor(type, read, what);
  assertFits(descriptor, read, what);
  const parts: Record<string, Uint8Array> = {};
  for (const name of names) parts[name] = fromBase64Url(read[name] as string, `${what}: ${name}`);
  if (!isPrivate) {
    return { side: 'public', descriptor, publicKey: joinPublic(type, descriptor, parts, what) };
  }
  try {
    const secret = await joinPrivate(type, descriptor, parts, what);
    return { side: 'private', descriptor, secret };
  } finally {
    wipeParts(type, parts);
  }
}

/** What the schema read; the key's own members are strings too. */
type Members = s.Infer<ReturnType<typeof s.object<typeof ABOUT>>> &
  Readonly<Record<string, string | undefined>>;

function keyTypeOf(value: JsonObject, what: string): KeyType {
  const { kty } = value;
  if (typeof kty === 'string' && Object.hasOwn(PARTS, kty)) return kty as KeyType;
  if (kty === undefined) throw s.mismatch(`${what}: kty`, 'a key type');
  throw unsupported(what, `the key type ${JSON.stringify(kty)}`);
}

async function descriptorFor(type: KeyType, read: Members, what: string): Promise<Descriptor> {
  const { alg, crv } = read;
  if (type === 'OKP' || type === 'EC') {
    const found = await findDescriptor(({ jose }) => jose?.kty === type && jose.crv === crv);
    if (found === undefined) throw unsupported(what, `the curve ${JSON.stringify(crv)}`);
    return found;
  }
  if (type === 'RSA') {
    const part = (name: string): Uint8Array =>
      fromBase64Url(read[name] as string, `${what}: ${name}`);
    const found = await findRsa(({ jose }) => jose?.kty === type, { n: part('n'), e: part('e') });
    if (found === undefined) throw unsupported(what, 'an RSA key of its size or exponent');
    return found;
  }
  if (alg === undefined) {
    throw new InputError({
      code: 'E_JWK_MISMATCH',
      message: `${what}: a key of type ${type} needs an "alg" that says what it is for`,
      hint: 'add it where the key was exported',
    });
  }
  const found = await findDescriptor(({ jose }) => jose?.kty === type && jose.alg === alg);
  if (found === undefined) throw unsupported(what, `the algorithm ${JSON.stringify(alg)}`);
  return found;
}

/** An `alg`, `use` or `key_ops` that belongs to another kind of key is a mistake or a lie: either way the key is not used. */
function assertFits(descriptor: Descriptor, read: Members, what: string): void {
  const { alg, use } = read;
  const operations = read.key_ops;
  const { jose, kind } = descriptor;
  const agrees = descriptor.purposes.includes('agree');
  const known = [jose?.alg, ...(jose?.accepts ?? []), ...(agrees ? AGREEMENTS : [])];
  if (alg !== undefined && !known.includes(alg)) {
    throw mismatch(what, `"alg" ${JSON.stringify(alg)} does not fit a key of ${descriptor.name}`);
  }
  const wantedUse = kind === 'signature' || descriptor.purposes.includes('mac') ? 'sig' : 'enc';
  if (use !== undefined && use !== wantedUse && !(use === 'enc' && agrees)) {
    throw mismatch(what, `"use" ${JSON.stringify(use)} does not fit a key of ${descriptor.name}`);
  }
  if (operations !== undefined && new Set(operations).size !== operations.length) {
    throw mismatch(what, '"key_ops" names an operation twice');
  }
}

function typeOf(descriptor: Descriptor): KeyType {
  const { jose } = descriptor;
  if (jose === undefined || !Object.hasOwn(PARTS, jose.kty)) throw hasNoForm(descriptor, 'JWK');
  return jose.kty as KeyType;
}

/** The members that identify a key: those of its thumbprint. */
function required(type: KeyType, descriptor: Descriptor, publicKey: Uint8Array): JsonObject {
  const { crv, alg } = descriptor.jose ?? {};
  return {
    kty: type,
    ...(type === 'OKP' || type === 'EC' ? { crv: crv as string } : {}),
    ...(type === 'AKP' ? { alg: alg as string } : {}),
    ...(type === 'oct' ? {} : textOf(publicParts(type, descriptor, publicKey))),
  };
}

function algOf({ jose }: Descriptor): JsonObject {
  return jose?.alg === undefined ? {} : { alg: jose.alg };
}

function textOf(parts: Parts): JsonObject {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, toBase64Url(part)]));
}

function unsupported(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_ALGORITHM_UNSUPPORTED',
    message: `${what} is a JWK that conclave does not know: ${problem}`,
  });
}

function mismatch(what: string, problem: string): InputError {
  return new InputError({ code: 'E_JWK_MISMATCH', message: `${what}: ${problem}` });
}
