/** What files and locks share: whole writes on one descriptor, and the names of temporary files. */
import { basename, dirname, join } from 'node:path';
import type { FsPort } from './fs-port.js';

/** Temporary files are recognised by this name, so that what a killed run left can be swept. */
const TEMPORARY = /^\.[^]*\.conclave-[0-9a-f]{16}\.tmp$/;

/** Whether a file name is that of a temporary file of {@link createFiles}. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

/** What the names of all temporary files of a target begin with. */
export function temporaryPrefix(target: string): string {
  return `.${basename(target).slice(0, 96)}.conclave-`;
}

/**
 * The name of a new temporary file in the same folder as `target`, hence on the same file system. It holds the number of this
 * process, so that a later one can tell what a dead one left from what a living one is writing.
 */
export function temporaryBeside(target: string, random: (length: number) => Uint8Array): string {
  const pid = process.pid.toString(16).padStart(8, '0').slice(-8);
  const tag = pid + Buffer.from(random(8)).toString('hex', 0, 4);
  return join(dirname(target), `${temporaryPrefix(target)}${tag}.tmp`);
}

/** The number of the process that made a temporary file of this name. */
export function makerOf(temporaryName: string): number {
  return Number.parseInt(
    temporaryName.slice(-'0123456789abcdef.tmp'.length, -'89abcdef.tmp'.length),
    16,
  );
}

/** Runs `work` on an open file and closes it, whatever happens; the first error is the one reported. */
export function withFile<T>(
  fs: FsPort,
  path: string,
  flags: number,
  mode: number,
  work: (fd: number) => T,
): T {
  const fd = fs.open(path, flags, mode);
  let result: T;
  try {
    result = work(fd);
  } catch (error) {
    try {
      fs.close(fd);
    } catch {
      // The work's own error says more.
    }
    throw error;
  }
  fs.close(fd);
  return result;
}

/** Writes everything: a short write is continued. */
export function writeAll(fs: FsPort, fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += fs.write(fd, bytes, at);
}
