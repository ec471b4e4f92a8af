/**
 * `@napi-rs/keyring`, as a backend: prebuilt, for machines without a compiler. Left to itself it falls back to the kernel's
 * keyring, which forgets at logout; every entry is pinned to the Secret Service.
 */
import type { RawBackend } from './backend.js';
import { assertTakes } from './probe.js';

const PINNED = { linux: { store: 'secret-service' as never } };

/** @throws whatever loading throws: the module is optional */
export async function loadKeyring(): Promise<RawBackend> {
  const { AsyncEntry, findCredentialsAsync } = await import('@napi-rs/keyring');
  const entry = (service: string, account: string): InstanceType<typeof AsyncEntry> =>
    new AsyncEntry(service, account, PINNED);
  const set = async (service: string, account: string, value: string): Promise<void> => {
    await entry(service, account).setPassword(value);
  };
  const remove = async (service: string, account: string): Promise<boolean> =>
    await entry(service, account).deleteCredential();
  const assertUnlocked = (): Promise<void> => assertTakes({ set, remove });
  return {
    name: 'keyring',
    get: async (service, account) => {
      // Its types say undefined, and it gives null.
      const value = (await entry(service, account).getPassword()) ?? undefined;
      if (value === undefined) await assertUnlocked();
      return value;
    },
    set,
    remove: async (service, account) => {
      const removed = await remove(service, account);
      if (!removed) await assertUnlocked();
      return removed;
    },
    find: async (service) => {
      const found = await findCredentialsAsync(service);
      if (found.length === 0) await assertUnlocked();
      return found.map(({ account, password }) => ({ account, value: password }));
    },
  };
}
