/**
 * SM2 signatures (SM2DSA) with SM3, which are not ECDSA on the same curve: the signer's id, the curve and the public key are
 * hashed before the message, and r is a sum.
 * @see GB/T 32918.2 §6 and §7, GB/T 32918.5; draft-shen-sm2-ecdsa §5
 */
import type { WeierstrassPointCons } from '@noble/curves/abstract/weierstrass.js';
import { concat, u16be, utf8 } from '#formats/bytes';
import { InputError, UsageError } from '#formats/errors';
import { fromNumber, toNumber } from '../big-numbers.js';
import { DerReader, derSequence, derUnsigned } from '../der.js';
import type { Descriptor, Implementation, RandomSource } from '../descriptor.js';
import { digestOf, hmacSha256 } from '../hash.js';
import { assertPrivate, assertPublic } from '../lengths.js';
import { nodeOpinion } from '../second-opinion.js';
import { choose, chooseVerifying } from '../signing-choices.js';

const BYTES = 32;

/** The recommended curve (GB/T 32918.5 §A.1). */
const CURVE = {
  p: 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn,
  n: 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n,
  h: 1n,
  a: 0xfffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffcn,
  b: 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n,
  Gx: 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  Gy: 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
} as const;

/** The id that everybody uses who was not given one (GM/T 0009 §10). */
const DEFAULT_ID = utf8('1234567812345678');
/** Its length in bits has to fit into two bytes. */
const MAX_ID = 8191;

const sm2: Descriptor = {
  name: 'sm2',
  profile: '',
  kind: 'signature',
  sizes: { private: BYTES, public: 1 + 2 * BYTES, signature: 2 * BYTES },
  category: 0,
  bits: 128,
  status: 'standard',
  purposes: ['sign'],
  spec: 'GB/T 32918.2 §6 and §7, GB/T 32918.5',
  signing: { hashes: ['sm3'], encodings: ['der', 'raw'], userId: true, randomness: 'optional' },
  oid: '1.2.840.10045.2.1',
  parameters: { curve: '1.2.156.10197.1.301' },
  pkcs8: 'ec',
  assertPublicForm: assertUncompressed,
  awsKeySpec: 'SM2',
  load: () => (loaded ??= loadTools().then(implement)),
};

/** One curve for all who ask, with its table of base point multiples. */
let loaded: Promise<Implementation> | undefined;

async function loadTools(): Promise<Tools> {
  const { weierstrass } = await import('@noble/curves/abstract/weierstrass.js');
  const { invertCt, mapHashToField } = await import('@noble/curves/abstract/modular.js');
  const { createHmacDrbg } = await import('@noble/curves/utils.js');
  return { Point: weierstrass<bigint>(CURVE), invertCt, mapHashToField, createHmacDrbg };
}

function assertUncompressed(point: Uint8Array, what: string): void {
  if (point[0] === 4) return;
  throw new InputError({
    code: 'E_KEY_FORM',
    message: `${what} holds a point that is not written in full`,
    hint: 'write it again uncompressed, for example with openssl ec -conv_form uncompressed',
  });
}

interface Tools {
  readonly Point: WeierstrassPointCons<bigint>;
  readonly invertCt: typeof import('@noble/curves/abstract/modular.js').invertCt;
  readonly mapHashToField: typeof import('@noble/curves/abstract/modular.js').mapHashToField;
  readonly createHmacDrbg: typeof import('@noble/curves/utils.js').createHmacDrbg;
}

/** r and s. */
type Pair = readonly [r: bigint, s: bigint];

