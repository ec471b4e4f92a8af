/** What the `keychain` commands share. */
import type { KeychainSecrets } from '#carriage/stores/keychain/secrets';
import type { Field } from '#formats/action';
import { UnavailableError } from '#formats/errors';
import type { ActionContext } from '../context/context.js';

/** Longest secret, in bytes. */
export const MAX_SECRET_BYTES = 4096;

/** The name of a secret, as the first argument. */
export const secretName = {
  type: 'string',
  summary: 'name of the secret',
  required: true,
  positional: 0,
  pattern: '[A-Za-z0-9][A-Za-z0-9_-]{0,63}',
  placeholder: 'NAME',
} as const satisfies Field;

/** The keychain of this run. @throws UnavailableError `E_KEYCHAIN_MODULE`, and `E_STORE_UNAVAILABLE` where there is none */
export async function keychainOf({ keychain }: ActionContext): Promise<KeychainSecrets> {
  if (keychain !== undefined) return await keychain();
  throw new UnavailableError({
    code: 'E_STORE_UNAVAILABLE',
    message: 'there is no keychain here',
    hint: 'keep the secret in a file',
  });
}
