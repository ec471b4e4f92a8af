/** The stores besides the files, each loaded when the first key of it is named. */
import type { Store, StorePlace } from './store.js';
import { storeUnavailable } from './store.js';

/**
 * Opens a store by its place.
 * @throws UnavailableError `E_STORE_UNAVAILABLE` where this version has no such store, `E_KEYCHAIN_MODULE`
 */
export async function openStore(place: StorePlace): Promise<Store> {
  if (place.kind !== 'keychain') throw storeUnavailable(place.kind);
  const [{ loadBackends }, { createKeychainStore, IDENTITY_SERVICE, KEY_SERVICE }] =
    await Promise.all([import('./keychain/backend.js'), import('./keychain/store.js')]);
  const service = place.holds === 'identities' ? IDENTITY_SERVICE : KEY_SERVICE;
  return createKeychainStore(await loadBackends(place.backend), service);
}
