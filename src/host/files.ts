/**
 * Durable files: a call returns only once data and directory entry are on the medium, and a reader sees the old content or the
 * new one, never a part. Every system call goes through the given port.
 */
import { constants } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '#formats/errors';
import { readError, writeError } from './disk-errors.js';
import { isTemporaryName, temporaryBeside, withFile, writeAll } from './file-calls.js';
import { createSink, openSource } from './file-streams.js';
import { type FsPort, type FsStat, systemCode } from './fs-port.js';
import type { HostFiles, WriteOptions } from './host.js';
import { isOfAnother, sweepBeside } from './leftovers.js';
import { acquireLock, isRightName, sweepRight } from './lock.js';

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_WRONLY } =
  constants;
const SECRET_FILE = 0o600;
const PUBLIC_FILE = 0o644;
const DEFAULT_LIMIT = 64 * 1024 * 1024;

/** File systems without hard links (FAT on a memory stick) answer `link` with one of these. */
const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
/** Some file systems cannot fsync a folder; there the entry is as durable as they make it. */
const NO_FOLDER_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EPERM', 'EBADF']);

/**
 * Files over a port.
 * @param random - names temporary files and locks; nothing secret
 */
export function createFiles(fs: FsPort, random: (length: number) => Uint8Array): HostFiles {
  const files: HostFiles = {
    read: (path, maxBytes = DEFAULT_LIMIT) => readWhole(fs, path, maxBytes),
    write: (path, bytes, options = {}) => {
      writeWhole(fs, path, bytes, options, random);
    },
    openSource: (path) => openSource(fs, path),
    createSink: (path, options = {}) =>
      createSink(
        fs,
        path,
        options,
        {
          find: (named) => findTarget(fs, named),
          place: (temporary, target, overwrite) => {
            entitle(fs, temporary, target, overwrite);
          },
          keep: (target, kept) => {
            keep(fs, target, kept);
          },
          restore: (kept, target) => {
            attempt(() => {
              fs.rename(kept, target);
              syncFolder(fs, dirname(target));
            });
          },
          settle: (target) => {
            syncFolder(fs, dirname(target));
          },
          discard: (temporary) => {
            discard(fs, temporary);
          },
          sweep: (target) => {
            sweepBeside(fs, target, (left) => {
              if (options.secret === true) sweepFile(fs, left);
              else fs.unlink(left);
            });
          },
        },
        random,
      ),
    append: (path, bytes) => {
      changing(path, () => {
        appendWhole(fs, path, bytes);
      });
    },
    truncate: (path, length) => {
      changing(path, () => {
        withFile(fs, path, O_RDWR, SECRET_FILE, (fd) => {
          fs.ftruncate(fd, length);
          fs.fsync(fd);
        });
      });
    },
    exists: (path) => statOf(fs, path) !== undefined,
    isDirectory: (path) => statOf(fs, path)?.kind === 'directory',
    list: (path) => {
      try {
        return [...fs.readdir(path)].filter((name) => !isTemporaryName(name)).sort();
      } catch (cause) {
        if (systemCode(cause) === 'ENOENT') return [];
        throw readError(path, cause);
      }
    },
    makeDirectory: (path, options = {}) => {
      changing(path, () => {
        makeFolders(fs, path, options.secret === true ? 0o700 : 0o755);
      });
    },
    remove: (path) => {
      changing(path, () => {
        removeEntry(fs, path);
      });
    },
    blank: (path) => {
      changing(path, () => {
        // Behind a link stands another file: overwriting nothing must not look like overwriting it.
        if (isLink(fs, path)) throw Object.assign(new Error('link'), { code: 'ELOOP' });
        blankFile(fs, path);
      });
    },
    shred: (path) => {
      changing(path, () => {
        shredFile(fs, path);
      });
    },
    sweep: (path) => {
      changing(path, () => {
        const left = statOf(fs, path)?.kind === 'directory' ? fs.readdir(path) : [];
        for (const name of left.filter((each) => isTemporaryName(each) && !isOfAnother(each))) {
          sweepFile(fs, join(path, name));
        }
        for (const name of left.filter(isRightName)) sweepRight(fs, join(path, name), random);
      });
    },
    lock: (path) => acquireLock(fs, path, random),
  };
  return files;
}

