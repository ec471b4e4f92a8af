/** AES keys; what encrypts with them is `aead`. */
import type { Descriptor } from '../descriptor.js';
import { aesHsmCheckValue, keyCheckValue } from '../key-check-value.js';
import { assertPrivate } from '../lengths.js';

function describe(set: {
  readonly bytes: 16 | 32;
  readonly category: 1 | 5;
  readonly cose: number;
  readonly awsKeySpec?: string;
}): Descriptor {
  const { bytes, category, cose, awsKeySpec } = set;
  const bits = bytes * 8;
  const descriptor: Descriptor = {
    name: `aes-${bits}`,
    profile: '',
    kind: 'symmetric',
    sizes: { private: bytes, public: 0 },
    category,
    bits,
    status: 'standard',
    purposes: ['encrypt'],
    spec: 'FIPS 197, NIST SP 800-38D',
    jose: { kty: 'oct', alg: `A${bits}GCM` },
    cose: { kty: 4, alg: cose },
    ...(awsKeySpec === undefined ? {} : { awsKeySpec }),
    load: () =>
      Promise.resolve({
        kind: 'symmetric',
        generate: (random) => random(bytes),
        checkValue(secret) {
          assertPrivate(descriptor, secret);
          return keyCheckValue(secret);
        },
        hsm: { method: 'AES-ECB of a block of zeroes', checkValue: aesHsmCheckValue },
      }),
  };
  return descriptor;
}

/** AES-128 and AES-256. */
export const descriptors = [
  describe({ bytes: 16, category: 1, cose: 1 }),
  describe({ bytes: 32, category: 5, cose: 3, awsKeySpec: 'SYMMETRIC_DEFAULT' }),
] as const;
