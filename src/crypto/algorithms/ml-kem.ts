/** ML-KEM from 64-byte seeds d ‖ z. */
import type { MLKEM } from '@noble/post-quantum/ml-kem.js';
import { equal } from '#formats/bytes';
import { InputError } from '#formats/errors';
import type { Descriptor, Implementation, RandomSource } from '../descriptor.js';
import { deriveSeed } from '../hpke-seed.js';
import { assertLength, assertPrivate, assertPublic } from '../lengths.js';
import { nodeOpinion } from '../second-opinion.js';

interface ParameterSet {
  readonly level: 512 | 768 | 1024;
  readonly category: 1 | 3 | 5;
  readonly bits: number;
  readonly public: number;
  readonly expanded: number;
  readonly ciphertext: number;
  readonly oidLeaf: number;
  readonly hpkeKem: number;
}

function describe(set: ParameterSet): Descriptor {
  const descriptor: Descriptor = {
    name: `ml-kem-${set.level}`,
    profile: '',
    kind: 'kem',
    sizes: { private: 64, public: set.public, ciphertext: set.ciphertext, sharedSecret: 32 },
    category: set.category,
    bits: set.bits,
    status: 'standard',
    purposes: ['encapsulate'],
    spec: 'FIPS 203 §7',
    oid: `2.16.840.1.101.3.4.4.${set.oidLeaf}`,
    pkcs8: 'seed-choice',
    hpkeKem: set.hpkeKem,
    awsKeySpec: `ML_KEM_${set.level}`,
    async load() {
      const noble = await import('@noble/post-quantum/ml-kem.js');
      return implement(descriptor, set, noble[`ml_kem${set.level}`]);
    },
  };
  return descriptor;
}

function implement(descriptor: Descriptor, set: ParameterSet, kem: MLKEM): Implementation {
  const { name } = descriptor;

  function encapsulate(
    publicKey: Uint8Array,
    random: RandomSource,
  ): { ciphertext: Uint8Array; sharedSecret: Uint8Array } {
    assertPublic(descriptor, publicKey);
    const message = random(32);
    try {
      const { cipherText, sharedSecret } = kem.encapsulate(publicKey, message);
      return { ciphertext: cipherText, sharedSecret };
    } catch (cause) {
      // FIPS 203 §7.2: a coefficient out of range, so this is no public key at all.
      throw new InputError({
        code: 'E_KEY_INVALID',
        message: `this is not a valid ${name} public key`,
        cause,
      });
    } finally {
      message.fill(0);
    }
  }

  function decapsulateExpanded(ciphertext: Uint8Array, expanded: Uint8Array): Uint8Array {
    assertLength(ciphertext, set.ciphertext, `${name} ciphertext`);
    assertLength(expanded, set.expanded, `${name} expanded private key`);
    try {
      return kem.decapsulate(ciphertext, expanded);
    } catch (cause) {
      throw inconsistent(name, cause);
    }
  }

  function withExpanded<T>(secret: Uint8Array, work: (expanded: Uint8Array) => T): T {
    assertPrivate(descriptor, secret);
    const { secretKey } = kem.keygen(secret);
    try {
      return work(secretKey);
    } finally {
      secretKey.fill(0);
    }
  }

  return {
    kind: 'kem',
    generate: (random) => random(64),
    // FIPS 203 §7.2, which encapsulation begins with.
    assertPublicKey(publicKey) {
      encapsulate(publicKey, (length) => new Uint8Array(length)).sharedSecret.fill(0);
    },
    publicKey(secret) {
      assertPrivate(descriptor, secret);
      const { publicKey, secretKey } = kem.keygen(secret);
      secretKey.fill(0);
      return publicKey;
    },
    encapsulate,
    decapsulate: (ciphertext, secret) =>
      withExpanded(secret, (expanded) => decapsulateExpanded(ciphertext, expanded)),
    deriveKeyPair: (ikm) => deriveSeed(set.hpkeKem, ikm, 64),
    expanded: {
      length: set.expanded,
      from: (secret) => withExpanded(secret, (expanded) => expanded.slice()),
      publicKey(expanded) {
        assertLength(expanded, set.expanded, `${name} expanded private key`);
        // Decapsulating anything runs the hash check of FIPS 203 §7.3; that the secret vector belongs to the public key shows
        // only when what was encapsulated comes back.
        decapsulateExpanded(new Uint8Array(set.ciphertext), expanded).fill(0);
        const publicKey = kem.getPublicKey(expanded);
        const { ciphertext, sharedSecret } = encapsulate(publicKey, (length) =>
          new Uint8Array(length).fill(1),
        );
        if (!equal(decapsulateExpanded(ciphertext, expanded), sharedSecret))
          throw inconsistent(name);
        return publicKey;
      },
      decapsulate: decapsulateExpanded,
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

/** ML-KEM-512, ML-KEM-768, ML-KEM-1024 (FIPS 203 tables 2 and 3). */
export const descriptors = [
  describe({
    level: 512,
    category: 1,
    bits: 128,
    public: 800,
    expanded: 1632,
    ciphertext: 768,
    oidLeaf: 1,
    hpkeKem: 0x0040,
  }),
  describe({
    level: 768,
    category: 3,
    bits: 192,
    public: 1184,
    expanded: 2400,
    ciphertext: 1088,
    oidLeaf: 2,
    hpkeKem: 0x0041,
  }),
  describe({
    level: 1024,
    category: 5,
    bits: 256,
    public: 1568,
    expanded: 3168,
    ciphertext: 1568,
    oidLeaf: 3,
    hpkeKem: 0x0042,
  }),
] as const;
