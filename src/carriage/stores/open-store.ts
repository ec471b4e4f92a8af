/** The stores besides the files, each loaded when the first key of it is named. */
import type { Store, StorePlace } from './store.js';
import { storeUnavailable } from './store.js';

/**
 * Opens a store by its place.
 * @throws UnavailableError `E_STORE_UNAVAILABLE` where this version has no such store
 */
export function openStore(place: StorePlace): Promise<Store> {
  return Promise.reject(storeUnavailable(place.kind));
}
