/** noble's hash functions by the names that signatures use: what derives nonces, and what carries its own identifier. */
import type { CHash } from '@noble/hashes/utils.js';
import type { SignatureHash } from './descriptor.js';

/** All but SM3, which noble does not have. */
export type NobleHashes = Readonly<Record<Exclude<SignatureHash, 'sm3'>, CHash>>;

/** Loads them; SHAKE at the output lengths that RFC 8702 fixes, 32 and 64 bytes. */
export async function loadNobleHashes(): Promise<NobleHashes> {
  const [sha2, sha3] = await Promise.all([
    import('@noble/hashes/sha2.js'),
    import('@noble/hashes/sha3.js'),
  ]);
  return {
    sha224: sha2.sha224,
    sha256: sha2.sha256,
    sha384: sha2.sha384,
    sha512: sha2.sha512,
    'sha512-224': sha2.sha512_224,
    'sha512-256': sha2.sha512_256,
    'sha3-224': sha3.sha3_224,
    'sha3-256': sha3.sha3_256,
    'sha3-384': sha3.sha3_384,
    'sha3-512': sha3.sha3_512,
    shake128: sha3.shake128_32,
    shake256: sha3.shake256_64,
  };
}

/**
 * Hashes that HashML-DSA and HashSLH-DSA may use at a strength in bits: collisions must be as hard (FIPS 204 §5.4, FIPS 205
 * §10.2).
 */
export function prehashesFor(strength: 128 | 192 | 256): readonly SignatureHash[] {
  return PREHASHES.filter(([, bits]) => bits >= strength).map(([hash]) => hash);
}

/** SHA-512 first: one that is strong enough everywhere. */
const PREHASHES: readonly (readonly [SignatureHash, number])[] = [
  ['sha512', 256],
  ['sha384', 192],
  ['sha256', 128],
  ['sha512-256', 128],
  ['sha3-512', 256],
  ['sha3-384', 192],
  ['sha3-256', 128],
  ['shake256', 256],
  ['shake128', 128],
];
