/**
 * What JWK and COSE_Key have in common: a key as named numbers and strings, by its key type. The names are those of JWK.
 * @see RFC 7518 §6, RFC 8037 §2, RFC 9053 §7, RFC 8230 §4
 */
import { concat, equal } from '#formats/bytes';
import { InputError, UsageError } from '#formats/errors';
import type { Descriptor } from '../descriptor.js';
import { assertLength, assertPrivate, assertPublic } from '../lengths.js';
import { allDescriptors } from '../registry.js';

/** Key types, by the names of JWK. */
export type KeyType = 'OKP' | 'EC' | 'AKP' | 'oct';

/** Members that a public and a private key of each type must have. */
export const PARTS: Readonly<
  Record<KeyType, { readonly public: readonly string[]; readonly private: readonly string[] }>
> = {
  OKP: { public: ['x'], private: ['d'] },
  EC: { public: ['x', 'y'], private: ['d'] },
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
    case 'AKP':
      return { pub: publicKey };
    case 'oct':
      return {};
  }
}

/** The private members of a raw private form (borrowed): views of it. @throws {@link InputError} `E_LENGTH_WRONG` */
export function privateParts(type: KeyType, descriptor: Descriptor, secret: Uint8Array): Parts {
  assertPrivate(descriptor, secret);
  const [name] = PARTS[type].private;
  return { [name as string]: secret };
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
  const [name] = PARTS[type].private;
  const given = parts[name as string] as Uint8Array;
  assertLength(given, descriptor.sizes.private, `${what}: ${name as string}`);
  const secret = new Uint8Array(given);
  try {
    await assertBelongs(descriptor, secret, joinPublic(type, descriptor, parts, what), what);
    return secret;
  } catch (error) {
    secret.fill(0);
    throw error;
  }
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
  if (equal(implementation.publicKey(secret), publicKey)) return;
  throw new InputError({
    code: 'E_KEY_INCONSISTENT',
    message: `${what}: the public key inside does not belong to the private key`,
  });
}

/** The first descriptor for which `fits` holds, or `undefined`. */
export async function findDescriptor(
  fits: (descriptor: Descriptor) => boolean,
): Promise<Descriptor | undefined> {
  return (await allDescriptors()).find(fits);
}

/** What to throw where a key's algorithm has no form of this name. */
export function hasNoForm({ name, profile }: Descriptor, form: string): UsageError {
  return new UsageError({
    code: 'E_ENCODING_UNSUPPORTED',
    message: `${profile === '' ? name : `${name} (${profile})`} keys have no ${form} form`,
    hint: 'no standard defines one; use SPKI or raw bytes',
  });
}
