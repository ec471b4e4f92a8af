/**
 * A signer that answers with prepared nonces is killed at every change of a file, and goes on; then the same pair is asked for
 * again, with what is left. Or two processes come to one batch at once. Of one pair there is never more than one output.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { thresholdPrepare } from '#actions/threshold-prepare';
import { thresholdSign } from '#actions/threshold-sign';
import { canonicalJson, type Json } from '#formats/canonical-json';
import { type FsPort, nodeFs } from '#host/fs-port';
import type { Change, Ended } from '../faults/session.js';
import { root, thorough } from '../support/require.js';
import { CHANGES } from './dying.js';
import { keyed, phase, room, type Room, startFile, type TestParty } from './party.js';

const MESSAGE = 'pay the miller';
const DIGEST = `sha256:${createHash('sha256').update(MESSAGE).digest('hex')}`;

let here: Room;
let ann: TestParty;
let ben: TestParty;
/** Ben's folder and the second place, as they were before. */
let before: string;
let memory: string;
/** The start message, and another that names the same pairs. */
let one: string;
let other: string;

/** From the n-th change on no call does anything any more. */
function killedAt(change: number, made: { count: number }): FsPort {
  const guarded = Object.entries(nodeFs).map(([name, call]) => [
    name,
    (...args: unknown[]) => {
      if (CHANGES.has(name)) made.count++;
      if (made.count > change) throw new Error('killed');
      return (call as (...all: unknown[]) => unknown)(...args);
    },
  ]);
  return Object.fromEntries(guarded) as unknown as FsPort;
}

beforeAll(async () => {
  here = await room(['Ann', 'Ben']);
  [ann, ben] = here.people as [TestParty, TestParty];
  await keyed(here, 2, 2, 'ristretto255');
  memory = mkdtempSync(join(tmpdir(), 'conclave-memory-'));
  const shelf = join(here.net, 'shelf');
  for (const { place, options } of [ann, ben]) {
    const make = { task: 'make', prepared: place.at('batch'), key: 'key-ristretto255', count: 1 };
    await place.run(thresholdPrepare, { ...make, memory, outDir: shelf }, options);
  }
  const message = join(here.net, 'message');
  writeFileSync(message, MESSAGE);
  one = join(here.net, 'one');
  other = join(here.net, 'other');
  const prepared = ann.place.at('batch');
  const begins = { key: 'key-ristretto255', message, batch: [shelf], prepared };
  await phase(thresholdSign, 'start', ann, one, begins);
  cpSync(one, other, { recursive: true });
  const start = JSON.parse(readFileSync(startFile(one), 'utf8')) as Record<string, Json>;
  start['session'] = 'ab'.repeat(32);
  writeFileSync(startFile(other), `${canonicalJson(start)}\n`);
  for (const name of readdirSync(other)) if (name.endsWith('.msg')) rmSync(join(other, name));
  before = mkdtempSync(join(tmpdir(), 'conclave-before-'));
  cpSync(ben.place.folder, join(before, 'ben'), { recursive: true });
  cpSync(memory, join(before, 'memory'), { recursive: true });
});
afterAll(() => {
  here.remove();
  for (const folder of [memory, before]) rmSync(folder, { recursive: true });
});

function restored(): void {
  for (const [from, to] of [
    ['ben', ben.place.folder],
    ['memory', memory],
  ] as const) {
    rmSync(to, { recursive: true });
    cpSync(join(before, from), to, { recursive: true });
  }
}

/** Locks of a process that is gone count for nothing; here the process lives on. */
function unlocked(): void {
  for (const folder of [ben.place.folder, memory]) {
    for (const path of readdirSync(folder, { recursive: true }) as string[]) {
      if (path.endsWith('lock')) rmSync(join(folder, path), { force: true });
    }
  }
}

const answer = (net: string, out: string, session: string, fs?: FsPort): Promise<unknown> =>
  phase(
    thresholdSign,
    'start',
    ben,
    net,
    {
      in: [net],
      expect: DIGEST,
      prepared: ben.place.at('batch'),
      outDir: out,
      session: ben.place.at(session),
    },
    fs === undefined ? {} : { fs },
  );

const shareIn = (folder: string): string | undefined => {
  if (!existsSync(folder)) return undefined;
  const name = readdirSync(folder).find((each) => each.includes('signature-share-from-2'));
  return name === undefined ? undefined : readFileSync(join(folder, name)).toString('hex');
};

