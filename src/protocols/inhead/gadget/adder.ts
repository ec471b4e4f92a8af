/** Addition modulo a power of two, least significant bit first. */
import { type CircuitBuilder, type Wire, ZERO } from '../circuit.js';

/**
 * a + b modulo 2^width. With carries c: s = a ⊕ b ⊕ c, and the next c is c ⊕ (a ⊕ c)(b ⊕ c). One AND a bit, none for the last
 * carry; every AND is kept, also where an operand is constant.
 * @param a - as many wires as `b`
 */
export function add(builder: CircuitBuilder, a: readonly Wire[], b: readonly Wire[]): Wire[] {
  let carry = ZERO;
  return a.map((ai, i) => {
    const bi = b[i] as Wire;
    const left = builder.xor(ai, carry);
    const sum = builder.xor(left, bi);
    if (i < a.length - 1) {
      carry = builder.xor(carry, builder.and(left, builder.xor(bi, carry)));
    }
    return sum;
  });
}
