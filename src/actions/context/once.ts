/**
 * What is written once and never changed: the state of challenges, the containers that a custodian keeps, revocations. A name
 * can be taken once; that is the whole mechanism against answering twice, and it holds between processes too.
 */
import { join } from 'node:path';
import type { Home } from '#carriage/stores/home';
import type { DurableFiles } from '#carriage/stores/store';
import { InternalError, RefusedError } from '#formats/errors';
import type { OnceSpace } from './context.js';

/** Folder names inside; what is written once is small, containers apart. */
const NAME = /^[a-z-]{1,32}\/[0-9a-f]{64}(?:-[0-9a-f]{64})?$/;

/** The calls that a space makes; those of a home run under its lock. */
export interface OnceDisk {
  readonly files: Pick<DurableFiles, 'read' | 'write' | 'exists' | 'list' | 'makeDirectory'>;
  readonly folder: string;
  readonly there: () => boolean;
  change<T>(change: () => T): T;
}

/** A space in a folder. */
export function createOnceSpace({ files, folder, there, change }: OnceDisk): OnceSpace {
  const path = (name: string): string => {
    if (!NAME.test(name)) {
      throw new InternalError({ code: 'E_ONCE_NAME', message: `${name} cannot be written once` });
    }
    return join(folder, name);
  };
  return {
    location: folder,
    read: (name, maxBytes = 1024 * 1024) => {
      const at = path(name);
      return there() && files.exists(at) ? files.read(at, maxBytes) : undefined;
    },
    write: (name, bytes) => {
      const at = path(name);
      change(() => {
        if (files.exists(at)) {
          throw new RefusedError({
            code: 'E_ONCE_TAKEN',
            message: `${name} was written before`,
            hint: 'what is written once stays as it is',
          });
        }
        files.makeDirectory(join(at, '..'), { secret: true });
        files.write(at, bytes, { secret: true });
      });
    },
    list: (kind) => {
      const at = join(folder, kind);
      if (!there() || !files.exists(at)) return [];
      return files
        .list(at)
        .map((name) => `${kind}/${name}`)
        .filter((name) => NAME.test(name))
        .sort();
    },
  };
}

/** What a home keeps of hand-overs, under `handover/`, or of the identities of others, under `people/`. */
export function homeOnce(
  files: DurableFiles,
  home: Home,
  about: 'handover' | 'people' = 'handover',
): OnceSpace {
  return createOnceSpace({
    files,
    folder: join(home.path, about),
    there: () => home.exists(),
    change: (change) => home.change(change),
  });
}
