/**
 * The narrow list of calls by which conclave reads and changes a disk. Everything durable passes through one object of this
 * type, so that a test can fail, or kill the process at, any single one of them.
 */
import * as fs from 'node:fs';

/** What a call needs to know of a file. */
export interface FsStat {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly size: number;
  readonly modifiedMs: number;
  /** Under how many names this file is known. */
  readonly links: number;
}

/** System calls, as thin as they come: errors are Node's own, with `code`. */
export interface FsPort {
  open(path: string, flags: number, mode?: number): number;
  close(fd: number): void;
  /** Bytes read into `buffer` from `offset`, at the file's own position. */
  read(fd: number, buffer: Uint8Array, offset: number): number;
  /** Bytes written from `buffer` beginning at `offset`; possibly fewer than there are. */
  write(fd: number, buffer: Uint8Array, offset: number): number;
  fsync(fd: number): void;
  ftruncate(fd: number, length: number): void;
  fstat(fd: number): FsStat;
  /** Follows links. */
  stat(path: string): FsStat;
  /** Does not. */
  lstat(path: string): FsStat;
  realpath(path: string): string;
  readlink(path: string): string;
  rename(from: string, to: string): void;
  link(existing: string, created: string): void;
  unlink(path: string): void;
  mkdir(path: string, mode: number): void;
  rmdir(path: string): void;
  readdir(path: string): readonly string[];
}

/** The real disk. */
export const nodeFs: FsPort = {
  open: (path, flags, mode) => fs.openSync(path, flags, mode),
  close: (fd) => {
    fs.closeSync(fd);
  },
  read: (fd, buffer, offset) => fs.readSync(fd, buffer, offset, buffer.length - offset, null),
  write: (fd, buffer, offset) => fs.writeSync(fd, buffer, offset, buffer.length - offset, null),
  fsync: (fd) => {
    fs.fsyncSync(fd);
  },
  ftruncate: (fd, length) => {
    fs.ftruncateSync(fd, length);
  },
  fstat: (fd) => describe(fs.fstatSync(fd)),
  stat: (path) => describe(fs.statSync(path)),
  lstat: (path) => describe(fs.lstatSync(path)),
  realpath: (path) => fs.realpathSync(path),
  readlink: (path) => fs.readlinkSync(path),
  rename: (from, to) => {
    fs.renameSync(from, to);
  },
  link: (existing, created) => {
    fs.linkSync(existing, created);
  },
  unlink: (path) => {
    fs.unlinkSync(path);
  },
  mkdir: (path, mode) => {
    fs.mkdirSync(path, { mode });
  },
  rmdir: (path) => {
    fs.rmdirSync(path);
  },
  readdir: (path) => fs.readdirSync(path),
};

function describe(stats: fs.Stats): FsStat {
  return {
    kind: stats.isFile()
      ? 'file'
      : stats.isDirectory()
        ? 'directory'
        : stats.isSymbolicLink()
          ? 'link'
          : 'other',
    size: stats.size,
    modifiedMs: stats.mtimeMs,
    links: stats.nlink,
  };
}

/** The system error code (`ENOENT` …) of something thrown; empty when it is no system error. */
export function systemCode(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const code: unknown = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : '';
}
