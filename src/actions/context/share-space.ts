/** The part of a key space that deals in shares of group keys. */
import type { KeyFile } from '#carriage/stores/key-file';
import type { DurableFiles, Store } from '#carriage/stores/store';
import { encodeRecord, type KeyRecord } from '#custody/authority/record';
import { equalConstantTime } from '#formats/bytes';
import { RefusedError, UsageError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { Asker, FoundKey, KeySpace } from './context.js';
import { isGroupKey } from './group-key.js';
import { replaceFile, withUnsealed } from './key-in-place.js';
import { unseal } from './unseal.js';

/** Where a key lies. */
type Where =
  | { readonly kind: 'token' }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'store'; readonly store: Store; readonly entry: { readonly mark: string } };

/** Its file, unopened. */
type Loaded = { readonly found: FoundKey } & (
  { readonly sealed: true; readonly file: KeyFile } | { readonly sealed: false }
);

/** What stands behind it. */
interface ShareSpaceOptions {
  readonly ask: Asker;
  readonly disk: DurableFiles;
  readonly place: (reference: string) => Promise<Where>;
  /** Refuses keys in tokens. */
  readonly load: (reference: string) => Promise<Loaded>;
  /** How people see a key. */
  readonly nameOf: (reference: string) => string;
  readonly reseal: (record: KeyRecord, secret: SecretBytes, passphrase: SecretBytes) => Uint8Array;
}

/** Opening and replacing shares. */
export function createShareSpace({
  ask,
  disk,
  place,
  load,
  nameOf,
  reseal,
}: ShareSpaceOptions): Required<Pick<KeySpace, 'openShare' | 'replaceShare'>> {
  const shareFile = async (
    reference: string,
  ): Promise<{
    readonly where: Exclude<Where, { readonly kind: 'token' }>;
    readonly what: string;
    readonly found: FoundKey;
    readonly file: KeyFile;
  }> => {
    const where = await place(reference);
    const loaded = await load(reference);
    const { found } = loaded;
    if (where.kind !== 'token' && isGroupKey(found.record) && loaded.sealed) {
      return { found, where, what: nameOf(reference), file: loaded.file };
    }
    throw new UsageError({
      code: 'E_KEY_NOT_SHARED',
      message: `${reference} is no share of a group key`,
      hint: 'name a key that conclave threshold keygen made',
    });
  };
  return {
    openShare: async (reference, person) => {
      const { found, file, what } = await shareFile(reference);
      const { secret, passphrase } = await unseal(file, what, ask, person);
      passphrase.dispose();
      using owned = secret;
      const { decodeGroupShare } = await import('./group-share.js');
      const share = await decodeGroupShare(owned, found.record, what);
      return {
        record: found.record,
        share,
        [Symbol.dispose]: () => {
          share[Symbol.dispose]();
        },
      };
    },
    replaceShare: async (reference, change, share, before) => {
      const { found, file, where, what } = await shareFile(reference);
      const record = change(found.record);
      const { openingIn } = await import('./group-share.js');
      const bytes = await withUnsealed(file, what, found, ask, (secret, passphrase) => {
        using there = openingIn(secret, what);
        using next = openingIn(share, what);
        if (!same(there, before) && !same(there, next)) throw changed(what);
        return reseal(record, share, passphrase);
      });
      if (where.kind === 'path') {
        replaceFile(disk, where.path, record, bytes);
        return { ...found, record };
      }
      const location = await where.store.replace({
        id: record.id,
        name: record.name,
        mark: where.entry.mark,
        record: encodeRecord(record),
        material: { form: 'sealed', bytes },
      });
      return { ...found, record, location };
    },
  };
}

function same(a: SecretBytes, b: SecretBytes): boolean {
  return a.use((one) => b.use((two) => one.length === two.length && equalConstantTime(one, two)));
}

function changed(what: string): RefusedError {
  return new RefusedError({
    code: 'E_SHARE_CHANGED',
    message: `the share in ${what} is another than when this session began, and was left as it is`,
    hint: 'another session changed it meanwhile: compare group.json and its epoch with the other members',
  });
}
