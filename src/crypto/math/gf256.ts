/**
 * GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (0x11b), the field of AES, of SLIP-39 and of our byte-shared keys.
 * No table is indexed by a secret and no branch depends on one; evaluation points and Lagrange factors are public.
 */
import { InternalError } from '#formats/errors';

/** Bytes y at the public point x of a polynomial per byte position. */
export interface Point {
  /** 0 … 255. */
  readonly x: number;
  readonly y: Uint8Array;
}

/** Product of two field elements, in time that depends on neither. */
export function multiply(a: number, b: number): number {
  let shifted = a & 0xff;
  let rest = b & 0xff;
  let product = 0;
  for (let bit = 0; bit < 8; bit++) {
    product ^= shifted & -(rest & 1);
    shifted = (shifted << 1) ^ (0x11b & -(shifted >> 7));
    rest >>= 1;
  }
  return product;
}

/**
 * Lagrange factors: with them Σ factor_k · f(xs_k) = f(at) for every polynomial f of degree below `xs.length`.
 * @param xs - distinct public points, 0 … 255
 * @param at - where to evaluate; 0 is where a shared secret lies
 * @throws {@link InternalError} `E_GF256_POINTS` for repeated points or points outside the field
 */
export function lagrangeFactors(xs: readonly number[], at = 0): Uint8Array {
  if (xs.length === 0 || !isElement(at)) throw badPoints();
  const { exponents, logarithms } = (tables ??= makeTables());
  const seen = new Uint8Array(256);
  for (const x of xs) {
    if (!isElement(x) || seen[x] === 1) throw badPoints();
    seen[x] = 1;
  }
  const factors = new Uint8Array(xs.length);
  for (let i = 0; i < xs.length; i++) {
    const xi = xs[i] as number;
    // At one of the other points the factor is zero.
    if (seen[at] === 1 && xi !== at) continue;
    let logarithm = 0;
    for (const xj of xs) {
      if (xj === xi) continue;
      logarithm += (logarithms[at ^ xj] as number) - (logarithms[xi ^ xj] as number);
    }
    factors[i] = exponents[((logarithm % 255) + 255) % 255] as number;
  }
  return factors;
}

/** Powers of 3, which generates the field without zero, and their exponents: for public points alone. */
let tables: { readonly exponents: Uint8Array; readonly logarithms: Uint8Array } | undefined;

function makeTables(): NonNullable<typeof tables> {
  const exponents = new Uint8Array(255);
  const logarithms = new Uint8Array(256);
  for (let k = 0, power = 1; k < 255; k++, power = multiply(power, 3)) {
    exponents[k] = power;
    logarithms[power] = k;
  }
  return { exponents, logarithms };
}

function badPoints(): InternalError {
  return new InternalError({
    code: 'E_GF256_POINTS',
    message: 'interpolation needs distinct points from 0 to 255',
  });
}

/**
 * `into ^= factor · bytes`, byte by byte. The factor is public and may be branched on, the bytes are not.
 * @param into - as long as `bytes`; changed in place
 */
export function addScaled(into: Uint8Array, factor: number, bytes: Uint8Array): void {
  const words = into.length - (into.length % 4);
  for (let i = 0; i < words; i += 4) {
    // Four elements side by side in one number.
    let shifted =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    let sum = 0;
    for (let rest = factor; rest !== 0; rest >>= 1) {
      if ((rest & 1) === 1) sum ^= shifted;
      const carries = shifted & 0x8080_8080;
      shifted = ((shifted ^ carries) << 1) ^ Math.imul(carries >>> 7, 0x1b);
    }
    into[i] = (into[i] as number) ^ (sum & 0xff);
    into[i + 1] = (into[i + 1] as number) ^ ((sum >>> 8) & 0xff);
    into[i + 2] = (into[i + 2] as number) ^ ((sum >>> 16) & 0xff);
    into[i + 3] = (into[i + 3] as number) ^ (sum >>> 24);
  }
  for (let i = words; i < into.length; i++) {
    let shifted = bytes[i] as number;
    let sum = into[i] as number;
    for (let rest = factor; rest !== 0; rest >>= 1) {
      if ((rest & 1) === 1) sum ^= shifted;
      shifted = (shifted << 1) ^ (0x11b & -(shifted >> 7));
    }
    into[i] = sum;
  }
}

/**
 * The value at `at` of the polynomials of lowest degree through the points.
 * @param points - at least one, distinct x, equally long y (borrowed)
 * @returns a new buffer as long as each y; the caller owns and wipes it
 * @throws {@link InternalError} `E_GF256_POINTS`
 */
export function interpolate(points: readonly Point[], at = 0): Uint8Array {
  const factors = lagrangeFactors(
    points.map(({ x }) => x),
    at,
  );
  const out = new Uint8Array(points[0]?.y.length ?? 0);
  points.forEach(({ y }, k) => {
    if (y.length !== out.length) {
      throw new InternalError({ code: 'E_GF256_POINTS', message: 'points differ in length' });
    }
    addScaled(out, factors[k] as number, y);
  });
  return out;
}

function isElement(x: number): boolean {
  return Number.isInteger(x) && x >= 0 && x <= 255;
}
