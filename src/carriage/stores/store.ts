/**
 * Where private keys rest, as one interface: encrypted files, a keychain, a token. A store keeps records and private parts
 * apart from what they mean: it neither opens nor seals anything.
 */

import type { FileSink, FileSource } from '#formats/byte-stream';
import { type ConclaveError, UnavailableError } from '#formats/errors';
import type { BackendName } from './keychain/backend.js';

/** A place where keys rest, as `--store` and key references name it. */
export type StorePlace =
  | { readonly kind: 'file' }
  /** `backend`: only that one, where a location named it. Identities are filed apart from keys. */
  | {
      readonly kind: 'keychain';
      readonly backend?: BackendName;
      readonly holds?: 'identities';
    }
  /** `token` is what was typed behind `pkcs11:`: a label, or the attributes of a URI. */
  | { readonly kind: 'pkcs11'; readonly token: string };

/** Opens a store when the first key of it is named; what it needs is loaded then. */
export type OpenStore = (place: StorePlace) => Promise<Store>;

/** What to throw for a store that was named and is not there. */
export function storeUnavailable(kind: StorePlace['kind']): UnavailableError {
  return new UnavailableError({
    code: 'E_STORE_UNAVAILABLE',
    message: `this version of conclave has no ${kind} store`,
    hint: 'keep the key in files',
  });
}

/** One key as it rests. */
export interface StoredKey {
  /** Key id, 64 lower-case hexadecimal digits. */
  readonly id: string;
  /** Unique in the store, or null. */
  readonly name: string | null;
  /** Begins the names of what is kept for marked keys: `dev`, `rehearsal`; empty for production. */
  readonly mark: string;
  /** Canonical bytes of the public record. */
  readonly record: Uint8Array;
  /** The private part in the form in which it rests; `undefined` once it was destroyed. */
  readonly material: Material | undefined;
}

/** A private part at rest. Bytes of a `plain` one are secret: whoever holds them wipes them. */
export interface Material {
  /** `sealed`: a key file, record inside. `plain`: a PEM of PKCS#8 or raw bytes, record beside. */
  readonly form: 'sealed' | 'plain';
  readonly bytes: Uint8Array;
}

/** A key that a store holds, without its private part. */
export interface StoredEntry extends Omit<StoredKey, 'material'> {
  readonly destroyed: boolean;
  /** For people, and a KEY that finds it again: `file:/home/keys/1f….key`, `keychain:1f2e…`. */
  readonly location: string;
}

/** The order in which stores list. */
export function byNameThenId(a: StoredEntry, b: StoredEntry): number {
  const [x, y] = [a.name ?? '\uffff', b.name ?? '\uffff'];
  return x < y ? -1 : x > y ? 1 : a.id < b.id ? -1 : 1;
}

/** What a store holds. */
export interface StoreListing {
  /** All keys, destroyed ones too, by name, then by id. */
  readonly entries: readonly StoredEntry[];
  /** Why something in the store could not be read: one damaged file must not take the others' keys away. */
  readonly problems: readonly ConclaveError[];
}

/** One place for keys. */
export interface Store {
  readonly kind: StorePlace['kind'];
  list(): Promise<StoreListing>;
  /** @returns the private part, or `undefined` when there is no such key or it was destroyed */
  material(id: string): Promise<Material | undefined>;
  /**
   * Adds a key.
   * @returns its location
   * @throws OutputError `E_KEY_EXISTS` for the same id, `E_KEY_NAME_TAKEN` for the same name
   */
  put(key: StoredKey): Promise<string>;
  /** Replaces record and private part of a key that is there; a `plain` private part may be left out. @throws MissingInputError `E_KEY_NOT_FOUND` */
  replace(key: StoredKey): Promise<string>;
  /** Removes the private part for good and keeps `record` alone. @throws MissingInputError `E_KEY_NOT_FOUND` */
  remove(id: string, record: Uint8Array): Promise<string>;
}

/**
 * The calls on files that stores and key spaces make; the host's files fit. Paths are absolute or relative to the working
 * folder; every change is atomic and durable.
 */
export interface DurableFiles {
  read(path: string, maxBytes?: number): Uint8Array;
  write(
    path: string,
    bytes: Uint8Array,
    options?: { readonly secret?: boolean; readonly overwrite?: boolean },
  ): void;
  openSource(path: string): FileSource;
  createSink(
    path: string,
    options?: {
      readonly secret?: boolean;
      readonly overwrite?: boolean;
      readonly restorable?: boolean;
    },
  ): FileSink;
  append(path: string, bytes: Uint8Array): void;
  truncate(path: string, length: number): void;
  exists(path: string): boolean;
  isDirectory(path: string): boolean;
  list(path: string): readonly string[];
  makeDirectory(path: string, options?: { readonly secret?: boolean }): void;
  remove(path: string): void;
  blank(path: string): void;
  shred(path: string): void;
  sweep(path: string): void;
  lock(path: string): { release(): void };
}
