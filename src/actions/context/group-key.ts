/** Keys that a group holds: what needs a whole private key refuses them. Light, since every key space asks. */
import type { KeyRecord } from '#custody/authority/record';
import { RefusedError } from '#formats/errors';

/** Whether a key is held in shares, so that nobody can open it. */
export function isGroupKey({ custody }: Pick<KeyRecord, 'custody'>): boolean {
  return custody === 'threshold';
}

/** The refusal of everything that needs a whole private key. */
export function heldByGroup(reference: string, { protocol }: KeyRecord): RefusedError {
  return new RefusedError({
    code: 'E_KEY_THRESHOLD',
    message: `${reference} is held by a group (${protocol}): nobody has the whole key`,
    hint: `to sign, open a session: conclave threshold sign start --key ${reference} --message FILE --session DIR --identity YOU`,
  });
}

/** Shares rest sealed, always. @throws RefusedError `E_GROUP_SHARE_UNSEALED` */
export function assertNoShare(record: KeyRecord): void {
  if (isGroupKey(record)) throw unsealedShare();
}

/** The refusal of {@link assertNoShare}, for whoever knows before there is a share. */
export function unsealedShare(): RefusedError {
  return new RefusedError({
    code: 'E_GROUP_SHARE_UNSEALED',
    message: 'a share of a group key rests under a passphrase, always',
    hint: 'give one by --passphrase-file, or type it',
  });
}
