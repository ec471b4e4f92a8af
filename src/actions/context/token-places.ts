/** Where a `pkcs11:` URI leads: to a key that lives in a token, or to one that is only stored there, sealed. */
import { formatTokenUri, parseTokenUri, type TokenUri } from '#carriage/stores/pkcs11/uri';
import {
  type Store,
  type StoredEntry,
  type StorePlace,
  storeUnavailable,
} from '#carriage/stores/store';
import { encodeRecord, type KeyRecord } from '#custody/authority/record';
import type { TokenKey } from '#custody/authority/token-key';
import { ConclaveError, MissingInputError, RefusedError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { FoundKey } from './context.js';
import { descriptorOf } from './private-forms.js';
import { pick, tokenOf } from './references.js';
import type { TokenKeys } from './token-keys.js';

/** The way to keys in tokens; `known` tells whether the home knows any, so that nothing is loaded where it does not. */
export interface TokenKeysDoor {
  readonly known: () => boolean;
  readonly load: () => Promise<TokenKeys>;
}

/** A key in a store, or in a token. */
export type TokenPlaced =
  | { readonly kind: 'store'; readonly store: Store; readonly entry: StoredEntry }
  | { readonly kind: 'token'; readonly keys: TokenKeys; readonly key: TokenKey };

/** Finds keys in tokens. */
export interface TokenPlaces {
  keys(): Promise<TokenKeys>;
  /** The keys in tokens that the home knows. */
  known(): Promise<readonly TokenKey[]>;
  /** @throws MissingInputError `E_KEY_NOT_FOUND` */
  byUri(uri: TokenUri): Promise<TokenPlaced>;
  /**
   * Brings a key (borrowed) into a token.
   * @returns `undefined` where the place is no token, or its mechanisms do not know such keys: it can only be stored there
   */
  bring(
    record: KeyRecord,
    secret: SecretBytes,
    place: StorePlace | undefined,
  ): Promise<FoundKey | undefined>;
}

/** Places in tokens. */
export function createTokenPlaces(options: {
  readonly tokenKeys: TokenKeysDoor | undefined;
  readonly storeAt: (place: StorePlace) => Promise<Store>;
}): TokenPlaces {
  const keys = async (): Promise<TokenKeys> => {
    if (options.tokenKeys === undefined) throw storeUnavailable('pkcs11');
    return await options.tokenKeys.load();
  };

  const stored = async (uri: TokenUri): Promise<TokenPlaced | undefined> => {
    const { object, type, id: _id, ...token } = uri;
    if (object === undefined || type === 'private' || type === 'secret-key') return undefined;
    const store = await options.storeAt({
      kind: 'pkcs11',
      token: formatTokenUri(token).slice('pkcs11:'.length),
    });
    const { entries } = await store.list();
    const entry =
      pick(entries, object, 'key') ??
      entries.find(({ location }) => parseTokenUri(location).object === object);
    return entry === undefined ? undefined : { kind: 'store', store, entry };
  };

  return {
    keys,

    bring: async (record, secret, place) => {
      if (place?.kind !== 'pkcs11') return undefined;
      const descriptor = await descriptorOf(record);
      const brought = { record, descriptor, secret, way: 'auto' } as const;
      try {
        const { key } = await (await keys()).bring({ uri: tokenOf(place.token) }, brought);
        return await foundInToken(key);
      } catch (error) {
        if (error instanceof ConclaveError && error.code === 'E_TOKEN_ALGORITHM') return undefined;
        throw error;
      }
    },

    known: async () => (options.tokenKeys?.known() === true ? await (await keys()).list() : []),

    byUri: async (uri) => {
      if (uri.type !== 'data') {
        const space = await keys();
        try {
          return { kind: 'token', keys: space, key: await space.find(uri) };
        } catch (error) {
          if (!(error instanceof MissingInputError) || error.code !== 'E_KEY_NOT_FOUND')
            throw error;
          const place = await stored(uri);
          if (place === undefined) throw error;
          return place;
        }
      }
      const place = await stored(uri);
      if (place !== undefined) return place;
      throw new MissingInputError({
        code: 'E_KEY_NOT_FOUND',
        message: `no key is stored as ${uri.object ?? 'that'} on the token`,
        hint: 'see conclave hsm info',
      });
    },
  };
}

/** A key in a token as a store would list it. */
export function entryOf({ record, uri }: TokenKey): StoredEntry {
  const { id, name, environment, state } = record;
  const mark = environment === 'production' ? '' : environment;
  const isDestroyed = state === 'destroyed';
  return { id, name, mark, record: encodeRecord(record), destroyed: isDestroyed, location: uri };
}

/** A key in a token as actions see it. */
export async function foundInToken({ record, uri, device }: TokenKey): Promise<FoundKey> {
  return {
    record,
    descriptor: await descriptorOf(record),
    publicKey: record.publicKey,
    location: uri,
    device,
  };
}

/** What to throw where a private part is asked for that no program gets. */
export function inTokenOnly({ record }: Pick<TokenKey, 'record'>): RefusedError {
  return new RefusedError({
    code: 'E_KEY_IN_TOKEN',
    message: `the private key ${record.name ?? record.id.slice(0, 16)} is in a token and does not leave it`,
  });
}
