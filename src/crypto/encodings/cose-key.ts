/**
 * COSE_Key: public and private keys as a map in deterministic CBOR.
 * @see RFC 9052 §7, RFC 9053 §7, RFC 8230 §4, RFC 9864, draft-ietf-cose-dilithium §3
 */
import { type Cbor, type CborMap, decodeCbor, encodeCbor } from '#formats/cbor';
import { InputError } from '#formats/errors';
import type { Descriptor } from '../descriptor.js';
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

const LIMITS = { maxBytes: 64 * 1024, maxDepth: 3 } as const;

/** Labels common to all keys (RFC 9052 §7.1). */
const LABEL = { kty: 1, kid: 2, alg: 3, keyOps: 4, baseIv: 5 } as const;
const CRV = -1;

/** Key types by number (RFC 9053 table 17), and the labels of their members. */
const TYPES: Readonly<
  Record<KeyType, { readonly kty: number; readonly labels: Readonly<Record<string, number>> }>
> = {
  OKP: { kty: 1, labels: { x: -2, d: -4 } },
  EC: { kty: 2, labels: { x: -2, y: -3, d: -4 } },
  RSA: { kty: 3, labels: { n: -1, e: -2, d: -3, p: -4, q: -5, dp: -6, dq: -7, qi: -8 } },
  oct: { kty: 4, labels: { k: -1 } },
  AKP: { kty: 7, labels: { pub: -1, priv: -2 } },
};

/** What a COSE_Key held. Private bytes are owned by the caller, who wipes them. */
export type CoseKey =
  | { readonly side: 'public'; readonly descriptor: Descriptor; readonly publicKey: Uint8Array }
  | { readonly side: 'private'; readonly descriptor: Descriptor; readonly secret: Uint8Array };

/**
 * A public key as COSE_Key.
 * @throws {@link UsageError} `E_ENCODING_UNSUPPORTED` for algorithms that COSE does not know, and for symmetric ones
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function encodeCosePublic(descriptor: Descriptor, publicKey: Uint8Array): Uint8Array {
  const type = typeOf(descriptor);
  if (type === 'oct') throw hasNoForm(descriptor, 'public COSE_Key');
  return encodeCbor(mapOf(type, descriptor, publicParts(type, descriptor, publicKey)));
}

/**
 * A private key as COSE_Key, post-quantum ones as their seed; the caller wipes it.
 * @param secret - raw private form; borrowed
 * @param publicKey - raw public key; not looked at for symmetric keys
 * @throws {@link UsageError} `E_ENCODING_UNSUPPORTED`
 */
export function encodeCosePrivate(
  descriptor: Descriptor,
  secret: Uint8Array,
  publicKey: Uint8Array,
): Uint8Array {
  const type = typeOf(descriptor);
  const parts = {
    ...(type === 'oct' ? {} : publicParts(type, descriptor, publicKey)),
    ...privateParts(type, descriptor, secret, publicKey),
  };
  try {
    return encodeCbor(mapOf(type, descriptor, parts));
  } finally {
    wipeParts(type, parts);
  }
}

/**
 * The key in a COSE_Key, which must be deterministic CBOR, a map of the members that its type has and no others.
 * @param bytes - borrowed
 * @param what - how errors name the input
 * @throws {@link InputError} `E_CBOR_MALFORMED`, `E_COSE_KEY_MALFORMED`, `E_LENGTH_WRONG`, `E_ALGORITHM_UNSUPPORTED`,
 * `E_KEY_INCONSISTENT`
 */
