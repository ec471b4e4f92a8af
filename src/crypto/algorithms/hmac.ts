/** HMAC with the SHA-2 functions, under keys as long as the hash. */
import type { Descriptor } from '../descriptor.js';
import { hmac } from '../hash.js';
import { genericHsmCheckValue, keyCheckValue } from '../key-check-value.js';
import { assertPrivate } from '../lengths.js';

function describe(set: {
  readonly bytes: 32 | 48 | 64;
  readonly category: 1 | 3 | 5;
  readonly cose: number;
}): Descriptor {
  const { bytes, category, cose } = set;
  const bits = (bytes * 8) as 256 | 384 | 512;
  const hash = `sha${bits}` as const;
  const descriptor: Descriptor = {
    name: `hmac-${hash}`,
    profile: '',
    kind: 'symmetric',
    sizes: { private: bytes, public: 0, signature: bytes },
    category,
    bits,
    status: 'standard',
    purposes: ['mac'],
    spec: 'FIPS 198-1 §4',
    jose: { kty: 'oct', alg: `HS${bits}` },
    cose: { kty: 4, alg: cose },
    awsKeySpec: `HMAC_${bits}`,
    async load() {
      const [noble, sha2] = await Promise.all([
        import('@noble/hashes/hmac.js'),
        import('@noble/hashes/sha2.js'),
      ]);
      return {
        kind: 'symmetric',
        generate: (random) => random(bytes),
        checkValue(secret) {
          assertPrivate(descriptor, secret);
          return keyCheckValue(secret);
        },
        hsm: { method: 'SHA-1 of the key', checkValue: genericHsmCheckValue },
        mac(message, secret) {
          assertPrivate(descriptor, secret);
          return hmac(hash, secret, message);
        },
        second: {
          by: '@noble/hashes',
          mac: (message, secret) => noble.hmac(sha2[hash], secret, message),
        },
      };
    },
  };
  return descriptor;
}

/** HMAC-SHA256, HMAC-SHA384, HMAC-SHA512. */
export const descriptors = [
  describe({ bytes: 32, category: 1, cose: 5 }),
  describe({ bytes: 48, category: 3, cose: 6 }),
  describe({ bytes: 64, category: 5, cose: 7 }),
] as const;
