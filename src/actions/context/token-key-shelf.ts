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
  const list = async (): Promise<readonly TokenKey[]> => {
    if (!home.exists() || !disk.isDirectory(home.tokens)) return [];
    const names = [...disk.list(home.tokens)].filter((name) => name.endsWith('.json')).sort();
    return await Promise.all(
      names.map(async (name) => {
        const path = join(home.tokens, name);
        return await decodeTokenKey(disk.read(path, MAX_BYTES), path);
      }),
    );
  };
  return {
    list,
    keep: async (key) => {
      const { id, name } = key.record;
      const same = (await list()).find(
        ({ record }) => name !== null && record.name === name && record.id !== id,
      );
      if (same !== undefined && same.record.state !== 'destroyed') throw nameTaken(name);
      home.change(() => {
        disk.makeDirectory(home.tokens, { secret: true });
        const path = join(home.tokens, `${fileStem(key.record)}.json`);
        disk.write(path, encodeTokenKey(key), { overwrite: true });
      });
    },
  };
}

function nameTaken(name: string | null): OutputError {
  return new OutputError({
    code: 'E_KEY_NAME_TAKEN',
    message: `a key in a token is named ${name ?? ''} already`,
    hint: 'choose another --name',
  });
}
