/**
 * Boolean circuits: built gate by gate, then laid out so that few values are alive at a time. A circuit says nothing of who
 * evaluates it or how; prover and verifier have an evaluator each.
 * @see docs/spec/cold-signing-trace.md, "The circuit"
 */
import { InternalError } from '#formats/errors';

/** A value of one bit while a circuit is built. */
export type Wire = number;

/** The constants. */
export const ZERO: Wire = 0;
export const ONE: Wire = 1;
const CONSTANTS = 2;

/** A private input: whole bytes, wire j being bit j mod 8 of byte ⌊j/8⌋. */
export interface InputField {
  /** Which participant alone has it (the others' shares are zero), or 0: all three have an XOR share. */
  readonly owner: 0 | 1 | 2 | 3;
  readonly bytes: number;
}

/** A circuit ready for evaluation. Slots are places for one value; constants, public and private inputs have the first ones. */
export interface Circuit {
  /** Three numbers a gate: where its value goes (for AND the complement of that), and its two operands. */
  readonly code: Int32Array;
  readonly ands: number;
  readonly slots: number;
  readonly publicBits: number;
  readonly inputs: readonly InputField[];
  /** Slots of the output bits, in order. */
  readonly outputs: Int32Array;
}

/** First slot of the public inputs. */
export const FIRST_PUBLIC = CONSTANTS;

/** Collects inputs, then gates, then outputs. */
export class CircuitBuilder {
  readonly #publicBits: number;
  readonly #inputs: readonly InputField[];
  /** Wires below are constants and inputs. */
  readonly #firstGate: number;
  readonly #outputs: Wire[] = [];
  #left = new Int32Array(1 << 16);
  /** Second operand; its complement for AND. */
  #right = new Int32Array(1 << 16);
  #gates = 0;
  #ands = 0;

  constructor(publicBits: number, inputs: readonly InputField[]) {
    this.#publicBits = publicBits;
    this.#inputs = inputs;
    this.#firstGate =
      CONSTANTS + publicBits + inputs.reduce((sum, { bytes }) => sum + 8 * bytes, 0);
  }

  /** Gates that multiply, so far. */
  get ands(): number {
    return this.#ands;
  }

  /** Wires of public bits. */
  publicWires(from: number, count: number): Wire[] {
    return Array.from({ length: count }, (_, i) => CONSTANTS + from + i);
  }

  /** Wires of a private input. */
  inputWires(field: number): Wire[] {
    let first = CONSTANTS + this.#publicBits;
    for (const { bytes } of this.#inputs.slice(0, field)) first += 8 * bytes;
    const { bytes } = this.#inputs[field] as InputField;
    return Array.from({ length: 8 * bytes }, (_, i) => first + i);
  }

  xor(a: Wire, b: Wire): Wire {
    return this.#gate(a, b);
  }

  and(a: Wire, b: Wire): Wire {
    this.#ands++;
    return this.#gate(a, ~b);
  }

  /** Appends to the outputs. */
  output(wires: readonly Wire[]): void {
    for (const wire of wires) this.#outputs.push(wire);
  }

  /** The circuit: a value's slot is free again after its last use. */
  finish(): Circuit {
    const lastUse = this.#lastUses();
    const slotOf = new Int32Array(this.#firstGate + this.#gates);
    for (let wire = 0; wire < this.#firstGate; wire++) slotOf[wire] = wire;
    const code = new Int32Array(3 * this.#gates);
    const free: number[] = [];
    let slots = this.#firstGate;
    for (let gate = 0; gate < this.#gates; gate++) {
      const a = this.#left[gate] as number;
      const second = this.#right[gate] as number;
      const b = second < 0 ? ~second : second;
      // Taken before the operands' slots are given back: evaluators may write while they still read.
      const slot = free.pop() ?? slots++;
      slotOf[this.#firstGate + gate] = slot;
      code[3 * gate] = second < 0 ? ~slot : slot;
      code[3 * gate + 1] = slotOf[a] as number;
      code[3 * gate + 2] = slotOf[b] as number;
      if (a >= this.#firstGate && lastUse[a] === gate) free.push(slotOf[a] as number);
      if (b !== a && b >= this.#firstGate && lastUse[b] === gate) free.push(slotOf[b] as number);
    }
    return {
      code,
      ands: this.#ands,
      slots,
      publicBits: this.#publicBits,
      inputs: this.#inputs,
      outputs: Int32Array.from(this.#outputs, (wire) => slotOf[wire] as number),
    };
  }

  #lastUses(): Int32Array {
    const lastUse = new Int32Array(this.#firstGate + this.#gates);
    for (let gate = 0; gate < this.#gates; gate++) {
      const second = this.#right[gate] as number;
      lastUse[this.#left[gate] as number] = gate;
      lastUse[second < 0 ? ~second : second] = gate;
    }
    for (const wire of this.#outputs) lastUse[wire] = this.#gates;
    return lastUse;
  }

  #gate(a: Wire, second: number): Wire {
    if (this.#gates === this.#left.length) {
      this.#left = grown(this.#left);
      this.#right = grown(this.#right);
    }
    const wire = this.#firstGate + this.#gates;
    const b = second < 0 ? ~second : second;
    if (a >= wire || b >= wire || a < 0) {
      throw new InternalError({
        code: 'E_CIRCUIT_WIRE',
        message: 'a gate uses a value that is not there yet',
      });
    }
    this.#left[this.#gates] = a;
    this.#right[this.#gates] = second;
    this.#gates++;
    return wire;
  }
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length);
  larger.set(array);
  return larger;
}

/** What evaluators say of a circuit with other multiplications than it counts. */
export function misshapen(): InternalError {
  return new InternalError({
    code: 'E_CIRCUIT_SHAPE',
    message: 'a circuit has another number of multiplications than it says',
  });
}

/** Bytes of all private inputs of a participant, in the order of the fields. */
export function inputBytes({ inputs }: Circuit, participant: 1 | 2 | 3): number {
  return inputs.reduce(
    (sum, { owner, bytes }) => sum + (owner === 0 || owner === participant ? bytes : 0),
    0,
  );
}

/** Where a field lies in the inputs of a participant that has it. */
export function inputPlace(
  { inputs }: Circuit,
  participant: 1 | 2 | 3,
  field: number,
): { readonly from: number; readonly to: number } {
  let from = 0;
  for (const { owner, bytes } of inputs.slice(0, field)) {
    if (owner === 0 || owner === participant) from += bytes;
  }
  return { from, to: from + (inputs[field]?.bytes ?? 0) };
}
