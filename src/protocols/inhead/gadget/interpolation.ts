/** Linear maps over GF(2^8) as circuits: multiplication by a public factor costs XORs only. */
import { multiply } from '#crypto/math/gf256';
import { type CircuitBuilder, type Wire, ZERO } from '../circuit.js';

/**
 * Σ factor_k · bytes_k, byte by byte.
 * @param terms - factors 1 … 255 and byte strings of wires (bit b of byte m is element 8m + b), all equally long
 */
export function combineBytes(
  builder: CircuitBuilder,
  terms: readonly { readonly factor: number; readonly bits: readonly Wire[] }[],
): Wire[] {
  const length = terms[0]?.bits.length ?? 0;
  const sum: Wire[] = new Array<Wire>(length).fill(ZERO);
  for (const { factor, bits } of terms) {
    for (let from = 0; from < 8; from++) {
      const image = multiply(factor, 1 << from);
      for (let to = 0; to < 8; to++) {
        if (((image >> to) & 1) === 0) continue;
        for (let byte = 0; byte < length; byte += 8) {
          sum[byte + to] = builder.xor(sum[byte + to] as Wire, bits[byte + from] as Wire);
        }
      }
    }
  }
  return sum;
}
