/** Public keys as points of their curves, for what looks inside them: addresses of block chains. */
import { InputError } from '#formats/errors';

/** Curves whose keys can be taken apart here. */
export type PointCurve = 'secp256k1' | 'p256' | 'ed25519' | 'bls12-381';

/** A loaded curve. Every method refuses bytes that are no point of it, and the point at infinity. */
export interface Points {
  /**
   * The compressed form: 33 bytes for the curves of SEC 1, the key itself for the others.
   * @throws {@link InputError} `E_KEY_INVALID`
   */
  compressed(publicKey: Uint8Array): Uint8Array;
  /**
   * x ‖ y, 64 bytes; for the curves of SEC 1.
   * @throws {@link InputError} `E_KEY_INVALID`
   */
  coordinates(publicKey: Uint8Array): Uint8Array;
}

/** Loads a curve. */
export async function loadPoints(curve: PointCurve): Promise<Points> {
  const open = await loaders[curve]();
  const strictly = (publicKey: Uint8Array): Point => {
    try {
      return open(publicKey);
    } catch (cause) {
      throw new InputError({
        code: 'E_KEY_INVALID',
        message: `this is not a valid ${curve} public key`,
        cause,
      });
    }
  };
  return {
    compressed: (publicKey) => strictly(publicKey).toBytes(true),
    coordinates: (publicKey) => strictly(publicKey).toBytes(false).slice(1),
  };
}

interface Point {
  toBytes(compressed: boolean): Uint8Array;
}

type Opener = (publicKey: Uint8Array) => Point;

const loaders: Readonly<Record<PointCurve, () => Promise<Opener>>> = {
  secp256k1: async () => weierstrass((await import('@noble/curves/secp256k1.js')).secp256k1),
  p256: async () => weierstrass((await import('@noble/curves/nist.js')).p256),
  ed25519: async () => {
    const { Point } = (await import('@noble/curves/ed25519.js')).ed25519;
    return (publicKey) => {
      const point = Point.fromBytes(publicKey, false);
      // A key of small order signs nothing that anyone should believe.
      if (point.isSmallOrder()) throw new Error('small order');
      return point;
    };
  },
  'bls12-381': async () => {
    const { bls12_381 } = await import('@noble/curves/bls12-381.js');
    return (publicKey) => {
      const point = bls12_381.G1.Point.fromBytes(publicKey);
      point.assertValidity();
      if (point.is0()) throw new Error('infinity');
      return point;
    };
  },
};

function weierstrass({
  Point,
}: {
  readonly Point: {
    fromBytes(bytes: Uint8Array): Point & { assertValidity(): void; is0(): boolean };
  };
}): Opener {
  return (publicKey) => {
    const point = Point.fromBytes(publicKey);
    point.assertValidity();
    if (point.is0()) throw new Error('infinity');
    return point;
  };
}

/**
 * The x-only output key of a Taproot address that is spent by the key alone.
 * @param internal - x-only internal key, 32 bytes
 * @throws {@link InputError} `E_KEY_INVALID`
 * @see BIP 341 "Constructing and spending Taproot outputs", BIP 86
 */
export async function taprootOutputKey(internal: Uint8Array): Promise<Uint8Array> {
  const { schnorr, secp256k1 } = await import('@noble/curves/secp256k1.js');
  const { lift_x, pointToBytes, taggedHash } = schnorr.utils;
  try {
    const point = lift_x(BigInt(`0x${Buffer.from(internal).toString('hex')}`));
    const tweak = BigInt(`0x${Buffer.from(taggedHash('TapTweak', internal)).toString('hex')}`);
    if (tweak >= secp256k1.Point.Fn.ORDER) throw new Error('tweak out of range');
    return pointToBytes(point.add(secp256k1.Point.BASE.multiplyUnsafe(tweak)));
  } catch (cause) {
    throw new InputError({
      code: 'E_KEY_INVALID',
      message: 'this is not a valid x-only public key',
      cause,
    });
  }
}
