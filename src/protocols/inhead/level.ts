/** Levels of a trace, and the parameters of their proofs. */
import type { ProofParameters } from './hash-input.js';
import { REPETITIONS } from './hash-input.js';

/** What a trace proves: the share equations alone, the openings of commitments too, or the nonces too. */
export type Level = 'shares' | 'quorum' | 'nonces';

/** Ascending; a level's number on the wire is its place from 1. */
export const LEVELS: readonly Level[] = ['shares', 'quorum', 'nonces'];

/** A level's number on the wire. */
export function levelNumber(level: Level): number {
  return LEVELS.indexOf(level) + 1;
}

/** The level of a number; undefined when there is none. */
export function levelOf(number: number): Level | undefined {
  return LEVELS[number - 1];
}

/** Bits of the group orders that there are circuits for, in the order of their ids. */
const ORDERS: readonly number[] = [253, 256, 446];
const BYTES_CIRCUIT = 1;

/** Whether there is a circuit for shares of a group with so long an order. */
export function hasCircuit(orderBits: number): boolean {
  return ORDERS.includes(orderBits);
}

/** Which circuit proves a level: 1 for shares of bytes, then two for each length of a group's order; 0 for none. */
export function circuitIdOf(level: Level, orderBits: number | 'bytes'): number {
  if (level === 'shares') return 0;
  if (orderBits === 'bytes') return BYTES_CIRCUIT;
  return BYTES_CIRCUIT + 1 + 2 * ORDERS.indexOf(orderBits) + (level === 'nonces' ? 1 : 0);
}

/** Parameters of a level's proof. */
export function parametersOf(level: Level, orderBits: number | 'bytes'): ProofParameters {
  return {
    circuitId: circuitIdOf(level, orderBits),
    repetitions: level === 'shares' ? 0 : REPETITIONS,
  };
}

/** Bits of soundness by the number of repetitions: −log2 (2/3)^n. */
export function soundnessBits(repetitions: number): number {
  return repetitions * Math.log2(1.5);
}

/**
 * The same from counting: of 3^n challenges a cheater who is wrong about one participant in each repetition survives 2^n. With
 * integers, so that nothing of the first way is used: the largest b with 2^b · 2^n ≤ 3^n.
 */
export function soundnessByCounting(repetitions: number): number {
  const ratio = 3n ** BigInt(repetitions) / 2n ** BigInt(repetitions);
  return ratio.toString(2).length - 1;
}
