/**
 * `@napi-rs/keyring`, as a backend: prebuilt, for machines without a compiler. Left to itself it falls back to the kernel's
 * keyring, which forgets at logout; every entry is pinned to the Secret Service.
 */
import type { RawBackend } from './backend.js';

const PINNED = { linux: { store: 'secret-service' as never } };

/** @throws whatever loading throws: the module is optional */
export async function loadKeyring(): Promise<RawBackend> {
  const { AsyncEntry, findCredentialsAsync } = await import('@napi-rs/keyring');
  const entry = (service: string, account: string): InstanceType<typeof AsyncEntry> =>
    new AsyncEntry(service, account, PINNED);
  return {
    name: 'keyring',
    get: async (service, account) => (await entry(service, account).getPassword()) ?? undefined,
    set: async (service, account, value) => {
      await entry(service, account).setPassword(value);
    },
    remove: async (service, account) => await entry(service, account).deleteCredential(),
    find: async (service) => {
      const found = await findCredentialsAsync(service);
      return found.map(({ account, password }) => ({ account, value: password }));
    },
  };
}
