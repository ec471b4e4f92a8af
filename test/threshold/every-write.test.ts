/**
 * Whoever signs, or prepares nonces, is killed at every write at which the disk is another one, and goes on: what was said is
 * said again and nothing else, and of one pair of nonces there is one output, whatever a copy is asked for first.
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thresholdPrepare } from '#actions/threshold-prepare';
import { thresholdSign } from '#actions/threshold-sign';
import type { FsPort } from '#host/fs-port';
import { spread, thorough } from '../support/require.js';
import { killedAfter, Snapshot, unlock, watched } from './dying.js';
import { keyed, phase, room, type Room, startFile, type TestParty } from './party.js';
import { nonceFile, saidOtherwise, sharesIn } from './remembering.js';

const MESSAGE = 'pay the miller';
const DIGEST = `sha256:${createHash('sha256').update(MESSAGE).digest('hex')}`;
const KEY = 'key-ristretto255';

let here: Room;
let ann: TestParty;
let ben: TestParty;
let memory: string;
/** All that Ann's process can change. */
let own: readonly string[];

beforeAll(async () => {
  here = await room(['Ann', 'Ben']);
  [ann, ben] = here.people as [TestParty, TestParty];
  await keyed(here, 2, 2, 'ristretto255');
  memory = mkdtempSync(join(tmpdir(), 'conclave-memory-'));
  own = [ann.place.folder, memory];
  writeFileSync(join(here.net, 'message'), MESSAGE);
});
afterAll(() => {
  here.remove();
  rmSync(memory, { recursive: true });
});

/** Files of a folder by their names. */
const filesIn = (folder: string): ReadonlyMap<string, Buffer> =>
  new Map(
    (existsSync(folder) ? readdirSync(folder) : [])
      .filter((name) => !name.startsWith('.'))
      .map((name) => [name, readFileSync(join(folder, name))]),
  );

const codeOf = async (what: Promise<unknown>): Promise<string> =>
  await what.then(
    () => 'done',
    (error: unknown) => (error as { code?: string; message: string }).code ?? 'killed',
  );

/**
 * Does something once undisturbed, and then again and again, killed at each place.
 * @param act - on this disk
 * @param after - looks at what is left, locks taken away
 * @returns at how many places
 */
async function killed(
  act: (fs?: FsPort) => Promise<unknown>,
  after: (place: number) => Promise<void>,
): Promise<number> {
  using before = new Snapshot(own, mkdtempSync(join(tmpdir(), 'conclave-before-')));
  const whole = watched(own);
  expect(await codeOf(act(whole.fs))).toMatch(/^(?:done|E_SESSION_INCOMPLETE)$/);
  using done = new Snapshot(own, mkdtempSync(join(tmpdir(), 'conclave-done-')));
  for (const place of spread(whole.places, thorough ? Infinity : 4)) {
    before.restore();
    await codeOf(act(killedAfter(place)));
    unlock(own);
    await after(place);
  }
  done.restore();
  return whole.places.length;
}

