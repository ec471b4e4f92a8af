/** Changing a key where it rests: sealed files are sealed anew, plain ones get another record beside them. */
import { type KeyFile } from '#carriage/stores/key-file';
import type { DurableFiles } from '#carriage/stores/store';
import { encodeRecord, type KeyRecord } from '#custody/authority/record';
import { UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { Asker, FoundKey } from './context.js';
import { recordPathAt } from './record-path.js';
import { assertMatches } from './private-forms.js';
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

/** @throws UsageError `E_KEY_NOT_IN_PLACE` */
export function assertInPlace(path: string): void {
  if (path !== '-') return;
  throw new UsageError({
    code: 'E_KEY_NOT_IN_PLACE',
    message: 'a key from standard input cannot be changed in place',
    hint: 'name its file',
  });
}
