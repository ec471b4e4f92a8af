/**
 * Exclusive locks that outlive nobody: a lock file names its holder by process, process start and boot, so that the next
 * process can tell a dead holder from a living one and take its place, one taker at a time.
 */
import { constants } from 'node:fs';
import { parseJson, canonicalJson, type Json } from '#formats/canonical-json';
import { fromUtf8, toHex, utf8 } from '#formats/bytes';
import { ConclaveError, TryAgainError } from '#formats/errors';
import * as s from '#formats/schema';
import { writeError } from './disk-errors.js';
import { temporaryBeside, withFile, writeAll } from './file-calls.js';
import { type FsPort, systemCode } from './fs-port.js';

const { O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } = constants;

/** Longer lock files are none of ours. */
const MAX_LOCK_BYTES = 4096;
/** A lock file that cannot be read this long after it was made belongs to a process that died while making it. */
const GRACE_MS = 10_000;
/** Each level means one more process killed in the middle of taking over; more than this is not chance. */
const MAX_DEPTH = 8;

const holderSchema = s.object({
  /** Tells this holding from any other, for ever. */
  nonce: s.hex(16),
  pid: s.integer({ min: 1 }),
  /** Process ids mean nothing in another namespace. */
  pidNamespace: s.string({ max: 64 }),
  boot: s.string({ max: 64 }),
  /** Start of the process in clock ticks after boot: process ids are used again. */
  started: s.string({ max: 32 }),
});

type Holder = s.Infer<typeof holderSchema>;
type Found = { readonly holder: Holder } | { readonly unreadableSinceMs: number };

/**
 * Takes the lock, or the place of a dead holder.
 * @throws {@link TryAgainError} `E_LOCKED` naming the living holder, OutputError when the file cannot be made
 */
export function acquireLock(
  fs: FsPort,
  path: string,
  random: (length: number) => Uint8Array,
): { release(): void } {
  try {
    return acquire(fs, path, path, random, 0);
  } catch (cause) {
    throw cause instanceof ConclaveError ? cause : writeError(path, cause);
  }
}

function acquire(
  fs: FsPort,
  path: string,
  typed: string,
  random: (length: number) => Uint8Array,
  depth: number,
): { release(): void } {
  const own = describeSelf(fs, toHex(random(16)));
  const content = utf8(canonicalJson(own));
  const temporary = temporaryBeside(path, random);
  try {
    writeNew(fs, temporary, content);
    // The holder may let go between our attempt and our look: then the name is free and we try again.
    for (let attempt = 0; attempt < 16; attempt++) {
      if (claim(fs, temporary, path, content)) return held(fs, path, own.nonce);
      const found = look(fs, path);
      if (found === undefined) continue;
      if (!isDead(fs, found)) throw locked(typed, found);
      if (depth >= MAX_DEPTH) throw locked(typed, found);
      // Only who holds the right to replace exactly this dead holder may do it; whoever comes second sees a new one.
      const right = acquire(fs, `${path}.${nameOf(found)}`, typed, random, depth + 1);
      try {
        const now = look(fs, path);
        if (now !== undefined && nameOf(now) === nameOf(found)) {
          fs.rename(temporary, path);
          return held(fs, path, own.nonce);
        }
      } finally {
        right.release();
      }
    }
    throw new TryAgainError({
      code: 'E_LOCKED',
      message: `${typed} changes hands all the time`,
      hint: 'wait for the other processes, then run it again',
    });
  } finally {
    tryUnlink(fs, temporary);
  }
}

/**
 * Removes the right to replace a dead holder, when whoever had it was killed before letting go of it; any other file stays.
 * It is taken as every lock is and released, so that nobody who is just taking over loses it.
 */
export function sweepRight(fs: FsPort, path: string, random: (length: number) => Uint8Array): void {
  const found = look(fs, path);
  if (found === undefined || !('holder' in found) || !isDead(fs, found)) return;
  try {
    acquireLock(fs, path, random).release();
  } catch (error) {
    if (!(error instanceof TryAgainError)) throw error;
  }
}

/** Whether a file name is that of a right to replace a dead holder: the lock's name, then the holding's. */
export function isRightName(name: string): boolean {
  return /.\.(?:[0-9a-f]{16}|unreadable-\d+)$/.test(name);
}

