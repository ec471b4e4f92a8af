/** What every store must do, whatever it keeps its keys in. */
import { beforeEach, describe, expect, it } from 'vitest';
import { equal, utf8 } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import type { Material, Store, StoredKey } from '#carriage/stores/store';

/** One store under test. */
export interface StoreUnderTest {
  /** An empty store. */
  readonly fresh: () => Store;
  /** The same store as another process would open it. */
  readonly again: () => Store;
  /** The forms in which this store takes a private part; `plain` is missing where only sealed ones may rest. */
  readonly forms: readonly Material['form'][];
  /** A key with a private part as this store keeps it, whose record has these members. */
  readonly key: (members: {
    readonly id: string;
    readonly name: string | null;
    readonly environment: string;
    readonly note?: string;
    readonly form: Material['form'];
  }) => StoredKey;
}

const A = 'a1'.repeat(32);
const B = 'b2'.repeat(32);
const C = 'c3'.repeat(32);

async function refusal(work: Promise<unknown>): Promise<[string, number]> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ConclaveError) return [error.code, error.exitCode];
    throw error;
  }
  return ['nothing', 0];
}

/** The contract, as tests. */
export function storeContract(name: string, under: StoreUnderTest): void {
  describe(`store contract: ${name}`, () => {
    let store: Store;
    beforeEach(() => {
      store = under.fresh();
    });
    const production = { environment: 'production' } as const;

    it('is empty at first', async () => {
      expect(await store.list()).toEqual({ entries: [], problems: [] });
      expect(await store.material(A)).toBeUndefined();
    });

    for (const form of under.forms) {
      it(`gives back what was put, ${form}, to another process too`, async () => {
        const key = under.key({ id: A, name: 'root', ...production, form });
        const location = await store.put(key);
        for (const each of [store, under.again()]) {
          const { entries, problems } = await each.list();
          expect(problems).toEqual([]);
          expect(entries).toHaveLength(1);
          expect(entries[0]).toMatchObject({ id: A, name: 'root', mark: '', destroyed: false });
          expect(entries[0]?.location).toBe(location);
          expect(equal(entries[0]?.record ?? utf8(''), key.record)).toBe(true);
          const material = await each.material(A);
          expect(material?.form).toBe(form);
          expect(equal(material?.bytes ?? utf8(''), key.material?.bytes ?? utf8('x'))).toBe(true);
        }
      });

      it(`replaces record and private part at once, ${form}`, async () => {
        await store.put(under.key({ id: A, name: 'root', ...production, form }));
        const key = under.key({ id: A, name: 'renamed', ...production, note: 'changed', form });
        await store.replace(key);
        const { entries } = await under.again().list();
        expect(entries.map((entry) => entry.name)).toEqual(['renamed']);
        expect(equal(entries[0]?.record ?? utf8(''), key.record)).toBe(true);
      });

      it(`keeps the record of a removed key and nothing else, ${form}`, async () => {
        const key = under.key({ id: A, name: 'root', ...production, form });
        await store.put(key);
        const last = under.key({ id: A, name: 'root', ...production, note: 'gone', form }).record;
        await store.remove(A, last);
        expect(await under.again().material(A)).toBeUndefined();
        const { entries } = await under.again().list();
        expect(entries).toHaveLength(1);
        expect(entries[0]).toMatchObject({ id: A, destroyed: true });
        expect(equal(entries[0]?.record ?? utf8(''), last)).toBe(true);
        expect(await refusal(store.remove(A, last))).toEqual(['E_KEY_NOT_FOUND', 66]);
        expect(await refusal(store.put(key))).toEqual(['E_KEY_EXISTS', 73]);
        // The name is free again.
        await store.put(under.key({ id: B, name: 'root', ...production, form }));
      });
    }

    if (!under.forms.includes('plain')) {
      it('refuses a private part that is not sealed', async () => {
        const key = under.key({ id: A, name: 'root', ...production, form: 'plain' });
        expect((await refusal(store.put(key)))[1]).toBe(77);
        expect(await store.list()).toEqual({ entries: [], problems: [] });
      });
    }

    it('keeps names and ids apart', async () => {
      const form = 'sealed';
      await store.put(under.key({ id: A, name: 'root', ...production, form }));
      await store.put(under.key({ id: B, name: null, ...production, form }));
      await store.put(under.key({ id: C, name: null, ...production, form }));
      const twin = under.key({ id: A, name: 'other', ...production, form });
      expect(await refusal(store.put(twin))).toEqual(['E_KEY_EXISTS', 73]);
      const namesake = under.key({ id: 'd4'.repeat(32), name: 'root', ...production, form });
      expect(await refusal(store.put(namesake))).toEqual(['E_KEY_NAME_TAKEN', 73]);
      const renamed = under.key({ id: B, name: 'root', ...production, form });
      expect(await refusal(store.replace(renamed))).toEqual(['E_KEY_NAME_TAKEN', 73]);
      const missing = under.key({ id: 'd4'.repeat(32), name: null, ...production, form });
      expect(await refusal(store.replace(missing))).toEqual(['E_KEY_NOT_FOUND', 66]);
      const { entries } = await store.list();
      expect(entries.map(({ id }) => id)).toEqual([A, B, C]);
    });

    it('shows the mark of keys that are not for production', async () => {
      const key = under.key({
        id: A,
        name: 'd',
        environment: 'dev',
        form: under.forms[0] ?? 'sealed',
      });
      const location = await store.put(key);
      expect(location).toContain('dev-');
      expect((await store.list()).entries[0]?.mark).toBe('dev');
    });
  });
}
