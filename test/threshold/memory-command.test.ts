/**
 * The second place on the command line, with a folder, the keychain of a desktop and a token: what was brought back from before
 * signs nothing else, two processes that meet do not both sign, and one that is ended by signal 9 between its claim and its output
 * goes on to the one output that there may be.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verify } from '#actions/verify';
import { openKeychainClaims } from '#carriage/stores/keychain/claims';
import { type Keyring, keyringPrograms, startKeyring } from '../stores/keyring-daemon.js';
import { needs, spread, thorough } from '../support/require.js';
import { softHsm, type SoftHsm, withSoftHsm } from '../tokens/softhsm.js';
import { keyed, room, type Room } from './party.js';
import {
  type Answer,
  changesOf,
  Errand,
  leaksOf,
  meeting,
  type Restored,
  type Second,
  sharesIn,
  SUITE,
  Told,
} from './remembering.js';

const KEY = `key-${SUITE}`;

let here: Room;
const everything = new Told();
const before = { ...process.env };

beforeAll(async () => {
  here = await room(['Ann', 'Ben']);
  await keyed(here, 2, 2, SUITE);
});
afterAll(() => {
  here.remove();
  // Each place came to the point at which nonces are used.
  expect(everything.counts.length).toBeGreaterThan(0);
});

function forEverybody(env: Readonly<Record<string, string>>): void {
  Object.assign(process.env, env);
}
function forNobody(env: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(env)) {
    if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = before[name];
  }
}

function promises(name: string, second: () => Second, closed: () => Promise<Answered>): void {
  let errand: Errand;
  /** Changes of a round that nobody disturbs: one before the claim, the first after it, and the first of the output. */
  let places: { readonly own: number; readonly claimed: number; readonly out: number };

  beforeAll(async () => {
    errand = await Errand.begin(here, `pay-by-${name}`, KEY, second());
  });
  afterAll(() => {
    errand.remove();
  });

  it('what is brought back says the same again, and nothing else', async () => {
    const told = new Told();
    const first = errand.restore();
    const ended = await errand.start(first, 'one', 'count');
    expect([ended.code, ended.output]).toEqual([0, expect.stringContaining('"ok":true')]);
    told.note(errand.nonces, first.out);
    const changes = changesOf(first);
    const at = (part: string): number => changes.findIndex(({ path }) => path.includes(part));
    places = { own: at('-0-acceptance-'), claimed: at('/home/'), out: at('-signature-share-') };
    expect(places.out).toBeGreaterThan(places.claimed);
    expect(places.claimed).toBeGreaterThan(places.own);

    const same = errand.restore();
    expect(await errand.round(same, 'one')).toMatchObject({ exit: 0 });
    told.note(errand.nonces, same.out);
    const other = errand.restore();
    expect(await errand.round(other, 'other')).toMatchObject({ exit: 77, code: 'E_NONCE_USED' });
    expect(sharesIn(other.out)).toEqual([]);
    expect(told.counts).toEqual([1]);
    everything.note(errand.nonces, first.out);

    await errand.unuse();
  });

  it('two processes that meet before they claim do not both sign', async () => {
    const both = [errand.restore(), errand.restore()];
    const answers: readonly Answer[] = ['one', 'other'];
    const plan = `meet:${places.own}`;
    const ends = both.map((each, i) => errand.start(each, answers[i] as Answer, plan));
    await meeting(both);
    const codes = (await Promise.all(ends)).map(({ code, output }) => {
      // SoftHSM fails, without a reason, for who logs in while another process writes to the token: then nothing is signed.
      if (code !== 0) expect(output).toMatch(/E_NONCE_USED|E_LOCKED|E_TOKEN_GENERAL_ERROR/);
      return code;
    });
    for (const each of both) assertSilent(each);
    expect(codes.filter((code) => code === 0).length).toBeLessThan(2);
    const told = new Told();
    for (const each of both) told.note(errand.nonces, each.out);
    // Who comes again finds what was decided.
    for (const [i, each] of both.entries()) {
      const again = await errand.round(each, answers[i] as Answer);
      expect(['done', 'E_NONCE_USED', 'E_SESSION_INCOMPLETE']).toContain(again.code);
      // Whoever said it already waits for the other party.
      if (again.code === 'E_SESSION_INCOMPLETE') expect(sharesIn(each.out)).toHaveLength(1);
      told.note(errand.nonces, each.out);
    }
    expect(told.counts.every((count) => count === 1)).toBe(true);
    await errand.unuse();
  });

  it('one that is ended between its claim and its output says that one thing, and no copy another', async () => {
    const steps = Array.from({ length: places.out - places.claimed + 1 }, (_, i) => i);
    // Before the mark in the home and after it; each costs a process.
    const chosen = spread(steps, 3).slice(thorough && name === 'folder' ? 0 : 1, 2);
    for (const step of chosen) {
      const killed = errand.restore();
      const ended = await errand.start(killed, 'one', `before:${places.claimed + step}`);
      expect(ended.signal, ended.output).toBe('SIGKILL');
      expect(sharesIn(killed.out)).toEqual([]);
      const told = new Told();
      const copy = errand.restore();
      const refused = await errand.round(copy, 'other');
      expect([step, refused.exit, refused.code]).toEqual([step, 77, 'E_NONCE_USED']);
      assertSilent(killed);
      const resumed = await errand.round(killed, 'one');
      expect([resumed.exit, resumed.message]).toEqual([0, '']);
      for (const { out } of [copy, killed]) told.note(errand.nonces, out);
      expect(told.counts).toEqual([1]);
      await errand.unuse();
    }
  });

  it('what is brought back after the end is not known any more', async () => {
    const late = [errand.restore(), errand.restore()];
    const ann = errand.restore();
    expect(await errand.round(ann, 'one')).toMatchObject({ exit: 0 });
    await errand.answered(here, ann);
    const signature = join(ann.folder, 'signature');
    expect(await errand.finish(ann, signature)).toMatchObject({ exit: 0 });
    const input = { key: KEY, in: join(here.net, `pay-by-${name}.txt`), signature };
    const { ok } = await (here.people[1] as Room['people'][number]).place.run(verify, input);
    expect(ok).toBe(true);
    for (const [i, answer] of (['one', 'other'] as const).entries()) {
      const each = late[i] as (typeof late)[number];
      expect(await errand.round(each, answer)).toMatchObject({
        exit: 66,
        code: 'E_MEMORY_MISSING',
      });
      expect(sharesIn(each.out)).toEqual([]);
    }
  });

  it('where the place is closed nothing is signed', async () => {
    const { code, exit } = await closed();
    const shut = await Errand.begin(here, `late-by-${name}`, KEY, second()).then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
    expect(shut).toContain(code);
    const where = errand.restore();
    expect(await errand.round(where, 'one')).toMatchObject({ exit, code });
    expect(sharesIn(where.out)).toEqual([]);
  });
}

