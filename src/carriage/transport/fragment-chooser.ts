/**
 * Which fragments of a message a part of a UR mixes. Both sides compute it from the number of the part and the checksum of
 * the message, so that nothing about it has to be sent. Floating point is part of the agreement: IEEE 754 doubles, in this
 * order of operations.
 * @see BCR-2024-001 §4
 */
import { concat, u32be } from '#formats/bytes';
import { type Sha256, Xoshiro256 } from './xoshiro.js';

/**
 * Draws indices with given weights, by the alias method of Walker and Vose.
 * @param weights - not negative, not all zero
 */
export class RandomSampler {
  readonly #probabilities: Float64Array;
  readonly #aliases: Uint32Array;

  constructor(weights: readonly number[]) {
    const count = weights.length;
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const scaled = weights.map((weight) => (weight * count) / sum);
    const small: number[] = [];
    const large: number[] = [];
    for (let i = count - 1; i >= 0; i--) ((scaled[i] as number) < 1 ? small : large).push(i);
    this.#probabilities = new Float64Array(count).fill(1);
    this.#aliases = new Uint32Array(count);
    while (small.length > 0 && large.length > 0) {
      const less = small.pop() as number;
      const more = large.pop() as number;
      this.#probabilities[less] = scaled[less] as number;
      this.#aliases[less] = more;
      scaled[more] = (scaled[more] as number) + ((scaled[less] as number) - 1);
      (scaled[more] < 1 ? small : large).push(more);
    }
  }

  /** The next index, for two draws from 0 to 1. */
  next(draw: () => number): number {
    const first = draw();
    const second = draw();
    const count = this.#probabilities.length;
    const i = Math.min(Math.floor(count * first), count - 1);
    return second < (this.#probabilities[i] as number) ? i : (this.#aliases[i] as number);
  }
}

/** The first `count` items of a shuffle of `items`. */
export function shuffled<T>(items: readonly T[], rng: Xoshiro256, count: number): T[] {
  const remaining = [...items];
  const result: T[] = [];
  while (result.length < count) {
    result.push(...remaining.splice(rng.nextBelow(remaining.length), 1));
  }
  return result;
}

/** Chooses fragments for the parts of one message. */
export class FragmentChooser {
  readonly #indices: readonly number[];
  readonly #checksum: number;
  readonly #degrees: RandomSampler;
  readonly #sha256: Sha256;

  /**
   * @param fragments - how many the message was cut into
   * @param checksum - CRC-32 of the message
   */
  constructor(fragments: number, checksum: number, sha256: Sha256) {
    this.#indices = Array.from({ length: fragments }, (_, i) => i);
    this.#checksum = checksum;
    this.#degrees = new RandomSampler(this.#indices.map((i) => 1 / (i + 1)));
    this.#sha256 = sha256;
  }

  /** How many fragments a part mixes, drawn from a generator: 1 to all, few more often than many. */
  degree(rng: Xoshiro256): number {
    return this.#degrees.next(() => rng.nextDouble()) + 1;
  }

  /**
   * Indices, from 0, of the fragments in a part; the first parts are the fragments themselves.
   * @param part - number of the part, from 1
   */
  choose(part: number): readonly number[] {
    if (part <= this.#indices.length) return [part - 1];
    const rng = new Xoshiro256(concat(u32be(part), u32be(this.#checksum)), this.#sha256);
    return shuffled(this.#indices, rng, this.degree(rng));
  }
}
