/** Changing a key where it rests, and destroying it there: sealed files are sealed anew, plain ones have a record beside them. */
import { basename, dirname, join } from 'node:path';
import { type KeyFile } from '#carriage/stores/key-file';
import type { DurableFiles } from '#carriage/stores/store';
import { decodeRecord, encodeRecord, type KeyRecord } from '#custody/authority/record';
import { equal } from '#formats/bytes';
import { ConclaveError, RefusedError, UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { Asker, FileSpace, FoundKey } from './context.js';
import { firstOf, recordPathAt, recordPathOf } from './record-path.js';
import { assertMatches, MAX_PRIVATE_BYTES } from './private-forms.js';
import { unseal } from './unseal.js';

/** Opens a sealed key to seal it anew: the work gets both, borrowed. */
export async function withUnsealed<T>(
  file: KeyFile,
  what: string,
  found: FoundKey,
  ask: Asker,
  work: (secret: SecretBytes, passphrase: SecretBytes) => T,
): Promise<T> {
  const { secret, passphrase } = await unseal(file, what, ask);
  try {
    // What a group holds is a share: there is no private key that could be compared.
    if (found.record.custody !== 'threshold') {
      (await assertMatches(found.descriptor, secret, found.record, what))?.[Symbol.dispose]();
    }
    return work(secret, passphrase);
  } finally {
    secret.dispose();
    passphrase.dispose();
  }
}

/** A plain key's record is replaced beside it, a sealed key's file as a whole. */
export function replaceFile(
  disk: DurableFiles,
  path: string,
  record: KeyRecord,
  sealed: Uint8Array | undefined,
): void {
  assertInPlace(path);
  if (sealed === undefined) {
    const beside = recordPathAt(path, (at) => disk.exists(at));
    disk.write(beside, encodeRecord(record), { overwrite: true });
  } else {
    disk.write(path, sealed, { secret: true, overwrite: true });
  }
}

/**
 * Whether a file was overwritten by a destruction that was cut short. Zeroes throughout: a raw key may begin with one, and must not
 * be taken for what is left of another.
 */
function isBlank(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.every((byte) => byte === 0);
}

/** @throws RefusedError `E_KEY_HALF_DESTROYED` for what a destruction left that was cut short */
export function assertNotBlank(bytes: Uint8Array, path: string): void {
  if (!isBlank(bytes)) return;
  throw new RefusedError({
    code: 'E_KEY_HALF_DESTROYED',
    message: `${path} is overwritten with zeroes: the destruction of this key was cut short`,
    hint: `conclave key destroy ${path} finishes it`,
  });
}

/**
 * The record of a key file whose destruction was cut short after the private part was gone; undefined for any other file.
 * @throws what decoding the record throws
 */
export async function cutShort(path: string, disk: DurableFiles): Promise<KeyRecord | undefined> {
  if (path === '-' || !disk.exists(path)) return undefined;
  const bytes = disk.read(path, MAX_PRIVATE_BYTES);
  const blank = isBlank(bytes);
  bytes.fill(0);
  const recordPath = recordPathAt(path, (at) => disk.exists(at));
  if (!blank || !disk.exists(recordPath)) return undefined;
  return await decodeRecord(disk.read(recordPath, MAX_PRIVATE_BYTES), recordPath);
}

/**
 * Overwrites and removes one key file; its record stays. It says destroyed once the file is overwritten, and before the name of
 * the file is gone: whatever cuts this short leaves either the key, or a file of zeroes whose destruction is finished by the next.
 * A copy of it is somebody else's to destroy: it keeps a record that says what it was, and no record says destroyed of a file that
 * is still there.
 * @param record - from now on, and as it was before; the same twice where only the name of the file is left to be removed
 * @returns where the record lies, and the copies in the same folder
 * @throws UsageError `E_KEY_NOT_IN_PLACE`
 */
export function destroyFile(
  disk: DurableFiles,
  files: Pick<FileSpace, 'list'>,
  path: string,
  record: { readonly after: KeyRecord; readonly before: KeyRecord },
): { readonly recordPath: string; readonly copies: readonly string[] } {
  assertInPlace(path);
  const exists = (at: string): boolean => disk.exists(at);
  const known = recordPathAt(path, exists);
  // The key that this is a copy of is still there, and its record is its own.
  const recordPath = firstOf(path, known, exists) === undefined ? known : recordPathOf(path);
  const bytes = disk.read(path, MAX_PRIVATE_BYTES);
  try {
    // Of what is overwritten already, nothing can be told to be a copy.
    const alike = isBlank(bytes) ? [] : namedAlike(path, files);
    const copies = alike.filter((at) => isSame(at, bytes, disk));
    for (const copy of copies) {
      const own = recordPathOf(copy);
      if (own !== recordPath && recordPathAt(copy, exists) === recordPath)
        disk.write(own, encodeRecord(record.before));
    }
    // A sealed key has its record in itself, and it is to outlive that.
    disk.write(recordPath, encodeRecord(record.before), { overwrite: true });
    disk.blank(path);
    disk.write(recordPath, encodeRecord(record.after), { overwrite: true });
    disk.remove(path);
    // What was another name of the same file is gone with it.
    return { recordPath, copies: copies.filter((at) => isSame(at, bytes, disk)) };
  } finally {
    bytes.fill(0);
  }
}

/** Endings that key files have. */
const KEY_FILE = /\.(?:key|pem|der|p8)$/;

/** Files of the same folder that are named like this one, or like a key; none where the folder does not tell. */
function namedAlike(path: string, files: Pick<FileSpace, 'list'>): readonly string[] {
  const folder = dirname(path);
  const name = basename(path);
  const stem = `${name.replace(/(?<=.)\..*$/, '')}.`;
  try {
    return files
      .list(folder)
      .filter((other) => other !== name && (other.startsWith(stem) || KEY_FILE.test(other)))
      .map((other) => join(folder, other));
  } catch (error) {
    if (error instanceof ConclaveError) return [];
    throw error;
  }
}

function isSame(path: string, bytes: Uint8Array, disk: DurableFiles): boolean {
  let other: Uint8Array | undefined;
  try {
    other = disk.read(path, bytes.length);
    return equal(other, bytes);
  } catch (error) {
    // Larger, a folder, or not for us to read: whatever it is, nobody can say that it is a copy.
    if (error instanceof ConclaveError) return false;
    throw error;
  } finally {
    other?.fill(0);
  }
}

/** @throws UsageError `E_KEY_NOT_IN_PLACE` */
export function assertInPlace(path: string): void {
  if (path !== '-') return;
  throw new UsageError({
    code: 'E_KEY_NOT_IN_PLACE',
    message: 'a key from standard input cannot be changed in place',
    hint: 'name its file',
  });
}
