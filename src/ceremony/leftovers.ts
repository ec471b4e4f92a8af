/** Files that steps wrote and no longer answer for: of attempts that did not finish, and of steps that were rolled back. */
import { join } from 'node:path';
import type { HostFiles } from '#host/host';
import { ARTIFACTS, filesUnder } from './files.js';
import { ownerOf } from './session.js';
import type { SessionState } from './state.js';

/** Artifacts on the disk that no finished step wrote, relative to the session's folder. */
export function leftovers(
  files: HostFiles,
  folder: string,
  state: SessionState,
): readonly string[] {
  return filesUnder(files, join(folder, ARTIFACTS))
    .map((path) => `${ARTIFACTS}/${path}`)
    .filter((path) => ownerOf(state, path) === undefined);
}

/** Removes them, so that a folder of shares never mixes those of an abandoned key with those of the real one. */
export function clearLeftovers(files: HostFiles, folder: string, state: SessionState): void {
  for (const path of leftovers(files, folder, state)) files.shred(join(folder, path));
}

/** Removes what killed writes left half-done anywhere in a session. Only under its lock. */
export function sweepSession(files: HostFiles, folder: string): void {
  if (!files.isDirectory(folder)) return;
  files.sweep(folder);
  for (const name of files.list(folder)) sweepSession(files, join(folder, name));
}
