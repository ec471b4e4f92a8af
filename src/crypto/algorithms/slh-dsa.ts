/**
 * SLH-DSA in its twelve parameter sets; pure, or HashSLH-DSA where a hash is asked for. The private form is what FIPS 205 draws
 * at random, SK.seed ‖ SK.prf ‖ PK.seed; the root of the tree, which PKCS#8 holds as well, is computed from it.
 */
import type { SphincsSigner } from '@noble/post-quantum/slh-dsa.js';
import { concat, equalConstantTime } from '#formats/bytes';
import { InputError } from '#formats/errors';
import type { Descriptor, Implementation, SignatureHash, SignOptions } from '../descriptor.js';
import { assertLength, assertPrivate } from '../lengths.js';
import { loadNobleHashes, type NobleHashes, prehashesFor } from '../noble-hashes.js';
import { nodeVerifier } from '../second-opinion.js';
import { choose, chooseVerifying } from '../signing-choices.js';

interface ParameterSet {
  readonly hash: 'sha2' | 'shake';
  readonly size: 128 | 192 | 256;
  /** Small signatures, or fast signing. */
  readonly variant: 's' | 'f';
  readonly signature: number;
  readonly oidLeaf: number;
}

function describe(set: ParameterSet): Descriptor {
  const { hash, size, variant, signature, oidLeaf } = set;
  const n = size / 8;
  const descriptor: Descriptor = {
    name: `slh-dsa-${hash}-${size}${variant}`,
    profile: '',
    kind: 'signature',
    sizes: { private: 3 * n, public: 2 * n, signature },
    category: ({ 128: 1, 192: 3, 256: 5 } as const)[size],
    bits: size,
    status: 'standard',
    purposes: ['sign'],
    spec: 'FIPS 205 §10 and §11',
    signing: {
      hashes: prehashesFor(size),
      prehash: true,
      context: true,
      randomness: 'optional',
    },
    ...(variant === 's' ? { slow: true } : {}),
    oid: `2.16.840.1.101.3.4.3.${oidLeaf}`,
    pkcs8: 'with-public',
    jose: { kty: 'AKP', alg: `SLH-DSA-${hash.toUpperCase()}-${size}${variant}` },
    async load() {
      const noble = await import('@noble/post-quantum/slh-dsa.js');
      const dsa = noble[`slh_dsa_${hash}_${size}${variant}`];
      return implement(descriptor, n, dsa, await loadNobleHashes());
    },
  };
  return descriptor;
}

function implement(
  descriptor: Descriptor,
  n: number,
  dsa: SphincsSigner,
  hashes: NobleHashes,
): Implementation {
  const { name, sizes } = descriptor;

  const schemeFor = (hash: SignatureHash | undefined): Pick<SphincsSigner, 'sign' | 'verify'> =>
    hash === undefined ? dsa : dsa.prehash(hashes[hash as keyof NobleHashes]);

  function expand(secret: Uint8Array): { publicKey: Uint8Array; secretKey: Uint8Array } {
    assertPrivate(descriptor, secret);
    return dsa.keygen(secret);
  }

  function expandedSign(
    message: Uint8Array,
    expanded: Uint8Array,
    options: SignOptions = {},
  ): Uint8Array {
    const { context, hash } = choose(descriptor, options);
    const random = options.random?.(n);
    try {
      return schemeFor(hash).sign(message, expanded, { context, extraEntropy: random ?? false });
    } finally {
      random?.fill(0);
    }
  }

  /** FIPS 205 §9.1 names no check; the root is recomputed and compared. */
  function checkedPublicKey(expanded: Uint8Array): Uint8Array {
    assertLength(expanded, 4 * n, `${name} expanded private key`);
    const { publicKey, secretKey } = expand(expanded.subarray(0, 3 * n));
    const same = equalConstantTime(secretKey, expanded);
    secretKey.fill(0);
    if (same) return publicKey;
    throw new InputError({
      code: 'E_KEY_INCONSISTENT',
      message: `the parts of this ${name} private key do not belong together`,
    });
  }

  return {
    kind: 'signature',
    generate: (random) => random(3 * n),
    publicKey(secret) {
      const { publicKey, secretKey } = expand(secret);
      secretKey.fill(0);
      return publicKey;
    },
    ready(secret) {
      const { publicKey, secretKey } = expand(secret);
      return {
        publicKey,
        sign: (message, options) => expandedSign(message, secretKey, options),
        [Symbol.dispose]: () => {
          secretKey.fill(0);
        },
      };
    },
    sign(message, secret, options) {
      // Before the root is computed, which takes long.
      choose(descriptor, options ?? {});
      const { secretKey } = expand(secret);
      try {
        return expandedSign(message, secretKey, options);
      } finally {
        secretKey.fill(0);
      }
    },
    verify(signature, message, publicKey, options = {}) {
      const chosen = chooseVerifying(descriptor, options);
      if (chosen === undefined) return false;
      if (signature.length !== sizes.signature || publicKey.length !== sizes.public) return false;
      try {
        const { context, hash } = chosen;
        return schemeFor(hash).verify(signature, message, publicKey, { context });
      } catch {
        return false;
      }
    },
    internal: {
      sign(input, expanded, options = {}) {
        assertLength(expanded, 4 * n, `${name} expanded private key`);
        const random = options.random?.(n);
        try {
          return dsa.internal.sign(input, expanded, { extraEntropy: random ?? false });
        } finally {
          random?.fill(0);
        }
      },
      verify(signature, input, publicKey) {
        if (signature.length !== sizes.signature || publicKey.length !== sizes.public) return false;
        try {
          return dsa.internal.verify(signature, input, publicKey);
        } catch {
          return false;
        }
      },
    },
    expanded: {
      length: 4 * n,
      from(secret) {
        const { publicKey, secretKey } = expand(secret);
        secretKey.fill(0);
        return concat(secret, publicKey.subarray(n));
      },
      publicKey: checkedPublicKey,
      sign(message, expanded, options) {
        assertLength(expanded, 4 * n, `${name} expanded private key`);
        return expandedSign(message, expanded, options);
      },
    },
    get second() {
      return nodeVerifier(descriptor);
    },
  };
}

/** Signature lengths and the order of object identifiers: FIPS 205 table 2, RFC 9909 §3. */
const SETS = [
  ['128', 's', 7856],
  ['128', 'f', 17_088],
  ['192', 's', 16_224],
  ['192', 'f', 35_664],
  ['256', 's', 29_792],
  ['256', 'f', 49_856],
] as const;

/** The twelve sets, SHA-2 before SHAKE. */
export const descriptors: readonly Descriptor[] = (['sha2', 'shake'] as const).flatMap((hash, h) =>
  SETS.map(([size, variant, signature], i) =>
    describe({
      hash,
      size: Number(size) as 128 | 192 | 256,
      variant,
      signature,
      oidLeaf: 20 + 6 * h + i,
    }),
  ),
);
