/**
 * A long plaintext in chunks, each sealed by itself: constant memory, and no chunk is released before it authenticates. A
 * chunk's nonce is its index and whether it is the last, so that chunks cannot be dropped, swapped, repeated or added.
 * @see docs/spec/container.md, "Chunks"; Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its
 * Nonce-Reuse Misuse-Resistance" (2015), STREAM
 */
import { aesGcmOpen, aesGcmSeal, chaChaPolyOpen, chaChaPolySeal, TAG_LENGTH } from '#crypto/aead';
import { breathe, type ByteSink, type ByteSource, fill } from '#formats/byte-stream';
import { InputError, NegativeError } from '#formats/errors';

/** How chunks are sealed. */
export interface StreamCipher {
  seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array;
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    aad: Uint8Array,
    what: string,
  ): Uint8Array;
}

/** AES-256-GCM, of the container. */
export const AES_STREAM: StreamCipher = { seal: aesGcmSeal, open: aesGcmOpen };
/** ChaCha20-Poly1305, of age. */
export const CHACHA_STREAM: StreamCipher = { seal: chaChaPolySeal, open: chaChaPolyOpen };

const EMPTY = new Uint8Array(0);
/** Indices stay exact numbers; no medium holds so many chunks. */
const MAX_CHUNKS = 2 ** 40;

/** Eleven bytes of index, big-endian, and one that is 1 for the last chunk. */
function nonceOf(index: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(3, BigInt(index));
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** Pieces of one size from a source, each with whether it is the last; one is read ahead to know that. */
class Pieces {
  readonly #source: ByteSource;
  #current: Uint8Array;
  #next: Uint8Array;
  #length: number;

  constructor(source: ByteSource, size: number) {
    this.#source = source;
    this.#current = new Uint8Array(size);
    this.#next = new Uint8Array(size);
    this.#length = fill(source, this.#current);
  }

  /** The next piece, lent until the call after; `undefined` after the last. An empty source has one empty piece. */
  next(): { readonly piece: Uint8Array; readonly isLast: boolean } | undefined {
    if (this.#length < 0) return undefined;
    const piece = this.#current.subarray(0, this.#length);
    const length = piece.length < this.#current.length ? 0 : fill(this.#source, this.#next);
    const isLast = length === 0;
    [this.#current, this.#next] = [this.#next, this.#current];
    this.#length = isLast ? -1 : length;
    return { piece, isLast };
  }

  wipe(): void {
    this.#current.fill(0);
    this.#next.fill(0);
  }
}

/**
 * Seals all of a source.
 * @param key - 32 bytes, used for this one stream only; borrowed
 * @param chunk - plaintext bytes of every chunk but the last
 * @returns how many plaintext bytes there were
 * @throws {@link InputError} `E_STREAM_TOO_LONG`
 */
export async function sealStream(
  cipher: StreamCipher,
  key: Uint8Array,
  chunk: number,
  source: ByteSource,
  sink: ByteSink,
): Promise<number> {
  const pieces = new Pieces(source, chunk);
  try {
    let total = 0;
    for (let index = 0; ; index++) {
      await breathe(index);
      const next = pieces.next();
      if (next === undefined) return total;
      if (index >= MAX_CHUNKS) {
        throw new InputError({
          code: 'E_STREAM_TOO_LONG',
          message: 'this is longer than any stream can be',
        });
      }
      sink.write(cipher.seal(key, nonceOf(index, next.isLast), next.piece, EMPTY));
      total += next.piece.length;
    }
  } finally {
    pieces.wipe();
  }
}

/**
 * The plaintext of {@link sealStream}, chunk by chunk; each is given out only after it was authenticated in its place.
 * @param key - 32 bytes, adopted: wiped by disposing
 * @param failed - the error for whatever is wrong, thrown by `read`; after that nothing more is given. Errors of `source` pass
 */
export function openStream(
  cipher: StreamCipher,
  key: Uint8Array,
  chunk: number,
  source: ByteSource,
  failed: () => Error,
): ByteSource & Disposable {
  const sealed = new Uint8Array(chunk + TAG_LENGTH);
  let state: 'open' | 'ended' | 'broken' = 'open';
  let index = 0;
  let plain: Uint8Array = EMPTY;
  let at = 0;

  const open = (piece: Uint8Array, isLast: boolean): Uint8Array | undefined => {
    try {
      return cipher.open(key, nonceOf(index, isLast), piece, EMPTY, 'a chunk');
    } catch (error) {
      if (error instanceof NegativeError) return undefined;
      throw error;
    }
  };

  /** The next chunk, authenticated. */
  const advance = (): void => {
    plain.fill(0);
    plain = EMPTY;
    at = 0;
    const piece = sealed.subarray(0, fill(source, sealed));
    // A chunk of full length may be the last; a shorter one must be.
    const between = piece.length === sealed.length ? open(piece, false) : undefined;
    const opened = between ?? open(piece, true);
    // An empty last chunk after others would be a second way to write the same plaintext.
    if (opened === undefined || (opened.length === 0 && index > 0)) throw failed();
    plain = opened;
    index++;
    if (between === undefined) state = 'ended';
  };

  return {
    read: (into, offset) => {
      try {
        if (state === 'broken') throw failed();
        while (at === plain.length) {
          if (state === 'ended') {
            if (fill(source, sealed.subarray(0, 1)) === 0) return 0;
            throw failed();
          }
          advance();
        }
      } catch (error) {
        state = 'broken';
        throw error;
      }
      const part = plain.subarray(at, at + into.length - offset);
      into.set(part, offset);
      at += part.length;
      return part.length;
    },
    [Symbol.dispose]: () => {
      key.fill(0);
      plain.fill(0);
      state = 'broken';
    },
  };
}
