/** ML-DSA from 32-byte seeds; pure, or HashML-DSA where a hash is asked for. */
import type { DSA } from '@noble/post-quantum/ml-dsa.js';
import { equalConstantTime } from '#formats/bytes';
import { InputError } from '#formats/errors';
import type { Descriptor, Implementation, SignatureHash, SignOptions } from '../descriptor.js';
import { shake256 } from '../hash.js';
import { assertLength, assertPrivate } from '../lengths.js';
import { type LatticeShape, type LatticeTools, t0Belongs } from '../ml-dsa-key-check.js';
import { loadNobleHashes, type NobleHashes, prehashesFor } from '../noble-hashes.js';
import { nodeOpinion } from '../second-opinion.js';
import { choose, chooseVerifying } from '../signing-choices.js';

interface ParameterSet {
  readonly level: 44 | 65 | 87;
  readonly category: 2 | 3 | 5;
  readonly bits: 128 | 192 | 256;
  readonly public: number;
  readonly expanded: number;
  readonly signature: number;
  readonly shape: LatticeShape;
  readonly oidLeaf: number;
  readonly cose: number;
}

function describe(set: ParameterSet): Descriptor {
  const name = `ml-dsa-${set.level}`;
  const descriptor: Descriptor = {
    name,
    profile: '',
    kind: 'signature',
    sizes: { private: 32, public: set.public, signature: set.signature },
    category: set.category,
    bits: set.bits,
    status: 'standard',
    purposes: ['sign'],
    spec: 'FIPS 204 §5',
    signing: {
      hashes: prehashesFor(set.bits),
      prehash: true,
      context: true,
      randomness: 'optional',
    },
    oid: `2.16.840.1.101.3.4.3.${set.oidLeaf}`,
    pkcs8: 'seed-choice',
    jose: { kty: 'AKP', alg: `ML-DSA-${set.level}` },
    cose: { kty: 7, alg: set.cose },
    awsKeySpec: `ML_DSA_${set.level}`,
    async load() {
      const noble = await import('@noble/post-quantum/ml-dsa.js');
      const tools = await import('@noble/post-quantum/_crystals.js');
      const hashes = await loadNobleHashes();
      return implement(descriptor, set, noble[`ml_dsa${set.level}`], tools, hashes);
    },
  };
  return descriptor;
}

function implement(
  descriptor: Descriptor,
  set: ParameterSet,
  dsa: DSA,
  tools: LatticeTools,
  hashes: NobleHashes,
): Implementation {
  const { name } = descriptor;

  /** The pure scheme, or HashML-DSA with this hash. */
  const schemeFor = (hash: SignatureHash | undefined): Pick<DSA, 'sign' | 'verify'> =>
    hash === undefined ? dsa : dsa.prehash(hashes[hash as keyof NobleHashes]);

  function expandedSign(
    message: Uint8Array,
    expanded: Uint8Array,
    options: SignOptions = {},
  ): Uint8Array {
    const { context, hash } = choose(descriptor, options);
    const rnd = options.random?.(32);
    try {
      return schemeFor(hash).sign(message, expanded, { context, extraEntropy: rnd ?? false });
    } finally {
      rnd?.fill(0);
    }
  }

  function withExpanded<T>(secret: Uint8Array, work: (expanded: Uint8Array) => T): T {
    assertPrivate(descriptor, secret);
    const { secretKey } = dsa.keygen(secret);
    try {
      return work(secretKey);
    } finally {
      secretKey.fill(0);
    }
  }

  /**
   * FIPS 204 has no check of a private key. This one recomputes the public key, which refuses secret coefficients out of
   * range, and compares what the key stores of it: its hash (tr) and the low bits (t0).
   */
  function checkedPublicKey(expanded: Uint8Array): Uint8Array {
    assertLength(expanded, set.expanded, `${name} expanded private key`);
    let publicKey: Uint8Array;
    try {
      publicKey = dsa.getPublicKey(expanded);
    } catch (cause) {
      throw inconsistent(name, cause);
    }
    const sameHash = equalConstantTime(shake256(64, publicKey), expanded.subarray(64, 128));
    if (!sameHash || !t0Belongs(expanded, set.shape, tools)) throw inconsistent(name);
    return publicKey;
  }

  return {
    kind: 'signature',
    generate: (random) => random(32),
    publicKey(secret) {
      assertPrivate(descriptor, secret);
      const { publicKey, secretKey } = dsa.keygen(secret);
      secretKey.fill(0);
      return publicKey;
    },
    ready(secret) {
      assertPrivate(descriptor, secret);
      const { publicKey, secretKey } = dsa.keygen(secret);
      return {
        publicKey,
        sign: (message, options) => expandedSign(message, secretKey, options),
        [Symbol.dispose]: () => {
          secretKey.fill(0);
        },
      };
    },
    sign: (message, secret, options) =>
      withExpanded(secret, (expanded) => expandedSign(message, expanded, options)),
    verify(signature, message, publicKey, options = {}) {
      const chosen = chooseVerifying(descriptor, options);
      if (chosen === undefined) return false;
      if (signature.length !== set.signature || publicKey.length !== set.public) return false;
      const { context, hash } = chosen;
      try {
        return schemeFor(hash).verify(signature, message, publicKey, { context });
      } catch {
        return false;
      }
    },
    internal: {
      sign(input, expanded, options = {}) {
        if (options.mu === true) assertLength(input, 64, `${name} message representative`);
        checkedPublicKey(expanded);
        const rnd = options.random?.(32);
        try {
          const externalMu = options.mu === true;
          return dsa.internal.sign(input, expanded, { externalMu, extraEntropy: rnd ?? false });
        } finally {
          rnd?.fill(0);
        }
      },
      verify(signature, input, publicKey, options = {}) {
        if (signature.length !== set.signature || publicKey.length !== set.public) return false;
        try {
          const externalMu = options.mu === true;
          return dsa.internal.verify(signature, input, publicKey, { externalMu });
        } catch {
          return false;
        }
      },
    },
    expanded: {
      length: set.expanded,
      from: (secret) => withExpanded(secret, (expanded) => expanded.slice()),
      publicKey: checkedPublicKey,
      sign(message, expanded, options) {
        checkedPublicKey(expanded);
        return expandedSign(message, expanded, options);
      },
    },
    get second() {
      return nodeOpinion(descriptor);
    },
  };
}

function inconsistent(name: string, cause?: unknown): InputError {
  return new InputError({
    code: 'E_KEY_INCONSISTENT',
    message: `the parts of this ${name} private key do not belong together`,
    cause,
  });
}

/** ML-DSA-44, ML-DSA-65, ML-DSA-87 (FIPS 204 tables 1 and 2). */
export const descriptors = [
  describe({
    level: 44,
    category: 2,
    bits: 128,
    public: 1312,
    expanded: 2560,
    signature: 2420,
    shape: { k: 4, l: 4, eta: 2 },
    oidLeaf: 17,
    cose: -48,
  }),
  describe({
    level: 65,
    category: 3,
    bits: 192,
    public: 1952,
    expanded: 4032,
    signature: 3309,
    shape: { k: 6, l: 5, eta: 4 },
    oidLeaf: 18,
    cose: -49,
  }),
  describe({
    level: 87,
    category: 5,
    bits: 256,
    public: 2592,
    expanded: 4896,
    signature: 4627,
    shape: { k: 8, l: 7, eta: 2 },
    oidLeaf: 19,
    cose: -50,
  }),
] as const;
