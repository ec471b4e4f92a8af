/** keytar, as a backend. Archived by its makers, asked for by ours. */
import type { RawBackend } from './backend.js';

/** Where it is tried whether the keychain takes anything at all. */
const PROBE = { service: 'conclave-probe', account: 'probe' } as const;

/** @throws whatever loading throws: the module is optional, and so is the library that it needs */
export async function loadKeytar(): Promise<RawBackend> {
  const { default: keytar } = await import('keytar');
  // Of a locked keychain keytar says what it says of an empty one. A keychain that takes an item is not locked.
  const assertUnlocked = async (): Promise<void> => {
    await keytar.setPassword(PROBE.service, PROBE.account, 'unlocked');
    await keytar.deletePassword(PROBE.service, PROBE.account);
  };
  return {
    name: 'keytar',
    get: async (service, account) => {
      const value = await keytar.getPassword(service, account);
      if (value === null) await assertUnlocked();
      return value ?? undefined;
    },
    set: async (service, account, value) => {
      await keytar.setPassword(service, account, value);
    },
    remove: async (service, account) => {
      const removed = await keytar.deletePassword(service, account);
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
