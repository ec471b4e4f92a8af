/**
 * A thousand lives of a party's nonces, each another by its seed: sessions are copied, restored and killed, whole homes are
 * brought back from backups, two processes work on one state. An output is a function of the pair of nonces and of what it is
 * used for; of each pair there is at most one.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ActionContext } from '#actions/context/context';
import { createHeldFolders } from '#actions/context/held-folders';
import { homeOnce } from '#actions/context/once';
import { introduce } from '#actions/threshold/memory';
import { NonceMarks } from '#actions/threshold/nonce-marks';
import type { Session } from '#actions/threshold/session';
import { createKeychainClaims } from '#carriage/stores/keychain/claims';
import { openHome } from '#carriage/stores/home';
import { createFiles } from '#host/files';
import { type FsPort, nodeFs } from '#host/fs-port';
import { fc } from '../support/property.js';
import { thorough } from '../support/require.js';
import { memoryBackend } from '../stores/memory-keychain.js';

const RUNS = thorough ? 1000 : 150;
const work = mkdtempSync(join(tmpdir(), 'conclave-once-'));
afterAll(() => {
  rmSync(work, { recursive: true });
});

/** The power goes: from one call on, no call does anything any more. */
class Killed extends Error {}

function failing(after: number | undefined): FsPort {
  let calls = 0;
  const guarded = Object.entries(nodeFs).map(([name, call]) => [
    name,
    (...args: unknown[]) => {
      if (after !== undefined && calls++ >= after) throw new Killed('killed');
      // Nothing here is cut off from its disk but by the calls that do not happen.
      return name === 'fsync' ? undefined : (call as (...all: unknown[]) => unknown)(...args);
    },
  ]);
  return Object.fromEntries(guarded) as unknown as FsPort;
}

const digest = (...words: readonly (string | number)[]): Uint8Array =>
  new Uint8Array(createHash('sha256').update(words.join('/')).digest());

/** What happens to a home. */
type Event =
  /** The nonces of a session are used over the commitments `use`, at home `home`, by a process that is killed after some calls. */
  | {
      readonly does: 'sign';
      readonly home: number;
      readonly nonce: number;
      readonly use: number;
      readonly kill: number | undefined;
    }
  /** Two processes at once. */
  | { readonly does: 'race'; readonly nonce: number; readonly use: number }
  | { readonly does: 'backup' | 'restore'; readonly home: number }
  /** The home is copied to another machine. */
  | { readonly does: 'copy' }
  | { readonly does: 'end'; readonly home: number; readonly nonce: number };

/** Names of temporary files differ, in every run in the same way. */
let drawn = 0;

const NONCES = 3;
const event = (restores: boolean): fc.Arbitrary<Event> => {
  const home = fc.integer({ min: 0, max: restores ? 1 : 0 });
  const nonce = fc.integer({ min: 0, max: NONCES - 1 });
  const use = fc.integer({ min: 0, max: 2 });
  const kill = fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined, freq: 2 });
  const signs = fc.record({ does: fc.constant('sign' as const), home, nonce, use, kill });
  return fc.oneof(
    { arbitrary: signs, weight: 6 },
    { arbitrary: fc.record({ does: fc.constant('race' as const), nonce, use }), weight: 1 },
    ...(restores
      ? [
          {
            arbitrary: fc.record({
              does: fc.constantFrom('backup' as const, 'restore' as const),
              home,
            }),
            weight: 3,
          },
          { arbitrary: fc.record({ does: fc.constant('copy' as const) }), weight: 1 },
          { arbitrary: fc.record({ does: fc.constant('end' as const), home, nonce }), weight: 1 },
        ]
      : []),
  );
};

/** A world: homes that can be lost, a second place that cannot, and all that was ever told. */
class World {
  readonly outputs = new Map<number, Set<number>>();
  readonly folder = mkdtempSync(join(work, 'world-'));
  readonly #backend = memoryBackend();
  readonly #memory: string | undefined;
  refused = 0;

  constructor(memory: 'folder' | 'keychain' | undefined) {
    this.#memory = memory === 'folder' ? join(this.folder, 'stick') : memory && 'keychain:';
    if (memory === 'folder') mkdirSync(join(this.folder, 'stick'));
    mkdirSync(this.#home(0));
  }

  #home(number: number): string {
    return join(this.folder, `home-${number}`);
  }

