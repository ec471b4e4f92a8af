/** Claims in the desktop's keychain: an item for each, so that no claim takes the place of another. */
import { equal, fromBase64Url, toBase64Url, toHex } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { CLAIM_BYTES, type ClaimPlace } from '../claims.js';
import { type Backend, type BackendName, loadBackends, notKept } from './backend.js';

/** Service of claims. */
export const CLAIM_SERVICE = 'conclave-once';

/** The keychain's claims, by the module that was named, or else by the first that is here. @throws UnavailableError `E_KEYCHAIN_MODULE` */
export async function openKeychainClaims(wanted?: BackendName): Promise<ClaimPlace> {
  const [first] = await loadBackends(wanted);
  return createKeychainClaims(first as Backend);
}

/** Claims in one backend: two do not see each other's items, and what is remembered has one place. */
export function createKeychainClaims(backend: Backend): ClaimPlace {
  const under = async (name: string): Promise<readonly string[]> =>
    (await backend.find(CLAIM_SERVICE))
      .map(({ account }) => account)
      .filter((account) => account.startsWith(`${name}/`));
  const read = async (name: string): Promise<readonly Uint8Array[]> =>
    (await under(name)).map((account) => claimOf(account.slice(name.length + 1)));
  return {
    location: `keychain:${backend.name}`,
    read,
    claim: async (name, bytes) => {
      const account = `${name}/${toBase64Url(bytes)}`;
      await backend.set(CLAIM_SERVICE, account, toHex(bytes));
      const all = await read(name);
      if (!all.some((each) => equal(each, bytes))) throw notKept(backend.name);
      return all;
    },
    remove: async (name) => {
      for (const account of await under(name)) await backend.remove(CLAIM_SERVICE, account);
    },
    [Symbol.dispose]: () => undefined,
  };
}

function claimOf(text: string): Uint8Array {
  const bytes = fromBase64Url(text, 'keychain item');
  if (bytes.length === CLAIM_BYTES) return bytes;
  throw new InputError({
    code: 'E_KEYCHAIN_ITEM',
    message: 'the keychain holds an item of conclave-once that conclave did not write',
    hint: 'remove it with the tools of the keychain',
  });
}
