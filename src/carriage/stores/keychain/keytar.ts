/** keytar, as a backend. Archived by its makers, asked for by ours. */
import type { RawBackend } from './backend.js';
import { assertTakes } from './probe.js';

/** @throws whatever loading throws: the module is optional, and so is the library that it needs */
export async function loadKeytar(): Promise<RawBackend> {
  const { default: keytar } = await import('keytar');
  const set = (service: string, account: string, value: string): Promise<void> =>
    keytar.setPassword(service, account, value);
  const remove = (service: string, account: string): Promise<boolean> =>
    keytar.deletePassword(service, account);
  const assertUnlocked = (): Promise<void> => assertTakes({ set, remove });
  return {
    name: 'keytar',
    get: async (service, account) => {
      const value = await keytar.getPassword(service, account);
      if (value === null) await assertUnlocked();
      return value ?? undefined;
    },
    set,
    remove: async (service, account) => {
      const removed = await remove(service, account);
      if (!removed) await assertUnlocked();
      return removed;
    },
    find: async (service) => {
      // Asked for the items of a locked keychain, keytar 7.9.0 takes the process down.
      await assertUnlocked();
      const found = await keytar.findCredentials(service);
      return found.map(({ account, password }) => ({ account, value: password }));
    },
  };
}
