/** Where the record of a key file lies. */
import { OutputError } from '#formats/errors';
import type { FileSpace } from './context.js';

/**
 * The record of a plain key file lies beside it: `root.key` has `root.record.json`. Any other ending stays in the name
 * (`root.pem.record.json`), so that files which differ in it alone do not share a record.
 */
export function recordPathOf(path: string): string {
  return `${path.replace(/(?<=[^/\\])\.key$/, '')}.record.json`;
}

/** The record that is there for a file: earlier versions left out any ending. Where there is none, the one to be written. */
export function recordPathAt(path: string, exists: (path: string) => boolean): string {
  const own = recordPathOf(path);
  const former = `${path.replace(/(?<=[^/\\])\.[^./\\]*$/, '')}.record.json`;
  return !exists(own) && exists(former) ? former : own;
}

/**
 * The key file that a record is named after, where that is another one that is there: a copy under another ending finds the
 * record of the first by the former naming, and it is not the copy's to change.
 */
export function firstOf(
  path: string,
  recordPath: string,
  exists: (path: string) => boolean,
): string | undefined {
  const first = recordPath.replace(/\.record\.json$/, '.key');
  return first !== path && exists(first) ? first : undefined;
}

/**
 * Refuses a key file when its name or that of its record is taken.
 * @throws OutputError `E_FILE_EXISTS`
 */
export function assertKeyFileFree(path: string, files: Pick<FileSpace, 'assertAbsent'>): void {
  files.assertAbsent([path]);
  if (path === '-') return;
  const record = recordPathOf(path);
  try {
    files.assertAbsent([record]);
  } catch (cause) {
    if (!(cause instanceof OutputError)) throw cause;
    throw new OutputError({
      code: cause.code,
      message: `cannot write ${path}: the record of a key lies beside it, and ${record} exists already`,
      hint: 'choose another name, or say --force to replace the record',
      cause,
    });
  }
}
