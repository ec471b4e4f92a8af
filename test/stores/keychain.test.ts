/**
 * The keychain: the contract of stores over a backend in memory, over keytar and over keyring with a real keyring, and
 * all the ways in which a keychain says no.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, loadBackends, sentence } from '#carriage/stores/keychain/backend';
import { createSecrets } from '#carriage/stores/keychain/secrets';
import { createKeychainStore, KEY_SERVICE } from '#carriage/stores/keychain/store';
import type { Material, StoredKey } from '#carriage/stores/store';
import { utf8 } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { needs } from '../support/require.js';
import { storeContract } from './contract.js';
import { memoryBackend } from './memory-keychain.js';
import { type Keyring, keyringPrograms, startKeyring } from './keyring-daemon.js';

function keyOf(members: {
  readonly id: string;
  readonly name: string | null;
  readonly environment: string;
  readonly note?: string;
  readonly form: Material['form'];
}): StoredKey {
  const { id, name, environment, form } = members;
  return {
    id,
    name,
    mark: environment === 'production' ? '' : environment,
    record: utf8(JSON.stringify(members)),
    material: { form, bytes: utf8(`a private part\0 of ${id}`) },
  };
}

async function refusal(work: Promise<unknown>): Promise<[string, number]> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ConclaveError) return [error.code, error.exitCode];
    throw error;
  }
  return ['nothing', 0];
}

{
  let backend = memoryBackend();
  storeContract('keychain in memory', {
    fresh: () => {
      backend = memoryBackend();
      return createKeychainStore([backend], KEY_SERVICE);
    },
    again: () => createKeychainStore([backend], KEY_SERVICE),
    forms: ['sealed', 'plain'],
    key: keyOf,
  });
}

describe('what lies in a keychain', () => {
  it.each([
    ['nothing that is base64url', '***'],
    ['no CBOR', 'AAAAAAA'],
    ['another array', 'gwECAw'],
    ['too much', 'A'.repeat(1024 * 1024 + 4)],
  ])('and is %s is told, and hides no other key', async (_, value) => {
    const backend = memoryBackend();
    const store = createKeychainStore([backend], KEY_SERVICE);
    await store.put(
      keyOf({ id: 'a1'.repeat(32), name: 'good', environment: 'production', form: 'sealed' }),
    );
    await backend.set(KEY_SERVICE, 'foreign', value);
    const { entries, problems } = await store.list();
    expect(entries.map(({ name }) => name)).toEqual(['good']);
    expect(problems.map(({ exitCode }) => exitCode)).toEqual([65]);
  });

  it('an item moved to another account is refused', async () => {
    const backend = memoryBackend();
    const store = createKeychainStore([backend], KEY_SERVICE);
    const id = 'a1'.repeat(32);
    await store.put(keyOf({ id, name: 'good', environment: 'dev', form: 'plain' }));
    const value = (await backend.get(KEY_SERVICE, `dev-${id}`)) ?? '';
    await backend.set(KEY_SERVICE, id, value);
    expect((await store.list()).problems.map(({ code }) => code)).toEqual(['E_KEYCHAIN_ITEM']);
  });

  it('a keychain that keeps something else than it was given is found out', async () => {
    const lying: Backend = { ...memoryBackend(), get: async () => 'something else' };
    const store = createKeychainStore([lying], KEY_SERVICE);
    const key = keyOf({
      id: 'a1'.repeat(32),
      name: 'k',
      environment: 'production',
      form: 'sealed',
    });
    expect(await refusal(store.put(key))).toEqual(['E_KEYCHAIN_NOT_KEPT', 73]);
    expect(await lying.find(KEY_SERVICE)).toEqual([]);
    using secret = SecretBytes.copyOf(utf8('x'), 'x');
    expect(await refusal(createSecrets([lying]).set('x', secret, true))).toEqual([
      'E_KEYCHAIN_NOT_KEPT',
      73,
    ]);
  });

  it('secrets keep every byte, NUL and none at all included', async () => {
    const secrets = createSecrets([memoryBackend()]);
    for (const text of ['a\0b', '', '\0', 'ü'.repeat(500)]) {
      using secret = SecretBytes.copyOf(utf8(text), 'x');
      await secrets.set('x', secret, true);
      using back = await secrets.get('x');
      expect(back.use((bytes) => Buffer.from(bytes).toString())).toBe(text);
    }
    using other = SecretBytes.copyOf(utf8('x'), 'x');
    expect(await refusal(secrets.set('x', other, false))).toEqual(['E_SECRET_EXISTS', 73]);
    expect(await secrets.list()).toEqual([{ name: 'x', location: 'keychain:keyring/x' }]);
    await secrets.remove('x');
    expect(await refusal(secrets.get('x'))).toEqual(['E_SECRET_NOT_FOUND', 66]);
    expect(await refusal(secrets.remove('x'))).toEqual(['E_SECRET_NOT_FOUND', 66]);
  });
});

describe('complaints of the modules are sentences', () => {
  it.each([
    ['Cannot autolaunch D-Bus without X11 $DISPLAY', 'E_KEYCHAIN_NO_BUS', 69],
    ["Couldn't access platform storage: AccessDenied", 'E_KEYCHAIN_NO_BUS', 69],
    [
      'zbus error: Failed to connect to address `unix:path=/run/user/0/bus`: No such file or directory',
      'E_KEYCHAIN_NO_BUS',
      69,
    ],
    [
      'Object does not exist at path “/org/freedesktop/secrets/collection/login”',
      'E_KEYCHAIN_ABSENT',
      69,
    ],
    ['Secret Service: no result found', 'E_KEYCHAIN_ABSENT', 69],
    [
      'The name org.freedesktop.secrets was not provided by any .service files',
      'E_KEYCHAIN_ABSENT',
      69,
    ],
    ['Cannot create an item in a locked collection', 'E_KEYCHAIN_LOCKED', 77],
    ['Secret Service: unlock prompt was dismissed', 'E_KEYCHAIN_LOCKED', 77],
    ['zbus error: org.freedesktop.Secret.Error.IsLocked: Cannot', 'E_KEYCHAIN_LOCKED', 77],
    ['something \x1b[31mnew', 'E_KEYCHAIN_FAILED', 69],
  ])('%s', (text, code, exit) => {
    const error = sentence(new Error(text), 'keytar');
    expect([error.code, error.exitCode]).toEqual([code, exit]);
    expect(error.message).not.toMatch(/\x1b/);
    expect(error.hint).toBeTruthy();
  });
});

// One for both modules: what finds a bus once does not look for another.
let keyring: Keyring;
const before = { ...process.env };
beforeAll(() => {
  if (!keyringPrograms) return;
  keyring = startKeyring();
  Object.assign(process.env, keyring.env);
});
afterAll(() => {
  if (!keyringPrograms) return;
  keyring.stop();
  for (const member of Object.keys(keyring.env)) {
    if (before[member] === undefined) Reflect.deleteProperty(process.env, member);
    else process.env[member] = before[member];
  }
});

for (const name of ['keytar', 'keyring'] as const) {
  const backend = await loadBackends(name).then(
    ([first]) => first,
    () => undefined,
  );
  const present =
    keyringPrograms &&
    needs(
      name === 'keytar' ? 'keytar' : '@napi-rs/keyring',
      backend !== undefined,
      name === 'keytar' ? 'npm run native builds it' : 'npm ci installs it',
    );
  describe.skipIf(!present)(`a real keyring by ${name}`, () => {
    const real = backend as Backend;
    let count = 0;
    storeContract(`keychain by ${name}`, {
      fresh: () => createKeychainStore([real], `conclave-contract-${name}-${++count}`),
      again: () => createKeychainStore([real], `conclave-contract-${name}-${count}`),
      forms: ['sealed', 'plain'],
      key: keyOf,
    });

    it('is seen by secret-tool, under the attributes of this module', async () => {
      const service = `conclave-seen-${name}`;
      await real.set(service, 'anna', 'dmFsdWU');
      const seen = keyring.search(service);
      expect(seen).toContain('secret = dmFsdWU');
      expect(seen).toContain(`attribute.${name === 'keytar' ? 'account' : 'username'} = anna`);
      await real.remove(service, 'anna');
      expect(keyring.search(service)).toBe('');
    });

    it('keeps a large value', async () => {
      const value = 'A'.repeat(200_000);
      await real.set('conclave-large', 'x', value);
      expect(await real.get('conclave-large', 'x')).toBe(value);
      expect(await real.remove('conclave-large', 'x')).toBe(true);
      expect(await real.remove('conclave-large', 'x')).toBe(false);
    });

    it('is not the other module’s: neither sees what the other keeps', async () => {
      const other = await loadBackends(name === 'keytar' ? 'keyring' : 'keytar').then(
        ([first]) => first,
        () => undefined,
      );
      await real.set('conclave-apart', 'x', 'AAAA');
      if (other !== undefined) expect(await other.get('conclave-apart', 'x')).toBeUndefined();
      await real.remove('conclave-apart', 'x');
    });
  });
}

// Last, since nothing but a person unlocks it again.
describe.skipIf(!keyringPrograms)('a locked keyring is told from an empty one', () => {
  const key = keyOf({
    id: 'a1'.repeat(32),
    name: 'k',
    environment: 'production',
    form: 'sealed',
  });

  it('whatever is asked of it, by either module', async () => {
    const backends = await loadBackends();
    for (const backend of backends) {
      await createKeychainStore([backend], 'conclave-locked').put(key);
      expect(await backend.get('conclave-locked', 'nobody')).toBeUndefined();
    }
    keyring.lock();
    const refused = ['E_KEYCHAIN_LOCKED', 77];
    for (const backend of backends) {
      const store = createKeychainStore([backend], 'conclave-locked');
      expect(await refusal(store.list())).toEqual(refused);
      expect(await refusal(store.material(key.id))).toEqual(refused);
      expect(await refusal(store.put({ ...key, id: 'b2'.repeat(32), name: 'l' }))).toEqual(refused);
      expect(await refusal(store.remove(key.id, key.record))).toEqual(refused);
      expect(await refusal(backend.get('conclave-locked', key.id))).toEqual(refused);
      expect(await refusal(backend.set('conclave-locked', key.id, 'AAAA'))).toEqual(refused);
      expect(await refusal(backend.remove('conclave-locked', key.id))).toEqual(refused);
    }
  });
});
