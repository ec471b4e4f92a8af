/**
 * Files that are read and written piece by piece. A written one is durable and whole when it is committed, and not there
 * before: it grows under a temporary name beside its own.
 */
import { constants } from 'node:fs';
import type { FileSink, FileSource } from '#formats/byte-stream';
import { heldSink } from '#formats/held-sink';
import { readError, writeError } from './disk-errors.js';
import { temporaryBeside, writeAll } from './file-calls.js';
import { type FsPort, systemCode } from './fs-port.js';
import type { SinkOptions } from './host.js';

const { O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } = constants;

/**
 * A file, pipe or device for reading.
 * @throws MissingInputError `E_FILE_MISSING`, UnavailableError `E_FILE_UNREADABLE`, here and from `read`
 */
export function openSource(fs: FsPort, path: string): FileSource {
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw readError(path, cause);
    }
  };
  const fd = guarded(() => {
    const opened = fs.open(path, O_RDONLY);
    if (fs.fstat(opened).kind !== 'directory') return opened;
    fs.close(opened);
    throw Object.assign(new Error('folder'), { code: 'EISDIR' });
  });
  let open = true;
  return {
    read: (into, offset) => guarded(() => fs.read(fd, into, offset)),
    [Symbol.dispose]: () => {
      if (!open) return;
      open = false;
      fs.close(fd);
    },
  };
}

/** How a finished temporary file gets its name; the two ways of `files.ts`. */
export interface Placing {
  /** Where the file named by `path` really lies, and whether it is there: behind a link stands the file that is meant. */
  find(path: string): { readonly target: string; readonly found: 'none' | 'file' | 'other' };
  /** Gives the temporary file its name. */
  place(temporary: string, target: string, overwrite: boolean): void;
  /** Gives what has a name another one beside it; where the disk has no hard links, to a copy. */
  keep(target: string, kept: string): void;
  /** Gives what was kept its name again. */
  restore(kept: string, target: string): void;
  /** Makes a file's name durable. */
  settle(target: string): void;
  /** Removes a temporary file on the way out of a failure. */
  discard(path: string): void;
  /** Takes away what killed runs left of this target. */
  sweep(target: string): void;
}

/**
 * A file to be written piece by piece.
 * @throws OutputError as {@link writeError} says, here, from `write` and from `commit`
 */
export function createSink(
  fs: FsPort,
  path: string,
  options: SinkOptions,
  placing: Placing,
  random: (length: number) => Uint8Array,
): FileSink {
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw writeError(path, cause);
    }
  };
  const overwrite = options.overwrite === true;
  const { target, found } = guarded(() => placing.find(path));
  if (found === 'other') {
    return heldSink(path, (bytes) => {
      guarded(() => {
        const fd = fs.open(path, O_WRONLY);
        try {
          writeAll(fs, fd, bytes);
        } finally {
          fs.close(fd);
        }
      });
    });
  }
  if (found === 'file' && !overwrite) {
    throw writeError(path, Object.assign(new Error('exists'), { code: 'EEXIST' }));
  }
  placing.sweep(target);
  const temporary = temporaryBeside(target, random);
  const mode = options.secret === true ? 0o600 : 0o644;
  const fd = guarded(() => fs.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode));
  let state: 'open' | 'closed' | 'placed' = 'open';
  /** Where what is replaced lies meanwhile. */
  let kept: string | undefined;
  const close = (): void => {
    if (state !== 'open') return;
    state = 'closed';
    fs.close(fd);
  };
  const abandon = (): void => {
    process.off('exit', abandon);
    if (kept !== undefined) placing.discard(kept);
    kept = undefined;
    if (state === 'placed') return;
    try {
      close();
    } catch (error) {
      // The failure that led here is the one to report; an error without a code is our own.
      if (systemCode(error) === '') throw error;
    }
    placing.discard(temporary);
  };
  // Ctrl-C ends the process between two pieces.
  process.once('exit', abandon);
  return {
    write: (bytes) => {
      guarded(() => {
        writeAll(fs, fd, bytes);
      });
    },
    commit: () => {
      guarded(() => {
        fs.fsync(fd);
        close();
        if (options.restorable === true && placing.find(path).found === 'file') {
          kept = temporaryBeside(target, random);
          placing.keep(target, kept);
        }
        placing.place(temporary, target, overwrite);
        state = 'placed';
        placing.settle(target);
      });
    },
    withdraw: () => {
      if (state !== 'placed') return;
      if (kept === undefined) placing.discard(target);
      else placing.restore(kept, target);
      // A disk that refuses even this has the older file under its other name: it is not removed.
      kept = undefined;
    },
    [Symbol.dispose]: abandon,
  };
}
