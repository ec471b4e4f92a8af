/**
 * Falcon in its padded form, as it was submitted to NIST; the standard made of it (FN-DSA) is not out and will differ. Its key
 * generation is not specified to the bit, so the private form is the encoded key (f, g, F) and not a seed: another version
 * would make another key of the same seed.
 */
import type { Falcon } from '@noble/post-quantum/falcon.js';
import { InputError } from '#formats/errors';
import type { Descriptor, Implementation } from '../descriptor.js';
import { assertPrivate } from '../lengths.js';
import { choose, chooseVerifying } from '../signing-choices.js';

function describe(set: {
  readonly degree: 512 | 1024;
  readonly category: 1 | 5;
  readonly private: number;
  readonly public: number;
  readonly signature: number;
}): Descriptor {
  const { degree, category } = set;
  const descriptor: Descriptor = {
    name: `falcon-${degree}`,
    profile: '',
    kind: 'signature',
    sizes: { private: set.private, public: set.public, signature: set.signature },
    category,
    bits: category === 1 ? 128 : 256,
    status: 'draft',
    purposes: ['sign'],
    spec: 'Falcon-v1.2 §3, padded signatures of §3.11.6',
    signing: { randomness: 'always' },
    async load() {
      const noble = await import('@noble/post-quantum/falcon.js');
      return implement(descriptor, noble[`falcon${degree}padded`]);
    },
  };
  return descriptor;
}

function implement(descriptor: Descriptor, falcon: Falcon): Implementation {
  const { name, sizes } = descriptor;

  function publicKey(secret: Uint8Array): Uint8Array {
    assertPrivate(descriptor, secret);
    try {
      return falcon.getPublicKey(secret);
    } catch (cause) {
      throw new InputError({
        code: 'E_KEY_INVALID',
        message: `this is not a valid ${name} private key`,
        cause,
      });
    }
  }

  return {
    kind: 'signature',
    generate(random) {
      const seed = random(falcon.lengths.seed ?? 0);
      try {
        return falcon.keygen(seed).secretKey;
      } finally {
        seed.fill(0);
      }
    },
    publicKey,
    sign(message, secret, options = {}) {
      assertPrivate(descriptor, secret);
      choose(descriptor, options);
      const extraEntropy = options.random?.(falcon.lengths.signRand ?? 0);
      try {
        return falcon.sign(message, secret, extraEntropy === undefined ? {} : { extraEntropy });
      } finally {
        extraEntropy?.fill(0);
      }
    },
    verify(signature, message, publicKey, options = {}) {
      if (chooseVerifying(descriptor, options) === undefined) return false;
      if (signature.length !== sizes.signature || publicKey.length !== sizes.public) return false;
      try {
        return falcon.verify(signature, message, publicKey);
      } catch {
        return false;
      }
    },
  };
}

/** Falcon-512 and Falcon-1024. */
export const descriptors = [
  describe({ degree: 512, category: 1, private: 1281, public: 897, signature: 666 }),
  describe({ degree: 1024, category: 5, private: 2305, public: 1793, signature: 1280 }),
] as const;