function implement(tools: Tools): Implementation {
  const { Point } = tools;
  const { n } = CURVE;
  Point.BASE.precompute(4);

  /** 1 … n - 2: for n - 1 the inverse of 1 + d does not exist. */
  function scalarOf(secret: Uint8Array): bigint {
    assertPrivate(sm2, secret);
    const d = toNumber(secret);
    if (d > 0n && d < n - 1n) return d;
    throw new InputError({
      code: 'E_KEY_INVALID',
      message: 'this is not a valid sm2 private key: zero, or beyond the order',
    });
  }

  const publicKey = (secret: Uint8Array): Uint8Array =>
    Point.BASE.multiply(scalarOf(secret)).toBytes(false);

  /** e = SM3(Z ‖ M), Z binding id, curve and key (§5.5, §6.1). */
  function digest(message: Uint8Array, key: Uint8Array, userId: Uint8Array): Uint8Array {
    const { a, b, Gx, Gy } = CURVE;
    const curve = [a, b, Gx, Gy].map((each) => fromNumber(each, BYTES));
    const z = digestOf('sm3', u16be(8 * userId.length), userId, ...curve, key.subarray(1));
    return digestOf('sm3', z, message);
  }

  /** The signature with one nonce, or `undefined` when the standard says to take another (§6.1, A5 to A6). */
  function attempt(e: bigint, d: bigint, k: bigint): Pair | undefined {
    const r = modulo(e + Point.BASE.multiply(k).toAffine().x);
    if (r === 0n || r + k === n) return undefined;
    const s = modulo(tools.invertCt(1n + d, n) * modulo(k - r * d));
    return s === 0n ? undefined : [r, s];
  }

  /** Nonces as RFC 6979 §3.2 derives them, from key and digest, and from fresh randomness where there is any (§3.6). */
  function signDigest(e: Uint8Array, secret: Uint8Array, random: RandomSource | undefined): Pair {
    const d = scalarOf(secret);
    const number = toNumber(e);
    const extra = random?.(BYTES) ?? new Uint8Array(0);
    const seed = concat(secret, fromNumber(modulo(number), BYTES), extra);
    const drbg = tools.createHmacDrbg<Pair>(32, BYTES, hmacSha256);
    try {
      return drbg(seed, (candidate) => {
        const k = toNumber(candidate);
        return k > 0n && k < n ? attempt(number, d, k) : undefined;
      });
    } finally {
      seed.fill(0);
      extra.fill(0);
    }
  }

  return {
    kind: 'signature',
    assertPublicKey(publicKey) {
      assertPublic(sm2, publicKey);
      assertUncompressed(publicKey, 'sm2 public key');
      try {
        Point.fromBytes(publicKey).assertValidity();
      } catch (cause) {
        throw new InputError({
          code: 'E_KEY_INVALID',
          message: 'this is not a valid sm2 public key: it is not on the curve',
          cause,
        });
      }
    },
    // FIPS 186-5 A.2.1 in its way: more random bits than the order has, reduced; n - 1 is drawn again, should it ever come.
    generate(random) {
      for (;;) {
        const seed = random(48);
        const secret = tools.mapHashToField(seed, n);
        seed.fill(0);
        if (toNumber(secret) < n - 1n) return secret;
      }
    },
    publicKey,
    sign(message, secret, options = {}) {
      const { encoding } = choose(sm2, options);
      const e = digest(message, publicKey(secret), idOf(options.userId));
      const pair = signDigest(e, secret, options.random);
      const [r, s] = pair.map((each) => fromNumber(each, BYTES)) as [Uint8Array, Uint8Array];
      return encoding === 'raw' ? concat(r, s) : derSequence(derUnsigned(r), derUnsigned(s));
    },
    verify(signature, message, publicKey, options = {}) {
      const chosen = chooseVerifying(sm2, options);
      if (chosen === undefined || publicKey.length !== sm2.sizes.public || publicKey[0] !== 4) {
        return false;
      }
      const userId = idOf(options.userId);
      try {
        const pair = chosen.encoding === 'raw' ? readRaw(signature) : readDer(signature);
        if (pair === undefined || pair.some((each) => each === 0n || each >= n)) return false;
        const [r, s] = pair;
        const t = modulo(r + s);
        if (t === 0n) return false;
        const key = Point.fromBytes(publicKey);
        const e = toNumber(digest(message, publicKey, userId));
        const sum = Point.BASE.multiplyUnsafe(s).add(key.multiplyUnsafe(t));
        return modulo(e + sum.toAffine().x) === r;
      } catch {
        return false;
      }
    },
    get second() {
      // Node knows the curve and makes plain ECDSA on it: good for the public key, not for signatures.
      const opinion = nodeOpinion(sm2);
      return opinion === undefined
        ? undefined
        : { by: opinion.by, publicKey: opinion.publicKey.bind(opinion) };
    },
  };
}

function modulo(value: bigint): bigint {
  const rest = value % CURVE.n;
  return rest < 0n ? rest + CURVE.n : rest;
}

function idOf(userId: Uint8Array = DEFAULT_ID): Uint8Array {
  if (userId.length <= MAX_ID) return userId;
  throw new UsageError({
    code: 'E_SIGNATURE_OPTION',
    message: `the user id is longer than ${MAX_ID} bytes`,
    hint: 'use a shorter one',
  });
}

function readRaw(signature: Uint8Array): Pair | undefined {
  if (signature.length !== 2 * BYTES) return undefined;
  return [toNumber(signature.subarray(0, BYTES)), toNumber(signature.subarray(BYTES))];
}

function readDer(signature: Uint8Array): Pair {
  const outer = new DerReader(signature, 'signature');
  const pair = outer.sequence();
  outer.end();
  const [r, s] = [pair.unsigned(), pair.unsigned()];
  pair.end();
  return [toNumber(r), toNumber(s)];
}

/** SM2. */
export const descriptors = [sm2] as const;
