/**
 * What a killed run left of a file that is being written again. A process that ends in any other way takes its temporary file
 * along; signal 9 and power loss do not let it. In a home or a session everything is swept under its lock; here, anywhere else,
 * only what certainly is nobody's any more.
 */
import { dirname, join } from 'node:path';
import { isTemporaryName, makerOf, temporaryPrefix } from './file-calls.js';
import { type FsPort, systemCode } from './fs-port.js';

/**
 * Takes away temporary files of `target` whose process is gone. A writer in another container, whose number means nothing here,
 * loses its file to this and ends with an error: nothing wrong gets the name.
 * @param remove - removes one; what fails now is found again by the next run
 */
export function sweepBeside(fs: FsPort, target: string, remove: (path: string) => void): void {
  const folder = dirname(target);
  const prefix = temporaryPrefix(target);
  let names: readonly string[];
  try {
    names = fs.readdir(folder).filter((name) => name.startsWith(prefix) && isTemporaryName(name));
  } catch {
    // A folder that cannot be listed may still be written to.
    return;
  }
  for (const name of names) {
    const path = join(folder, name);
    try {
      if (!isRunning(makerOf(name))) remove(path);
    } catch (error) {
      // Somebody else took it away, or nobody may; what is to be written now matters more.
      if (systemCode(error) === '') throw error;
    }
  }
}

/** Whether another process that still runs made this temporary file: it may be about to take a lock, and needs it. */
export function isOfAnother(temporaryName: string): boolean {
  const maker = makerOf(temporaryName);
  return maker !== process.pid && isRunning(maker);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Where it may not be asked it runs; a number that no process can have is that of none.
    return systemCode(error) === 'EPERM';
  }
}
