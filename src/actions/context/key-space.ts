/**
 * The keys that a run can reach: those of the store by name or id, and any private key file by path. Whatever is opened has its
 * public key recomputed and compared with its record.
 */
import type { TokenKey } from '#custody/authority/token-key';
import { encodeKeyFile, KEY_LABEL, type KeyFile, sealKeyFile } from '#carriage/stores/key-file';
import {
  type DurableFiles,
  type Material,
  type OpenStore,
  type Store,
  type StorePlace,
  storeUnavailable,
} from '#carriage/stores/store';
import type { Descriptor, RandomSource, ReadySigner } from '#crypto/descriptor';
import { decodeRecord, encodeRecord, type KeyRecord, newRecord } from '#custody/authority/record';
import { InternalError, MissingInputError, RefusedError, UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { Asker, FileSpace, FoundKey, KeySpace, OpenKey, Placement } from './context.js';
import { foundOf } from './found-key.js';
import { createShareSpace } from './share-space.js';
import { assertNoShare, heldByGroup, isGroupKey } from './group-key.js';
import { looksEncryptedPkcs8, openEncryptedPkcs8 } from './encrypted-forms.js';
import {
  assertNotBlank,
  cutShort,
  destroyFile,
  replaceFile,
  withUnsealed,
} from './key-in-place.js';
import { assertFitsKeychain } from './keychain-rule.js';
import { markText } from './marks.js';
import {
  assertMatches,
  descriptorOf,
  encodeAtRest,
  encodePlain,
  MAX_PRIVATE_BYTES,
  type PrivateFile,
  publicKeyOf,
  readPrivateFile,
} from './private-forms.js';
import { assertKeyFileFree, recordPathAt, recordPathOf } from './record-path.js';
import { isPath, parseReference, pick } from './references.js';
import {
  createTokenPlaces,
  entryOf,
  foundInToken,
  inTokenOnly,
  type TokenKeysDoor,
  type TokenPlaced,
} from './token-places.js';
import { unseal } from './unseal.js';

/** What stands behind a key space. */
export interface KeySpaceOptions {
  /** Keys in files: what a name without a prefix means. */
  readonly store: Store;
  /** The other stores, where there are any. */
  readonly openStore?: OpenStore | undefined;
  /** Keys in tokens, loaded when one is asked for; `known` tells whether the home knows any. */
  readonly tokenKeys?: TokenKeysDoor | undefined;
  /** For replacing key files in place; reading and new output go through `files`. */
  readonly disk: DurableFiles;
  readonly files: FileSpace;
  readonly ask: Asker;
  readonly now: () => Date;
  readonly random: RandomSource;
  readonly scryptLogN: number;
}

/** Where a key was found, before its private part is touched. */
type Place = TokenPlaced | { readonly kind: 'path'; readonly path: string };

/** A private key found to be the one that its record describes; whoever receives it disposes both. */
interface Compared {
  readonly secret: SecretBytes;
  readonly signer: ReadySigner | undefined;
}

/** A key's private part as read: sealed and unopened, or plain and in memory, owned by the receiver. */
type Loaded = { readonly found: FoundKey } & (
  { readonly sealed: true; readonly file: KeyFile } | ({ readonly sealed: false } & Compared)
);

/** Keys of a store and of the file system. */
export function createKeySpace(options: KeySpaceOptions): KeySpace {
  const { disk, files, ask } = options;

  const storeAt = async (where: StorePlace = { kind: 'file' }): Promise<Store> => {
    if (where.kind === 'file') return options.store;
    if (options.openStore === undefined) throw storeUnavailable(where.kind);
    return await options.openStore(where);
  };

  const inTokens = createTokenPlaces({ tokenKeys: options.tokenKeys, storeAt });

  const place = async (reference: string): Promise<Place> => {
    const parsed = parseReference(reference);
    if (parsed.kind === 'path') return parsed;
    if (parsed.kind === 'token') return await inTokens.byUri(parsed.uri);
    const store = await storeAt(parsed.store);
    const { entries, problems } = await store.list();
    const tokenKeys = parsed.store.kind === 'file' ? onceEach(await inTokens.known()) : [];
    const all = [...entries, ...tokenKeys.map(entryOf)];
    const present = all.filter(({ destroyed }) => !destroyed);
    const entry = pick(present, parsed.name, 'key') ?? pick(all, parsed.name, 'key');
    const key = tokenKeys.find(({ uri }) => uri === entry?.location);
    if (key !== undefined) return { kind: 'token', keys: await inTokens.keys(), key };
    if (entry !== undefined) return { kind: 'store', store, entry };
    // A file that cannot be read may be the one that was meant.
    if (problems[0] !== undefined) throw problems[0];
    throw new MissingInputError({
      code: 'E_KEY_NOT_FOUND',
      message: `there is no key ${reference}`,
      hint:
        parsed.store.kind === 'file'
          ? 'see conclave key list; a path has a / or a . in it'
          : `see conclave key list --store ${parsed.store.kind}`,
    });
  };

  const load = async (reference: string): Promise<Loaded> => {
    const where = await place(reference);
    if (where.kind === 'path') return await loadPath(where.path, options);
    if (where.kind === 'token') throw inTokenOnly(where.key);
    const record = await decodeRecord(where.entry.record, where.entry.location);
    const found = await foundOf(record, where.entry.location);
    const material = await where.store.material(record.id);
    if (material === undefined) {
      throw destroyed(reference);
    }
    return await loadMaterial(found, material);
  };

  const reseal = (record: KeyRecord, secret: SecretBytes, passphrase: SecretBytes): Uint8Array =>
    sealKeyFile({
      label: KEY_LABEL,
      record: encodeRecord(record),
      secret,
      passphrase,
      mark: markText(record.environment),
      logN: options.scryptLogN,
      random: options.random,
    });

  const protect = async (
    record: KeyRecord,
    secret: SecretBytes,
    { plaintext, format, passphrase: given }: Placement,
  ): Promise<Material> => {
    const seals = `the private key ${record.name ?? record.id.slice(0, 16)}`;
    const asked = given?.clone() ?? (plaintext !== true && ask.newPassphrase({ seals }));
    const passphrase = (await asked) || undefined;
    try {
      if (passphrase === undefined) {
        assertNoShare(record);
        const descriptor = await descriptorOf(record);
        const { environment } = record;
        const wanted = format ?? 'conclave';
        const bytes =
          wanted === 'conclave'
            ? await encodeAtRest(descriptor, secret, environment)
            : await encodePlain(descriptor, secret, wanted, environment, options.random);
        return { form: 'plain', bytes };
      }
      if (format !== undefined && format !== 'conclave') {
        throw new RefusedError({
          code: 'E_PLAINTEXT_REFUSED',
          message: `a ${format} file is not encrypted, and a passphrase was given`,
          hint: 'say --no-passphrase, or leave --format out',
        });
      }
      return { form: 'sealed', bytes: reseal(record, secret, passphrase) };
    } finally {
      passphrase?.dispose();
    }
  };

  return {
    find: async (reference) => {
      const where = await place(reference);
      if (where.kind === 'store') {
        const { record, location } = where.entry;
        return await foundOf(await decodeRecord(record, location), location);
      }
      if (where.kind === 'token') return await foundInToken(where.key);
      return lookedAt(await loadPath(where.path, options));
    },

    open: async (reference) => {
      const where = await place(reference);
      if (where.kind === 'token') {
        if (where.key.record.state === 'destroyed') throw destroyed(reference);
        return await where.keys.open(where.key);
      }
      const loaded = await load(reference);
      const { found } = loaded;
      if (isGroupKey(found.record)) throw heldByGroup(reference, found.record);
      if (!loaded.sealed) return opened(found, loaded);
      const { secret, passphrase } = await unseal(loaded.file, nameOf(reference), ask);
      passphrase.dispose();
      return opened(found, await compared(secret, found.record, nameOf(reference)));
    },

    encrypted: async (reference) => {
      const where = await place(reference);
      if (where.kind !== 'path' || where.path === '-') return false;
      const bytes = files.read(where.path, MAX_PRIVATE_BYTES);
      try {
        return looksEncryptedPkcs8(bytes);
      } finally {
        bytes.fill(0);
      }
    },

    sealed: async (reference) => {
      if ((await place(reference)).kind === 'token') return undefined;
      const loaded = await load(reference);
      if (loaded.sealed) return encodeKeyFile(loaded.file);
      forget(loaded);
      return undefined;
    },

    add: async (record, secret, placement) => {
      const { out } = placement;
      if (out !== undefined && placement.store !== undefined && placement.store.kind !== 'file') {
        throw new UsageError({
          code: 'E_STORE_AND_OUT',
          message: `a key rests in ${out} or in the ${placement.store.kind} store, not in both`,
          hint: 'leave out --out or --store',
        });
      }
      if (placement.store?.kind === 'keychain') await assertFitsKeychain(record);
      const beside = out === undefined || out === '-' ? [] : [recordPathOf(out)];
      if (out !== undefined) assertKeyFileFree(out, files);
      const inToken = await inTokens.bring(record, secret, placement.store);
      if (inToken !== undefined) return inToken;
      const material = await protect(record, secret, placement);
      try {
        if (out === undefined) {
          const store = await storeAt(placement.store);
          const location = await store.put({
            id: record.id,
            name: record.name,
            mark: record.environment === 'production' ? '' : record.environment,
            record: encodeRecord(record),
            material,
          });
          return await foundOf(record, location);
        }
        // The record first, so that a plain key is never there without it.
        if (material.form === 'plain') {
          for (const path of beside) files.write(path, encodeRecord(record));
        }
        files.write(out, material.bytes, { secret: true });
        return await foundOf(record, `file:${out}`);
      } finally {
        material.bytes.fill(0);
      }
    },

    update: async (reference, change) => {
      const where = await place(reference);
      if (where.kind === 'token') {
        return await foundInToken(await where.keys.update(where.key, change));
      }
      const loaded = await load(reference);
      const { found } = loaded;
      forget(loaded);
      const record = change(found.record);
      if (record.id !== found.record.id) {
        throw new InternalError({
          code: 'E_KEY_ID_CHANGED',
          message: 'a change of a record must not change its id',
        });
      }
      const bytes = loaded.sealed
        ? await withUnsealed(loaded.file, nameOf(reference), found, ask, (secret, passphrase) =>
            reseal(record, secret, passphrase),
          )
        : undefined;
      if (where.kind === 'path') {
        replaceFile(disk, where.path, record, bytes);
        return await foundOf(record, found.location);
      }
      const location = await where.store.replace({
        id: record.id,
        name: record.name,
        mark: where.entry.mark,
        record: encodeRecord(record),
        material: bytes === undefined ? undefined : { form: 'sealed', bytes },
      });
      return await foundOf(record, location);
    },

    destroy: async (reference, change) => {
      const where = await place(reference);
      if (where.kind === 'token') {
        return await foundInToken(await where.keys.destroy(where.key, change));
      }
      const left = where.kind === 'path' ? await cutShort(where.path, disk) : undefined;
      const before = left ?? lookedAt(await load(reference)).record;
      const after = left?.state === 'destroyed' ? left : change(before);
      if (where.kind === 'store') {
        return await foundOf(after, await where.store.remove(after.id, encodeRecord(after)));
      }
      const { recordPath, copies } = destroyFile(disk, files, where.path, { after, before });
      return {
        ...(await foundOf(after, `file:${recordPath}`)),
        copies: copies.map((copy) => `file:${copy}`),
      };
    },

    cutShort: async (reference) => {
      const where = await place(reference);
      if (where.kind !== 'path') return undefined;
      const left = await cutShort(where.path, disk);
      return left === undefined ? undefined : await foundOf(left, `file:${where.path}`);
    },

    ...createShareSpace({ ask, disk, reseal, place, load, nameOf }),

    list: async (where) => {
      const { entries, problems } = await (await storeAt(where)).list();
      if (problems[0] !== undefined) throw problems[0];
      const stored = await Promise.all(
        entries.map(async ({ record, location }) =>
          foundOf(await decodeRecord(record, location), location),
        ),
      );
      if (where !== undefined && where.kind !== 'file') return stored;
      return [...stored, ...(await Promise.all((await inTokens.known()).map(foundInToken)))];
    },
  };
}

/** A key that is in several tokens is one key: the first place where it still is. */
function onceEach(keys: readonly TokenKey[]): readonly TokenKey[] {
  return keys.filter((key) => {
    const places = keys.filter(({ record }) => record.id === key.record.id);
    return key === (places.find(({ record }) => record.state !== 'destroyed') ?? places[0]);
  });
}

function lookedAt(loaded: Loaded): FoundKey {
  forget(loaded);
  return loaded.found;
}

async function loadPath(path: string, options: KeySpaceOptions): Promise<Loaded> {
  const bytes = options.files.read(path, MAX_PRIVATE_BYTES);
  const shown = path === '-' ? 'standard input' : path;
  try {
    const recordPath = recordPathAt(path, (at) => options.files.exists(at));
    const beside =
      path !== '-' && options.files.exists(recordPath)
        ? await decodeRecord(options.files.read(recordPath, MAX_PRIVATE_BYTES), recordPath)
        : undefined;
    if (beside !== undefined) assertNotBlank(bytes, path);
    const read: PrivateFile = looksEncryptedPkcs8(bytes)
      ? { sealed: false, ...(await openEncryptedPkcs8(bytes, shown, options.ask)) }
      : await readPrivateFile(bytes, shown, beside);
    const location = `file:${path}`;
    if (read.sealed) {
      return { found: await foundOf(read.record, location), sealed: true, file: read.file };
    }
    const { descriptor, environment } = read;
    if (beside !== undefined) {
      const plain = await compared(read.secret, beside, shown, descriptor);
      return { found: await foundOf(beside, location), sealed: false, ...plain };
    }
    // The record comes from the private key itself: comparing them would tell nothing.
    const record = newRecord({
      descriptor,
      publicKey: await publicKeyOf(descriptor, read.secret),
      name: null,
      environment,
      now: options.now(),
      event: 'imported',
    });
    const plain = { secret: read.secret, signer: undefined };
    return { found: await foundOf(record, location), sealed: false, ...plain };
  } finally {
    bytes.fill(0);
  }
}

async function loadMaterial(found: FoundKey, material: Material): Promise<Loaded> {
  const { location, record } = found;
  try {
    const read = await readPrivateFile(material.bytes, location, record);
    if (read.sealed) return { found, sealed: true, file: read.file };
    const plain = await compared(read.secret, record, location, read.descriptor);
    return { found, sealed: false, ...plain };
  } finally {
    material.bytes.fill(0);
  }
}

/** A private key that is the one its record describes; wiped when it is not. */
async function compared(
  secret: SecretBytes,
  record: KeyRecord,
  what: string,
  descriptor?: Descriptor,
): Promise<Compared> {
  try {
    const known = descriptor ?? (await descriptorOf(record));
    return { secret, signer: await assertMatches(known, secret, record, what) };
  } catch (error) {
    secret.dispose();
    throw error;
  }
}

function opened(found: FoundKey, { secret, signer }: Compared): OpenKey {
  return {
    ...found,
    secret,
    signer,
    [Symbol.dispose]: () => {
      secret.dispose();
      signer?.[Symbol.dispose]();
    },
  };
}

/** Wipes what was loaded only to look at it. */
function forget(loaded: Loaded): void {
  if (loaded.sealed) return;
  loaded.secret.dispose();
  loaded.signer?.[Symbol.dispose]();
}

function destroyed(reference: string): RefusedError {
  return new RefusedError({
    code: 'E_KEY_DESTROYED',
    message: `key ${reference} was destroyed`,
    hint: 'only its public key is left',
  });
}

/** How people see a key: as they named it. */
function nameOf(reference: string): string {
  const typed = reference.replace(/^file:/, '');
  if (typed === '-') return 'standard input';
  return isPath(typed) && !/^(?:keychain|pkcs11):/.test(typed) ? typed : `key ${typed}`;
}
