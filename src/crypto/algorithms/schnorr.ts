/**
 * Schnorr signatures as RFC 9591 makes them over groups for which no older standard has any: R ‖ z with z·G = R + c·Y. A group
 * signs them together by FROST; one key alone signs the same.
 */
import type { FROST } from '@noble/curves/abstract/frost.js';
import { InputError } from '#formats/errors';
import type { Descriptor, Implementation, RandomSource } from '../descriptor.js';
import { assertPrivate, assertPublic } from '../lengths.js';
import { choose, chooseVerifying } from '../signing-choices.js';

interface Code {
  readonly rounds: FROST;
  /** scalar · G for a scalar in the suite's encoding. */
  readonly multiply: (secret: Uint8Array) => Uint8Array;
  /** Whether these bytes are a point, and not the neutral one. Throws for bytes that are none. */
  readonly isPoint: (key: Uint8Array) => boolean;
}

interface Facts {
  readonly name: string;
  readonly spec: string;
  readonly publicBytes: number;
  readonly load: () => Promise<Code>;
}

function describeSchnorr({ name, spec, publicBytes, load }: Facts): Descriptor {
  const descriptor: Descriptor = {
    name,
    profile: '',
    kind: 'signature',
    sizes: { private: 32, public: publicBytes, signature: publicBytes + 32 },
    category: 0,
    bits: 128,
    status: 'standard',
    purposes: ['sign'],
    spec,
    signing: { randomness: 'always' },
    load: async () => implement(descriptor, await load()),
  };
  return descriptor;
}

function implement(descriptor: Descriptor, { rounds, multiply, isPoint }: Code): Implementation {
  /** The scalar is checked before noble sees it, so that errors speak of a key. */
  function publicKey(secret: Uint8Array): Uint8Array {
    assertPrivate(descriptor, secret);
    try {
      return multiply(secret);
    } catch {
      throw new InputError({
        code: 'E_KEY_INVALID',
        message: `this is not a valid ${descriptor.name} private key: zero, or beyond the order`,
      });
    }
  }
  return {
    kind: 'signature',
    assertPublicKey(key) {
      assertPublic(descriptor, key);
      let good: boolean;
      try {
        good = isPoint(key);
      } catch {
        good = false;
      }
      if (good) return;
      throw new InputError({
        code: 'E_KEY_INVALID',
        message: `this is not a valid ${descriptor.name} public key: it is no point of its group`,
      });
    },
    generate: (random: RandomSource) =>
      rounds.utils.randomScalar((length = 32) => Uint8Array.from(random(length))),
    publicKey,
    sign(message, secret, options = {}) {
      publicKey(secret);
      choose(descriptor, options);
      return rounds.sign(message, secret);
    },
    verify(signature, message, key, options = {}) {
      if (chooseVerifying(descriptor, options) === undefined) return false;
      if (signature.length !== descriptor.sizes.signature) return false;
      if (key.length !== descriptor.sizes.public) return false;
      try {
        return rounds.verify(signature, message, key);
      } catch {
        return false;
      }
    },
  };
}

/** The parts of noble's point classes that a public key takes. */
interface Points {
  readonly BASE: { multiply(scalar: bigint): { toBytes(): Uint8Array } };
  readonly Fn: { fromBytes(bytes: Uint8Array): bigint };
  fromBytes(bytes: Uint8Array): { is0(): boolean };
}

function over(points: Points): Pick<Code, 'multiply' | 'isPoint'> {
  return {
    multiply: (secret) => points.BASE.multiply(points.Fn.fromBytes(secret)).toBytes(),
    isPoint: (key) => !points.fromBytes(key).is0(),
  };
}

/** Schnorr over P-256, secp256k1 and ristretto255. */
export const descriptors: readonly Descriptor[] = [
  describeSchnorr({
    name: 'schnorr-p256',
    spec: 'RFC 9591 §6.4',
    publicBytes: 33,
    load: async () => {
      const { p256, p256_FROST } = await import('@noble/curves/nist.js');
      return { rounds: p256_FROST, ...over(p256.Point) };
    },
  }),
  describeSchnorr({
    name: 'schnorr-secp256k1',
    spec: 'RFC 9591 §6.5',
    publicBytes: 33,
    load: async () => {
      const { secp256k1, secp256k1_FROST } = await import('@noble/curves/secp256k1.js');
      return { rounds: secp256k1_FROST, ...over(secp256k1.Point) };
    },
  }),
  describeSchnorr({
    name: 'schnorr-ristretto255',
    spec: 'RFC 9591 §6.2',
    publicBytes: 32,
    load: async () => {
      const { ristretto255, ristretto255_FROST } = await import('@noble/curves/ed25519.js');
      return { rounds: ristretto255_FROST, ...over(ristretto255.Point) };
    },
  }),
];
