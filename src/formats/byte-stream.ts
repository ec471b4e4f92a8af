/**
 * Bytes that come and go piece by piece, for what is too large to hold. Each call is synchronous, like all of the disk: what is
 * read has been read, what is written has been written.
 */
/** Where bytes come from. */
export interface ByteSource {
  /** Puts bytes into `into` from `offset` on; how many, at least one, or 0 at the end. */
  read(into: Uint8Array, offset: number): number;
}

/** Where bytes go. */
export interface ByteSink {
  /** All of `bytes`, which are borrowed. */
  write(bytes: Uint8Array): void;
}

/** A file being written: it exists under its name only once it is committed. Disposed before that, it leaves nothing. */
export interface FileSink extends ByteSink, Disposable {
  commit(): void;
  /** Takes a committed file away again, as far as the disk lets it; absent where what went out cannot be taken back. */
  withdraw?(): void;
}

/** A file being read; disposing closes it. */
export interface FileSource extends ByteSource, Disposable {}

/** Bytes in memory as a source; they are borrowed. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  let at = 0;
  return {
    read: (into, offset) => {
      const part = bytes.subarray(at, at + into.length - offset);
      into.set(part, offset);
      at += part.length;
      return part.length;
    },
  };
}

/** A source with bytes before it that were read from it already. */
export function prepended(head: Uint8Array, rest: ByteSource): ByteSource {
  const first = sourceOf(head);
  return {
    read: (into, offset) => first.read(into, offset) || rest.read(into, offset),
  };
}

/** Fills `into` from the source; how many bytes there were, fewer only at the end. */
export function fill(source: ByteSource, into: Uint8Array): number {
  let length = 0;
  while (length < into.length) {
    const count = source.read(into, length);
    if (count === 0) break;
    length += count;
  }
  return length;
}

/** Exactly `length` bytes, or `undefined` when the end comes earlier. The caller caps `length`. */
export function take(source: ByteSource, length: number): Uint8Array | undefined {
  const bytes = new Uint8Array(length);
  return fill(source, bytes) === length ? bytes : undefined;
}

/**
 * All that is left of a source, at most `maxBytes`; the caller owns them.
 * @returns `undefined` when there is more
 */
export function takeAll(source: ByteSource, maxBytes: number): Uint8Array | undefined {
  let buffer = new Uint8Array(Math.min(maxBytes + 1, 64 * 1024));
  let length = 0;
  for (;;) {
    const count = source.read(buffer, length);
    if (count === 0) break;
    length += count;
    if (length > maxBytes) {
      buffer.fill(0);
      return undefined;
    }
    if (length === buffer.length) {
      const larger = new Uint8Array(Math.min(buffer.length * 2, maxBytes + 1));
      larger.set(buffer);
      // What is read may be a secret: no copy is left behind.
      buffer.fill(0);
      buffer = larger;
    }
  }
  const all = buffer.slice(0, length);
  buffer.fill(0);
  return all;
}

const PIECE_BYTES = 256 * 1024;
/** After so many pieces others get a turn: Ctrl-C is heard between two turns only. */
const PIECES_A_TURN = 64;

/** Lets whatever waits run, when the count of pieces so far says that it is time. */
export async function breathe(pieces: number): Promise<void> {
  if (pieces % PIECES_A_TURN !== PIECES_A_TURN - 1) return;
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Moves a source into a sink through one buffer, which is wiped at the end; how many bytes there were. */
export async function pour(source: ByteSource, sink: ByteSink): Promise<number> {
  const piece = new Uint8Array(PIECE_BYTES);
  let total = 0;
  try {
    for (let pieces = 0; ; pieces++) {
      await breathe(pieces);
      const count = fill(source, piece);
      if (count === 0) return total;
      sink.write(piece.subarray(0, count));
      total += count;
    }
  } finally {
    piece.fill(0);
  }
}