it('whenever it is killed, one pair has one output', async () => {
  const whole = { count: 0 };
  await answer(one, join(ben.place.folder, 'out'), 'one', killedAt(Infinity, whole));
  const step = thorough ? 9 : 18;
  const seen = { lost: 0, resumed: 0, unused: 0 };
  let deaths = 0;
  for (let change = 0; change < whole.count; change += step) {
    restored();
    const out = ben.place.at('out');
    const killed = answer(one, out, 'one', killedAt(change, { count: 0 }));
    const died = await killed.then(
      () => false,
      () => true,
    );
    unlocked();
    const told = shareIn(out);
    // When all is said, only locks are let go of, and a lock that stays ends nothing.
    if (!died) expect(told).toBeDefined();
    else deaths++;
    // It goes on: the session says the same again, or there is none.
    const went = await phase(thresholdSign, 'round', ben, one, {
      session: ben.place.at('one'),
      outDir: out,
    }).then(
      () => 'on',
      ({ code }: { code?: string }) => code,
    );
    const first = shareIn(out);
    if (told !== undefined) expect(first).toBe(told);
    // And the pair is asked for again.
    const elsewhere = ben.place.at('elsewhere');
    const second = await answer(other, elsewhere, 'other').then(
      () => 'signed',
      ({ code }: { code?: string }) => code,
    );
    const outcome = { change, went, second };
    if (first !== undefined) {
      expect(outcome).toEqual({ change, went: 'on', second: 'E_BATCH_USED' });
      seen.resumed++;
    } else {
      expect(['E_SESSION_NOT_FOUND', 'E_SESSION_MALFORMED']).toContain(went);
      expect(['signed', 'E_BATCH_USED']).toContain(second);
      expect(shareIn(elsewhere) === undefined).toBe(second !== 'signed');
      seen[second === 'signed' ? 'unused' : 'lost']++;
    }
  }
  expect(seen.resumed).toBeGreaterThan(0);
  expect(seen.unused).toBeGreaterThan(0);
  expect(deaths).toBeGreaterThan(0.8 * Math.ceil(whole.count / step));
});

describe('two processes at one batch', () => {
  /** Where a process writes down what it did, and waits for the other. */
  const side = (session: string, name = ''): string =>
    join(ben.place.folder, `side-${session}`, name);
  const outOf = (session: string): string => ben.place.at(`out-${session}`);
  /** The change by which a process comes to hold the batch, and the first by which the pair leaves it. */
  let places: { readonly hold: number; readonly spend: number };

  /** Answers a start message in a process of its own, through the killer. */
  function start(session: string, plan: string): Promise<Ended> {
    mkdirSync(side(session), { recursive: true });
    const words = [
      ...['threshold', 'sign', 'start', '--in', session === 'one' ? one : other],
      ...['--expect', DIGEST, '--prepared', ben.place.at('batch')],
      ...['--session', ben.place.at(session), '--out-dir', outOf(session)],
      ...['--home', ben.place.at('home'), '--identity', ben.options.identity ?? ''],
      ...['--passphrase-file', join(here.net, 'passphrase'), '--json', '--no-input'],
    ];
    const killer = join(root, 'test/faults/killer.mjs');
    const child = spawn(process.execPath, [killer, plan, side(session), '--', ...words], {
      env: { PATH: process.env['PATH'], NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        resolve({ code, signal, output: Buffer.concat(chunks).toString('utf8') });
      });
    });
  }
  const waits = async (session: string): Promise<void> => {
    await vi.waitUntil(() => existsSync(side(session, 'here')), { timeout: 200_000, interval: 5 });
  };
  const goes = (session: string): void => {
    writeFileSync(side(session, 'go'), '');
  };
  const codeOf = ({ code, output }: Ended): string =>
    code === 0 ? 'signed' : ((JSON.parse(output) as { error: { code: string } }).error.code ?? '');

  beforeAll(async () => {
    const secret = join(here.net, 'passphrase');
    writeFileSync(secret, `${ben.options.passphrases?.[0] ?? ''}\n`, { mode: 0o600 });
    restored();
    expect(codeOf(await start('one', 'count'))).toBe('signed');
    const changes = JSON.parse(readFileSync(side('one', 'changes.json'), 'utf8')) as Change[];
    const at = (part: string): number => changes.findIndex(({ path }) => path.includes(part));
    places = { hold: at('/batch/lock'), spend: at('/batch/.state') };
    expect(places.spend).toBeGreaterThan(places.hold);
    expect(places.hold).toBeGreaterThan(0);
  });

  it('that come to it at the same time do not both sign', async () => {
    restored();
    const ends = ['one', 'other'].map((session) => start(session, `meet:${places.hold}`));
    await Promise.all(['one', 'other'].map(waits));
    for (const session of ['one', 'other']) goes(session);
    const codes = (await Promise.all(ends)).map(codeOf);
    expect(codes.filter((code) => code === 'signed')).toHaveLength(1);
    expect(['E_LOCKED', 'E_BATCH_USED']).toContain(codes.find((code) => code !== 'signed'));
    const shares = ['one', 'other'].map((session) => shareIn(outOf(session)) !== undefined);
    expect(shares).toEqual(codes.map((code) => code === 'signed'));
  });

  it('of which one holds it: the other is told to come again, and then that the pair is gone', async () => {
    restored();
    const first = start('one', `meet:${places.spend}`);
    await waits('one');
    expect(codeOf(await start('other', 'count'))).toBe('E_LOCKED');
    goes('one');
    expect(codeOf(await first)).toBe('signed');
    expect(codeOf(await start('other', 'count'))).toBe('E_BATCH_USED');
    expect([shareIn(outOf('one')), shareIn(outOf('other'))]).toEqual([
      expect.any(String),
      undefined,
    ]);
  });
});
