/** Text lines at the beginning of a source, and the bytes behind them. */
import type { ByteSource } from '#formats/byte-stream';

const PIECE = 4096;

/** Reads lines that end in a line feed; what was read too far stays for `rest`. */
export class LineSource {
  readonly #source: ByteSource;
  #held: Uint8Array = new Uint8Array(0);

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /**
   * The next line as bytes taken for characters (latin-1), without its line feed.
   * @param max - longest line, in bytes
   * @returns `end` holds what follows the last line feed, at the end; `long` when there is none within `max` bytes
   */
  next(max: number): { readonly kind: 'line' | 'end'; readonly text: string } | { kind: 'long' } {
    for (;;) {
      const at = this.#held.indexOf(0x0a);
      if (at > max || (at < 0 && this.#held.length > max)) return { kind: 'long' };
      if (at >= 0) {
        const text = latin1(this.#held.subarray(0, at));
        this.#held = this.#held.subarray(at + 1);
        return { kind: 'line', text };
      }
      const piece = new Uint8Array(this.#held.length + PIECE);
      piece.set(this.#held);
      const count = this.#source.read(piece, this.#held.length);
      if (count === 0) {
        const text = latin1(this.#held);
        this.#held = new Uint8Array(0);
        return { kind: 'end', text };
      }
      this.#held = piece.subarray(0, this.#held.length + count);
    }
  }

  /** What follows the lines that were read. */
  rest(): ByteSource {
    return {
      read: (into, offset) => {
        if (this.#held.length === 0) return this.#source.read(into, offset);
        const part = this.#held.subarray(0, into.length - offset);
        into.set(part, offset);
        this.#held = this.#held.subarray(part.length);
        return part.length;
      },
    };
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
