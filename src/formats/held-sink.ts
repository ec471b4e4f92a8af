/** For outputs that cannot be taken back: a pipe, standard output. They get everything at once, when all of it is known to be good. */
import { concat } from './bytes.js';
import type { FileSink } from './byte-stream.js';
import { OutputError } from './errors.js';

/** More is not held. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

/**
 * A sink that holds everything back until it is committed, for outputs that cannot be taken back.
 * @param release - receives everything at once; the bytes are wiped afterwards
 */
export function heldSink(path: string, release: (bytes: Uint8Array) => void): FileSink {
  const parts: Uint8Array[] = [];
  let length = 0;
  const wipe = (): void => {
    for (const part of parts.splice(0)) part.fill(0);
  };
  return {
    write: (bytes) => {
      length += bytes.length;
      if (length > MAX_HELD_BYTES) {
        throw new OutputError({
          code: 'E_OUTPUT_TOO_LARGE',
          message: `more than ${MAX_HELD_BYTES} bytes for ${path === '-' ? 'standard output' : path}, which gets nothing before all of it is checked`,
          hint: 'name a file: it appears only when it is complete',
        });
      }
      parts.push(bytes.slice());
    },
    commit: () => {
      const all = concat(...parts);
      try {
        release(all);
      } finally {
        all.fill(0);
        wipe();
      }
    },
    [Symbol.dispose]: wipe,
  };
}
