/** The files in which a home keeps what it knows of keys in tokens: one each, in `tokens/`. */
import { join } from 'node:path';
import type { Home } from '#carriage/stores/home';
import type { DurableFiles } from '#carriage/stores/store';
import { decodeTokenKey, encodeTokenKey, type TokenKey } from '#custody/authority/token-key';
import { OutputError } from '#formats/errors';
import { fileStem } from './marks.js';

/** Longer files are none. */
const MAX_BYTES = 4 * 1024 * 1024;

/** What a home knows of keys in tokens. */
export interface TokenKeyShelf {
  list(): Promise<readonly TokenKey[]>;
  /**
   * Refuses a name that another key in a token has: before a key is made there, since afterwards it is there.
   * @param id - of the key that is to bear it, where that is known
   * @throws OutputError `E_KEY_NAME_TAKEN`
   */
  assertFree(name: string | null, id?: string): Promise<void>;
  /** Keeps a key, new or changed. @throws OutputError `E_KEY_NAME_TAKEN` */
  keep(key: TokenKey): Promise<void>;
}

/** The shelf of a home. */
export function createTokenKeyShelf(disk: DurableFiles, home: Home): TokenKeyShelf {
  const files = async (): Promise<readonly { readonly path: string; readonly key: TokenKey }[]> => {
    if (!home.exists() || !disk.isDirectory(home.tokens)) return [];
    const names = [...disk.list(home.tokens)].filter((name) => name.endsWith('.json')).sort();
    return await Promise.all(
      names.map(async (name) => {
        const path = join(home.tokens, name);
        return { path, key: await decodeTokenKey(disk.read(path, MAX_BYTES), path) };
      }),
    );
  };
  /** A key can be in several tokens: its first place has the plain name. */
  const freePath = (stem: string): string => {
    let path = join(home.tokens, `${stem}.json`);
    for (let i = 2; disk.exists(path); i++) path = join(home.tokens, `${stem}-${i}.json`);
    return path;
  };
  const list = async (): Promise<readonly TokenKey[]> => (await files()).map(({ key }) => key);
  return {
    list,
    assertFree: async (name, id) => {
      assertNameFree(await list(), name, id);
    },
    keep: async (key) => {
      const { id, name } = key.record;
      const known = await files();
      assertNameFree(
        known.map(({ key: other }) => other),
        name,
        id,
      );
      const own = known.find(({ key: other }) => isSamePlace(other, key));
      home.change(() => {
        disk.makeDirectory(home.tokens, { secret: true });
        const path = own?.path ?? freePath(fileStem(key.record));
        disk.write(path, encodeTokenKey(key), { overwrite: true });
      });
    },
  };
}

/** Whether two records are of one key in one token. */
export function isSamePlace(a: TokenKey, b: TokenKey): boolean {
  return (
    a.record.id === b.record.id &&
    a.device.serial === b.device.serial &&
    a.device.manufacturer === b.device.manufacturer &&
    a.device.label === b.device.label
  );
}

function assertNameFree(known: readonly TokenKey[], name: string | null, id?: string): void {
  const isTaken = known.some(
    ({ record }) =>
      name !== null && record.name === name && record.id !== id && record.state !== 'destroyed',
  );
  if (!isTaken) return;
  throw new OutputError({
    code: 'E_KEY_NAME_TAKEN',
    message: `a key in a token is named ${name ?? ''} already`,
    hint: 'choose another --name; a ceremony sets it itself: go on by --resume with another home, --home DIR',
  });
}
