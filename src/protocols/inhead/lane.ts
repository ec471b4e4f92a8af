/**
 * Bit strings of many repetitions side by side: one row a bit, one lane a repetition, 32 lanes to a word. An encoding and
 * nothing else; bit j of a string is bit j mod 8 of its byte ⌊j/8⌋.
 */

/** Words that so many lanes need. */
export function lanesWords(lanes: number): number {
  return (lanes + 31) >> 5;
}

/** Where rows lie in an array: row · stride + offset is the row's first word. */
export interface Rows {
  readonly words: Int32Array;
  readonly stride: number;
  readonly offset: number;
}

/**
 * Writes strings into rows, string i into lane i.
 * @param strings - each of at least ⌈bits/8⌉ bytes
 */
export function toRows(strings: readonly Uint8Array[], bits: number, rows: Rows): void {
  const block = new Int32Array(32);
  for (let lane = 0; lane < strings.length; lane += 32) {
    const column = rows.offset + (lane >> 5);
    for (let first = 0; first < bits; first += 32) {
      for (let i = 0; i < 32; i++) {
        const string = strings[lane + i];
        block[i] = string === undefined ? 0 : wordAt(string, first >> 3);
      }
      transpose(block);
      const end = Math.min(32, bits - first);
      for (let i = 0; i < end; i++) {
        rows.words[(first + i) * rows.stride + column] = block[i] as number;
      }
    }
  }
  block.fill(0);
}

/**
 * Reads strings back out of rows; what is beyond the last bit is zero.
 * @returns as many strings as lanes, ⌈bits/8⌉ bytes each
 */
export function fromRows(rows: Rows, bits: number, lanes: number): Uint8Array[] {
  const length = (bits + 7) >> 3;
  const strings = Array.from({ length: lanes }, () => new Uint8Array(length));
  const block = new Int32Array(32);
  for (let lane = 0; lane < lanes; lane += 32) {
    const column = rows.offset + (lane >> 5);
    for (let first = 0; first < bits; first += 32) {
      for (let i = 0; i < 32; i++) {
        block[i] =
          first + i < bits ? (rows.words[(first + i) * rows.stride + column] as number) : 0;
      }
      transpose(block);
      const end = Math.min(32, lanes - lane);
      for (let i = 0; i < end; i++) {
        putWord(strings[lane + i] as Uint8Array, first >> 3, block[i] as number);
      }
    }
  }
  block.fill(0);
  return strings;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

/** Writes as much of a word as there is room for; the rest is zero. */
function putWord(bytes: Uint8Array, at: number, word: number): void {
  const end = Math.min(4, bytes.length - at);
  for (let i = 0; i < end; i++) bytes[at + i] = word >>> (8 * i);
}

/** Bit j of word i becomes bit i of word j. */
function transpose(block: Int32Array): void {
  let mask = 0x0000_ffff;
  for (let half = 16; half !== 0; half >>= 1, mask ^= mask << half) {
    for (let k = 0; k < 32; k = ((k | half) + 1) & ~half) {
      const low = block[k] as number;
      const high = block[k | half] as number;
      const swapped = ((low >>> half) ^ high) & mask;
      block[k | half] = high ^ swapped;
      block[k] = low ^ (swapped << half);
    }
  }
}
