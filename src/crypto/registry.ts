/**
 * All algorithms by name. A row tells where an algorithm's file is; nothing is loaded before it is asked for, and noble not
 * before a descriptor's own `load()`.
 */
import { UsageError } from '#formats/errors';
import { nearest } from '#formats/nearest';
import type { Descriptor } from './descriptor.js';

type Row = () => Promise<{ readonly descriptors: readonly Descriptor[] }>;

// Without a prototype, so that `constructor` is no algorithm.
const rows: Readonly<Record<string, Row>> = Object.assign(
  Object.create(null) as Record<string, Row>,
  {
    'ed25519+ml-dsa-65': () => import('./algorithms/ed25519-ml-dsa-65.js'),
    'ed448+ml-dsa-87': () => import('./algorithms/ed448-ml-dsa-87.js'),
    'ml-dsa-44': () => import('./algorithms/ml-dsa.js'),
    'ml-dsa-65': () => import('./algorithms/ml-dsa.js'),
    'ml-dsa-87': () => import('./algorithms/ml-dsa.js'),
    'slh-dsa-sha2-128s': () => import('./algorithms/slh-dsa.js'),
    'slh-dsa-sha2-128f': () => import('./algorithms/slh-dsa.js'),
    'slh-dsa-sha2-192s': () => import('./algorithms/slh-dsa.js'),
    'slh-dsa-sha2-192f': () => import('./algorithms/slh-dsa.js'),
    'slh-dsa-sha2-256s': () => import('./algorithms/slh-dsa.js'),
    'slh-dsa-sha2-256f': () => import('./algorithms/slh-dsa.js'),
    'slh-dsa-shake-128s': () => import('./algorithms/slh-dsa.js'),
    'slh-dsa-shake-128f': () => import('./algorithms/slh-dsa.js'),
    'slh-dsa-shake-192s': () => import('./algorithms/slh-dsa.js'),
    'slh-dsa-shake-192f': () => import('./algorithms/slh-dsa.js'),
    'slh-dsa-shake-256s': () => import('./algorithms/slh-dsa.js'),
    'slh-dsa-shake-256f': () => import('./algorithms/slh-dsa.js'),
    'falcon-512': () => import('./algorithms/falcon.js'),
    'falcon-1024': () => import('./algorithms/falcon.js'),
    ed25519: () => import('./algorithms/ed25519.js'),
    ed448: () => import('./algorithms/ed448.js'),
    p256: () => import('./algorithms/ecdsa.js'),
    p384: () => import('./algorithms/ecdsa.js'),
    p521: () => import('./algorithms/ecdsa.js'),
    secp256k1: () => import('./algorithms/ecdsa.js'),
    'bls12-381': () => import('./algorithms/bls12-381.js'),
    bip340: () => import('./algorithms/bip340.js'),
    'schnorr-p256': () => import('./algorithms/schnorr.js'),
    'schnorr-secp256k1': () => import('./algorithms/schnorr.js'),
    'schnorr-ristretto255': () => import('./algorithms/schnorr.js'),
    sm2: () => import('./algorithms/sm2.js'),
    'rsa-2048': () => import('./algorithms/rsa.js'),
    'rsa-3072': () => import('./algorithms/rsa.js'),
    'rsa-4096': () => import('./algorithms/rsa.js'),
    'x-wing': () => import('./algorithms/x-wing.js'),
    'ml-kem-1024+p384': () => import('./algorithms/ml-kem-1024-p384.js'),
    'ml-kem-512': () => import('./algorithms/ml-kem.js'),
    'ml-kem-768': () => import('./algorithms/ml-kem.js'),
    'ml-kem-1024': () => import('./algorithms/ml-kem.js'),
    x25519: () => import('./algorithms/xdh.js'),
    x448: () => import('./algorithms/xdh.js'),
    'aes-128': () => import('./algorithms/aes.js'),
    'aes-256': () => import('./algorithms/aes.js'),
    'hmac-sha256': () => import('./algorithms/hmac.js'),
    'hmac-sha384': () => import('./algorithms/hmac.js'),
    'hmac-sha512': () => import('./algorithms/hmac.js'),
  },
);

/** Names of all algorithms, in the order in which help shows them. */
export function algorithmNames(): readonly string[] {
  return Object.keys(rows);
}

/**
 * The descriptor of an algorithm.
 * @param profile - for hybrids the encoding profile; `composite` when not given
 * @throws {@link UsageError} `E_ALGORITHM_UNKNOWN`, `E_PROFILE_UNKNOWN`
 */
export async function resolve(name: string, profile?: string): Promise<Descriptor> {
  const row = rows[name];
  if (row === undefined) {
    const near = nearest(name, algorithmNames());
    throw new UsageError({
      code: 'E_ALGORITHM_UNKNOWN',
      message: `there is no algorithm ${JSON.stringify(name)}`,
      hint:
        near === undefined ? `known are ${algorithmNames().join(', ')}` : `did you mean ${near}`,
    });
  }
  const profiles = (await row()).descriptors.filter((descriptor) => descriptor.name === name);
  // The first descriptor of a name is its default.
  const found =
    profile === undefined
      ? profiles[0]
      : profiles.find((descriptor) => descriptor.profile === profile);
  if (found === undefined) {
    const known = profiles.map((descriptor) => descriptor.profile).filter((each) => each !== '');
    throw new UsageError({
      code: 'E_PROFILE_UNKNOWN',
      message: `${name} has no profile ${JSON.stringify(profile)}`,
      hint: known.length === 0 ? 'leave the profile out' : `its profiles are ${known.join(', ')}`,
    });
  }
  return found;
}

/** All descriptors with this dotted object identifier: several where a curve or a size tells them apart. */
export async function resolveOid(oid: string): Promise<readonly Descriptor[]> {
  return (await allDescriptors()).filter((descriptor) => descriptor.oid === oid);
}

/** Every descriptor of every algorithm, profiles one by one. */
export async function allDescriptors(): Promise<readonly Descriptor[]> {
  const all = new Set<Descriptor>();
  for (const row of Object.values(rows)) {
    for (const descriptor of (await row()).descriptors) all.add(descriptor);
  }
  return [...all];
}
