/**
 * Groups of prime order as secret sharing and threshold signing need them: scalars modulo the order, points that are decoded
 * strictly, and a second generator whose logarithm nobody knows.
 *
 * Scalars are big integers. JavaScript does not promise constant time for them; see docs/secrets-in-memory.md.
 */
import { concat, equal, utf8 } from '#formats/bytes';
import { InputError, InternalError } from '#formats/errors';
import { sha512 } from '../hash.js';
import type { RandomSource } from '../descriptor.js';

/** What is used of a point; the points of every curve fit. */
export interface GroupPoint {
  add(other: GroupPoint): GroupPoint;
  negate(): GroupPoint;
  multiply(scalar: bigint): GroupPoint;
  /** Variable time: for public scalars only; zero is allowed. */
  multiplyUnsafe(scalar: bigint): GroupPoint;
  equals(other: GroupPoint): boolean;
  is0(): boolean;
  isTorsionFree(): boolean;
  clearCofactor(): GroupPoint;
  toBytes(): Uint8Array;
}

/** A group of prime order. */
export interface PrimeGroup {
  readonly name: string;
  /** Its order q. */
  readonly order: bigint;
  /** Length of an encoded scalar, big-endian. */
  readonly scalarBytes: number;
  /** Length of an encoded point, compressed. */
  readonly pointBytes: number;
  readonly base: GroupPoint;
  readonly identity: GroupPoint;
  /** H of Pedersen commitments; nobody knows its logarithm to the base. */
  readonly second: GroupPoint;
  /**
   * A point of the group other than the identity.
   * @throws {@link InputError} `E_POINT_INVALID` for any other bytes, also for points outside the prime-order subgroup
   */
  decode(bytes: Uint8Array, what: string): GroupPoint;
}

interface PointClass {
  readonly BASE: GroupPoint;
  readonly ZERO: GroupPoint;
  readonly Fn: { readonly ORDER: bigint; readonly BYTES: number };
  fromBytes(bytes: Uint8Array): GroupPoint;
  /** Where it is not found by trying encodings. */
  readonly second?: GroupPoint;
}

/** How a curve's points are loaded; the keys are registry names of the algorithms over them. */
const CURVES: Readonly<Record<string, () => Promise<PointClass>>> = Object.assign(
  Object.create(null) as object,
  {
    edwards25519: async () => asClass((await import('@noble/curves/ed25519.js')).ed25519.Point),
    edwards448: async () => asClass((await import('@noble/curves/ed448.js')).ed448.Point),
    'nist-p256': async () => asClass((await import('@noble/curves/nist.js')).p256.Point),
    'nist-p384': async () => asClass((await import('@noble/curves/nist.js')).p384.Point),
    'nist-p521': async () => asClass((await import('@noble/curves/nist.js')).p521.Point),
    ristretto255: async () =>
      asClass((await import('@noble/curves/ed25519.js')).ristretto255.Point),
    // Keys and commitments of BLS12-381 signatures; the signatures themselves are in the other group.
    'bls-g1': async (): Promise<PointClass> => {
      const { G1 } = (await import('@noble/curves/bls12-381.js')).bls12_381;
      const points = asClass(G1.Point);
      // Its decoder refuses whatever is outside the subgroup, so that no candidate would ever be one: hash to the curve instead.
      const second = G1.hashToCurve(utf8('conclave/pedersen-h/v1 bls-g1'), {
        DST: 'conclave-BLS12381G1-H-v1',
      });
      return {
        BASE: points.BASE,
        ZERO: points.ZERO,
        Fn: points.Fn,
        fromBytes: (bytes) => points.fromBytes(bytes),
        second: second as unknown as GroupPoint,
      };
    },
    'sec-256k1': async () => asClass((await import('@noble/curves/secp256k1.js')).secp256k1.Point),
  },
);

/** Names of the groups that can be loaded. */
export const groupNames: readonly string[] = Object.keys(CURVES);

const groups = new Map<string, Promise<PrimeGroup>>();

/**
 * A group by its curve.
 * @throws {@link InternalError} `E_GROUP_UNKNOWN`
 */
export async function loadGroup(name: string): Promise<PrimeGroup> {
  const load = CURVES[name];
  if (load === undefined) {
    throw new InternalError({ code: 'E_GROUP_UNKNOWN', message: `there is no group ${name}` });
  }
  const known = groups.get(name) ?? load().then((points) => groupOver(name, points));
  groups.set(name, known);
  return await known;
}

function groupOver(name: string, points: PointClass): PrimeGroup {
  const { BASE, ZERO, Fn } = points;
  const pointBytes = BASE.toBytes().length;
  const decode = (bytes: Uint8Array, what: string): GroupPoint => {
    const refuse = (why: string): InputError =>
      new InputError({
        code: 'E_POINT_INVALID',
        message: `${what} is no point of ${name}: ${why}`,
      });
    if (bytes.length !== pointBytes) throw refuse(`it is not ${pointBytes} bytes`);
    let point: GroupPoint;
    try {
      point = points.fromBytes(bytes);
    } catch {
      throw refuse('it does not decode');
    }
    if (point.is0()) throw refuse('it is the identity');
    if (!point.isTorsionFree()) throw refuse('it is outside the prime-order subgroup');
    // An encoding that decodes and is not the one that would be written is a second name for the same point.
    if (!equal(bytes, point.toBytes())) throw refuse('it is not canonical');
    return point;
  };
  return {
    name,
    order: Fn.ORDER,
    scalarBytes: Fn.BYTES,
    pointBytes,
    base: BASE,
    identity: ZERO,
    second: points.second ?? secondGenerator(name, points, pointBytes),
    decode,
  };
}

