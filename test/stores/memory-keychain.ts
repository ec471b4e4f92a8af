/** A keychain for tests that need none of a desktop. */
import type { Backend } from '#carriage/stores/keychain/backend';

/** A keychain of this process alone; like keytar's, it cuts at NUL. */
export function memoryBackend(): Backend {
  const items = new Map<string, string>();
  const at = (service: string, account: string): string => `${service}\0${account}`;
  return {
    name: 'keyring',
    get: async (service, account) => items.get(at(service, account)),
    set: async (service, account, value) => {
      items.set(at(service, account), value.split('\0')[0] ?? '');
    },
    remove: async (service, account) => items.delete(at(service, account)),
    find: async (service) =>
      [...items]
        .filter(([key]) => key.startsWith(`${service}\0`))
        .map(([key, value]) => ({ account: key.slice(service.length + 1), value })),
  };
}
