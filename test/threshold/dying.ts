/** The power goes at a change of a file, in process; and at which of them it leaves another disk behind. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type FsPort, nodeFs } from '#host/fs-port';

/** The calls that change a disk. */
export const CHANGES: ReadonlySet<string> = new Set([
  'write',
  'fsync',
  'ftruncate',
  'rename',
  'link',
  'unlink',
  'mkdir',
  'rmdir',
]);

/** A disk that asks before each change, and forces nothing to it: nothing here is cut off but by calls that do not happen. */
function asking(before: () => void, always: () => void = () => undefined): FsPort {
  const guarded = Object.entries(nodeFs).map(([name, call]) => [
    name,
    (...args: unknown[]) => {
      if (CHANGES.has(name)) before();
      always();
      return name === 'fsync' ? undefined : (call as (...all: unknown[]) => unknown)(...args);
    },
  ]);
  return Object.fromEntries(guarded) as unknown as FsPort;
}

/** After so many changes no call does anything any more. */
export function killedAfter(changes: number): FsPort {
  let made = 0;
  return asking(
    () => made++,
    () => {
      if (made > changes) throw new Error('killed');
    },
  );
}

/** A disk that is watched: after which numbers of changes these folders were not as they had been after any smaller one. */
export function watched(folders: readonly string[]): {
  readonly fs: FsPort;
  readonly places: readonly number[];
} {
  const places: number[] = [];
  const seen = new Set<string>();
  let made = 0;
  const fs = asking(() => {
    const state = stateOf(folders);
    if (!seen.has(state)) places.push(made);
    seen.add(state);
    made++;
  });
  return { fs, places };
}

/**
 * Everything in these folders that anybody reads, in one word: neither locks, since that of a process that is gone counts for nothing,
 * nor what is being written under a name of its own.
 */
function stateOf(folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    for (const path of below(folder)) {
      if (path.endsWith('lock') || basename(path).startsWith('.')) continue;
      const at = join(folder, path);
      hash.update(`${path}\0`);
      if (statSync(at).isFile()) hash.update(readFileSync(at));
    }
  }
  return hash.digest('hex');
}

/** Folders as they are, to be brought back as often as one likes. */
export class Snapshot implements Disposable {
  readonly #folders: readonly string[];
  readonly #copy: string;

  constructor(folders: readonly string[], copy: string) {
    this.#folders = folders;
    this.#copy = copy;
    for (const [i, folder] of folders.entries()) {
      if (existsSync(folder)) cpSync(folder, join(copy, `${i}`), { recursive: true });
    }
  }

  restore(): void {
    for (const [i, folder] of this.#folders.entries()) {
      const kept = join(this.#copy, `${i}`);
      rmSync(folder, { recursive: true, force: true });
      if (existsSync(kept)) cpSync(kept, folder, { recursive: true });
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#copy, { recursive: true, force: true });
  }
}

/** Takes away the locks of a process that is gone; here the process lives on. */
export function unlock(folders: readonly string[]): void {
  for (const folder of folders) {
    for (const path of below(folder)) {
      if (path.endsWith('lock')) rmSync(join(folder, path), { force: true });
    }
  }
}

function below(folder: string): readonly string[] {
  return existsSync(folder) ? (readdirSync(folder, { recursive: true }) as string[]).sort() : [];
}
