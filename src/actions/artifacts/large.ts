/** Artifacts that are too large to be held: containers. They are read from front to back, once. */
import { looksLikeContainer } from '#carriage/wrapping/container';
import { HEAD_BYTES } from '#carriage/wrapping/format';
import { type ByteSource, fill, prepended } from '#formats/byte-stream';
import { ConclaveError } from '#formats/errors';
import type { ActionContext } from '../context/context.js';

/** Runs `work` on the file when `error` says that it was too large and it is one of these; throws `error` otherwise. */
export async function whenLarge<T>(
  error: unknown,
  path: string,
  { files }: ActionContext,
  work: (source: ByteSource) => Promise<T>,
): Promise<T> {
  if (!(error instanceof ConclaveError) || error.code !== 'E_FILE_TOO_LARGE' || path === '-') {
    throw error;
  }
  using source = files.source(path);
  const head = new Uint8Array(HEAD_BYTES);
  const known = head.subarray(0, fill(source, head));
  if (!looksLikeContainer(known)) throw error;
  return await work(prepended(known, source));
}
