/** AES keys; what encrypts with them is `aead`. */
import { utf8 } from '#formats/bytes';
import type { Descriptor } from '../descriptor.js';
import { hmacSha256 } from '../hash.js';
import { assertPrivate } from '../lengths.js';

/** HMAC input of the key check value; a change of it would be another format. */
const CHECK_LABEL = utf8('conclave-kcv-v1');

const aes256: Descriptor = {
  name: 'aes-256',
  profile: '',
  kind: 'symmetric',
  sizes: { private: 32, public: 0 },
  category: 5,
  bits: 256,
  status: 'standard',
  purposes: ['encrypt'],
  spec: 'FIPS 197, NIST SP 800-38D',
  jose: { kty: 'oct', alg: 'A256GCM' },
  cose: { kty: 4, alg: 3 },
  load: () =>
    Promise.resolve({
      kind: 'symmetric',
      generate: (random) => random(32),
      checkValue(secret) {
        assertPrivate(aes256, secret);
        return hmacSha256(secret, CHECK_LABEL);
      },
    }),
};

/** AES-256. */
export const descriptors = [aes256] as const;
