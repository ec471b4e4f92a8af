import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createFileStore } from '#carriage/stores/file-store';
import { openHome } from '#carriage/stores/home';
import { encodeKeyFile, KEY_LABEL } from '#carriage/stores/key-file';
import type { Store, StoredKey } from '#carriage/stores/store';
import { equal, utf8 } from '#formats/bytes';
import { canonicalJson } from '#formats/canonical-json';
import { ConclaveError } from '#formats/errors';
import { encodePem } from '#formats/pem';
import { createFiles } from '#host/files';
import { type FsPort, nodeFs } from '#host/fs-port';
import { failingAt } from '../support/disks.js';
import { storeContract, type StoreUnderTest } from './contract.js';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function newHome(): string {
  const folder = mkdtempSync(join(tmpdir(), 'conclave-store-'));
  folders.push(folder);
  return join(folder, 'home');
}

/** What the death of the process would do: its lock is nobody's any more. */
function buried(path: string): Store {
  rmSync(join(path, 'lock'), { force: true });
  return storeAt(path);
}

function storeAt(path: string, fs: FsPort = nodeFs): Store {
  const files = createFiles(fs, random);
  return createFileStore(files, openHome(files, path));
}

/** A stored key; stores look at nothing but the record. */
const key: StoreUnderTest['key'] = ({ form, ...members }): StoredKey => {
  const record = utf8(`${canonicalJson(members)}\n`);
  const box = {
    kdf: { logN: 10, r: 8, p: 1, salt: random(16) },
    nonce: random(12),
    check: random(8),
    sealed: random(48),
  };
  const bytes =
    form === 'sealed'
      ? encodeKeyFile({ label: KEY_LABEL, record, box, explanation: '' })
      : utf8(encodePem('PRIVATE KEY', random(48)));
  const mark = members.environment === 'production' ? '' : members.environment;
  return { id: members.id, name: members.name, mark, record, material: { form, bytes } };
};

let current = '';
storeContract('file', {
  fresh: () => {
    current = newHome();
    return storeAt(current);
  },
  again: () => storeAt(current),
  forms: ['sealed', 'plain'],
  key,
});

const A = 'a1'.repeat(32);
const B = 'b2'.repeat(32);
const members = { id: A, name: 'root', environment: 'production' } as const;

