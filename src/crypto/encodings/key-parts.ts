/**
 * What JWK and COSE_Key have in common: a key as named numbers and strings, by its key type. The names are those of JWK.
 * @see RFC 7518 §6, RFC 8037 §2, RFC 9053 §7, RFC 8230 §4, FIPS 205 §9.1
 */
import { concat, equal } from '#formats/bytes';
import { InputError, UsageError } from '#formats/errors';
import type { Descriptor } from '../descriptor.js';
import { assertLength, assertPrivate, assertPublic } from '../lengths.js';
import { allDescriptors } from '../registry.js';
import { decodeRsaPrivate, encodeRsaPrivate } from './rsa-key.js';
import { readRsaPrivate, readRsaPublic, writeRsaPrivate, writeRsaPublic } from './rsa-numbers.js';

/** Key types, by the names of JWK. */
export type KeyType = 'OKP' | 'EC' | 'RSA' | 'AKP' | 'oct';

/** Members that a public and a private key of each type must have. */
export const PARTS: Readonly<
  Record<KeyType, { readonly public: readonly string[]; readonly private: readonly string[] }>
> = {
  OKP: { public: ['x'], private: ['d'] },
  EC: { public: ['x', 'y'], private: ['d'] },
  // The two-prime form, with everything that the Chinese remainder theorem wants (RFC 7518 §6.3.2).
  RSA: { public: ['n', 'e'], private: ['d', 'p', 'q', 'dp', 'dq', 'qi'] },
  AKP: { public: ['pub'], private: ['priv'] },
  oct: { public: [], private: ['k'] },
};

/** A key's members; values of private ones are secret and owned by whoever holds them. */
export type Parts = Readonly<Record<string, Uint8Array>>;

const UNCOMPRESSED = 0x04;

/** The members of a raw public key. @throws {@link InputError} `E_LENGTH_WRONG` */
export function publicParts(type: KeyType, descriptor: Descriptor, publicKey: Uint8Array): Parts {
  assertPublic(descriptor, publicKey);
  switch (type) {
    case 'OKP':
      return { x: publicKey };
    case 'EC': {
      const half = (publicKey.length - 1) / 2;
      return { x: publicKey.subarray(1, 1 + half), y: publicKey.subarray(1 + half) };
    }
    case 'RSA': {
      const { n, e } = readRsaPublic(publicKey, `${descriptor.name} public key`);
      return { n, e };
    }
    case 'AKP':
      return { pub: publicKey };
    case 'oct':
      return {};
  }
}

/**
 * The private members of a raw private form (borrowed), copied: the caller wipes them.
 * @param publicKey - raw public key; not looked at for symmetric keys
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function privateParts(
  type: KeyType,
  descriptor: Descriptor,
  secret: Uint8Array,
  publicKey: Uint8Array,
): Parts {
  assertPrivate(descriptor, secret);
  if (type === 'RSA') {
    const what = `${descriptor.name} private key`;
    const der = encodeRsaPrivate(secret, what);
    const { d, p, q, dp, dq, qi } = readRsaPrivate(der, what);
    const parts = {
      d: d.slice(),
      p: p.slice(),
      q: q.slice(),
      dp: dp.slice(),
      dq: dq.slice(),
      qi: qi.slice(),
    };
    der.fill(0);
    return parts;
  }
  const [name] = PARTS[type].private;
  // FIPS 205's private key repeats what conclave leaves out: the root of the public key.
  const tail = holdsRoot(descriptor) ? publicKey.subarray(publicKey.length / 2) : NOTHING;
  return { [name as string]: concat(secret, tail) };
}

const NOTHING: Uint8Array = new Uint8Array(0);

function holdsRoot({ pkcs8 }: Descriptor): boolean {
  return pkcs8 === 'with-public';
}

/** Wipes the private members among these. */
export function wipeParts(type: KeyType, parts: Parts): void {
  for (const name of PARTS[type].private) parts[name]?.fill(0);
}

/**
 * The raw public key of members.
 * @throws {@link InputError} `E_LENGTH_WRONG`
 */
