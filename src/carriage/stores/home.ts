/**
 * The folder where a person's conclave keeps its state: private (0700), of a known version, changed under a lock only.
 */
import { join } from 'node:path';
import { fromUtf8, utf8 } from '#formats/bytes';
import { RefusedError, TryAgainError } from '#formats/errors';
import type { DurableFiles } from './store.js';

const VERSION = '1\n';
/** Changes to a home take milliseconds, so another process is worth waiting for. */
const PATIENCE_MS = 5000;
const PAUSE_MS = 20;

/** Where things lie in a home. */
export interface Home {
  readonly path: string;
  readonly keys: string;
  readonly public: string;
  readonly identities: string;
  readonly audit: string;
  /** Statements that the log names. */
  readonly attestations: string;
  /** What is known of keys in tokens. */
  readonly tokens: string;
  /** Whether anything was ever kept here. @throws RefusedError `E_HOME_VERSION` */
  exists(): boolean;
  /** Runs `change` alone, making the home when there is none. @throws TryAgainError `E_LOCKED` */
  change<T>(change: () => T): T;
}

/** The home at `path`; nothing is made before something is to be kept. */
export function openHome(files: DurableFiles, path: string): Home {
  const folders = [join(path, 'keys'), join(path, 'public'), join(path, 'identities')] as const;
  const versionFile = join(path, 'version');
  const exists = (): boolean => {
    if (!files.exists(versionFile)) return false;
    if (fromUtf8(files.read(versionFile, 64), versionFile) !== VERSION) {
      throw new RefusedError({
        code: 'E_HOME_VERSION',
        message: `the home ${path} was made by another version of conclave`,
        hint: 'use that version, or another folder with --home',
      });
    }
    return true;
  };
  return {
    path,
    keys: folders[0],
    public: folders[1],
    identities: folders[2],
    audit: join(path, 'audit.jsonl'),
    attestations: join(path, 'attestations'),
    tokens: join(path, 'tokens'),
    exists,
    change: (change) => {
      exists();
      files.makeDirectory(path, { secret: true });
      const lock = lockPatiently(files, join(path, 'lock'));
      try {
        if (!exists()) {
          for (const folder of folders) files.makeDirectory(folder, { secret: true });
          files.write(versionFile, utf8(VERSION), { overwrite: true });
        }
        for (const folder of [path, ...folders]) files.sweep(folder);
        return change();
      } finally {
        lock.release();
      }
    },
  };
}

function lockPatiently(files: DurableFiles, path: string): { release(): void } {
  const start = performance.now();
  for (;;) {
    try {
      return files.lock(path);
    } catch (error) {
      if (!(error instanceof TryAgainError) || performance.now() - start > PATIENCE_MS) throw error;
      // The calls of the host are synchronous, so is this wait: nothing else could go on meanwhile.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}
