/** Files that belong together: all of them are written, or what was there before is there again. */
import type { FileSink } from '#formats/byte-stream';
import type { FileSpace } from './context.js';

/** One of them. */
export interface Belonging {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly secret?: boolean;
}

/**
 * Writes files so that where one cannot be written the others are not left either, and what they would have replaced is there as
 * before. Each is whole on the disk before the first gets its name. Standard output, which gives nothing back, is last. Power that
 * goes between two names leaves the earlier one, with what it replaced beside it under a temporary name.
 * @param belonging - in the order in which they get their names
 * @throws what writing throws
 */
export function writeTogether(
  belonging: readonly Belonging[],
  { sink }: Pick<FileSpace, 'sink'>,
): void {
  const ordered = [...belonging].sort((a, b) => Number(a.path === '-') - Number(b.path === '-'));
  const sinks: FileSink[] = [];
  try {
    for (const { path, bytes, secret = false } of ordered) {
      const each = sink(path, { secret, restorable: true });
      sinks.push(each);
      each.write(bytes);
    }
    for (const each of sinks) each.commit();
  } catch (error) {
    for (const each of sinks) each.withdraw?.();
    throw error;
  } finally {
    for (const each of sinks) each[Symbol.dispose]();
  }
}