/** Neither seeds, shares nor nonces of a process lie in clear where it worked, nor did it print any. */
function assertSilent(where: Restored): void {
  const { held, leaks } = leaksOf(where);
  expect(held).toBeGreaterThan(5);
  expect(leaks).toEqual([]);
}

/** What the program says of a place that is closed. */
interface Answered {
  readonly exit: number;
  readonly code: string;
}

describe('a folder on another medium', () => {
  const named = mkdtempSync(join(tmpdir(), 'conclave-memory-'));
  afterAll(() => {
    rmSync(named, { recursive: true, force: true });
  });
  promises(
    'folder',
    () => ({ named, args: [], env: {}, options: {} }),
    async () => {
      rmSync(named, { recursive: true });
      return { exit: 66, code: 'E_MEMORY_MISSING' };
    },
  );
});

const hasModule = await import('@napi-rs/keyring').then(
  () => true,
  () => false,
);
const realKeychain = keyringPrograms && needs('@napi-rs/keyring', hasModule, 'npm ci installs it');

describe.skipIf(!realKeychain)('the keychain of a desktop', () => {
  let keyring: Keyring;
  beforeAll(() => {
    keyring = startKeyring();
    forEverybody(keyring.env);
  });
  afterAll(() => {
    forNobody(keyring.env);
    keyring.stop();
  });
  const second = (): Second => ({
    named: 'keychain:keyring',
    args: [],
    env: keyring.env,
    options: {
      keychainClaims: async (backend) => await openKeychainClaims(backend ?? 'keyring'),
    },
  });
  promises('keychain', second, async () => {
    keyring.lock();
    return { exit: 77, code: 'E_KEYCHAIN_LOCKED' };
  });
});

describe.skipIf(!withSoftHsm)('a token', () => {
  let soft: SoftHsm;
  beforeAll(async () => {
    soft = softHsm();
    await soft.init('epochs');
  });
  afterAll(() => {
    soft[Symbol.dispose]();
  });
  let open = true;
  const second = (): Second => ({
    named: 'pkcs11:epochs',
    get args() {
      return ['--module', soft.library, ...(open ? ['--pin-file', soft.pinFile] : [])];
    },
    env: { SOFTHSM2_CONF: soft.configuration },
    options: { token: { module: soft.library, pinFile: soft.pinFile } },
  });
  promises('token', second, async () => {
    open = false;
    return { exit: 2, code: 'E_PIN_MISSING' };
  });
});
