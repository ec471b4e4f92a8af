/** Files as the operator names them: `-` is standard input or output, and nothing is overwritten without `--force`. */
import type { DurableFiles } from '#carriage/stores/store';
import { sourceOf } from '#formats/byte-stream';
import { heldSink } from '#formats/held-sink';
import { InputError, OutputError, RefusedError, UsageError } from '#formats/errors';
import type { FileSpace } from './context.js';

/** What stands behind the names. */
export interface FileSpaceOptions {
  readonly files: DurableFiles;
  /** `--force`. */
  readonly force: boolean;
  /** All of standard input. */
  readonly stdin: () => Uint8Array;
  readonly stdout: (bytes: Uint8Array) => void;
  /** What standard output is, where nothing secret may go to it: `a terminal`. */
  readonly exposed?: string | undefined;
}

const DEFAULT_LIMIT = 64 * 1024 * 1024;

/** A file space over durable files and two streams. */
export function createFileSpace(options: FileSpaceOptions): FileSpace {
  const { files, force, stdin, stdout, exposed } = options;
  let stdinTaken = false;
  const takeStdin = (): Uint8Array => {
    if (stdinTaken) {
      throw new UsageError({
        code: 'E_STDIN_TWICE',
        message: 'standard input is named for two inputs',
        hint: 'give one of them as a file',
      });
    }
    stdinTaken = true;
    return stdin();
  };
  const assertHidden = (): void => {
    if (exposed === undefined) return;
    throw new RefusedError({
      code: 'E_SECRET_EXPOSED',
      message: `the result is secret and standard output is ${exposed}`,
      hint: 'say --out FILE, or send it into another program by a pipe',
    });
  };
  return {
    read: (path, maxBytes = DEFAULT_LIMIT) => {
      if (path !== '-') return files.read(path, maxBytes);
      const bytes = takeStdin();
      if (bytes.length <= maxBytes) return bytes;
      bytes.fill(0);
      throw new InputError({
        code: 'E_FILE_TOO_LARGE',
        message: `standard input is longer than ${maxBytes} bytes`,
      });
    },
    write: (path, bytes, { secret = false } = {}) => {
      if (path !== '-') {
        files.write(path, bytes, { secret, overwrite: force });
        return;
      }
      if (secret) assertHidden();
      stdout(bytes);
    },
    source: (path) => {
      if (path !== '-') return files.openSource(path);
      const bytes = takeStdin();
      return {
        ...sourceOf(bytes),
        [Symbol.dispose]: () => {
          bytes.fill(0);
        },
      };
    },
    sink: (path, { secret = false, restorable = false } = {}) => {
      if (path !== '-') return files.createSink(path, { secret, restorable, overwrite: force });
      if (secret) assertHidden();
      return heldSink(path, stdout);
    },
    assertAbsent: (paths) => {
      const there = force ? undefined : paths.find((path) => path !== '-' && files.exists(path));
      if (there === undefined) return;
      throw new OutputError({
        code: 'E_FILE_EXISTS',
        message: `cannot write ${there}: it exists already`,
        hint: 'choose another name, or say --force to replace it',
      });
    },
    exists: (path) => path === '-' || files.exists(path),
    list: (path) => files.list(path),
    isDirectory: (path) => path !== '-' && files.isDirectory(path),
    makeDirectory: (path) => {
      files.makeDirectory(path);
    },
  };
}
