/**
 * Keys in the desktop's keychain: one item each, record and private part together, so that a change is one change. What the
 * keychain gives is text; text is a JavaScript string, and nothing can wipe it.
 */
import { equalConstantTime, fromBase64Url, toBase64Url, utf8 } from '#formats/bytes';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { ConclaveError, InputError, MissingInputError, OutputError } from '#formats/errors';
import {
  byNameThenId,
  type Material,
  type Store,
  type StoredEntry,
  type StoredKey,
} from '../store.js';
import { type Backend, type Item, notKept } from './backend.js';

/** Service of keys. */
export const KEY_SERVICE = 'conclave-key';

/** Service of identities. */
export const IDENTITY_SERVICE = 'conclave-identity';

/** Longest value that is read: a sealed RSA key is a hundredth of it. */
const MAX_VALUE_CHARACTERS = 1024 * 1024;

const FORMS = ['sealed', 'plain'] as const;

/** A key as an item holds it. */
interface Kept extends StoredKey {
  readonly backend: Backend;
}

/**
 * Keys of one service, in every backend that is given; new ones go to the first.
 * @param backends - at least one
 */
export function createKeychainStore(backends: readonly Backend[], service: string): Store {
  const survey = async (): Promise<{
    readonly kept: readonly Kept[];
    readonly problems: readonly ConclaveError[];
  }> => {
    const kept: Kept[] = [];
    const problems: ConclaveError[] = [];
    for (const backend of backends) {
      for (const item of await backend.find(service)) {
        try {
          kept.push({ ...decodeItem(item), backend });
        } catch (error) {
          if (!(error instanceof ConclaveError)) throw error;
          problems.push(error);
        }
      }
    }
    return { kept, problems };
  };

  const find = async (id: string): Promise<Kept> => {
    const { kept } = await survey();
    const found = kept.find((key) => key.id === id);
    if (found?.material !== undefined) {
      wipe(kept.filter((key) => key !== found));
      return found;
    }
    wipe(kept);
    throw new MissingInputError({
      code: 'E_KEY_NOT_FOUND',
      message: `there is no key ${id.slice(0, 16)} in the keychain`,
      hint: 'see conclave key list --store keychain',
    });
  };

  const set = async (backend: Backend, key: StoredKey): Promise<string> => {
    const account = accountOf(key);
    const value = encodeItem(key);
    await backend.set(service, account, value);
    // What a keychain takes and what it keeps are two things.
    const back = (await backend.get(service, account)) ?? '';
    if (!equalConstantTime(utf8(back), utf8(value))) {
      await backend.remove(service, account);
      throw notKept(backend.name);
    }
    return locationOf(backend, key);
  };

  return {
    kind: 'keychain',
    list: async () => {
      const { kept, problems } = await survey();
      wipe(kept);
      const entries = kept.map(({ backend, material, ...key }): StoredEntry => ({
        ...key,
        destroyed: material === undefined,
        location: locationOf(backend, key),
      }));
      return { entries: entries.sort(byNameThenId), problems };
    },
    material: async (id) => {
      const { kept } = await survey();
      const found = kept.find((key) => key.id === id);
      wipe(kept.filter((key) => key !== found));
      return found?.material;
    },
    put: async (key) => {
      const { kept } = await survey();
      wipe(kept);
      if (kept.some(({ id }) => id === key.id)) {
        throw new OutputError({
          code: 'E_KEY_EXISTS',
          message: `the keychain has the key ${key.id.slice(0, 16)} already`,
          hint: 'a destroyed key is not made again',
        });
      }
      assertNameFree(key, kept);
      return await set(backends[0] as Backend, key);
    },
    replace: async (key) => {
      const { backend, material } = await find(key.id);
      try {
        const { kept } = await survey();
        wipe(kept);
        assertNameFree(key, kept);
        return await set(backend, { ...key, material: key.material ?? material });
      } finally {
        material?.bytes.fill(0);
      }
    },
    remove: async (id, record) => {
      const { backend, material, ...key } = await find(id);
      material?.bytes.fill(0);
      return await set(backend, { ...key, record, material: undefined });
    },
  };
}

function assertNameFree(key: StoredKey, kept: readonly Kept[]): void {
  const taken =
    key.name !== null &&
    kept.some(
      ({ id, name, material }) => id !== key.id && name === key.name && material !== undefined,
    );
  if (!taken) return;
  throw new OutputError({
    code: 'E_KEY_NAME_TAKEN',
    message: `the keychain has a key named ${key.name} already`,
    hint: 'choose another name',
  });
}

function accountOf({ id, mark }: Pick<StoredKey, 'id' | 'mark'>): string {
  return mark === '' ? id : `${mark}-${id}`;
}

function locationOf(backend: Backend, { id, mark }: Pick<StoredKey, 'id' | 'mark'>): string {
  return `keychain:${backend.name}/${mark === '' ? '' : `${mark}-`}${id.slice(0, 16)}`;
}

function encodeItem({ id, name, mark, record, material }: StoredKey): string {
  const bytes = encodeCbor([
    1,
    id,
    name,
    mark,
    record,
    material?.form ?? null,
    material?.bytes ?? null,
  ]);
  try {
    return toBase64Url(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** @throws InputError `E_KEYCHAIN_ITEM`, and the errors of the CBOR reader */
function decodeItem({ account, value }: Item): StoredKey {
  const what = `keychain item ${JSON.stringify(account.slice(0, 80))}`;
  const foreign = (): InputError =>
    new InputError({
      code: 'E_KEYCHAIN_ITEM',
      message: `${what} is not what conclave put there`,
      hint: 'remove it with the program that made it',
    });
  if (value.length > MAX_VALUE_CHARACTERS) throw foreign();
  const bytes = fromBase64Url(value, what);
  try {
    const it = decodeCbor(bytes, what, { maxDepth: 1 });
    if (!Array.isArray(it) || it.length !== 7) throw foreign();
    const [version, id, name, mark, record, form, material] = it as readonly Cbor[];
    if (
      version !== 1 ||
      typeof id !== 'string' ||
      !/^[0-9a-f]{64}$/.test(id) ||
      !(name === null || typeof name === 'string') ||
      (mark !== '' && mark !== 'dev' && mark !== 'rehearsal') ||
      account !== accountOf({ id, mark }) ||
      !(record instanceof Uint8Array) ||
      (form === null) !== (material === null) ||
      !(form === null || FORMS.some((known) => known === form)) ||
      !(material === null || material instanceof Uint8Array)
    ) {
      throw foreign();
    }
    return {
      id,
      name,
      mark,
      record: record.slice(),
      material:
        material === null ? undefined : { form: form as Material['form'], bytes: material.slice() },
    };
  } finally {
    bytes.fill(0);
  }
}

function wipe(keys: readonly Pick<StoredKey, 'material'>[]): void {
  for (const { material } of keys) material?.bytes.fill(0);
}