  #context(home: number, kill?: number): ActionContext {
    const files = createFiles(failing(kill), (length) => digest('files', drawn++).slice(0, length));
    return {
      once: homeOnce(files, openHome(files, this.#home(home))),
      folders: createHeldFolders(files),
      keychainClaims: async () => createKeychainClaims(this.#backend),
      progress: () => undefined,
    } as unknown as ActionContext;
  }

  #session(nonce: number): Session {
    const start = { terms: digest('terms', nonce), message: {} };
    const certificates = new Map([[1, digest('certificate', nonce)]]);
    const state = { certificates, self: 1, memory: this.#memory };
    return { hold: { state }, start, marks: new NonceMarks() } as unknown as Session;
  }

  async begin(): Promise<void> {
    if (this.#memory === undefined) return;
    for (let nonce = 0; nonce < NONCES; nonce++) {
      const known = { certificate: digest('certificate', nonce), terms: digest('terms', nonce) };
      await introduce(this.#memory, known, this.#context(0));
    }
  }

  async #sign(home: number, nonce: number, use: number, kill?: number): Promise<void> {
    const session = this.#session(nonce);
    try {
      const name = digest('nonce', nonce);
      await session.marks.use(name, digest('use', nonce, use), session, this.#context(home, kill));
      this.outputs.set(nonce, (this.outputs.get(nonce) ?? new Set()).add(use));
    } catch (error) {
      const { code } = error as { code?: string };
      const expected = ['E_NONCE_USED', 'E_MEMORY_MISSING', 'E_LOCKED'].includes(code ?? '');
      if (!expected && kill === undefined) throw error;
      this.refused++;
    }
    if (kill !== undefined) this.#unlock();
  }

  /** Locks of a process that is gone count for nothing; here the process lives on. */
  #unlock(): void {
    for (const path of readdirSync(this.folder, { recursive: true }) as string[]) {
      if (path.endsWith('lock')) rmSync(join(this.folder, path), { force: true });
    }
  }

  async happen(what: Event): Promise<void> {
    const replace = (from: string, to: string): void => {
      if (!existsSync(from)) return;
      rmSync(to, { recursive: true, force: true });
      cpSync(from, to, { recursive: true });
    };
    switch (what.does) {
      case 'sign':
        if (existsSync(this.#home(what.home))) {
          await this.#sign(what.home, what.nonce, what.use, what.kill);
        }
        break;
      case 'race':
        await Promise.all([0, 1, 2].map((more) => this.#sign(0, what.nonce, what.use + more)));
        break;
      case 'backup':
        replace(this.#home(what.home), join(this.folder, `backup-${what.home}`));
        break;
      case 'restore':
        replace(join(this.folder, `backup-${what.home}`), this.#home(what.home));
        break;
      case 'copy':
        replace(this.#home(0), this.#home(1));
        break;
      case 'end': {
        const session = this.#session(what.nonce);
        await session.marks.end(session, this.#context(what.home));
      }
    }
  }
}

async function lives(memory: 'folder' | 'keychain' | undefined, runs: number): Promise<void> {
  let [signed, refused] = [0, 0];
  const events = fc.array(event(memory !== undefined), { minLength: 4, maxLength: 14 });
  await fc.assert(
    fc.asyncProperty(events, async (all) => {
      const world = new World(memory);
      try {
        await world.begin();
        for (const each of all) await world.happen(each);
        for (const uses of world.outputs.values()) expect(uses.size).toBe(1);
        signed += world.outputs.size;
        refused += world.refused;
      } finally {
        rmSync(world.folder, { recursive: true });
      }
    }),
    { numRuns: runs },
  );
  // Lives in which nothing happened would prove nothing.
  expect(signed).toBeGreaterThan(runs / 2);
  expect(refused).toBeGreaterThan(runs / 2);
}

describe('never two outputs from one pair of nonces', () => {
  it('where sessions are copied and killed, and the home is not restored', async () => {
    await lives(undefined, Math.ceil(RUNS / 5));
  });

  it('where homes are restored and copied, and a folder elsewhere remembers', async () => {
    await lives('folder', Math.ceil((RUNS * 2) / 5));
  });

  it('where homes are restored and copied, and a keychain remembers', async () => {
    await lives('keychain', Math.ceil((RUNS * 2) / 5));
  });

  it('without a second place a restored home forgets: the limit is real', async () => {
    const world = new World(undefined);
    await world.happen({ does: 'backup', home: 0 });
    await world.happen({ does: 'sign', home: 0, nonce: 0, use: 0, kill: undefined });
    await world.happen({ does: 'restore', home: 0 });
    await world.happen({ does: 'sign', home: 0, nonce: 0, use: 1, kill: undefined });
    expect(world.outputs.get(0)?.size).toBe(2);
  });
});