/**
 * The first of the hashes of a tag, the curve's name and a counter that is the encoding of a point, made free of the cofactor:
 * anybody can see that it was not chosen by its logarithm.
 */
function secondGenerator(name: string, points: PointClass, pointBytes: number): GroupPoint {
  for (let counter = 0; counter < 65_536; counter++) {
    const seed = utf8(`conclave/pedersen-h/v1 ${name} ${counter}`);
    const candidate = concat(sha512(seed, utf8('/0')), sha512(seed, utf8('/1'))).slice(
      0,
      pointBytes,
    );
    // Compressed points of short Weierstrass curves begin with 2 or 3, and P-521 has but one bit in its first byte.
    if (isWeierstrass(name)) candidate[0] = 2;
    if (name === 'nist-p521') candidate[1] = (candidate[1] as number) & 1;
    if (name === 'edwards448') candidate[56] = 0;
    try {
      const point = points.fromBytes(candidate).clearCofactor();
      if (!point.is0()) return point;
    } catch {
      // Not a point: about every second candidate is.
    }
  }
  throw new InternalError({
    code: 'E_GROUP_GENERATOR',
    message: `no second generator for ${name}`,
  });
}

function isWeierstrass(name: string): boolean {
  return name.startsWith('nist-') || name.startsWith('sec-');
}

/** noble's point classes differ in type parameters only; what is used of them is the same. */
function asClass(points: unknown): PointClass {
  return points as PointClass;
}

/** A uniform scalar from 1 to q−1. */
export function randomScalar(group: PrimeGroup, random: RandomSource): bigint {
  return drawBelow(group.order - 1n, group, random) + 1n;
}

/** A uniform scalar from 0 to q−1. */
export function anyScalar(group: PrimeGroup, random: RandomSource): bigint {
  return drawBelow(group.order, group, random);
}

function drawBelow(bound: bigint, { scalarBytes }: PrimeGroup, random: RandomSource): bigint {
  // 128 bits more than the order: the bias of the reduction is below 2^-128.
  const bytes = random(scalarBytes + 16);
  const scalar = toInteger(bytes) % bound;
  bytes.fill(0);
  return scalar;
}

/** Fixed length, big-endian; the caller wipes it. */
export function encodeScalar(scalar: bigint, { scalarBytes }: PrimeGroup): Uint8Array {
  const out = new Uint8Array(scalarBytes);
  for (let i = scalarBytes - 1, rest = scalar; i >= 0; i--, rest >>= 8n)
    out[i] = Number(rest & 0xffn);
  return out;
}

/**
 * A scalar below the order.
 * @throws {@link InputError} `E_SCALAR_INVALID`
 */
export function decodeScalar(
  bytes: Uint8Array,
  { name, order, scalarBytes }: PrimeGroup,
  what: string,
): bigint {
  const scalar = toInteger(bytes);
  if (bytes.length === scalarBytes && scalar < order) return scalar;
  throw new InputError({ code: 'E_SCALAR_INVALID', message: `${what} is no scalar of ${name}` });
}

function toInteger(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** a modulo q, never negative. */
export function mod(a: bigint, q: bigint): bigint {
  const rest = a % q;
  return rest < 0n ? rest + q : rest;
}

/**
 * The inverse modulo a prime, by the extended Euclidean algorithm; for public values only, its time depends on them.
 * @throws {@link InternalError} `E_SCALAR_ZERO`
 */
export function invert(a: bigint, q: bigint): bigint {
  let [low, high] = [mod(a, q), q];
  let [x, y] = [1n, 0n];
  if (low === 0n)
    throw new InternalError({ code: 'E_SCALAR_ZERO', message: 'zero has no inverse' });
  while (low > 1n) {
    const ratio = high / low;
    [high, low] = [low, high - ratio * low];
    [y, x] = [x, y - ratio * x];
  }
  return mod(x, q);
}

/**
 * Lagrange factors modulo the order: Σ factor_k · f(xs_k) = f(at) for every polynomial of degree below `xs.length`.
 * @param xs - distinct public numbers from 1
 * @throws {@link InternalError} `E_LAGRANGE_POINTS`
 */
export function lagrangeScalars(
  xs: readonly number[],
  { order }: Pick<PrimeGroup, 'order'>,
  at = 0,
): bigint[] {
  const fine = xs.length > 0 && xs.every((x) => Number.isSafeInteger(x) && x >= 1);
  if (!fine || new Set(xs).size !== xs.length) {
    throw new InternalError({
      code: 'E_LAGRANGE_POINTS',
      message: 'interpolation needs distinct numbers from 1',
    });
  }
  return xs.map((xi) => {
    let numerator = 1n;
    let denominator = 1n;
    for (const xj of xs) {
      if (xj === xi) continue;
      numerator = mod(numerator * BigInt(at - xj), order);
      denominator = mod(denominator * BigInt(xi - xj), order);
    }
    return mod(numerator * invert(denominator, order), order);
  });
}