function readWhole(fs: FsPort, path: string, maxBytes: number): Uint8Array {
  try {
    const fd = fs.open(path, O_RDONLY);
    try {
      const { kind, size } = fs.fstat(fd);
      if (kind === 'directory') throw Object.assign(new Error('folder'), { code: 'EISDIR' });
      if (kind === 'file' && size > maxBytes) throw tooLarge(path, maxBytes);
      // One byte more than expected: a file that grew meanwhile, a pipe or a /proc file (size 0) is noticed and read on.
      return readToEnd(fs, fd, kind === 'file' ? size + 1 : 4096, path, maxBytes);
    } finally {
      fs.close(fd);
    }
  } catch (cause) {
    throw readError(path, cause);
  }
}

function readToEnd(
  fs: FsPort,
  fd: number,
  expected: number,
  path: string,
  maxBytes: number,
): Uint8Array {
  let buffer = new Uint8Array(expected);
  let length = 0;
  for (;;) {
    const count = fs.read(fd, buffer, length);
    if (count === 0) break;
    length += count;
    if (length > maxBytes) {
      buffer.fill(0);
      throw tooLarge(path, maxBytes);
    }
    if (length === buffer.length) {
      const larger = new Uint8Array(Math.min(buffer.length * 2, maxBytes + 1));
      larger.set(buffer);
      // What was read may be a passphrase: no copy is left behind.
      buffer.fill(0);
      buffer = larger;
    }
  }
  const whole = buffer.slice(0, length);
  buffer.fill(0);
  return whole;
}

function tooLarge(path: string, maxBytes: number): InputError {
  return new InputError({
    code: 'E_FILE_TOO_LARGE',
    message: `${path} is longer than ${maxBytes} bytes`,
    hint: 'check that it is the file you meant',
  });
}

function writeWhole(
  fs: FsPort,
  path: string,
  bytes: Uint8Array,
  options: WriteOptions,
  random: (length: number) => Uint8Array,
): void {
  changing(path, () => {
    const mode = options.secret === true ? SECRET_FILE : PUBLIC_FILE;
    const { target, found } = findTarget(fs, path);
    if (found === 'other') {
      // A pipe or device (/dev/stdout, /proc/self/fd/3): nothing to replace, so nothing to protect.
      withFile(fs, path, O_WRONLY, mode, (fd) => {
        writeAll(fs, fd, bytes);
      });
      return;
    }
    if (found === 'file' && options.overwrite !== true) {
      throw Object.assign(new Error('exists'), { code: 'EEXIST' });
    }
    if (options.secret === true) {
      sweepBeside(fs, target, (left) => {
        sweepFile(fs, left);
      });
    }
    const temporary = temporaryBeside(target, random);
    try {
      withFile(fs, temporary, O_WRONLY | O_CREAT | O_EXCL, mode, (fd) => {
        writeAll(fs, fd, bytes);
        fs.fsync(fd);
      });
      finish(fs, temporary, target, options.overwrite === true);
    } catch (error) {
      discard(fs, temporary);
      throw error;
    }
  });
}

/** What a path to be written names. Behind a link stands the file that is meant; renaming over the link would replace /dev/stdout. */
function findTarget(
  fs: FsPort,
  path: string,
): { readonly target: string; readonly found: 'none' | 'file' | 'other' } {
  const found = statOf(fs, path);
  if (found === undefined) return { target: path, found: 'none' };
  if (found.kind === 'other') return { target: path, found: 'other' };
  if (found.kind === 'directory') throw Object.assign(new Error('folder'), { code: 'EISDIR' });
  return { target: isLink(fs, path) ? fs.realpath(path) : path, found: 'file' };
}

/** Gives a finished temporary file its name, durably. */
function finish(fs: FsPort, temporary: string, target: string, overwrite: boolean): void {
  entitle(fs, temporary, target, overwrite);
  syncFolder(fs, dirname(target));
}

/** Gives a finished temporary file its name. */
function entitle(fs: FsPort, temporary: string, target: string, overwrite: boolean): void {
  if (overwrite) fs.rename(temporary, target);
  else place(fs, temporary, target);
}

function appendWhole(fs: FsPort, path: string, bytes: Uint8Array): void {
  const existed = statOf(fs, path) !== undefined;
  withFile(fs, path, O_WRONLY | O_APPEND | O_CREAT, SECRET_FILE, (fd) => {
    const { size } = fs.fstat(fd);
    try {
      writeAll(fs, fd, bytes);
      fs.fsync(fd);
    } catch (error) {
      // What was not acknowledged must not be there: the next append would be glued to a part of this one.
      attempt(() => {
        fs.ftruncate(fd, size);
      });
      throw error;
    }
  });
  if (!existed) syncFolder(fs, dirname(path));
}

