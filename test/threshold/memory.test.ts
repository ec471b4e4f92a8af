/** The second place that remembers nonces: a folder, the desktop's keychain, a token. Each keeps the same promises. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimUse, forget, introduce, type Known, openMemory } from '#actions/threshold/memory';
import type { ActionContext } from '#actions/context/context';
import { createKeychainClaims, openKeychainClaims } from '#carriage/stores/keychain/claims';
import type { Backend } from '#carriage/stores/keychain/backend';
import { type RunOptions, workplace, type Workplace } from '../support/home.js';
import { type Keyring, keyringPrograms, startKeyring } from '../stores/keyring-daemon.js';
import { memoryBackend } from '../stores/memory-keychain.js';
import { softHsm, type SoftHsm, withSoftHsm } from '../tokens/softhsm.js';
import { needs } from '../support/require.js';

const random = (length = 32): Uint8Array => new Uint8Array(randomBytes(length));
const someone = (): Known => ({ certificate: random(200), terms: random() });

const place = workplace();
afterAll(() => {
  place.remove();
});

/** A place under test: how it is named, and in which context. */
interface Under {
  readonly named: string;
  readonly options: RunOptions;
}

function promises(under: () => Under): void {
  const context = (): ActionContext => place.context(under().options);
  const use = async (named: string, known: Known, name: Uint8Array, what: Uint8Array) => {
    using opened = await openMemory(named, context());
    await claimUse(opened, known, name, what);
  };

  it('lets one use go on, again and again, and no other', async () => {
    const known = someone();
    const named = await introduce(under().named, known, context());
    const [name, one, two] = [random(), random(), random()];
    await use(named, known, name, one);
    await use(named, known, name, one);
    await expect(use(named, known, name, two)).rejects.toMatchObject({
      code: 'E_NONCE_USED',
      exitCode: 77,
    });
    // Who is introduced twice, after a crash, is who they were.
    expect(await introduce(named, known, context())).toBe(named);
    const other = someone();
    await introduce(named, other, context());
    await use(named, other, random(), two);
  });

  it('knows nobody who was not introduced, and nobody whose state has ended', async () => {
    const known = someone();
    await expect(use(under().named, known, random(), random())).rejects.toMatchObject({
      code: 'E_MEMORY_MISSING',
      exitCode: 66,
    });
    const named = await introduce(under().named, known, context());
    const name = random();
    await use(named, known, name, random());
    {
      using opened = await openMemory(named, context());
      await forget(opened, known, [name]);
      await expect(use(named, known, random(), random())).rejects.toMatchObject({
        code: 'E_MEMORY_MISSING',
      });
      expect(await opened.read(`nonce-${Buffer.from(name).toString('hex')}`)).toEqual([]);
    }
    // The same certificate over other terms is somebody else.
    await introduce(named, known, context());
    await expect(
      use(named, { ...known, terms: random() }, random(), random()),
    ).rejects.toMatchObject({ code: 'E_MEMORY_MISSING' });
    await expect(introduce(named, { ...known, terms: random() }, context())).rejects.toMatchObject({
      code: 'E_MEMORY_MISSING',
    });
  });

  it('of many at once at most one wins', async () => {
    const known = someone();
    const named = await introduce(under().named, known, context());
    const name = random();
    const attempts = await Promise.allSettled(
      Array.from({ length: 4 }, () => use(named, known, name, random())),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled').length).toBeLessThan(2);
  });
}

describe('a folder on another medium', () => {
  const named = mkdtempSync(join(tmpdir(), 'conclave-memory-'));
  afterAll(() => {
    rmSync(named, { recursive: true });
  });
  promises(() => ({ named, options: {} }));

  it('is refused when it is gone, or empty in its place', async () => {
    const known = someone();
    await introduce(named, known, place.context());
    renameSync(named, `${named}-away`);
    await expect(openMemory(named, place.context())).rejects.toMatchObject({ exitCode: 66 });
    mkdirSync(named);
    using empty = await openMemory(named, place.context());
    await expect(claimUse(empty, known, random(), random())).rejects.toMatchObject({
      code: 'E_MEMORY_MISSING',
    });
    expect(readdirSync(named).filter((name) => name.startsWith('nonce'))).toEqual([]);
    rmSync(named, { recursive: true });
    renameSync(`${named}-away`, named);
  });
});

describe('a keychain', () => {
  const backend = memoryBackend();
  promises(() => ({
    named: 'keychain:',
    options: { keychainClaims: async () => createKeychainClaims(backend) },
  }));

  it('two who write before either looks both lose', async () => {
    // Both writes are done before the first look: the worst order there is.
    const slow = memoryBackend();
    let waiting: (() => void)[] = [];
    const meeting: Backend = {
      ...slow,
      set: async (service, account, value) => {
        await slow.set(service, account, value);
        if (!account.startsWith('nonce')) return;
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          if (waiting.length === 2) {
            for (const go of waiting) go();
            waiting = [];
          }
        });
      },
    };
    const context = place.context({ keychainClaims: async () => createKeychainClaims(meeting) });
    const known = someone();
    await introduce('keychain:', known, context);
    const name = random();
    const both = await Promise.allSettled(
      [1, 2].map(async () => {
        using opened = await openMemory('keychain:', context);
        await claimUse(opened, known, name, random());
      }),
    );
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('a copy that claims while the state ends does not win', async () => {
    const store = memoryBackend();
    const plain = createKeychainClaims(store);
    const known = someone();
    const context = place.context({ keychainClaims: async () => plain });
    await introduce('keychain:', known, context);
    const name = random();
    // The true one's use and end fall between the copy's first look and its claim.
    const late: Backend = {
      ...store,
      set: async (service, account, value) => {
        await claimUse(plain, known, name, random());
        await forget(plain, known, [name]);
        await store.set(service, account, value);
      },
    };
    await expect(claimUse(createKeychainClaims(late), known, name, random())).rejects.toMatchObject(
      { code: 'E_MEMORY_MISSING' },
    );
  });

  it('where there is none the session is not begun', async () => {
    await expect(introduce('keychain:', someone(), place.context())).rejects.toMatchObject({
      exitCode: 69,
    });
  });

  it('one that does not keep what it takes is found out', async () => {
    const deaf: Backend = { ...memoryBackend(), set: async () => undefined };
    const context = place.context({ keychainClaims: async () => createKeychainClaims(deaf) });
    await expect(introduce('keychain:', someone(), context)).rejects.toMatchObject({
      code: 'E_KEYCHAIN_NOT_KEPT',
      exitCode: 73,
    });
  });
});

const hasModule = await import('@napi-rs/keyring').then(
  () => true,
  () => false,
);
const realKeychain = keyringPrograms && needs('@napi-rs/keyring', hasModule, 'npm ci installs it');

describe.skipIf(!realKeychain)('the keychain of a desktop', () => {
  let keyring: Keyring;
  const before = { ...process.env };
  beforeAll(() => {
    keyring = startKeyring();
    Object.assign(process.env, keyring.env);
  });
  afterAll(() => {
    for (const name of Object.keys(keyring.env)) {
      if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before[name];
    }
    keyring.stop();
  });
  const options: RunOptions = {
    keychainClaims: async (backend) => await openKeychainClaims(backend ?? 'keyring'),
  };
  promises(() => ({ named: 'keychain:', options }));

  it('when it is locked nothing goes on', async () => {
    const known = someone();
    const named = await introduce('keychain:', known, place.context(options));
    expect(named).toBe('keychain:keyring');
    expect(keyring.search('conclave-once')).toContain('session-');
    keyring.lock();
    using opened = await openMemory(named, place.context(options));
    await expect(claimUse(opened, known, random(), random())).rejects.toMatchObject({
      code: 'E_KEYCHAIN_LOCKED',
      exitCode: 77,
    });
  });
});

describe.skipIf(!withSoftHsm)('a token', () => {
  let soft: SoftHsm;
  let home: Workplace;
  beforeAll(async () => {
    soft = softHsm();
    home = workplace();
    await soft.init('epochs');
    await soft.init('others');
  });
  afterAll(() => {
    home.remove();
    soft[Symbol.dispose]();
  });
  const options = (): RunOptions => ({ token: { module: soft.library, pinFile: soft.pinFile } });
  promises(() => ({ named: 'pkcs11:epochs', options: options() }));

  it('is found again by its serial number, and refused without its PIN or when it is gone', async () => {
    const known = someone();
    const named = await introduce('pkcs11:token=epochs', known, home.context(options()));
    expect(named).toMatch(/^pkcs11:token=epochs;serial=[0-9a-f]+\?module-path=/);
    await expect(
      openMemory(named, home.context({ token: { module: soft.library } })),
    ).rejects.toMatchObject({ code: 'E_PIN_MISSING' });
    const another = named.replace(/serial=[0-9a-f]+/, 'serial=0000000000000000');
    await expect(openMemory(another, home.context(options()))).rejects.toMatchObject({
      code: 'E_TOKEN_ABSENT',
      exitCode: 69,
    });
    {
      // Another use of the module keeps its copy of the token in this process: what others write could be missed.
      using _other = await openMemory('pkcs11:others', home.context(options()));
      await expect(introduce(named, someone(), home.context(options()))).rejects.toMatchObject({
        code: 'E_MEMORY_STALE',
        exitCode: 69,
      });
    }
    using others = await openMemory('pkcs11:others', home.context(options()));
    await expect(claimUse(others, known, random(), random())).rejects.toMatchObject({
      code: 'E_MEMORY_MISSING',
    });
  });
});
