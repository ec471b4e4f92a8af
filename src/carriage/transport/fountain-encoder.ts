/**
 * A message as an endless series of parts: first its fragments in order, then mixtures of them, any sufficiently many of
 * which bring the message back.
 * @see BCR-2024-001 §5
 */
import { FragmentChooser } from './fragment-chooser.js';
import type { FountainPart } from './fountain-part.js';
import { crc32 } from './crc32.js';
import type { Sha256 } from './xoshiro.js';

/** Shorter fragments cost more in their frames than they carry. */
const MIN_FRAGMENT_BYTES = 10;

/**
 * The length of fragments, as equal as can be, that makes the fewest of them.
 * @see BCR-2024-001 §5, "Determining Fragment Length"
 */
export function fragmentLength(
  messageLength: number,
  maxFragmentLength: number,
  minFragmentLength = MIN_FRAGMENT_BYTES,
): number {
  const most = Math.max(1, Math.floor(messageLength / minFragmentLength));
  let length = messageLength;
  for (let count = 1; count <= most; count++) {
    length = Math.ceil(messageLength / count);
    if (length <= maxFragmentLength) break;
  }
  return length;
}

/** A message cut into fragments of one length, the last filled up with zeros. */
export function cutIntoFragments(message: Uint8Array, length: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(message.length / length) }, (_, i) => {
    const fragment = new Uint8Array(length);
    fragment.set(message.subarray(i * length, (i + 1) * length));
    return fragment;
  });
}

/** Makes the parts of one message, in any order. */
export class FountainEncoder {
  readonly #message: Uint8Array;
  readonly #fragments: readonly Uint8Array[];
  readonly #checksum: number;
  readonly #chooser: FragmentChooser;

  /**
   * @param message - borrowed; must not change while parts are made
   * @param maxFragmentLength - longest data of a part, in bytes
   */
  constructor(message: Uint8Array, maxFragmentLength: number, sha256: Sha256) {
    this.#message = message;
    this.#checksum = crc32(message);
    const length = fragmentLength(message.length, maxFragmentLength);
    this.#fragments = cutIntoFragments(message, length);
    this.#chooser = new FragmentChooser(this.#fragments.length, this.#checksum, sha256);
  }

  /** How many fragments there are: so many parts at least are needed. */
  get fragments(): number {
    return this.#fragments.length;
  }

  /**
   * The part of a number.
   * @param number - from 1; up to the number of fragments these are the fragments themselves
   */
  part(number: number): FountainPart {
    const indices = this.#chooser.choose(number);
    const data = new Uint8Array((this.#fragments[0] as Uint8Array).length);
    for (const index of indices) {
      const fragment = this.#fragments[index] as Uint8Array;
      for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) ^ (fragment[i] as number);
    }
    return {
      number,
      fragments: this.#fragments.length,
      messageLength: this.#message.length,
      checksum: this.#checksum,
      data,
    };
  }
}
