/** How the second place is named that remembers one-time state. */
import type { BackendName } from '#carriage/stores/keychain/backend';

const KEYCHAIN = /^keychain(?::(?<backend>keytar|keyring)?)?$/;
const TOKEN = /^pkcs11:(?<token>[^]+)$/;

/** In a ceremony: a folder that is bound by name, a keychain, or a token that the site file names. A word for none of them is none. */
export const BOUND_PLACE =
  '(?!keychain(?:$|:)|pkcs11:)[^]+|keychain(?::(?:keytar|keyring)?)?|pkcs11:[a-z][a-z0-9]*(?:-[a-z0-9]+)*';

/** What a name names. */
export type PlaceName =
  | { readonly kind: 'keychain'; readonly backend: BackendName | undefined }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'folder' };

/** Reads the name of a place; whatever is no keychain and no token is a folder. */
export function placeNamed(named: string): PlaceName {
  const keychain = KEYCHAIN.exec(named);
  if (keychain !== null) {
    return {
      kind: 'keychain',
      backend: keychain.groups?.['backend'] as BackendName | undefined,
    };
  }
  const token = TOKEN.exec(named)?.groups?.['token'];
  return token === undefined ? { kind: 'folder' } : { kind: 'token', token };
}
