/** Disks that fail on purpose. */
import { constants, existsSync } from 'node:fs';
import { type FsPort, nodeFs } from '#host/fs-port';

/** An error as the system makes them. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: on purpose`), { code });
}

/** Calls that a run made, and whether one was made to fail. */
export interface Failing {
  readonly fs: FsPort;
  /** How many calls there were. */
  readonly calls: () => number;
  readonly names: () => readonly string[];
}

/**
 * A port whose call number `at` (from 0) fails with `code`; with `partial`, a failing write leaves half its bytes. With
 * `andAfter`, every later call fails too: the process might as well be dead.
 */
export function failingAt(
  at: number,
  code = 'EIO',
  options: { readonly andAfter?: boolean; readonly partial?: boolean } = {},
  under: FsPort = nodeFs,
): Failing {
  const names: string[] = [];
  const fs = Object.fromEntries(
    Object.entries(under).map(([name, call]) => [
      name,
      (...args: unknown[]) => {
        const number = names.length;
        names.push(name);
        const fails = number === at || (options.andAfter === true && number > at);
        if (!fails) return (call as (...all: unknown[]) => unknown)(...args);
        if (options.partial === true && name === 'write') {
          const [fd, bytes, offset] = args as [number, Uint8Array, number];
          const half = bytes.subarray(0, offset + Math.floor((bytes.length - offset) / 2));
          under.write(fd, half, offset);
        }
        // Descriptors must not leak in the test process, whatever the failure.
        if (name === 'close') under.close(args[0] as number);
        throw systemError(code);
      },
    ]),
  ) as unknown as FsPort;
  return { fs, calls: () => names.length, names: () => names };
}

/** A disk with room for so many changes; removing and shortening still work, as they do on a full disk. */
export function fullAfter(room: number, count: { changes: number }): FsPort {
  const take = (): void => {
    if (count.changes++ < room) return;
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  };
  return {
    ...nodeFs,
    open: (path, flags, mode) => {
      if ((flags & constants.O_CREAT) !== 0 && !existsSync(path)) take();
      return nodeFs.open(path, flags, mode);
    },
    write: (fd, buffer, offset) => {
      take();
      return nodeFs.write(fd, buffer, offset);
    },
    mkdir: (path, mode) => {
      take();
      nodeFs.mkdir(path, mode);
    },
    link: (existing, created) => {
      take();
      nodeFs.link(existing, created);
    },
    rename: (from, to) => {
      take();
      nodeFs.rename(from, to);
    },
  };
}
