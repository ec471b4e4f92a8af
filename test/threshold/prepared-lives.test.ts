/**
 * Lives of a batch of prepared nonces, each another by its seed: signers are killed, go on, and are asked twice; homes with the
 * batch and the sessions in them are backed up, brought back and copied. Of one pair there is at most one output.
 */
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ActionContext } from '#actions/context/context';
import { createHeldFolders } from '#actions/context/held-folders';
import { homeOnce } from '#actions/context/once';
import { BatchHold } from '#actions/threshold/batch-state';
import { introduce } from '#actions/threshold/memory';
import { NonceMarks } from '#actions/threshold/nonce-marks';
import type { Session } from '#actions/threshold/session';
import { openHome } from '#carriage/stores/home';
import { createKeychainClaims } from '#carriage/stores/keychain/claims';
import { newIdentity, type OpenIdentity } from '#custody/authority/identity';
import { toHex } from '#formats/bytes';
import { SecretBytes } from '#formats/secret-bytes';
import { createFiles } from '#host/files';
import { type FsPort, nodeFs } from '#host/fs-port';
import { memoryBackend } from '../stores/memory-keychain.js';
import { fc } from '../support/property.js';
import { thorough } from '../support/require.js';

const RUNS = thorough ? 14 : 6;
const PAIRS = 3;
const work = mkdtempSync(join(tmpdir(), 'conclave-lives-'));
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const digest = (...words: readonly (string | number)[]): Uint8Array =>
  new Uint8Array(createHash('sha256').update(words.join('/')).digest());

let identity: OpenIdentity;
beforeAll(async () => {
  const now = new Date('2026-11-27T09:00:00Z');
  identity = await newIdentity({ name: 'Ann', environment: 'dev', now, random });
});
afterAll(() => {
  identity[Symbol.dispose]();
  rmSync(work, { recursive: true });
});

/** The power goes: from one call on, no call does anything any more. */
function failing(after: number | undefined): FsPort {
  let calls = 0;
  const guarded = Object.entries(nodeFs).map(([name, call]) => [
    name,
    (...args: unknown[]) => {
      if (after !== undefined && calls++ >= after) throw new Error('killed');
      return name === 'fsync' ? undefined : (call as (...all: unknown[]) => unknown)(...args);
    },
  ]);
  return Object.fromEntries(guarded) as unknown as FsPort;
}

type Event =
  /** A start message that names a pair arrives; `use` tells start messages apart. */
  | {
      readonly does: 'answer';
      readonly home: number;
      readonly pair: number;
      readonly use: number;
      readonly kill: number | undefined;
    }
  /** All sessions of a home go on. */
  | { readonly does: 'resume' | 'backup' | 'restore'; readonly home: number }
  | { readonly does: 'copy' };

/** What remembers beside the home. */
type Place = 'nothing' | 'folder' | 'keychain';

class World {
  readonly outputs = new Map<number, Set<number>>();
  readonly folder = mkdtempSync(join(work, 'world-'));
  readonly file = random(64);
  readonly #memory: string | undefined;
  readonly #keychain = createKeychainClaims(memoryBackend());
  refused = 0;

  constructor(place: Place) {
    const stick = join(this.folder, 'stick');
    this.#memory = { nothing: undefined, folder: stick, keychain: 'keychain:' }[place];
    if (place === 'folder') mkdirSync(stick);
    mkdirSync(this.#home(0));
  }

  #home(number: number): string {
    return join(this.folder, `home-${number}`);
  }

