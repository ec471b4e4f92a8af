/** Which keys may rest in the desktop's keychain. */
import type { KeyRecord } from '#custody/authority/record';
import { RefusedError } from '#formats/errors';
import { descriptorOf } from './private-forms.js';

/**
 * A keychain opens for whatever runs in its owner's session. It is good for keys that encrypt other keys and for keys that
 * are not for production; a production key that signs belongs in a sealed file, in a token, or among custodians.
 */
export async function assertFitsKeychain(record: KeyRecord): Promise<void> {
  const { kind } = await descriptorOf(record);
  if (record.environment !== 'production' || kind === 'kem' || kind === 'symmetric') return;
  throw new RefusedError({
    code: 'E_KEYCHAIN_UNFIT',
    message:
      'a production key that signs or agrees does not go into a keychain: every program of its owner could use it',
    hint: 'keep it in a sealed file or a token; a keychain takes key-encryption keys, identities and --dev keys',
  });
}