describe('file store', () => {
  it('keeps everything to its owner', async () => {
    const home = newHome();
    await storeAt(home).put(key({ ...members, form: 'plain' }));
    for (const name of ['.', 'keys', 'public', 'identities']) {
      expect(statSync(join(home, name)).mode & 0o777, name).toBe(0o700);
    }
    expect(statSync(join(home, 'keys', `${A.slice(0, 16)}.key`)).mode & 0o777).toBe(0o600);
    expect(readdirSync(home).sort()).toEqual(['identities', 'keys', 'public', 'version']);
    expect(readdirSync(join(home, 'keys'))).toEqual([
      `${A.slice(0, 16)}.key`,
      `${A.slice(0, 16)}.record.json`,
    ]);
  });

  it('makes nothing by looking', async () => {
    const home = newHome();
    await storeAt(home).list();
    expect(readdirSync(join(home, '..'))).toEqual([]);
  });

  it('refuses a home of another version', async () => {
    const home = newHome();
    await storeAt(home).put(key({ ...members, form: 'plain' }));
    writeFileSync(join(home, 'version'), '2\n');
    await expect(storeAt(home).list()).rejects.toMatchObject({ code: 'E_HOME_VERSION' });
    await expect(storeAt(home).put(key({ ...members, form: 'plain' }))).rejects.toMatchObject({
      exitCode: 77,
    });
  });

  it('does not lose the other keys over a damaged one', async () => {
    const home = newHome();
    const store = storeAt(home);
    await store.put(key({ ...members, form: 'sealed' }));
    await store.put(key({ id: B, name: 'other', environment: 'production', form: 'sealed' }));
    writeFileSync(join(home, 'keys', `${A.slice(0, 16)}.key`), 'garbage');
    const { entries, problems } = await store.list();
    expect(entries.map(({ id }) => id)).toEqual([B]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(A.slice(0, 16));
    expect(await store.material(B)).toBeDefined();
  });

  it('clears up after runs that were killed', async () => {
    const home = newHome();
    await storeAt(home).put(key({ ...members, form: 'plain' }));
    writeFileSync(join(home, 'keys', 'b2b2.record.json'), '{}');
    writeFileSync(join(home, 'keys', '.x.key.conclave-0123456789abcdef.tmp'), 'half');
    await storeAt(home).put(key({ id: B, name: null, environment: 'dev', form: 'sealed' }));
    expect(readdirSync(join(home, 'keys')).sort()).toEqual([
      `${A.slice(0, 16)}.key`,
      `${A.slice(0, 16)}.record.json`,
      `dev-${B.slice(0, 8)}.key`,
    ]);
  });

  for (const form of ['sealed', 'plain'] as const) {
    it(`has the key wholly or not at all when any call of put fails, ${form}`, async () => {
      for (let at = 0; ; at++) {
        const home = newHome();
        const failing = failingAt(at, 'ENOSPC', { andAfter: true, partial: true });
        let failed = false;
        await storeAt(home, failing.fs)
          .put(key({ ...members, form }))
          .catch((error: unknown) => {
            expect(error).toBeInstanceOf(ConclaveError);
            failed = true;
          });
        const { entries, problems } = await buried(home).list();
        expect(problems).toEqual([]);
        if (!failed) expect(entries).toHaveLength(1);
        if (entries.length === 1) expect((await storeAt(home).material(A))?.form).toBe(form);
        else await storeAt(home).put(key({ ...members, form }));
        if (failing.calls() <= at) break;
      }
    });

    it(`has the old record or the new one when any call of replace fails, ${form}`, async () => {
      for (let at = 0; ; at++) {
        const home = newHome();
        const [before, after] = [
          key({ ...members, form }),
          key({ ...members, note: 'changed', form }),
        ];
        await storeAt(home).put(before);
        const failing = failingAt(at, 'EIO', { andAfter: true, partial: true });
        await storeAt(home, failing.fs)
          .replace(after)
          .catch((error: unknown) => {
            expect(error).toBeInstanceOf(ConclaveError);
          });
        const { entries, problems } = await storeAt(home).list();
        expect(problems).toEqual([]);
        const found = Buffer.from(entries[0]?.record ?? []);
        expect(found.equals(before.record) || found.equals(after.record)).toBe(true);
        if (failing.calls() <= at) break;
      }
    });

    it(`has the key or its record when any call of remove fails, ${form}`, async () => {
      for (let at = 0; ; at++) {
        const home = newHome();
        const before = key({ ...members, form });
        await storeAt(home).put(before);
        const last = key({ ...members, note: 'gone', form }).record;
        const failing = failingAt(at, 'EIO', { andAfter: true, partial: true });
        await storeAt(home, failing.fs)
          .remove(A, last)
          .catch((error: unknown) => {
            expect(error).toBeInstanceOf(ConclaveError);
          });
        const { entries, problems } = await buried(home).list();
        expect(problems).toEqual([]);
        expect(entries).toHaveLength(1);
        if (entries[0]?.destroyed === false) {
          const left = (await storeAt(home).material(A))?.bytes ?? utf8('');
          expect(equal(left, before.material?.bytes ?? utf8('x'))).toBe(true);
          await storeAt(home).remove(A, last);
        }
        // The next change clears what the killed one left.
        await storeAt(home).put(key({ id: B, name: null, environment: 'dev', form: 'sealed' }));
        expect(readdirSync(join(home, 'keys'))).toEqual([`dev-${B.slice(0, 8)}.key`]);
        if (failing.calls() <= at) break;
      }
    });
  }

  it.skipIf(process.getuid?.() === 0)('says when it may not write', async () => {
    const home = newHome();
    await storeAt(home).put(key({ ...members, form: 'plain' }));
    chmodSync(home, 0o500);
    await expect(
      storeAt(home).put(key({ id: B, name: null, environment: 'dev', form: 'plain' })),
    ).rejects.toMatchObject({ exitCode: 73 });
    chmodSync(home, 0o700);
  });
});
