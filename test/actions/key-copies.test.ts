/** Copies of a key file: each is destroyed for itself, its record is its own, and what is left is said. */
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyDestroy } from '#actions/key-destroy';
import { keyGenerate } from '#actions/key-generate';
import { keyImport } from '#actions/key-import';
import { InputError } from '#formats/errors';
import { type RunOptions, type Workplace, workplace } from '../support/home.js';

const SEALED: RunOptions = { passphrases: ['correct horse'] };
const PLAIN: RunOptions = { noPassphrase: true };

let place: Workplace;
beforeEach(() => {
  place = workplace();
});
afterEach(() => {
  place.remove();
});

describe('copies of a key file', () => {
  it.each([
    ['plain', PLAIN],
    ['sealed', SEALED],
  ])(
    'lose a %s copy and not the first, or the first and not a copy; what is left is said',
    async (_, options) => {
      const at = (name: string): string => place.at(name);
      const [key, copy, other] = [at('root.key'), at('root.bak'), at('spare.key')];
      await place.run(keyGenerate, { algorithm: 'ed25519', name: 'root', out: key }, options);
      for (const path of [copy, other]) copyFileSync(key, path);
      writeFileSync(at('root.note'), readFileSync(key).subarray(1));
      mkdirSync(at('root.d'));
      linkSync(copy, at('root.link'));
      const states = (): Promise<readonly string[]> =>
        Promise.all(
          [key, copy, other]
            .filter((path) => existsSync(path))
            .map(async (path) => (await place.context().keys.find(path)).record.state),
        );
      const gone = await place.run(keyDestroy, { key: copy, yes: true }, options);
      expect(existsSync(copy)).toBe(false);
      expect(readFileSync(at('root.bak.record.json'), 'utf8')).toContain('"destroyed"');
      expect(gone).toMatchObject({ wiped: `file:${copy}`, state: 'destroyed' });
      expect(gone.remaining).toEqual([`file:${key}`, `file:${other}`]);
      expect(keyDestroy.present?.(gone)).toMatch(/\nthe same key is still in file:\S+root\.key\n/);
      expect(await states()).toEqual(['active', 'active']);

      // The other way round: a copy that had the record of the first for its own keeps one that says what it is.
      rmSync(at('root.bak.record.json'));
      copyFileSync(key, copy);
      const first = await place.run(keyDestroy, { key, yes: true }, options);
      expect(first.remaining).toEqual([`file:${copy}`, `file:${other}`]);
      expect(readFileSync(at('root.record.json'), 'utf8')).toContain('"destroyed"');
      expect(await states()).toEqual(['active', 'active']);
      await place.run(keyDestroy, { key: copy, yes: true }, options);
      const last = await place.run(keyDestroy, { key: other, yes: true }, options);
      expect(last.remaining).toEqual([]);
      expect(keyDestroy.present?.(last)).not.toContain('still');
    },
  );

  it('tell of the copy that the home has', async () => {
    const file = place.at('root.key');
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'root', out: file }, PLAIN);
    await place.run(keyImport, { file, name: 'root' }, PLAIN);
    const { remaining } = await place.run(keyDestroy, { key: file, yes: true });
    const keys = await place.context().keys.list();
    expect(remaining).toEqual([keys[0]?.location]);
    expect(keys[0]?.record.state).toBe('active');
    // What cannot be read cannot be counted, and that undoes nothing.
    await place.run(
      keyGenerate,
      { algorithm: 'ed25519', name: 'root', out: file },
      { ...PLAIN, force: true },
    );
    const broken = place.context();
    const keysOf = {
      ...broken.keys,
      list: () => Promise.reject(new InputError({ code: 'E_X', message: 'x' })),
    };
    const unknown = await keyDestroy.run(
      { key: file, yes: true, reason: undefined, afterImport: undefined, signer: [] },
      { ...broken, keys: keysOf },
    );
    expect(unknown.remaining).toBeNull();
    expect(keyDestroy.present?.(unknown)).toContain('could not be told');
  });
});
