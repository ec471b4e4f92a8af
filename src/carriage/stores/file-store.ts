/**
 * Keys as files in a home: `keys/<id16>.key`, a plain one with its record beside it, and the records of destroyed keys in
 * `public/`. Each change is one rename at the decisive moment, so that a kill leaves the state before or the state after.
 */
import { join } from 'node:path';
import { isObject, parseCanonicalJson, parseJson } from '#formats/canonical-json';
import { ConclaveError, InputError, MissingInputError, OutputError } from '#formats/errors';
import { decodePem, looksLikePem } from '#formats/pem';
import type { Home } from './home.js';
import { decodeKeyFile, KEY_LABEL, MAX_KEY_FILE_BYTES } from './key-file.js';
import { byNameThenId } from './store.js';
import type { DurableFiles, Material, Store, StoredEntry, StoredKey } from './store.js';

const KEY_SUFFIX = '.key';
const RECORD_SUFFIX = '.record.json';

/** A key that is there, with the paths of its files. */
interface Shelved extends StoredEntry {
  readonly keyPath: string;
  readonly recordPath: string | undefined;
}

/** All that lies in a home's key folders. */
interface Survey {
  readonly present: readonly Shelved[];
  readonly destroyed: readonly StoredEntry[];
  readonly problems: readonly ConclaveError[];
  /** Files without meaning that killed runs left: records without a key, keys half overwritten by their destruction. */
  readonly remains: readonly string[];
}

/** Keys in the files of a home. */
export function createFileStore(files: DurableFiles, home: Home): Store {
  const find = (id: string, { present }: Survey): Shelved => {
    const found = present.find((key) => key.id === id);
    if (found !== undefined) return found;
    throw new MissingInputError({
      code: 'E_KEY_NOT_FOUND',
      message: `there is no key ${id.slice(0, 16)} in ${home.path}`,
      hint: 'see conclave key list',
    });
  };

  const change = <T>(work: (before: Survey) => T): Promise<T> =>
    promised(() =>
      home.change(() => {
        const before = survey(files, home);
        for (const path of before.remains) files.shred(path);
        return work(before);
      }),
    );

  return {
    kind: 'file',
    list: () =>
      promised(() => {
        const { present, destroyed, problems } = survey(files, home);
        const entries = [...present.map(entryOf), ...destroyed].sort(byNameThenId);
        return { entries, problems };
      }),
    material: (id) =>
      promised((): Material | undefined => {
        const key = survey(files, home).present.find((each) => each.id === id);
        if (key === undefined) return undefined;
        const form = key.recordPath === undefined ? 'sealed' : 'plain';
        return { form, bytes: files.read(key.keyPath, MAX_KEY_FILE_BYTES) };
      }),
    put: (key) =>
      change(({ present, destroyed }) => {
        assertNew(key, present, destroyed);
        return write(files, home, key, false);
      }),
    replace: (key) =>
      change((before) => {
        const old = find(key.id, before);
        assertNew(
          key,
          before.present.filter(({ id }) => id !== key.id),
          [],
        );
        const form = old.recordPath === undefined ? 'sealed' : 'plain';
        if (form !== (key.material?.form ?? 'plain')) {
          throw new InputError({
            code: 'E_KEY_FORM_CHANGED',
            message: `key ${key.id.slice(0, 16)} changed its protection meanwhile`,
            hint: 'run it again',
          });
        }
        return write(files, home, key, true);
      }),
    remove: (id, record) =>
      change((before) => {
        const { keyPath, recordPath } = find(id, before);
        const tombstone = join(home.public, `${id.slice(0, 16)}.json`);
        files.write(tombstone, record, { overwrite: true });
        files.shred(keyPath);
        if (recordPath !== undefined) files.remove(recordPath);
        return `file:${tombstone}`;
      }),
  };
}

function survey(files: DurableFiles, home: Home): Survey {
  if (!home.exists()) return { present: [], destroyed: [], problems: [], remains: [] };
  const names = files.list(home.keys);
  const problems = new Map<string, ConclaveError>();
  const keyNames = names.filter((name) => name.endsWith(KEY_SUFFIX));
  const present = readEach(home.keys, keyNames, problems, (path) => readShelved(files, path));
  const tombstones = files.list(home.public).filter((name) => name.endsWith('.json'));
  const buried = readEach(home.public, tombstones, problems, (path): StoredEntry => {
    const record = summarise(files.read(path, MAX_KEY_FILE_BYTES), path);
    return { ...record, destroyed: true, location: `file:${path}` };
  });
  // Where a destruction was cut short before it touched the key, the key is still there: that is the truth to tell.
  const destroyed = buried.filter(({ id }) => !present.some((key) => key.id === id));
  const kept = new Set(present.map(({ keyPath }) => keyPath));
  const halfDestroyed = destroyed
    .map((key) => join(home.keys, `${stemOf(key)}${KEY_SUFFIX}`))
    .filter((path) => problems.has(path) && !kept.has(path));
  const orphans = names
    .filter((name) => name.endsWith(RECORD_SUFFIX))
    .filter((name) => {
      const keyName = `${name.slice(0, -RECORD_SUFFIX.length)}${KEY_SUFFIX}`;
      return !names.includes(keyName) || halfDestroyed.includes(join(home.keys, keyName));
    })
    .map((name) => join(home.keys, name));
  for (const path of halfDestroyed) problems.delete(path);
  const remains = [...halfDestroyed, ...orphans];
  return { present, destroyed, problems: [...problems.values()], remains };
}

