/** Writing the files of a set so that a set.json on the disk means a complete set. */
import { posix } from 'node:path';
import { equal } from '#formats/bytes';
import type { DsseSignature } from '#formats/dsse';
import { OutputError } from '#formats/errors';
import { decodeShareSet, encodeShareSet, type ShareSet } from '#protocols/sharing/share-set';
import type { ActionContext } from '../context/context.js';
import type { ShareOutput } from './publish.js';
import { readShare, SET_FILE } from './sources.js';

/** What is written. */
export interface Writable {
  readonly set: ShareSet;
  /** Their bytes are wiped after they were written. */
  readonly shares: readonly ShareOutput[];
  readonly signatures: readonly DsseSignature[];
  readonly outDir: string;
}

/** Paths of the files of a set, shares first. */
export function pathsOf(files: readonly string[], outDir: string): readonly string[] {
  return [...files, SET_FILE].map((file) => posix.join(outDir, file));
}

/**
 * Writes shares first and set.json last, so that where a set.json lies the set is complete; all of it is read back.
 * @returns the paths of the shares, and that of set.json
 * @throws {@link OutputError} `E_SHARE_NOT_READ_BACK`
 */
export function writeShared(
  { set, shares, signatures, outDir }: Writable,
  { files }: Pick<ActionContext, 'files'>,
): { readonly shares: readonly string[]; readonly set: string } {
  files.makeDirectory?.(outDir);
  const paths = shares.map(({ file }) => posix.join(outDir, file));
  const setPath = posix.join(outDir, SET_FILE);
  shares.forEach(({ bytes }, i) => {
    const path = paths[i] as string;
    files.write(path, bytes, { secret: true });
    const back = files.read(path);
    readShare({ name: path, bytes: back });
    if (!equal(back, bytes)) throw notReadBack(path);
    bytes.fill(0);
    back.fill(0);
  });
  const description = encodeShareSet(set, signatures);
  files.write(setPath, description);
  const back = files.read(setPath);
  decodeShareSet(back, setPath);
  if (!equal(back, description)) throw notReadBack(setPath);
  return { shares: paths, set: setPath };
}

function notReadBack(path: string): OutputError {
  return new OutputError({
    code: 'E_SHARE_NOT_READ_BACK',
    message: `${path} does not read back as it was written`,
    hint: 'the medium is not to be trusted; share again onto another one',
  });
}
