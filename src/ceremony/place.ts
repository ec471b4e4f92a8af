/** Where a ceremony lies: a directory of its own, a bare definition file, a shipped one by name, or a session of any of these. */
import { basename, dirname, join } from 'node:path';
import { nearest } from '#formats/nearest';
import { MissingInputError } from '#formats/errors';
import type { HostFiles } from '#host/host';
import { FILES } from './session.js';

/** A definition has pages, not megabytes. */
const MAX_DEFINITION_BYTES = 1024 * 1024;

/** Names of the files of a ceremony directory. */
export const CEREMONY_FILES = {
  definition: 'definition.yaml',
  site: 'site.yaml',
  participants: 'participants.yaml',
  sessions: 'sessions',
} as const;

/** A ceremony as found. */
export interface Place {
  /** The definition file, as errors name it. */
  readonly definition: string;
  /** Folder that holds `sessions/`. */
  readonly folder: string;
  /** Files beside the definition, whether they exist or not; undefined where there can be none. */
  readonly site: string | undefined;
  readonly participants: string | undefined;
  /** Answers that are shipped with a shipped ceremony. */
  readonly answers: string | undefined;
  /** The folder named is itself a session. */
  readonly session: string | undefined;
}

/**
 * The ceremony that an operator named.
 * @throws MissingInputError `E_CEREMONY_UNKNOWN`
 */
export function findCeremony(files: HostFiles, shipped: string, typed: string): Place {
  if (files.isDirectory(typed)) {
    if (files.exists(join(typed, FILES.journal))) return sessionPlace(typed);
    if (files.exists(join(typed, CEREMONY_FILES.definition))) return directoryPlace(typed);
    // A session that was killed before its first entry has a definition only in its folder.
  } else if (files.exists(typed)) {
    return {
      definition: typed,
      folder: dirname(typed),
      site: undefined,
      participants: undefined,
      answers: undefined,
      session: undefined,
    };
  }
  if (/^[a-z0-9-]+$/.test(typed)) {
    const definition = join(shipped, `${typed}.yaml`);
    if (files.exists(definition)) {
      return {
        definition,
        folder: typed,
        site: undefined,
        participants: undefined,
        answers: join(shipped, 'answers', `${typed}.yaml`),
        session: undefined,
      };
    }
  }
  const near = nearest(typed, shippedNames(files, shipped));
  throw new MissingInputError({
    code: 'E_CEREMONY_UNKNOWN',
    message: `there is no ceremony ${typed}`,
    hint:
      near === undefined
        ? 'name a ceremony directory, a definition file, or one that ceremony list shows'
        : `did you mean ${near}? ceremony list shows all`,
  });
}

/** Names of the shipped ceremonies, sorted. */
export function shippedNames(files: HostFiles, shipped: string): readonly string[] {
  return files
    .list(shipped)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => basename(name, '.yaml'))
    .sort();
}

/** Bytes of a definition. */
export function readDefinition(files: HostFiles, path: string): Uint8Array {
  return files.read(path, MAX_DEFINITION_BYTES);
}

function directoryPlace(folder: string): Place {
  return {
    definition: join(folder, CEREMONY_FILES.definition),
    folder,
    site: join(folder, CEREMONY_FILES.site),
    participants: join(folder, CEREMONY_FILES.participants),
    answers: undefined,
    session: undefined,
  };
}

function sessionPlace(folder: string): Place {
  return {
    definition: join(folder, FILES.definition),
    folder: dirname(dirname(folder)),
    site: join(folder, FILES.site),
    participants: undefined,
    answers: undefined,
    session: folder,
  };
}
