/**
 * The machine underneath, as an interface: files, clock, randomness, locks, air-gap probes. Handed in, so that tests and
 * fault injection replace it. Calls are synchronous on purpose: nothing else runs between a journal write and its fsync.
 */

import type { FileSink, FileSource } from '#formats/byte-stream';

/** How a file is to be written. */
export interface WriteOptions {
  /** 0600 instead of 0644. */
  readonly secret?: boolean;
  /** Replace an existing file; otherwise an existing one is refused (OutputError `E_FILE_EXISTS`). */
  readonly overwrite?: boolean;
}

/** How a file is written piece by piece. */
export interface SinkOptions extends WriteOptions {
  /** Keeps what the file replaces until the sink is disposed of, so that withdrawing brings it back. */
  readonly restorable?: boolean;
}

/** Files, always durable: a call returns only after data and directory entry are fsynced. */
export interface HostFiles {
  /** Whole content. @throws MissingInputError `E_FILE_MISSING`, InputError `E_FILE_TOO_LARGE`, UnavailableError `E_FILE_UNREADABLE` */
  read(path: string, maxBytes?: number): Uint8Array;
  /** Atomic: temporary file beside it, fsync, rename (or link, when it must not exist), fsync of the folder. @throws OutputError */
  write(path: string, bytes: Uint8Array, options?: WriteOptions): void;
  /** A file, pipe or device to be read piece by piece; the caller closes it. @throws as `read`, also later */
  openSource(path: string): FileSource;
  /**
   * A file to be written piece by piece: it is there, whole and durable, once committed, and not before. A pipe or device gets
   * everything on commit. @throws OutputError, also later
   */
  createSink(path: string, options?: SinkOptions): FileSink;
  /** Appends and fsyncs; a torn last line is the reader's business. @throws OutputError */
  append(path: string, bytes: Uint8Array): void;
  /** Cuts a file to a length and fsyncs (used to drop a torn last journal line). */
  truncate(path: string, length: number): void;
  exists(path: string): boolean;
  isDirectory(path: string): boolean;
  list(path: string): readonly string[];
  makeDirectory(path: string, options?: { readonly secret?: boolean }): void;
  remove(path: string): void;
  /** Overwrites with zeroes and fsyncs; the name stays, so that what was destroyed can be recorded before nothing is left. @throws OutputError, for a link too */
  blank(path: string): void;
  /** Overwrites with zeroes, fsyncs, removes; what that is worth on flash media is told in docs/secrets-in-memory.md. */
  shred(path: string): void;
  /** Removes what killed runs left half-written in a folder. Only under the folder's lock: a living run's would go too. */
  sweep(path: string): void;
  /** Holds an exclusive lock until released; a lock left by a dead process is taken over. @throws TryAgainError `E_LOCKED` */
  lock(path: string): { release(): void };
}

/** One probe of the air-gap report. */
export interface Probe {
  readonly name: string;
  readonly result: 'ok' | 'finding' | 'not-checked';
  /** One sentence, as recorded. */
  readonly detail: string;
}

/** The machine. */
export interface Host {
  readonly files: HostFiles;
  now(): Date;
  /** Bytes from the operating system's generator. */
  random(length: number): Uint8Array;
  airGap(): readonly Probe[];
}