/** Gives a file another name as well. Where the disk has no hard links a copy gets it, as private as the disk lets it be. */
function keep(fs: FsPort, target: string, kept: string): void {
  try {
    fs.link(target, kept);
  } catch (error) {
    if (!NO_HARD_LINKS.has(systemCode(error))) throw error;
    try {
      copyFile(fs, target, kept);
    } catch (problem) {
      discard(fs, kept);
      throw problem;
    }
  }
}

/** Copies piece by piece: what is replaced may be larger than memory. */
function copyFile(fs: FsPort, from: string, to: string): void {
  const piece = new Uint8Array(65_536);
  try {
    withFile(fs, from, O_RDONLY | O_NOFOLLOW, 0, (source) => {
      withFile(fs, to, O_WRONLY | O_CREAT | O_EXCL, SECRET_FILE, (copy) => {
        for (let read = -1; read !== 0;) {
          read = fs.read(source, piece, 0);
          writeAll(fs, copy, piece.subarray(0, read));
        }
        fs.fsync(copy);
      });
    });
  } finally {
    piece.fill(0);
  }
}

/** Gives a finished temporary file its name, unless something has that name already. */
function place(fs: FsPort, temporary: string, target: string): void {
  try {
    fs.link(temporary, target);
  } catch (error) {
    if (!NO_HARD_LINKS.has(systemCode(error))) throw error;
    // Without hard links the name is reserved by an empty file first; a kill in between leaves that, never half a file.
    fs.close(fs.open(target, O_WRONLY | O_CREAT | O_EXCL, SECRET_FILE));
    try {
      fs.rename(temporary, target);
    } catch (problem) {
      discard(fs, target);
      throw problem;
    }
    return;
  }
  // The target is complete: a temporary name that cannot be removed now is swept later.
  discard(fs, temporary);
}

/** Removes a file on the way out of a failure, whose own error is the one to report. */
function discard(fs: FsPort, path: string): void {
  attempt(() => {
    fs.unlink(path);
  });
}

/** For cleaning up after a failure: what cannot be cleaned now is recognised and swept by a later run. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // The failure that led here is the one to report.
  }
}

function makeFolders(fs: FsPort, path: string, mode: number): void {
  if (statOf(fs, path)?.kind === 'directory') return;
  const parent = dirname(path);
  if (parent !== path && statOf(fs, parent) === undefined) makeFolders(fs, parent, mode);
  try {
    fs.mkdir(path, mode);
  } catch (error) {
    // Another process may have made it in between.
    if (systemCode(error) !== 'EEXIST' || statOf(fs, path)?.kind !== 'directory') throw error;
  }
  syncFolder(fs, parent);
}

function removeEntry(fs: FsPort, path: string): void {
  if (fs.lstat(path).kind === 'directory') fs.rmdir(path);
  else fs.unlink(path);
  syncFolder(fs, dirname(path));
}

/** A file that was given its name already, by a run that died before it dropped this one, is whole and must stay so. */
function sweepFile(fs: FsPort, path: string): void {
  if (fs.lstat(path).links > 1) removeEntry(fs, path);
  else shredFile(fs, path);
}

function shredFile(fs: FsPort, path: string): void {
  blankFile(fs, path);
  removeEntry(fs, path);
}

function blankFile(fs: FsPort, path: string): void {
  const { kind, size } = fs.lstat(path);
  if (kind !== 'file') return;
  // In a folder that others write to, the name may have become a link since.
  withFile(fs, path, O_WRONLY | O_NOFOLLOW, SECRET_FILE, (fd) => {
    const zeroes = new Uint8Array(Math.min(size, 65_536));
    for (let left = size; left > 0; left -= zeroes.length) {
      writeAll(fs, fd, zeroes.subarray(0, Math.min(left, zeroes.length)));
    }
    fs.fsync(fd);
  });
}

function syncFolder(fs: FsPort, path: string): void {
  if (process.platform === 'win32') return;
  withFile(fs, path, O_RDONLY | O_DIRECTORY, 0, (fd) => {
    try {
      fs.fsync(fd);
    } catch (error) {
      if (!NO_FOLDER_SYNC.has(systemCode(error))) throw error;
    }
  });
}

function isLink(fs: FsPort, path: string): boolean {
  return fs.lstat(path).kind === 'link';
}

function statOf(fs: FsPort, path: string): FsStat | undefined {
  try {
    return fs.stat(path);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw readError(path, cause);
  }
}

function changing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw writeError(path, cause);
  }
}
