/**
 * A key file is destroyed, and the disk dies at any call on the way: no record says destroyed of a key that is still there, what is
 * left of it opens nothing, and doing it again finishes it.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyDestroy } from '#actions/key-destroy';
import { keyGenerate } from '#actions/key-generate';
import { keyShow } from '#actions/key-show';
import { sign } from '#actions/sign';
import { publicKeyOf } from '#actions/context/private-forms';
import { resolve } from '#crypto/registry';
import { encodeRecord, newRecord } from '#custody/authority/record';
import { SecretBytes } from '#formats/secret-bytes';
import { failingAt } from '../support/disks.js';
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

/** What lies there: the private part, whole or overwritten, and what its record says. */
function left(key: string): string {
  const record = key.replace(/\.key$/, '.record.json');
  const state = existsSync(record)
    ? (JSON.parse(readFileSync(record, 'utf8')) as { readonly state: string }).state
    : 'none';
  if (!existsSync(key)) return `gone, record ${state}`;
  const bytes = readFileSync(key);
  const how = bytes.every((byte) => byte === 0) ? 'zeroes' : 'whole';
  return `${how}, record ${state}`;
}

describe('the destruction of a key file', () => {
  it('is refused where a link was named, and the record does not claim it', async () => {
    const [key, link] = [place.at('root.key'), place.at('link.key')];
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'root', out: key }, SEALED);
    symlinkSync(key, link);
    await expect(place.run(keyDestroy, { key: link, yes: true }, SEALED)).rejects.toMatchObject({
      code: 'E_FILE_IS_LINK',
      exitCode: 73,
    });
    expect([left(key), left(link)]).toEqual(['whole, record none', 'whole, record active']);
  });

  it('is not seen in a raw key that begins with a zero byte', async () => {
    const descriptor = await resolve('ed25519');
    const seed = new Uint8Array(32).fill(7);
    seed[0] = 0;
    using secret = SecretBytes.copyOf(seed, 'seed');
    const record = newRecord({
      descriptor,
      publicKey: await publicKeyOf(descriptor, secret),
      name: 'raw',
      environment: 'production',
      now: new Date('2026-01-01T00:00:00Z'),
      event: 'imported',
    });
    const key = place.at('raw.key');
    writeFileSync(key, seed);
    writeFileSync(place.at('raw.record.json'), encodeRecord(record));
    const shown = await place.run(keyShow, { key }, PLAIN);
    expect(shown.record['id']).toBe(record.id);
    // Nothing but zeroes is what is left of a key.
    writeFileSync(key, new Uint8Array(32));
    await expect(place.run(keyShow, { key }, PLAIN)).rejects.toMatchObject({
      code: 'E_KEY_HALF_DESTROYED',
    });
  });

  it.each([
    ['plain', PLAIN],
    ['sealed', SEALED],
  ])('of a %s key is finished by the next, wherever it was cut short', async (form, options) => {
    // In a folder of its own: a copy in the same one would be told of.
    mkdirSync(place.at('kept'));
    const [first, key] = [place.at('kept/first.key'), place.at('root.key')];
    const [was, record] = [place.at('kept/first.record.json'), place.at('root.record.json')];
    await place.run(keyGenerate, { algorithm: 'ed25519', name: 'root', out: first }, options);
    writeFileSync(place.at('m'), 'm');
    const renew = (): void => {
      copyFileSync(first, key);
      rmSync(record, { force: true });
      if (existsSync(was)) copyFileSync(was, record);
    };
    renew();
    const whole = failingAt(-1);
    await place.run(keyDestroy, { key, yes: true }, { ...options, fs: whole.fs });
    expect(left(key)).toBe('gone, record destroyed');

    const seen = new Set<string>();
    for (let at = 0; at < whole.calls(); at++) {
      renew();
      const { fs } = failingAt(at, 'EIO', { andAfter: true });
      const ended = await place.run(keyDestroy, { key, yes: true }, { ...options, fs }).then(
        () => true,
        () => false,
      );
      const now = left(key);
      seen.add(now);
      if (ended) expect(now).toBe('gone, record destroyed');
      if (!existsSync(key)) continue;
      if (now.startsWith('whole')) {
        const { record: told } = await place.context(options).keys.find(key);
        expect(told.state, now).toBe('active');
      } else {
        await expect(
          place.run(sign, { key, in: place.at('m'), out: place.at('s') }, options),
        ).rejects.toMatchObject({ code: 'E_KEY_HALF_DESTROYED', exitCode: 77 });
        expect(existsSync(place.at('s'))).toBe(false);
      }
      const again = await place.run(keyDestroy, { key, yes: true }, options);
      expect(again).toMatchObject({ state: 'destroyed', wiped: `file:${key}`, remaining: [] });
      expect(left(key)).toBe('gone, record destroyed');
    }
    expect([...seen].sort()).toEqual([
      'gone, record destroyed',
      'whole, record active',
      ...(form === 'sealed' ? ['whole, record none'] : []),
      'zeroes, record active',
      'zeroes, record destroyed',
    ]);
  });
});
