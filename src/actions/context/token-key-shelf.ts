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
  return {
    list: async () => (await files()).map(({ key }) => key),
    keep: async (key) => {
      const { id, name } = key.record;
      const known = await files();
      const same = known.find(
        ({ key: { record } }) => name !== null && record.name === name && record.id !== id,
      );
      if (same !== undefined && same.key.record.state !== 'destroyed') throw nameTaken(name);
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

function nameTaken(name: string | null): OutputError {
  return new OutputError({
    code: 'E_KEY_NAME_TAKEN',
    message: `a key in a token is named ${name ?? ''} already`,
    hint: 'choose another --name',
  });
}