export function joinPublic(
  type: KeyType,
  descriptor: Descriptor,
  parts: Parts,
  what: string,
): Uint8Array {
  const part = (name: string): Uint8Array => parts[name] as Uint8Array;
  switch (type) {
    case 'EC': {
      // RFC 7518 §6.2.1.2: coordinates have the full length of the field, leading zeroes included.
      const half = (descriptor.sizes.public - 1) / 2;
      for (const name of ['x', 'y']) assertLength(part(name), half, `${what}: ${name}`);
      return concat(Uint8Array.of(UNCOMPRESSED), part('x'), part('y'));
    }
    case 'OKP':
      assertLength(part('x'), descriptor.sizes.public, `${what}: x`);
      return new Uint8Array(part('x'));
    case 'RSA': {
      const publicKey = writeRsaPublic({ n: part('n'), e: part('e') });
      // A number has one spelling: without leading zeroes (RFC 7518 §6.3.1).
      const { n, e } = readRsaPublic(publicKey, what);
      if (!equal(n, part('n')) || !equal(e, part('e'))) {
        throw new InputError({
          code: 'E_LENGTH_WRONG',
          message: `${what}: a number begins with zeroes`,
        });
      }
      assertPublic(descriptor, publicKey, `${what} (${descriptor.name})`);
      descriptor.assertPublicForm?.(publicKey, `${what} (${descriptor.name})`);
      return publicKey;
    }
    case 'AKP':
      assertLength(part('pub'), descriptor.sizes.public, `${what}: pub`);
      return new Uint8Array(part('pub'));
    case 'oct':
      return new Uint8Array(0);
  }
}

/**
 * The raw private form of members, owned by the caller; the public members beside it must belong to it.
 * @throws {@link InputError} `E_LENGTH_WRONG`, `E_KEY_INCONSISTENT`
 */
export async function joinPrivate(
  type: KeyType,
  descriptor: Descriptor,
  parts: Parts,
  what: string,
): Promise<Uint8Array> {
  const publicKey = joinPublic(type, descriptor, parts, what);
  const secret = secretOf(type, descriptor, parts, publicKey, what);
  try {
    await assertBelongs(descriptor, secret, publicKey, what);
    return secret;
  } catch (error) {
    secret.fill(0);
    throw error;
  }
}

function secretOf(
  type: KeyType,
  descriptor: Descriptor,
  parts: Parts,
  publicKey: Uint8Array,
  what: string,
): Uint8Array {
  if (type === 'RSA') {
    const { n, e } = readRsaPublic(publicKey, what);
    const part = (name: string): Uint8Array => parts[name] as Uint8Array;
    const [d, p, q] = [part('d'), part('p'), part('q')];
    const der = writeRsaPrivate({ n, e, d, p, q, dp: part('dp'), dq: part('dq'), qi: part('qi') });
    try {
      return decodeRsaPrivate(der, what);
    } finally {
      der.fill(0);
    }
  }
  const [name] = PARTS[type].private;
  const given = parts[name as string] as Uint8Array;
  const { sizes } = descriptor;
  const root = holdsRoot(descriptor) ? publicKey.subarray(publicKey.length / 2) : NOTHING;
  assertLength(given, sizes.private + root.length, `${what}: ${name as string}`);
  if (!equal(given.subarray(sizes.private), root)) throw inconsistent(what);
  return new Uint8Array(given.subarray(0, sizes.private));
}

/**
 * Refuses a private key beside which another's public key stands.
 * @param secret - borrowed
 * @throws {@link InputError} `E_KEY_INCONSISTENT`
 */
export async function assertBelongs(
  descriptor: Descriptor,
  secret: Uint8Array,
  publicKey: Uint8Array,
  what: string,
): Promise<void> {
  const implementation = await descriptor.load();
  if (implementation.kind === 'symmetric') return;
  if (!equal(implementation.publicKey(secret), publicKey)) throw inconsistent(what);
}

function inconsistent(what: string): InputError {
  return new InputError({
    code: 'E_KEY_INCONSISTENT',
    message: `${what}: the public key inside does not belong to the private key`,
  });
}

/**
 * The descriptor of an RSA key by its modulus.
 * @param n - big-endian, without leading zeroes
 */
export async function findRsa(
  fits: (descriptor: Descriptor) => boolean,
  { n, e }: { readonly n: Uint8Array; readonly e: Uint8Array },
): Promise<Descriptor | undefined> {
  const { length } = writeRsaPublic({ n, e });
  return await findDescriptor(
    (descriptor) => fits(descriptor) && descriptor.sizes.public === length,
  );
}

/** The first descriptor for which `fits` holds, or `undefined`. */
export async function findDescriptor(
  fits: (descriptor: Descriptor) => boolean,
): Promise<Descriptor | undefined> {
  return (await allDescriptors()).find(fits);
}

/** What to throw where a key's algorithm has no form of this name. */
export function hasNoForm({ name, profile, kind, oid }: Descriptor, form: string): UsageError {
  return new UsageError({
    code: 'E_ENCODING_UNSUPPORTED',
    message: `${profile === '' ? name : `${name} (${profile})`} keys have no ${form} form`,
    hint:
      kind === 'symmetric'
        ? 'use raw bytes, JWK or COSE_Key'
        : `no standard defines one; use ${oid === undefined ? '' : 'SPKI, PKCS#8 or '}raw bytes`,
  });
}
