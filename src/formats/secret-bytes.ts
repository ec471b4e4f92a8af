/**
 * Bytes that must not be printed, serialised or kept longer than needed.
 * What this cannot promise (copies made by the engine, strings, swapped pages) is told in `docs/secrets-in-memory.md`.
 */
import { inspect } from 'node:util';
import { InternalError } from './errors.js';

/**
 * Owner of one secret byte string. Printing, JSON and structured clones reveal only the label.
 *
 * `adopt` takes the buffer over (the class wipes it), `copyOf` leaves the caller's alone. Dispose it, with `using` or in
 * `finally`; after that every use throws.
 * @example
 * ```ts
 * using seed = SecretBytes.adopt(random(32), 'ed25519 seed');
 * const publicKey = seed.use((bytes) => derivePublicKey(bytes));
 * ```
 */
export class SecretBytes {
  readonly label: string;
  readonly #bytes: Uint8Array;
  #wiped = false;

  private constructor(bytes: Uint8Array, label: string) {
    this.#bytes = bytes;
    this.label = label;
  }

  /** Takes over `bytes`: from now on only this object may wipe or read them. */
  static adopt(bytes: Uint8Array, label: string): SecretBytes {
    return new SecretBytes(bytes, label);
  }

  /** Holds a private copy; the caller keeps and wipes its own. */
  static copyOf(bytes: Uint8Array, label: string): SecretBytes {
    return new SecretBytes(new Uint8Array(bytes), label);
  }

  /** Length in bytes. */
  get length(): number {
    return this.#bytes.length;
  }

  /** Whether the bytes have been wiped. */
  get wiped(): boolean {
    return this.#wiped;
  }

  /**
   * Lends the bytes for one synchronous call. The callee must neither keep nor change them, and must not return a promise:
   * an `await` would spill them past the loan.
   * @throws {@link InternalError} `E_SECRET_WIPED`, `E_SECRET_ASYNC`
   */
  use<T>(borrower: (bytes: Uint8Array) => T): T {
    if (this.#wiped) {
      throw new InternalError({
        code: 'E_SECRET_WIPED',
        message: `${this.label} was wiped already`,
      });
    }
    const result = borrower(this.#bytes);
    if (result instanceof Promise) {
      throw new InternalError({
        code: 'E_SECRET_ASYNC',
        message: `${this.label} was lent to an asynchronous call`,
      });
    }
    return result;
  }

  /** A second owner with its own copy, to be disposed on its own. */
  clone(label = this.label): SecretBytes {
    return this.use((bytes) => SecretBytes.copyOf(bytes, label));
  }

  /** Overwrites the bytes with zeroes; calling it again does nothing. */
  dispose(): void {
    this.#bytes.fill(0);
    this.#wiped = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The label in angle brackets, never the bytes. */
  toString(): string {
    return `<secret: ${this.label}>`;
  }

  /**
   * Serialising a secret is always a mistake.
   * @throws {@link InternalError} `E_SECRET_SERIALISED`
   */
  toJSON(): never {
    throw new InternalError({
      code: 'E_SECRET_SERIALISED',
      message: `${this.label} must not be serialised`,
    });
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** Runs `work` and wipes the given buffers afterwards, whatever happens. For buffers that this function's caller made. */
export function wiping<T>(buffers: readonly Uint8Array[], work: () => T): T {
  try {
    return work();
  } finally {
    for (const buffer of buffers) buffer.fill(0);
  }
}
