/**
 * Keys that rest on a token without living in it: sealed key files as private data objects. The token stores them and protects
 * nothing, since whoever logs in can read them out; the seal under a passphrase protects them. It is for keys that the
 * token's mechanisms do not know, such as post-quantum ones.
 */
import { fromUtf8, utf8 } from '#formats/bytes';
import { isObject, parseCanonicalJson } from '#formats/canonical-json';
import type { ConclaveError } from '#formats/errors';
import { InputError, MissingInputError, OutputError, RefusedError } from '#formats/errors';
import { decodeKeyFile, MAX_KEY_FILE_BYTES } from '../key-file.js';
import type { Material, Store, StoredEntry, StoredKey } from '../store.js';
import { type Attribute, CKA, CKO, type Handle } from './cryptoki.js';
import type { Session } from './session.js';
import type { Token } from './token.js';
import { formatTokenUri, type TokenUri } from './uri.js';

/** CKA_APPLICATION of what is conclave's. */
const APPLICATION = 'conclave';

/** Labels: sealed keys, and the records of keys that were destroyed. */
const KEY = 'conclave-key-';
const RECORD = 'conclave-record-';

/** A token, entered; the store gives it back after each call. */
export interface Entered extends Disposable {
  readonly token: Token;
}

/** What one data object holds. */
interface Shelved extends StoredEntry {
  readonly handle: Handle;
  readonly value: Uint8Array;
}

/**
 * Sealed keys on a token.
 * @param enter - logs in; called once for each operation
 * @param uri - how the token is named in locations, module included
 */
export function createDataStore(enter: () => Promise<Entered>, uri: TokenUri): Store {
  const within = async <T>(
    write: boolean,
    work: (session: Session, found: readonly Shelved[]) => T,
  ): Promise<T> => {
    using entered = await enter();
    return entered.token.session({ write }, (session) => work(session, survey(session, uri)));
  };

  return {
    kind: 'pkcs11',

    list: async () =>
      await within(false, (_session, found) => ({
        entries: found.map(entryOf).sort(byNameThenId),
        problems: [],
      })),

    material: async (id) =>
      await within(false, (_session, found): Material | undefined => {
        const key = found.find((each) => each.id === id && !each.destroyed);
        return key === undefined ? undefined : { form: 'sealed', bytes: key.value };
      }),

    put: async (key) =>
      await within(true, (session, found) => {
        const bytes = sealedBytes(key);
        assertNew(key, found);
        session.create(objectOf(labelOf(key), bytes), 'storing the sealed key');
        return locate(uri, labelOf(key));
      }),

    replace: async (key) =>
      await within(true, (session, found) => {
        const bytes = sealedBytes(key);
        const old = found.find((each) => each.id === key.id && !each.destroyed);
        if (old === undefined) throw missing(key.id);
        assertNew(
          key,
          found.filter((each) => each !== old),
        );
        // The new one first: a token that is pulled in between holds both, and a listing tells the newer.
        session.create(objectOf(labelOf(key), bytes), 'storing the sealed key');
        session.destroy(old.handle);
        return locate(uri, labelOf(key));
      }),

    remove: async (id, record) =>
      await within(true, (session, found) => {
        const old = found.find((each) => each.id === id && !each.destroyed);
        if (old === undefined) throw missing(id);
        const label = `${RECORD}${id.slice(0, 16)}`;
        session.create(objectOf(label, record), 'keeping the record');
        session.destroy(old.handle);
        return locate(uri, label);
      }),
  };
}

function survey(session: Session, uri: TokenUri): readonly Shelved[] {
  const handles = session.find([
    { type: CKA.CLASS, value: CKO.DATA },
    { type: CKA.TOKEN, value: true },
    { type: CKA.APPLICATION, value: utf8Buffer(APPLICATION) },
  ]);
  const all = handles.flatMap((handle) => read(session, handle, uri));
  // A key that was being replaced, or destroyed, when the token was pulled is there twice.
  const newest = new Map<string, Shelved>();
  for (const each of all) {
    const other = newest.get(each.id);
    const later = other === undefined || changes(each) > changes(other);
    if (later) newest.set(each.id, each);
  }
  return [...newest.values()];
}