  #context(home: number, kill?: number): ActionContext {
    const files = createFiles(failing(kill), random);
    return {
      once: homeOnce(files, openHome(files, this.#home(home))),
      folders: createHeldFolders(files),
      keychainClaims: async () => this.#keychain,
      random,
      progress: () => undefined,
    } as unknown as ActionContext;
  }

  async begin(): Promise<void> {
    const context = this.#context(0);
    const known = { certificate: this.file, terms: digest('batch') };
    if (this.#memory !== undefined) await introduce(this.#memory, known, context);
    const secret = (): SecretBytes => SecretBytes.adopt(random(32), 'seed');
    const state = {
      file: this.file,
      signing: secret(),
      opening: secret(),
      seeds: Array.from({ length: PAIRS }, secret),
      memory: this.#memory,
    };
    using _ = await BatchHold.create(join(this.#home(0), 'batch'), identity, state, context);
  }

  async #use(context: ActionContext, pair: number, use: number): Promise<void> {
    using marks = new NonceMarks();
    const session = {
      hold: {
        state: { certificates: new Map([[1, this.file]]), self: 1, memory: this.#memory },
      },
      start: {
        terms: digest('start', use),
        message: { prepared: [{ number: 1, batch: toHex(digest('batch')) }] },
      },
      marks,
    } as unknown as Session;
    await marks.use(digest('pair', pair), digest('use', pair, use), session, context);
    this.outputs.set(pair, (this.outputs.get(pair) ?? new Set()).add(use));
  }

  async #guarded(kill: number | undefined, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { code } = error as { code?: string };
      const expected = ['E_BATCH_USED', 'E_NONCE_USED', 'E_MEMORY_MISSING'].includes(code ?? '');
      if (!expected && kill === undefined) throw error;
      this.refused++;
    }
    if (kill === undefined) return;
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
    if (what.does === 'copy') {
      replace(this.#home(0), this.#home(1));
      return;
    }
    const home = this.#home(what.home);
    if (!existsSync(home)) return;
    if (what.does === 'backup') replace(home, join(this.folder, `backup-${what.home}`));
    if (what.does === 'restore') replace(join(this.folder, `backup-${what.home}`), home);
    if (what.does === 'answer') {
      const { pair, use, kill } = what;
      await this.#guarded(kill, async () => {
        const context = this.#context(what.home, kill);
        using batch = await BatchHold.open(join(home, 'batch'), identity, context);
        batch.spend(pair);
        // The session, in one piece: what it is about, and that it has the seed.
        mkdirSync(join(home, `session-${pair}-${use}`), { recursive: true });
        await this.#use(context, pair, use);
      });
    }
    if (what.does === 'resume') {
      for (const name of readdirSync(home)) {
        const [, pair, use] = /^session-(\d)-(\d)$/.exec(name) ?? [];
        if (pair === undefined) continue;
        await this.#guarded(undefined, () =>
          this.#use(this.#context(what.home), Number(pair), Number(use)),
        );
      }
    }
  }
}

function event(restores: boolean): fc.Arbitrary<Event> {
  const home = fc.integer({ min: 0, max: restores ? 1 : 0 });
  const answers = fc.record({
    does: fc.constant('answer' as const),
    home,
    pair: fc.integer({ min: 0, max: PAIRS - 1 }),
    use: fc.integer({ min: 0, max: 2 }),
    kill: fc.option(fc.integer({ min: 10, max: 90 }), { nil: undefined, freq: 2 }),
  });
  const resumes = fc.record({ does: fc.constant('resume' as const), home });
  const moved = fc.record({ does: fc.constantFrom('backup' as const, 'restore' as const), home });
  return fc.oneof(
    { arbitrary: answers, weight: 6 },
    { arbitrary: resumes, weight: 2 },
    ...(restores
      ? [
          { arbitrary: moved, weight: 4 },
          { arbitrary: fc.record({ does: fc.constant('copy' as const) }), weight: 1 },
        ]
      : []),
  );
}

it.each([
  ['the home is not restored, and nothing else remembers', 'nothing'],
  ['homes are restored and copied, and a folder elsewhere remembers', 'folder'],
  ['homes are restored and copied, and a keychain remembers', 'keychain'],
] as const)('never two outputs from one pair where %s', async (_, place) => {
  let [signed, refused] = [0, 0];
  const events = fc.array(event(place !== 'nothing'), { minLength: 5, maxLength: 14 });
  await fc.assert(
    fc.asyncProperty(events, async (all) => {
      const world = new World(place);
      await world.begin();
      for (const each of all) await world.happen(each);
      for (const uses of world.outputs.values()) expect(uses.size).toBe(1);
      signed += world.outputs.size;
      refused += world.refused;
      rmSync(world.folder, { recursive: true });
    }),
    { numRuns: RUNS },
  );
  expect(signed).toBeGreaterThan(RUNS / 2);
  expect(refused).toBeGreaterThan(RUNS / 2);
});
