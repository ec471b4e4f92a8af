/** Files that steps wrote and no longer answer for: of attempts that did not finish, and of steps that were rolled back. */
import { dirname, join } from 'node:path';
import { ConclaveError } from '#formats/errors';
import type { HostFiles } from '#host/host';
import { ARTIFACTS, filesUnder } from './files.js';
import { FILES, ownerOf } from './session.js';
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

/** Which folders a session needs and does not find, itself first; asked before they are made. */
export function missingFolders(files: HostFiles, folder: string): readonly string[] {
  if (files.isDirectory(folder)) return [];
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...missingFolders(files, above)];
}

/**
 * A start that was refused before the first entry leaves nothing: what it wrote goes, except the lock, under which this is done.
 * @param made - what {@link missingFolders} gave
 */
export function clearUnopened(files: HostFiles, folder: string, made: readonly string[]): void {
  if (!made.includes(folder) || files.exists(join(folder, FILES.journal))) return;
  quietly(() => {
    for (const name of files.list(folder)) {
      if (name !== FILES.lock) removeTree(files, join(folder, name));
    }
  });
}

/** Removes those of the folders that were made for a session in which there is nothing, and of those above them. */
export function removeEmpty(files: HostFiles, folder: string, made: readonly string[]): void {
  if (!made.includes(folder)) return;
  quietly(() => {
    for (const each of made) {
      if (files.list(each).length > 0) return;
      files.remove(each);
    }
  });
}

/** A folder too many is a nuisance; why a start was refused is what people must hear. */
function quietly(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof ConclaveError)) throw error;
  }
}

function removeTree(files: HostFiles, path: string): void {
  if (!files.isDirectory(path)) {
    files.shred(path);
    return;
  }
  for (const name of files.list(path)) removeTree(files, join(path, name));
  files.remove(path);
}

/** Removes what killed writes left half-done anywhere in a session. Only under its lock. */
export function sweepSession(files: HostFiles, folder: string): void {
  if (!files.isDirectory(folder)) return;
  files.sweep(folder);
  for (const name of files.list(folder)) sweepSession(files, join(folder, name));
}
