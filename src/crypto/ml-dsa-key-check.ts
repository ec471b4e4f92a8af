/**
 * The one part of an expanded ML-DSA private key that nothing else betrays when it is wrong: t0, the low bits of t. A key with
 * a foreign t0 signs, and its signatures often verify. Here t = A·s1 + s2 is computed again and its low bits are compared.
 * @see FIPS 204 algorithm 6 lines 3 to 8, algorithm 25; RFC 9881 appendix C.4
 */
import type { genCrystals, XOF128 } from '@noble/post-quantum/_crystals.js';

/** Arithmetic that noble's ML-DSA itself stands on; handed in, because noble is loaded late. */
export interface LatticeTools {
  readonly genCrystals: typeof genCrystals;
  readonly XOF128: typeof XOF128;
}

/** Dimensions of a parameter set (FIPS 204 table 1). */
export interface LatticeShape {
  readonly k: number;
  readonly l: number;
  readonly eta: 2 | 4;
}

const N = 256;
const Q = 8380417;
/** Dropped bits of t. */
const D = 13;
/** rho, K and tr stand before the vectors. */
const HEAD = 32 + 32 + 64;

/** Whether the t0 in an expanded private key (borrowed, right length) is that of its s1, s2 and rho. */
export function t0Belongs(expanded: Uint8Array, shape: LatticeShape, tools: LatticeTools): boolean {
  const { k, l, eta } = shape;
  const { NTT } = tools.genCrystals<Int32Array>({
    N,
    Q,
    F: 8347681,
    ROOT_OF_UNITY: 1753,
    newPoly: (length) => new Int32Array(length),
    isKyber: false,
    brvBits: 8,
  });
  let at = HEAD;
  const vector = (count: number, bits: number, top: number): Int32Array[] =>
    Array.from({ length: count }, () => {
      const poly = unpack(expanded.subarray(at, at + (N * bits) / 8), bits, top);
      at += (N * bits) / 8;
      return poly;
    });
  const etaBits = eta === 2 ? 3 : 4;
  const s1 = vector(l, etaBits, eta);
  const s2 = vector(k, etaBits, eta);
  const t0 = vector(k, D, 2 ** (D - 1));
  const matrix = tools.XOF128(expanded.subarray(0, 32));
  let difference = 0;
  for (const poly of s1) NTT.encode(poly);
  for (let i = 0; i < k; i++) {
    const t = new Int32Array(N);
    for (const [j, s] of s1.entries()) {
      const a = sampleUniform(matrix.get(j, i));
      // 46-bit products: exact as numbers, not as 32-bit integers.
      for (let c = 0; c < N; c++)
        t[c] = ((t[c] as number) + (a[c] as number) * (s[c] as number)) % Q;
    }
    NTT.decode(t);
    for (let c = 0; c < N; c++) {
      const value = (t[c] as number) + (s2[i]?.[c] as number);
      difference |= lowBits(((value % Q) + Q) % Q) ^ (t0[i]?.[c] as number);
    }
    t.fill(0);
  }
  matrix.clean();
  for (const poly of [...s1, ...s2, ...t0]) poly.fill(0);
  return difference === 0;
}

/** `top` minus each little-endian field of `bits` bits (FIPS 204 algorithm 19). */
function unpack(bytes: Uint8Array, bits: number, top: number): Int32Array {
  const out = new Int32Array(N);
  let buffer = 0;
  let held = 0;
  let next = 0;
  for (const byte of bytes) {
    buffer |= byte << held;
    held += 8;
    while (held >= bits) {
      out[next++] = top - (buffer & (2 ** bits - 1));
      buffer >>>= bits;
      held -= bits;
    }
  }
  return out;
}

/** One entry of the matrix A (FIPS 204 algorithm 30). */
function sampleUniform(read: () => Uint8Array): Int32Array {
  const out = new Int32Array(N);
  for (let next = 0; next < N;) {
    const block = read();
    for (let i = 0; next < N && i + 2 < block.length; i += 3) {
      const [a, b, c] = block.subarray(i, i + 3) as unknown as [number, number, number];
      const candidate = a | (b << 8) | ((c & 0x7f) << 16);
      if (candidate < Q) out[next++] = candidate;
    }
  }
  return out;
}

/** r0 of Power2Round (FIPS 204 algorithm 35), from -4095 to 4096. */
function lowBits(r: number): number {
  const low = r % 2 ** D;
  return low > 2 ** (D - 1) ? low - 2 ** D : low;
}