describe('a signer with a second place', () => {
  const net = (name = 'pay'): string => join(here.net, name);
  const out = (): string => ann.place.at('out');
  const sign = (
    name: 'start' | 'round' | 'finish',
    more: Readonly<Record<string, unknown>> = {},
    fs?: FsPort,
  ): Promise<unknown> => {
    const input = { outDir: out(), session: ann.place.at('session'), ...more };
    return phase(thresholdSign, name, ann, net(), input, fs === undefined ? {} : { fs });
  };
  const bens = async (name: 'start' | 'round', more: Readonly<Record<string, unknown>>) =>
    await phase(thresholdSign, name, ben, net(), { session: ben.place.at('session-pay'), ...more });

  it('begins one session, and tells its start message and its acceptance', async () => {
    const begins = { key: KEY, message: join(here.net, 'message'), quorum: '1,2', memory };
    const places = await killed(
      (fs) => sign('start', begins, fs),
      async (place) => {
        const early = filesIn(out());
        const again = await codeOf(sign('start', begins));
        if (again === 'E_SESSION_EXISTS') {
          expect([place, await codeOf(sign('round', { in: [] }))]).toEqual([
            place,
            'E_SESSION_INCOMPLETE',
          ]);
        } else expect([place, again]).toEqual([place, 'done']);
        const now = filesIn(out());
        expect([place, [...now.keys()].map((each) => each.slice(8)).sort()]).toEqual([
          place,
          ['-0-acceptance-from-1.json', '-start.json'],
        ]);
        for (const [file, bytes] of early) expect(now.get(file)).toEqual(bytes);
      },
    );
    expect(places).toBeGreaterThan(5);
    await bens('start', { in: [startFile(out())], expect: DIGEST });
  });

  it('says its nonces once', async () => {
    const given = { in: [net()] };
    let said: ReadonlyMap<string, Buffer> | undefined;
    const places = await killed(
      async (fs) => {
        await sign('round', given, fs);
        said ??= filesIn(out());
      },
      async (place) => {
        // Whoever said it already waits for the other party.
        const again = await codeOf(sign('round', given));
        expect([place, again]).toEqual([place, expect.stringMatching(/^done$|INCOMPLETE$/)]);
        expect(filesIn(out())).toEqual(said);
      },
    );
    expect(places).toBeGreaterThan(2);
    await bens('round', { in: [net(), out()] });
  });

  it('signs over one set of commitments, whatever a copy of before is asked first', async () => {
    const others = net('other');
    cpSync(net(), others, { recursive: true });
    // Ben has signed over what he said first; over the other he would sign later.
    for (const name of readdirSync(others)) {
      if (name.includes('-signature-share-')) rmSync(join(others, name));
    }
    const nonces = nonceFile(others);
    writeFileSync(join(others, nonces), await saidOtherwise(ben, others, 'pay'));
    using before = new Snapshot(own, mkdtempSync(join(tmpdir(), 'conclave-brought-')));
    using left = {
      folder: mkdtempSync(join(tmpdir(), 'conclave-left-')),
      [Symbol.dispose]() {
        rmSync(this.folder, { recursive: true });
      },
    };
    const seen = { claimed: 0, free: 0 };
    const places = await killed(
      (fs) => sign('round', { in: [net()] }, fs),
      async (place) => {
        // All of Ann's home is brought back from before, and only the second place is as it was left.
        const shares = new Set(sharesIn(out()));
        rmSync(left.folder, { recursive: true });
        cpSync(ann.place.folder, join(left.folder, 'ann'), { recursive: true });
        cpSync(memory, join(left.folder, 'memory'), { recursive: true });
        before.restore();
        rmSync(memory, { recursive: true });
        cpSync(join(left.folder, 'memory'), memory, { recursive: true });
        const copy = await codeOf(sign('round', { in: [others] }));
        for (const share of sharesIn(out())) shares.add(share);
        rmSync(ann.place.folder, { recursive: true });
        cpSync(join(left.folder, 'ann'), ann.place.folder, { recursive: true });
        const went = await codeOf(sign('round', { in: [net()] }));
        for (const share of sharesIn(out())) shares.add(share);
        expect([place, copy, went, shares.size]).toEqual([place, copy, went, 1]);
        if (copy === 'done') {
          expect([place, went]).toEqual([place, 'E_NONCE_USED']);
          seen.free++;
        } else {
          expect([place, copy]).toEqual([place, 'E_NONCE_USED']);
          expect([place, went]).toEqual([place, expect.stringMatching(/^done$|INCOMPLETE/)]);
          seen.claimed++;
        }
      },
    );
    expect(places).toBeGreaterThan(5);
    expect(Math.min(seen.claimed, seen.free)).toBeGreaterThan(0);
    await bens('round', { in: [net(), out()] });
  });

  it('ends with the signature, and is known nowhere any more', async () => {
    const signature = (): string => ann.place.at('signature');
    const given = { in: [net()], out: signature() };
    let wanted: Buffer | undefined;
    const places = await killed(
      async (fs) => {
        await sign('finish', given, fs);
        wanted ??= readFileSync(signature());
      },
      async (place) => {
        const again = await codeOf(sign('finish', given));
        expect([place, again]).toEqual([place, expect.stringMatching(/^done$|_NOT_FOUND$/)]);
        expect([place, readFileSync(signature()).equals(wanted ?? Buffer.alloc(0))]).toEqual([
          place,
          true,
        ]);
        const session = ann.place.at('session');
        expect(['key', 'state'].filter((name) => existsSync(join(session, name)))).toEqual([]);
      },
    );
    expect(places).toBeGreaterThan(7);
    expect(readdirSync(memory).filter((name) => !name.endsWith('lock'))).toEqual([]);
  });
});

describe('whoever prepares nonces', () => {
  const prepare = async (
    task: string,
    more: Readonly<Record<string, unknown>> = {},
    fs?: FsPort,
  ): Promise<unknown> =>
    await ann.place.run(
      thresholdPrepare,
      {
        ...{ task, prepared: ann.place.at('batch'), key: KEY, count: 1, memory },
        ...{ outDir: ann.place.at('shelf'), ...more },
      },
      { ...ann.options, ...(fs === undefined ? {} : { fs }) },
    );

  it('has no batch, or one whose public file can be had', async () => {
    const seen = { none: 0, kept: 0 };
    const places = await killed(
      (fs) => prepare('make', {}, fs),
      async (place) => {
        const again = await codeOf(prepare('make'));
        if (again === 'done') seen.none++;
        else {
          expect([place, again]).toEqual([place, 'E_SESSION_EXISTS']);
          expect(await codeOf(prepare('public'))).toBe('done');
          seen.kept++;
        }
        const [file, ...more] = [...filesIn(ann.place.at('shelf')).keys()];
        expect([place, file, more]).toEqual([
          place,
          expect.stringContaining('-batch-of-1.cbor'),
          [],
        ]);
        expect(await codeOf(prepare('list'))).toBe('done');
      },
    );
    expect(places).toBeGreaterThan(5);
    expect(Math.min(seen.none, seen.kept)).toBeGreaterThan(0);
  });

  it('ends it for good, in the second place first', async () => {
    const known = (): readonly string[] =>
      readdirSync(memory).filter((name) => name.startsWith('session-'));
    expect(known()).toHaveLength(1);
    const places = await killed(
      (fs) => prepare('end', {}, fs),
      async (place) => {
        expect([place, await codeOf(prepare('end'))]).toEqual([
          place,
          expect.stringMatching(/^done$|_NOT_FOUND$/),
        ]);
        expect([place, known()]).toEqual([place, []]);
        expect([place, await codeOf(prepare('list'))]).toEqual([place, 'E_SESSION_NOT_FOUND']);
      },
    );
    expect(places).toBeGreaterThan(4);
  });
});
