/** The digest of a file of any size: what is too large for codes travels otherwise, and may be too large for memory. */
import { createSha256 } from '#crypto/hash';
import { fill } from '#formats/byte-stream';
import type { FileSpace } from '../context/context.js';

/** As much as is looked at to tell what a file is. */
const HEAD_BYTES = 1024 * 1024;

/** What is known of a file. */
export interface FileDigest {
  readonly length: number;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
  /** All of it where it is short, which most files with a kind are; the caller wipes what is secret. */
  readonly bytes: Uint8Array | undefined;
}

/** Reads a file piece by piece. @throws MissingInputError `E_FILE_MISSING` */
export function digestOfFile(path: string, files: Pick<FileSpace, 'source'>): FileDigest {
  using source = files.source(path);
  const hash = createSha256();
  const buffer = new Uint8Array(HEAD_BYTES);
  let length = 0;
  let bytes: Uint8Array | undefined;
  for (;;) {
    const count = fill(source, buffer);
    hash.update(buffer.subarray(0, count));
    if (length === 0 && count < buffer.length) bytes = buffer.slice(0, count);
    length += count;
    if (count < buffer.length) break;
  }
  buffer.fill(0);
  return { length, sha256: hash.digest(), bytes };
}
