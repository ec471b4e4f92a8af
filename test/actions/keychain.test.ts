/** The keychain's commands, and which keys may go into a keychain. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identityNew } from '#actions/identity-new';
import { keychainDelete } from '#actions/keychain-delete';
import { keychainGet } from '#actions/keychain-get';
import { keychainList } from '#actions/keychain-list';
import { keychainSet } from '#actions/keychain-set';
import { keyGenerate } from '#actions/key-generate';
import { sign } from '#actions/sign';
import { createSecrets, type KeychainSecrets } from '#carriage/stores/keychain/secrets';
import { createKeychainStore } from '#carriage/stores/keychain/store';
import type { Action } from '#actions/action';
import type { Fields } from '#formats/action';
import { ConclaveError } from '#formats/errors';
import { memoryBackend } from '../stores/memory-keychain.js';
import { type RunOptions, type Workplace, workplace } from '../support/home.js';

let place: Workplace;
let keychain: KeychainSecrets;
let backend: ReturnType<typeof memoryBackend>;
beforeEach(() => {
  place = workplace();
  backend = memoryBackend();
  keychain = createSecrets([backend]);
});
afterEach(() => {
  place.remove();
});

async function run<F extends Fields, O extends object>(
  action: Action<F, O>,
  input: Readonly<Record<string, unknown>>,
  options: RunOptions = {},
): Promise<O> {
  const context = place.context({
    ...options,
    openStore: async ({ kind, ...rest }) =>
      createKeychainStore([backend], `${kind}-${'holds' in rest ? 'identities' : 'keys'}`),
  });
  const filled = Object.fromEntries(
    Object.entries(action.inputs).map(([name, field]) => [
      name,
      input[name] ?? (field.repeat === true ? [] : field.default),
    ]),
  );
  return await action.run(filled as never, { ...context, keychain: async () => keychain });
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

describe('secrets in a keychain', () => {
  it('go in from a file and come out the same, private, and are gone when deleted', async () => {
    const bytes = Buffer.from('p\0w\n');
    writeFileSync(place.at('in'), bytes);
    await run(keychainSet, { name: 'backup', in: place.at('in') });
    expect((await run(keychainList, {})).secrets.map(({ name }) => name)).toEqual(['backup']);
    await run(keychainGet, { name: 'backup', out: place.at('out') });
    expect(readFileSync(place.at('out')).equals(bytes)).toBe(true);
    expect(statSync(place.at('out')).mode & 0o777).toBe(0o600);
    expect(await refusal(run(keychainGet, { name: 'backup', out: place.at('out') }))).toEqual([
      'E_FILE_EXISTS',
      73,
    ]);
    await run(keychainDelete, { name: 'backup' });
    expect(await refusal(run(keychainGet, { name: 'backup', out: place.at('o') }))).toEqual([
      'E_SECRET_NOT_FOUND',
      66,
    ]);
    expect(existsSync(place.at('o'))).toBe(false);
  });

  it('are asked for where no file is named, and replaced only when that is said', async () => {
    await run(keychainSet, { name: 'b' }, { passphrases: ['typed twice'] });
    expect(await refusal(run(keychainSet, { name: 'b' }, { passphrases: ['other'] }))).toEqual([
      'E_SECRET_EXISTS',
      73,
    ]);
    await run(keychainSet, { name: 'b', replace: true }, { passphrases: ['other'] });
    await run(keychainGet, { name: 'b', out: place.at('o') });
    expect(readFileSync(place.at('o'), 'utf8')).toBe('other');
  });

  it('longer than 4096 bytes are refused', async () => {
    writeFileSync(place.at('in'), new Uint8Array(4097));
    expect(await refusal(run(keychainSet, { name: 'b', in: place.at('in') }))).toEqual([
      'E_FILE_TOO_LARGE',
      65,
    ]);
  });
});

describe('keys in a keychain', () => {
  const generate = (input: Readonly<Record<string, unknown>>): Promise<{ key: string }> =>
    run(keyGenerate, { store: 'keychain', name: 'k', ...input }, { noPassphrase: true });

  it('dev keys, key-encryption keys and identities go in, and work from there', async () => {
    const dev = await generate({ algorithm: 'ed25519', dev: true });
    expect(dev.key).toMatch(/^keychain:keyring\/dev-[0-9a-f]{16}$/);
    writeFileSync(place.at('m'), 'm');
    for (const key of [dev.key, 'keychain:k', 'keychain:keyring/k']) {
      const { signature } = await run(sign, { key, in: place.at('m'), out: '-', format: 'raw' });
      expect(signature).toBe('-');
    }
    await generate({ algorithm: 'x-wing', name: 'kek' });
    await generate({ algorithm: 'aes-256', name: 'aes' });
    const { location } = await run(
      identityNew,
      { name: 'Ada', store: 'keychain' },
      { noPassphrase: true },
    );
    expect(location).toMatch(/^keychain:keyring\/[0-9a-f]{16}$/);
    expect(existsSync(place.at('home/identities'))).toBe(false);
  });

  it('production keys that sign or agree are refused, and nothing is left', async () => {
    expect(await refusal(generate({ algorithm: 'ed25519' }))).toEqual(['E_KEYCHAIN_UNFIT', 77]);
    expect(await refusal(generate({ algorithm: 'x25519' }))).toEqual(['E_KEYCHAIN_UNFIT', 77]);
    expect(await backend.find('keychain-keys')).toEqual([]);
  });
});
