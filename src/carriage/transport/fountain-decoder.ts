/**
 * Parts of one message back to the message. Each part is an equation over the fragments; they are solved by elimination, so
 * that the message is there as soon as as many independent parts have come as there are fragments, whichever these are.
 *
 * Parts come from whoever can hold up a code. What is kept is bounded by the first part alone: one row for each fragment,
 * of `fragments` bits and one fragment. Parts that say nothing new leave nothing behind.
 * @see BCR-2024-001 §6
 */
import { crc32 } from './crc32.js';
import type { FountainPart } from './fountain-part.js';
import { FragmentChooser } from './fragment-chooser.js';
import type { Sha256 } from './xoshiro.js';

/** What became of a part. */
export type Taken =
  /** It told something new. */
  | 'new'
  /** It followed from what was there. */
  | 'known'
  /** It speaks of another message; nothing was taken from it. */
  | 'foreign';

/** Puts one message together. */
export class FountainDecoder {
  readonly fragments: number;
  readonly messageLength: number;
  readonly checksum: number;
  readonly #length: number;
  readonly #chooser: FragmentChooser;
  /** Words of the bits in front of the words of the data, in one row. */
  readonly #bitWords: number;
  readonly #rows: (Uint32Array | undefined)[];
  #independent = 0;

  /** @param first - any part of the message, already checked; it still has to be taken */
  constructor(first: FountainPart, sha256: Sha256) {
    this.fragments = first.fragments;
    this.messageLength = first.messageLength;
    this.checksum = first.checksum;
    this.#length = first.data.length;
    this.#chooser = new FragmentChooser(first.fragments, first.checksum, sha256);
    this.#bitWords = Math.ceil(first.fragments / 32);
    this.#rows = new Array<Uint32Array | undefined>(first.fragments).fill(undefined);
  }

  /** Independent parts so far; when it reaches `fragments`, the message is there. */
  get received(): number {
    return this.#independent;
  }

  /** Whether enough has come. */
  get complete(): boolean {
    return this.#independent === this.fragments;
  }

  /** Takes a part in. */
  take(part: FountainPart): Taken {
    if (
      part.fragments !== this.fragments ||
      part.messageLength !== this.messageLength ||
      part.checksum !== this.checksum ||
      part.data.length !== this.#length
    ) {
      return 'foreign';
    }
    if (this.complete) return 'known';
    const row = this.#rowOf(part);
    for (let word = 0; word < this.#bitWords; word++) {
      while (row[word] !== 0) {
        const pivot = 32 * word + Math.clz32(row[word] as number);
        const standing = this.#rows[pivot];
        if (standing === undefined) {
          this.#rows[pivot] = row;
          this.#independent++;
          return 'new';
        }
        for (let i = word; i < row.length; i++)
          row[i] = (row[i] as number) ^ (standing[i] as number);
      }
    }
    return 'known';
  }

  /**
   * The message, once {@link complete}; `undefined` when its checksum does not match, since some part was forged or damaged
   * beyond what its own checksum tells.
   */
  message(): Uint8Array | undefined {
    this.#substitute();
    const bytes = new Uint8Array(this.fragments * this.#length);
    this.#rows.forEach((row, i) => {
      const data = (row as Uint32Array).subarray(this.#bitWords);
      bytes.set(new Uint8Array(data.buffer, data.byteOffset, this.#length), i * this.#length);
    });
    const filling = bytes.subarray(this.messageLength);
    if (filling.some((byte) => byte !== 0)) return undefined;
    const message = bytes.slice(0, this.messageLength);
    return crc32(message) === this.checksum ? message : undefined;
  }

  /** A part as a row: a bit for each fragment it mixes, the first in the highest bit, then its data. */
  #rowOf({ number, data }: FountainPart): Uint32Array {
    const row = new Uint32Array(this.#bitWords + Math.ceil(data.length / 4));
    for (const index of this.#chooser.choose(number)) {
      row[index >>> 5] = ((row[index >>> 5] as number) | (0x8000_0000 >>> (index & 31))) >>> 0;
    }
    new Uint8Array(row.buffer).set(data, 4 * this.#bitWords);
    return row;
  }

  /** Clears everything behind the pivots, from the last row up. */
  #substitute(): void {
    for (let i = this.fragments - 1; i >= 0; i--) {
      const row = this.#rows[i] as Uint32Array;
      for (let j = i + 1; j < this.fragments; j++) {
        const bit = 0x8000_0000 >>> (j & 31);
        if (((row[j >>> 5] as number) & bit) === 0) continue;
        // Row j holds its own bit alone by now.
        const below = this.#rows[j] as Uint32Array;
        row[j >>> 5] = (row[j >>> 5] as number) ^ bit;
        for (let k = this.#bitWords; k < row.length; k++) {
          row[k] = (row[k] as number) ^ (below[k] as number);
        }
      }
    }
  }
}