function read(session: Session, handle: Handle, uri: TokenUri): readonly Shelved[] {
  const label = fromUtf8(session.attribute(handle, CKA.LABEL) ?? utf8Buffer(''), 'label');
  const isKey = label.startsWith(KEY);
  if (!isKey && !label.startsWith(RECORD)) return [];
  const value = new Uint8Array(session.attribute(handle, CKA.VALUE) ?? []);
  const what = `the object ${label}`;
  const record = isKey ? decodeKeyFile(value, what).record : value;
  return [
    { ...summarise(record, what), handle, value, destroyed: !isKey, location: locate(uri, label) },
  ];
}

/** How much a record has been through: the longer history is the newer one. A destroyed key's record is always last. */
function changes({ record, destroyed }: Shelved): number {
  return destroyed ? Number.MAX_SAFE_INTEGER : record.length;
}

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
      hint: 'remove it with the tools of the token',
    });
  }
  return { id, name, mark: environment === 'production' ? '' : environment, record };
}

/** Only what is sealed may rest where everybody who logs in can read it. */
function sealedBytes({ material, id }: StoredKey): Uint8Array {
  if (material?.form === 'sealed') return material.bytes;
  throw new RefusedError({
    code: 'E_TOKEN_STORE_PLAIN',
    message: `key ${id.slice(0, 16)} would rest on the token in clear: a data object is readable to whoever logs in`,
    hint: 'give it a passphrase',
  });
}

function labelOf({ id, mark }: StoredKey): string {
  return mark === '' ? `${KEY}${id.slice(0, 16)}` : `${KEY}${mark}-${id.slice(0, 8)}`;
}

function locate(uri: TokenUri, label: string): string {
  return formatTokenUri({ ...uri, object: label, type: 'data' });
}

function objectOf(label: string, value: Uint8Array): readonly Attribute[] {
  return [
    { type: CKA.CLASS, value: CKO.DATA },
    { type: CKA.TOKEN, value: true },
    { type: CKA.PRIVATE, value: true },
    { type: CKA.APPLICATION, value: utf8Buffer(APPLICATION) },
    { type: CKA.LABEL, value: utf8Buffer(label) },
    { type: CKA.VALUE, value: Buffer.from(value) },
  ];
}

function assertNew(key: StoredKey, found: readonly Shelved[]): void {
  const same = found.find(({ id }) => id === key.id);
  if (same !== undefined) {
    throw new OutputError({
      code: 'E_KEY_EXISTS',
      message: same.destroyed
        ? `key ${key.id.slice(0, 16)} was destroyed on this token`
        : `this key is on the token already: ${key.id.slice(0, 16)}`,
      hint: 'see conclave hsm info',
    });
  }
  if (key.name !== null && found.some(({ name, destroyed }) => name === key.name && !destroyed)) {
    throw new OutputError({
      code: 'E_KEY_NAME_TAKEN',
      message: `a key on the token is named ${key.name} already`,
      hint: 'choose another --name',
    });
  }
}

function missing(id: string): ConclaveError {
  return new MissingInputError({
    code: 'E_KEY_NOT_FOUND',
    message: `there is no key ${id.slice(0, 16)} on the token`,
    hint: 'see conclave hsm info',
  });
}

function entryOf({ id, name, mark, record, destroyed, location }: Shelved): StoredEntry {
  return { id, name, mark, record, destroyed, location };
}

function byNameThenId(a: StoredEntry, b: StoredEntry): number {
  const [x, y] = [a.name ?? '\uffff', b.name ?? '\uffff'];
  return x < y ? -1 : x > y ? 1 : a.id < b.id ? -1 : 1;
}

function utf8Buffer(text: string): Buffer {
  return Buffer.from(utf8(text));
}
