/**
 * RSA signatures, PSS unless PKCS#1 v1.5 is asked for, all by `node:crypto`. New keys are drawn by OpenSSL, which takes no
 * randomness from outside, so entropy that people bring has to be refused.
 */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  sign as nodeSign,
  verify as nodeVerify,
} from 'node:crypto';
import { promisify } from 'node:util';
import type { Descriptor, Implementation, SignatureHash, SignOptions } from '../descriptor.js';
import {
  decodeRsaPrivate,
  encodeRsaPrivate,
  rsaModulus,
  rsaPublicKey,
} from '../encodings/rsa-key.js';
import { assertPrivate } from '../lengths.js';
import { choose, chooseVerifying, type Chosen } from '../signing-choices.js';

const HASHES: readonly SignatureHash[] = [
  'sha256',
  'sha384',
  'sha512',
  'sha512-256',
  'sha3-256',
  'sha3-384',
  'sha3-512',
];

function describe(bits: 2048 | 3072 | 4096, strength: number): Descriptor {
  const bytes = bits / 8;
  const name = `rsa-${bits}`;
  const descriptor: Descriptor = {
    name,
    profile: '',
    kind: 'signature',
    // Two primes; the DER of modulus and exponent.
    sizes: { private: bytes, public: bytes + 14, signature: bytes },
    category: 0,
    bits: strength,
    status: 'standard',
    purposes: ['sign', 'encrypt'],
    defaultPurposes: ['sign'],
    spec: 'RFC 8017 §8, FIPS 186-5 §5',
    signing: { hashes: HASHES, paddings: ['pss', 'pkcs1'], randomness: 'always' },
    ownEntropy: true,
    oid: '1.2.840.113549.1.1.1',
    parameters: 'null',
    pkcs8: 'bare',
    rearrange: {
      toPkcs8: (secret) => encodeRsaPrivate(secret, `${name} private key`),
      fromPkcs8: decodeRsaPrivate,
    },
    assertPublicForm: (publicKey, what) => {
      rsaModulus(publicKey, what);
    },
    jose: {
      kty: 'RSA',
      alg: 'PS256',
      accepts: ['PS384', 'PS512', 'RS256', 'RS384', 'RS512'],
    },
    cose: { kty: 3, alg: -37, accepts: [-38, -39, -257, -258, -259] },
    ssh: { type: 'ssh-rsa' },
    awsKeySpec: `RSA_${bits}`,
    load: () => Promise.resolve(implement(descriptor, bits)),
  };
  return descriptor;
}

function implement(descriptor: Descriptor, bits: number): Implementation {
  const { name, sizes } = descriptor;

  function withKey<T>(secret: Uint8Array, work: (key: KeyObject) => T): T {
    assertPrivate(descriptor, secret);
    const der = encodeRsaPrivate(secret, `${name} private key`);
    try {
      // A view, not a copy: what is wiped below is the only encoding there is.
      const key = Buffer.from(der.buffer, der.byteOffset, der.byteLength);
      return work(createPrivateKey({ key, format: 'der', type: 'pkcs1' }));
    } finally {
      der.fill(0);
    }
  }

  function signWith(message: Uint8Array, key: KeyObject, options: SignOptions = {}): Uint8Array {
    const chosen = choose(descriptor, options);
    return new Uint8Array(nodeSign(chosen.hash, message, { key, ...paddingOf(chosen) }));
  }

  return {
    kind: 'signature',
    generate: () => generate(bits, name),
    publicKey(secret) {
      assertPrivate(descriptor, secret);
      return rsaPublicKey(secret, `${name} private key`);
    },
    ready(secret) {
      let key: KeyObject | undefined = withKey(secret, (each) => each);
      const publicKey = rsaPublicKey(secret, `${name} private key`);
      return {
        publicKey,
        sign(message, options) {
          if (key === undefined) throw new TypeError('this key was disposed');
          return signWith(message, key, options);
        },
        // What OpenSSL holds it wipes itself once the object is collected.
        [Symbol.dispose]: () => {
          key = undefined;
        },
      };
    },
    sign: (message, secret, options) => withKey(secret, (key) => signWith(message, key, options)),
    verify(signature, message, publicKey, options = {}) {
      const chosen = chooseVerifying(descriptor, options);
      if (chosen === undefined) return false;
      if (signature.length !== sizes.signature || publicKey.length !== sizes.public) return false;
      try {
        rsaModulus(publicKey, name);
        const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'pkcs1' });
        const padding = paddingOf(chosen, options.saltLength);
        return nodeVerify(chosen.hash, message, { key, ...padding }, signature);
      } catch {
        return false;
      }
    },
  };
}

function paddingOf(
  { padding }: Chosen,
  saltLength: number = constants.RSA_PSS_SALTLEN_DIGEST,
): { padding: number; saltLength?: number } {
  return padding === 'pkcs1'
    ? { padding: constants.RSA_PKCS1_PADDING }
    : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
}

/** In a thread of its own, so that a spinner turns meanwhile. */
async function generate(modulusLength: number, name: string): Promise<Uint8Array> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength,
    publicExponent: 65537,
    publicKeyEncoding: { format: 'der', type: 'pkcs1' },
    privateKeyEncoding: { format: 'der', type: 'pkcs1' },
  });
  try {
    return decodeRsaPrivate(privateKey, `new ${name} key`);
  } finally {
    privateKey.fill(0);
  }
}

/** RSA with 2048, 3072 and 4096 bits; strengths of SP 800-56B appendix D. */
export const descriptors = [describe(2048, 112), describe(3072, 128), describe(4096, 152)] as const;
