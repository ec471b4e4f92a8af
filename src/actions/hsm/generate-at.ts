/** `key generate --store pkcs11:LABEL`: the token makes the key, where its mechanisms suffice. */
import type { Descriptor, Purpose } from '#crypto/descriptor';
import type { Environment } from '#custody/authority/record';
import { ConclaveError } from '#formats/errors';
import type { ActionContext } from '../context/context.js';
import { tokenOf } from '../context/references.js';
import type { Placed } from '../context/token-keys.js';
import { tokenKeysOf } from './place.js';

/**
 * Makes a key in a token.
 * @returns `undefined` where the token does not know such keys: they can only be stored there, sealed
 */
export async function generateAt(
  token: string,
  wanted: {
    readonly descriptor: Descriptor;
    readonly name: string | null;
    readonly environment: Environment;
    readonly purposes: readonly Purpose[] | undefined;
    readonly tags: Readonly<Record<string, string>>;
  },
  context: ActionContext,
): Promise<Placed | undefined> {
  try {
    return await (await tokenKeysOf(context)).generate({ uri: tokenOf(token) }, wanted);
  } catch (error) {
    if (error instanceof ConclaveError && error.code === 'E_TOKEN_ALGORITHM') return undefined;
    throw error;
  }
}