/** Reads file by file, setting aside why one could not be read. */
function readEach<T>(
  folder: string,
  names: readonly string[],
  problems: Map<string, ConclaveError>,
  read: (path: string) => T,
): T[] {
  return names.flatMap((name) => {
    const path = join(folder, name);
    try {
      return [read(path)];
    } catch (error) {
      if (!(error instanceof ConclaveError)) throw error;
      problems.set(path, error);
      return [];
    }
  });
}

/** Marked keys say so in their names. */
function stemOf({ id, mark }: Pick<StoredKey, 'id' | 'mark'>): string {
  return mark === '' ? id.slice(0, 16) : `${mark}-${id.slice(0, 8)}`;
}

function write(files: DurableFiles, home: Home, key: StoredKey, overwrite: boolean): string {
  const stem = stemOf(key);
  const path = join(home.keys, `${stem}${KEY_SUFFIX}`);
  const { material } = key;
  const plain = material === undefined || material.form === 'plain';
  // The record first: the key's own appearance is what makes it exist.
  if (plain) files.write(join(home.keys, `${stem}${RECORD_SUFFIX}`), key.record, { overwrite });
  if (material !== undefined) files.write(path, material.bytes, { secret: true, overwrite });
  return `file:${path}`;
}

/** Synchronous work behind an asynchronous interface: what it throws rejects. */
function promised<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}

function assertNew(
  key: StoredKey,
  present: readonly StoredEntry[],
  destroyed: readonly StoredEntry[],
): void {
  if (destroyed.some(({ id }) => id === key.id)) {
    throw new OutputError({
      code: 'E_KEY_EXISTS',
      message: `key ${key.id.slice(0, 16)} was destroyed in this store`,
      hint: 'a destroyed key stays destroyed: generate a new one',
    });
  }
  const same = present.find(({ id }) => id === key.id);
  if (same !== undefined) {
    throw new OutputError({
      code: 'E_KEY_EXISTS',
      message: `this key is in the store already${same.name === null ? '' : ` as ${same.name}`}: ${key.id.slice(0, 16)}`,
      hint: 'see conclave key list',
    });
  }
  if (key.name !== null && present.some(({ name }) => name === key.name)) {
    throw new OutputError({
      code: 'E_KEY_NAME_TAKEN',
      message: `a key in the store is named ${key.name} already`,
      hint: 'choose another --name',
    });
  }
}

function readShelved(files: DurableFiles, path: string): Shelved {
  const recordPath = `${path.slice(0, -KEY_SUFFIX.length)}${RECORD_SUFFIX}`;
  const bytes = files.read(path, MAX_KEY_FILE_BYTES);
  try {
    const sealed = looksLikePem(bytes, KEY_LABEL);
    if (!sealed && !files.exists(recordPath)) {
      throw new MissingInputError({
        code: 'E_KEY_RECORD_MISSING',
        message: `${path} has no record beside it: ${recordPath} does not exist`,
        hint: 'restore it from a backup, or move the key out of the store and import it',
      });
    }
    if (!sealed) assertWhole(bytes, path);
    const record = sealed
      ? decodeKeyFile(bytes, path).record
      : files.read(recordPath, MAX_KEY_FILE_BYTES);
    return {
      ...summarise(record, sealed ? path : recordPath),
      destroyed: false,
      location: `file:${path}`,
      keyPath: path,
      recordPath: sealed ? undefined : recordPath,
    };
  } finally {
    bytes.fill(0);
  }
}

/** Whether an unencrypted key is still of a form that a store keeps; one that was being overwritten is not. */
function assertWhole(bytes: Uint8Array, path: string): void {
  if (bytes[0] === 0x7b) parseJson(bytes, path);
  else decodePem(bytes, path).bytes.fill(0);
}

/** The few members of a record that a store orders by; what else it says is not the store's business. */
function summarise(
  record: Uint8Array,
  what: string,
): Pick<StoredEntry, 'id' | 'name' | 'mark' | 'record'> {
  const value = parseCanonicalJson(record, what, { maxBytes: MAX_KEY_FILE_BYTES });
  const { id, name, environment } = isObject(value) ? value : {};
  if (
    typeof id !== 'string' ||
    !/^[0-9a-f]{64}$/.test(id) ||
    !(name === null || typeof name === 'string') ||
    typeof environment !== 'string'
  ) {
    throw new InputError({
      code: 'E_KEY_RECORD_MALFORMED',
      message: `${what} holds no key record`,
      hint: 'move the file out of the store',
    });
  }
  return { id, name, mark: environment === 'production' ? '' : environment, record };
}

function entryOf(key: Shelved): StoredEntry {
  const { id, name, mark, record, destroyed, location } = key;
  return { id, name, mark, record, destroyed, location };
}
