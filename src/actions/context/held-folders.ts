/** Folders in which one process at a time keeps what it will need again: small files, replaced as a whole, private. */
import { join } from 'node:path';
import type { DurableFiles } from '#carriage/stores/store';
import { InternalError } from '#formats/errors';
import type { HeldFolder, HeldFolders } from './context.js';

const NAME = /^[a-z][a-z0-9-]*$/;
const MAX_BYTES = 16 * 1024 * 1024;

/** The folders of a disk. */
export function createHeldFolders(files: DurableFiles): HeldFolders {
  return {
    exists: (path) => files.isDirectory(path),
    hold: (path): HeldFolder => {
      files.makeDirectory(path, { secret: true });
      const lock = files.lock(join(path, 'lock'));
      const at = (name: string): string => {
        if (!NAME.test(name)) {
          throw new InternalError({ code: 'E_FOLDER_NAME', message: `${name} is no file of ours` });
        }
        return join(path, name);
      };
      return {
        path,
        read: (name) => (files.exists(at(name)) ? files.read(at(name), MAX_BYTES) : undefined),
        replace: (name, bytes) => {
          files.write(at(name), bytes, { secret: true, overwrite: true });
        },
        shred: (name) => {
          if (files.exists(at(name))) files.shred(at(name));
        },
        [Symbol.dispose]: () => {
          lock.release();
        },
      };
    },
  };
}
