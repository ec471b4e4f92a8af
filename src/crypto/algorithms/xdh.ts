/** Diffie-Hellman on curve25519 and curve448. */
import type { MontgomeryECDH } from '@noble/curves/abstract/montgomery.js';
import { InputError } from '#formats/errors';
import type { Descriptor, Implementation } from '../descriptor.js';
import { assertPrivate, assertPublic } from '../lengths.js';
import { nodeOpinion } from '../second-opinion.js';

interface Curve {
  readonly name: string;
  readonly bytes: number;
  readonly bits: number;
  readonly spec: string;
  readonly oid: string;
  readonly jose: string;
  readonly cose: number;
  load(): Promise<MontgomeryECDH>;
}

function describe(curve: Curve): Descriptor {
  const { name, bytes } = curve;
  const descriptor: Descriptor = {
    name,
    profile: '',
    kind: 'agreement',
    sizes: { private: bytes, public: bytes, sharedSecret: bytes },
    category: 0,
    bits: curve.bits,
    status: 'standard',
    purposes: ['agree'],
    spec: curve.spec,
    oid: curve.oid,
    pkcs8: 'octet-string',
    jose: { kty: 'OKP', crv: curve.jose },
    cose: { kty: 1, crv: curve.cose },
    load: async () => implement(descriptor, await curve.load()),
  };
  return descriptor;
}

function implement(descriptor: Descriptor, curve: MontgomeryECDH): Implementation {
  const { name, sizes } = descriptor;

  function agree(secret: Uint8Array, peer: Uint8Array): Uint8Array {
    assertPrivate(descriptor, secret);
    assertPublic(descriptor, peer);
    try {
      return curve.getSharedSecret(secret, peer);
    } catch (cause) {
      // RFC 7748 §6: the all-zero secret, which a peer's point of small order forces on everybody.
      throw new InputError({
        code: 'E_KEY_INVALID',
        message: `this ${name} public key has small order: every secret with it is zero`,
        hint: 'do not use it, and ask where it comes from',
        cause,
      });
    }
  }

  return {
    kind: 'agreement',
    // Every string of the length is a coordinate, on the curve or on its twist (RFC 7748 §5); any scalar shows a small order.
    assertPublicKey(publicKey) {
      agree(new Uint8Array(sizes.private).fill(1), publicKey).fill(0);
    },
    generate: (random) => random(sizes.private),
    publicKey(secret) {
      assertPrivate(descriptor, secret);
      return curve.getPublicKey(secret);
    },
    agree,
    get second() {
      return nodeOpinion(descriptor);
    },
  };
}

const loadX25519 = async (): Promise<MontgomeryECDH> =>
  (await import('@noble/curves/ed25519.js')).x25519;
const loadX448 = async (): Promise<MontgomeryECDH> => (await import('@noble/curves/ed448.js')).x448;

/** X25519 and X448 (RFC 7748). */
export const descriptors = [
  describe({
    name: 'x25519',
    bytes: 32,
    bits: 128,
    spec: 'RFC 7748 §5, §6.1',
    oid: '1.3.101.110',
    jose: 'X25519',
    cose: 4,
    load: loadX25519,
  }),
  describe({
    name: 'x448',
    bytes: 56,
    bits: 224,
    spec: 'RFC 7748 §5, §6.2',
    oid: '1.3.101.111',
    jose: 'X448',
    cose: 5,
    load: loadX448,
  }),
] as const;
