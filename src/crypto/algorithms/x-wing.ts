/** X-Wing, the hybrid KEM of ML-KEM-768 and X25519, from 32-byte seeds. */
import { createHash, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { concat, utf8 } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { derOctetString, derOid, derSequence, derSmallInteger } from '../der.js';
import type { Descriptor, SecondOpinion } from '../descriptor.js';
import { shake256 } from '../hash.js';
import { deriveSeed } from '../hpke-seed.js';
import { assertLength, assertPrivate, assertPublic } from '../lengths.js';
import { nodeOpinion } from '../second-opinion.js';
import { descriptors as mlKem } from './ml-kem.js';

const KEM = 0x647a;
const [, mlKem768] = mlKem;

const xWing: Descriptor = {
  name: 'x-wing',
  profile: '',
  kind: 'kem',
  sizes: { private: 32, public: 1216, ciphertext: 1120, sharedSecret: 32 },
  category: 3,
  bits: 128,
  status: 'standard',
  purposes: ['encapsulate'],
  spec: 'draft-connolly-cfrg-xwing-kem §5',
  oid: '1.3.6.1.4.1.62253.25722',
  pkcs8: 'bare',
  hpkeKem: KEM,
  async load() {
    const kem = (await import('@noble/post-quantum/hybrid.js')).ml_kem768_x25519;
    return {
      kind: 'kem',
      generate: (random) => random(32),
      publicKey(secret) {
        assertPrivate(xWing, secret);
        return kem.getPublicKey(secret);
      },
      encapsulate(publicKey, random) {
        assertPublic(xWing, publicKey);
        const message = random(64);
        try {
          const { cipherText, sharedSecret } = kem.encapsulate(publicKey, message);
          return { ciphertext: cipherText, sharedSecret };
        } catch (cause) {
          throw new InputError({
            code: 'E_KEY_INVALID',
            message: 'this is not a valid x-wing public key',
            cause,
          });
        } finally {
          message.fill(0);
        }
      },
      decapsulate(ciphertext, secret) {
        assertLength(ciphertext, 1120, 'x-wing ciphertext');
        assertPrivate(xWing, secret);
        try {
          return kem.decapsulate(ciphertext, secret);
        } catch (cause) {
          throw new InputError({
            code: 'E_CIPHERTEXT_INVALID',
            message: 'this is not a valid x-wing ciphertext',
            cause,
          });
        }
      },
      deriveKeyPair: (ikm) => deriveSeed(KEM, ikm, 32),
      get second() {
        return opinion();
      },
    };
  },
};

/** The combiner's label, a small drawing. */
const LABEL = utf8('\\.//^\\');

/** X-Wing put together from Node's ML-KEM, X25519 and SHA-3, where Node has the first. */
function opinion(): SecondOpinion | undefined {
  const node = nodeOpinion(mlKem768);
  const { decapsulate } = node ?? {};
  if (node === undefined || decapsulate === undefined) return undefined;
  const publicKey = (secret: Uint8Array): Uint8Array => {
    const parts = shake256(96, secret);
    try {
      return concat(node.publicKey(parts.subarray(0, 64)), x25519Public(parts.subarray(64)));
    } finally {
      parts.fill(0);
    }
  };
  return {
    by: node.by,
    publicKey,
    decapsulate(ciphertext, secret) {
      const parts = shake256(96, secret);
      const kemSecret = decapsulate(ciphertext.subarray(0, 1088), parts.subarray(0, 64));
      const theirs = ciphertext.subarray(1088);
      const shared = diffieHellman({
        privateKey: x25519Private(parts.subarray(64)),
        publicKey: createPublicKey({
          key: Buffer.from(concat(X25519_SPKI, theirs)),
          format: 'der',
          type: 'spki',
        }),
      });
      const ours = x25519Public(parts.subarray(64));
      const combined = createHash('sha3-256');
      for (const part of [kemSecret, shared, theirs, ours, LABEL]) combined.update(part);
      for (const secretPart of [parts, kemSecret, shared]) secretPart.fill(0);
      return new Uint8Array(combined.digest());
    },
  };
}

const X25519 = derSequence(derOid('1.3.101.110'));
/** SPKI of an X25519 key up to its 32 bytes. */
const X25519_SPKI = concat(Uint8Array.of(0x30, 0x2a), X25519, Uint8Array.of(0x03, 0x21, 0x00));

function x25519Private(secret: Uint8Array): ReturnType<typeof createPrivateKey> {
  const inner = derOctetString(secret);
  const der = derSequence(derSmallInteger(0), X25519, derOctetString(inner));
  inner.fill(0);
  const key = Buffer.from(der.buffer, der.byteOffset, der.byteLength);
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } finally {
    der.fill(0);
  }
}

function x25519Public(secret: Uint8Array): Uint8Array {
  const spki = createPublicKey(x25519Private(secret)).export({ format: 'der', type: 'spki' });
  return new Uint8Array(spki.subarray(-32));
}

/** X-Wing. */
export const descriptors = [xWing] as const;