/** Whether the lock is now ours; the file appears complete or not at all. */
function claim(fs: FsPort, temporary: string, path: string, content: Uint8Array): boolean {
  try {
    fs.link(temporary, path);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return false;
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code)) throw error;
  }
  // No hard links here (FAT): made exclusively, then filled; the grace period covers a kill in between.
  try {
    writeNew(fs, path, content);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function held(fs: FsPort, path: string, nonce: string): { release(): void } {
  let ours = true;
  return {
    release: () => {
      if (!ours) return;
      ours = false;
      if (isOurs(fs, path, nonce)) tryUnlink(fs, path);
    },
  };
}

/** Releasing never throws: it stands in `finally`, and a lock that stays behind is known by its dead holder. */
function isOurs(fs: FsPort, path: string, nonce: string): boolean {
  try {
    const found = look(fs, path);
    return found !== undefined && 'holder' in found && found.holder.nonce === nonce;
  } catch {
    return false;
  }
}

function look(fs: FsPort, path: string): Found | undefined {
  try {
    return withFile(fs, path, O_RDONLY, 0, (fd) => {
      const buffer = new Uint8Array(MAX_LOCK_BYTES);
      const length = fs.read(fd, buffer, 0);
      try {
        const value: Json = parseJson(buffer.subarray(0, length), path);
        return { holder: holderSchema.parse(value, path) };
      } catch {
        return { unreadableSinceMs: fs.fstat(fd).modifiedMs };
      }
    });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** A name for exactly this holding. */
function nameOf(found: Found): string {
  return 'holder' in found
    ? found.holder.nonce.slice(0, 16)
    : `unreadable-${Math.floor(found.unreadableSinceMs)}`;
}

/** Only certainty counts: what cannot be read is taken for a living holder. */
function isDead(fs: FsPort, found: Found): boolean {
  if ('unreadableSinceMs' in found) return Date.now() - found.unreadableSinceMs > GRACE_MS;
  const { holder } = found;
  const self = describeSelf(fs, holder.nonce);
  if (differ(holder.boot, self.boot)) return true;
  // In another namespace (a container) the number says nothing.
  if (holder.pidNamespace !== self.pidNamespace) return false;
  if (!answers(holder.pid)) return true;
  const started = startOf(fs, holder.pid);
  return started === 'ended' || differ(started, holder.started);
}

function differ(a: string, b: string): boolean {
  return a !== '' && b !== '' && a !== b;
}

function answers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

function describeSelf(fs: FsPort, nonce: string): Holder {
  return {
    nonce,
    pid: process.pid,
    pidNamespace: pidNamespace(fs),
    boot: readProc(fs, '/proc/sys/kernel/random/boot_id')?.trim() ?? '',
    started: startOf(fs, process.pid),
  };
}

function pidNamespace(fs: FsPort): string {
  try {
    return fs.readlink('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Field 22 of /proc/PID/stat, counted after the parenthesised command name, which may contain anything; empty if unknown. */
function startOf(fs: FsPort, pid: number): string {
  const text = readProc(fs, `/proc/${pid}/stat`);
  if (text === undefined) return '';
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // A zombie holds nothing any more, though its parent has not collected it.
  if (fields[0] === 'Z' || fields[0] === 'X') return 'ended';
  return fields[19] ?? '';
}

function readProc(fs: FsPort, path: string): string | undefined {
  try {
    return withFile(fs, path, O_RDONLY, 0, (fd) => {
      const buffer = new Uint8Array(MAX_LOCK_BYTES);
      return fromUtf8(buffer.subarray(0, fs.read(fd, buffer, 0)), path);
    });
  } catch {
    return undefined;
  }
}

function writeNew(fs: FsPort, path: string, content: Uint8Array): void {
  withFile(fs, path, O_WRONLY | O_CREAT | O_EXCL, 0o600, (fd) => {
    writeAll(fs, fd, content);
    // Not for durability: after a power loss an empty lock file would be a riddle.
    fs.fsync(fd);
  });
}

function tryUnlink(fs: FsPort, path: string): void {
  try {
    fs.unlink(path);
  } catch {
    // Left behind it is recognised: a temporary file by its name, a lock by its dead holder.
  }
}

function locked(path: string, found: Found): TryAgainError {
  const who =
    'holder' in found ? `process ${found.holder.pid}` : 'a process that is just taking it';
  return new TryAgainError({
    code: 'E_LOCKED',
    message: `${path} is held by ${who}`,
    hint: 'wait until that process ends, then run it again',
    ...('holder' in found ? { details: { pid: found.holder.pid } } : {}),
  });
}