export async function decodeCoseKey(bytes: Uint8Array, what: string): Promise<CoseKey> {
  const value = decodeCbor(bytes, what, LIMITS);
  if (!(value instanceof Map)) throw malformed(what, 'it is no map');
  const map = value as CborMap;
  const type = keyTypeOf(map.get(LABEL.kty), what);
  const { labels } = TYPES[type];
  const isPrivate = PARTS[type].private.some((name) => map.has(labels[name] as number));
  const names = [
    ...PARTS[type].public,
    ...(isPrivate || type === 'oct' ? PARTS[type].private : []),
  ];
  assertMembers(type, map, names, what);
  const descriptor = await descriptorFor(type, map, what);
  const parts: Record<string, Uint8Array> = {};
  for (const name of names) {
    const part = map.get(labels[name] as number);
    if (!(part instanceof Uint8Array)) throw malformed(what, `its ${name} is not given as bytes`);
    parts[name] = part;
  }
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

function keyTypeOf(kty: Cbor | undefined, what: string): KeyType {
  const known = Object.entries(TYPES).find(([, row]) => row.kty === kty);
  if (known === undefined) throw unsupported(what, 'its key type');
  return known[0] as KeyType;
}

function assertMembers(type: KeyType, map: CborMap, names: readonly string[], what: string): void {
  const { labels } = TYPES[type];
  const allowed = new Set<number | string>(names.map((name) => labels[name] as number));
  for (const label of [LABEL.kty, LABEL.kid, LABEL.alg, LABEL.keyOps]) allowed.add(label);
  if (hasCurve(type)) allowed.add(CRV);
  const unknown = [...map.keys()].find((label) => !allowed.has(label));
  if (unknown !== undefined) {
    throw malformed(what, `a key of its type has no member ${JSON.stringify(unknown)}`);
  }
  const kid = map.get(LABEL.kid);
  if (kid !== undefined && !(kid instanceof Uint8Array)) {
    throw malformed(what, 'its key id is not given as bytes');
  }
  const operations = map.get(LABEL.keyOps);
  const isList = Array.isArray(operations) && operations.length > 0;
  if (operations !== undefined && !(isList && operations.every((each) => typeof each !== 'object')))
    throw malformed(what, 'its operations are no list');
}

async function descriptorFor(type: KeyType, map: CborMap, what: string): Promise<Descriptor> {
  const { kty } = TYPES[type];
  const alg = map.get(LABEL.alg);
  if (alg !== undefined && typeof alg !== 'number') throw unsupported(what, 'its algorithm');
  if (hasCurve(type)) {
    const curve = map.get(CRV);
    const found = await findDescriptor(({ cose }) => cose?.kty === kty && cose.crv === curve);
    if (found === undefined) throw unsupported(what, 'its curve');
    const known = [found.cose?.alg, ...(found.cose?.accepts ?? [])];
    if (alg !== undefined && !known.includes(alg)) {
      throw malformed(what, `its algorithm does not fit a key of ${found.name}`);
    }
    return found;
  }
  if (type === 'RSA') {
    const [n, e] = [map.get(-1), map.get(-2)];
    if (!(n instanceof Uint8Array) || !(e instanceof Uint8Array)) {
      throw malformed(what, 'its numbers are not given as bytes');
    }
    const found = await findRsa(({ cose }) => cose?.kty === kty, { n, e });
    if (found === undefined) throw unsupported(what, 'an RSA key of its size or exponent');
    const known = [found.cose?.alg, ...(found.cose?.accepts ?? [])];
    if (alg !== undefined && !known.includes(alg)) {
      throw malformed(what, `its algorithm does not fit a key of ${found.name}`);
    }
    return found;
  }
  if (alg === undefined) throw malformed(what, 'a key of its type must name its algorithm');
  const found = await findDescriptor(({ cose }) => cose?.kty === kty && cose.alg === alg);
  if (found === undefined) throw unsupported(what, `the algorithm ${alg}`);
  return found;
}

function hasCurve(type: KeyType): boolean {
  return type === 'OKP' || type === 'EC';
}

function typeOf(descriptor: Descriptor): KeyType {
  const kty = descriptor.cose?.kty;
  const known = Object.entries(TYPES).find(([, row]) => row.kty === kty);
  if (known === undefined) throw hasNoForm(descriptor, 'COSE_Key');
  return known[0] as KeyType;
}

function mapOf(type: KeyType, { cose }: Descriptor, parts: Parts): CborMap {
  const { kty, labels } = TYPES[type];
  const map = new Map<number, Cbor>([[LABEL.kty, kty]]);
  if (cose?.alg !== undefined) map.set(LABEL.alg, cose.alg);
  if (hasCurve(type) && cose?.crv !== undefined) map.set(CRV, cose.crv);
  for (const [name, part] of Object.entries(parts)) map.set(labels[name] as number, part);
  return map;
}

function malformed(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_COSE_KEY_MALFORMED',
    message: `${what} is not a COSE_Key: ${problem}`,
  });
}

function unsupported(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_ALGORITHM_UNSUPPORTED',
    message: `${what} is a COSE_Key that conclave does not know: ${problem}`,
  });
}
