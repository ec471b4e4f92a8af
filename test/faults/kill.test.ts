/**
 * Signal 9 at every change to the disk: a session that is then resumed ends well, says that there was a gap, has lost no
 * key that anybody was told to rely on, and at no moment had a secret in clear on the disk. What the signal leaves is the disk
 * of that moment, so one run is recorded, and its disks are gone on from; at some of the places a process really dies.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Entry } from '#script/entries';
import { formsIn } from '../support/canary.js';
import { root, spread, thorough } from '../support/require.js';
import { type Change, type Ended, KilledSession, type KnownSecret, type Place } from './session.js';

// Places of one run are tried side by side in one process: each waits for all others.
vi.setConfig({ testTimeout: 600_000 });

const work = mkdtempSync(join(tmpdir(), 'conclave-kill-'));
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

/**
 * Every place where the process can die with a different disk: before each change, and half-way through some writes. A new
 * file that is half written has no name yet and is swept away whatever it holds, so one of those will do; of the journal's
 * lines a few, since test/ceremony tears each of them.
 */
function placesOf(changes: readonly Change[]): readonly Place[] {
  const numbers = changes.map((_, n) => n);
  const tearable = numbers.filter((n) => {
    const { operation, bytes } = changes[n] as Change;
    return operation === 'write' && bytes > 1;
  });
  const lines = tearable.filter((n) => changes[n]?.path.endsWith('journal.jsonl') === true);
  const torn = new Set([...tearable.slice(0, 1), ...spread(lines, 9)]);
  return numbers.flatMap((n): Place[] =>
    torn.has(n) ? [`before:${n}`, `torn:${n}`] : [`before:${n}`],
  );
}

/** Secrets found in what was on a disk. The slips that hand passphrases to made-up people hold them, and nothing else may. */
function leaks(
  disk: ReadonlyMap<string, Buffer>,
  secrets: readonly KnownSecret[],
): readonly string[] {
  const everything = Buffer.concat([...disk.values()]);
  return (
    secrets
      // The nothing that is shared when shares are changed is held like a secret, and is in every first entry of a chain.
      .filter(({ bytes }) => bytes.length >= 16 && bytes.some((byte) => byte !== 0))
      .flatMap(({ label, bytes }) => {
        if (formsIn(everything, bytes).length === 0) return [];
        return [...disk]
          .filter(([path, content]) => {
            const slip = /^session\/handouts\//.test(path) && label.startsWith('passphrase');
            return !slip && formsIn(content, bytes).length > 0;
          })
          .map(([path]) => `${label} in ${path}`);
      })
  );
}

/** Private keys that are not sealed, whoever made them. */
function clearKeys(disk: ReadonlyMap<string, Buffer>): readonly string[] {
  return [...disk]
    .filter(([, content]) =>
      /-----BEGIN (?:[A-Z0-9]+ )?PRIVATE KEY-----/.test(content.toString('latin1')),
    )
    .filter(([, content]) => !content.includes('-----BEGIN CONCLAVE PRIVATE KEY-----'))
    .map(([path]) => path);
}

interface Made {
  readonly reference: unknown;
  readonly id: unknown;
}

/** Keys that the journal says were made, in order. */
function keysMade(entries: readonly Entry[]): readonly Made[] {
  return entries.flatMap((entry) =>
    entry.type === 'event' && entry.data.event === 'key.added'
      ? [
          {
            reference: entry.data.data['reference'],
            id: (entry.data.data['record'] as { readonly id?: unknown } | null)?.id,
          },
        ]
      : [],
  );
}

/** Paths, without what chance put into them. */
function pathsOf(disk: ReadonlyMap<string, Buffer>): readonly string[] {
  return [...disk.keys()].map((path) => path.replaceAll(/[0-9a-f]{8,}/g, '*')).sort();
}

/** Everything that is wrong with one killed and resumed session. */
async function problemsAt(run: Run, place: Place, signalled: boolean): Promise<readonly string[]> {
  const problems: string[] = [];
  let session = run.session.at(place, mkdtempSync(join(work, 'place-')));
  const start = [...run.ceremony, '--out-dir', session.folder];
  if (signalled) {
    const kept = pathsOf(session.snapshot());
    session = new KilledSession(mkdtempSync(join(work, 'signal-')));
    start.splice(-1, 1, session.folder);
    const killed = await session.run(place, start);
    if (killed.signal !== 'SIGKILL') return [`was not killed: ${killed.code}\n${killed.output}`];
    const left = pathsOf(session.snapshot());
    if (left.join() !== kept.join())
      problems.push(`the signal leaves ${left.join()}, recorded was ${kept.join()}`);
  }
  const atKill = session.snapshot();
  const before = session.entries();
  problems.push(...leaks(atKill, session.secrets()).map((leak) => `at the kill: ${leak}`));
  problems.push(...clearKeys(atKill).map((path) => `at the kill: a key in clear in ${path}`));

  // A session of which nothing is written yet begins again; any other is resumed.
  const resumed = await session.goOn(before.length === 0 ? start : [...start, '--resume']);
  if (resumed.code !== 0)
    return [...problems, `resuming ended with ${resumed.code}\n${resumed.output}`];
  const verified = await session.goOn(['verify', session.folder, '--allow-unpinned']);
  if (verified.code !== 0) problems.push(`verify ended with ${verified.code}\n${verified.output}`);

  const after = session.entries();
  for (const [seq, { type }] of before.entries()) {
    if (after[seq]?.type !== type) problems.push(`entry ${seq} changed from ${type}`);
  }
  const open = before.length > 0 && before.at(-1)?.type !== 'session.closed';
  const told = after.filter(({ type }) => type === 'session.resumed');
  if (open && told.length !== 1) problems.push(`${told.length} entries tell of the gap`);
  if (open && !/resumed|gap|interrupted/i.test(verified.output)) {
    problems.push(`verify does not speak of the gap\n${verified.output}`);
  }

  // Once a step said that it had sealed the shares, people relied on that key.
  const relied = before.some(
    ({ type, data }) => type === 'step.finished' && 'step' in data && data.step === 'split',
  );
  const [first] = keysMade(before);
  const last = keysMade(after).at(-1);
  const retired = after.flatMap((entry) =>
    entry.type === 'key.retired' ? [entry.data.keyId] : [],
  );
  if (relied && first?.id !== last?.id)
    problems.push('a key that was relied on is another one now');
  if (first !== undefined && first.id !== last?.id && !retired.includes(String(first.id))) {
    problems.push('the abandoned key is not recorded as retired');
  }

  const atEnd = session.snapshot();
  problems.push(
    ...leaks(atKill, session.secrets()).map((leak) => `at the kill, known later: ${leak}`),
  );
  problems.push(...leaks(atEnd, session.secrets()).map((leak) => `at the end: ${leak}`));
  problems.push(...clearKeys(atEnd).map((path) => `at the end: a key in clear in ${path}`));
  rmSync(join(session.disk, '..'), { recursive: true, force: true });
  return problems;
}

/** One uninterrupted run, which says at which places a process can die, and what is on the disk there. */
interface Run {
  readonly ceremony: readonly string[];
  readonly ended: Ended;
  readonly changes: readonly Change[];
  readonly session: KilledSession;
}

/** These places with their names, each run once; at some of them a process of its own really dies. */
function tried(places: readonly Place[], changes: readonly Change[], signals: number) {
  const signalled = new Set(spread(places, signals));
  return places.map((place) => [named(place, changes), place, signalled.has(place)] as const);
}

async function recorded(ceremony: readonly string[]): Promise<Run> {
  const session = new KilledSession(mkdtempSync(join(work, 'whole-')));
  const ended = await session.run('record', [...ceremony, '--out-dir', session.folder]);
  const changes = ended.code === 0 ? session.changes() : [];
  return { ceremony, ended, changes, session };
}

/** A place as a test name says it. */
function named(place: Place, changes: readonly Change[]): string {
  const { operation, path } = changes[Number(place.split(':')[1])] as Change;
  const file = basename(path).replace(/\.conclave-[0-9a-f]+\.tmp$/, ' (new)');
  return `${place} ${operation} ${file}`;
}

const quickstart = ['run', 'quickstart'];
const ofQuickstart = await recorded(quickstart);

describe('quickstart, ended by signal 9', () => {
  const { ended, changes, session } = ofQuickstart;
  const all = placesOf(changes);
  const places = thorough ? all : spread(all, 12);

  it('changes the disk in a way that can be counted, and leaves no secret when nothing happens', () => {
    expect(ended.code, ended.output).toBe(0);
    expect(changes.length).toBeGreaterThan(40);
    // The search for secrets is worth nothing if it knows none: the key itself must be among them.
    expect(session.secrets().some(({ bytes }) => bytes.length === 64)).toBe(true);
    expect(leaks(session.snapshot(), session.secrets())).toEqual([]);
    expect(clearKeys(session.snapshot())).toEqual([]);
  });

  it.concurrent.each(tried(places, changes, thorough ? 16 : 4))(
    'goes on after %s',
    async (_name, place, signalled) => {
      expect(await problemsAt(ofQuickstart, place, signalled)).toEqual([]);
    },
  );
});

const rootKey = [
  ...['run', 'root-key', '--rehearse'],
  ...['--answers', join(root, 'ceremonies/answers/root-key.yaml')],
];
const ofRootKey = await recorded(rootKey);

describe('root-key in rehearsal, ended by signal 9', () => {
  const { ended, changes } = ofRootKey;
  const places = spread(placesOf(changes), thorough ? 50 : 4);

  it('runs to its end when nothing happens', () => {
    expect(ended.code, ended.output).toBe(0);
  });

  it.concurrent.each(tried(places, changes, thorough ? 50 : 2))(
    'goes on after %s',
    async (_name, place, signalled) => {
      expect(await problemsAt(ofRootKey, place, signalled)).toEqual([]);
    },
  );
});

const refresh = [
  ...['run', 'refresh-shares', '--rehearse'],
  ...['--answers', join(root, 'ceremonies/answers/refresh-shares.yaml')],
];
const ofRefresh = await recorded(refresh);

describe('refresh-shares in rehearsal, ended by signal 9', () => {
  const { ended, changes, session } = ofRefresh;
  // Where the new set is being written is where a half-done refresh could be taken for a whole one.
  const all = placesOf(changes);
  const writing = all.filter((place) => named(place, changes).match(/share-\d|set\.json/) !== null);
  const places = thorough
    ? [...new Set([...spread(all, 9), ...spread(writing, 6)])]
    : [...new Set([...spread(all, 3).slice(1, 2), ...spread(writing, 3)])];

  it('runs to its end when nothing happens', () => {
    expect(ended.code, ended.output).toBe(0);
    expect(writing.length).toBeGreaterThan(10);
    expect(leaks(session.snapshot(), session.secrets())).toEqual([]);
  });

  it.concurrent.each(tried(places, changes, thorough ? 4 : 2))(
    'goes on after %s',
    async (_name, place, signalled) => {
      expect(await problemsAt(ofRefresh, place, signalled)).toEqual([]);
    },
  );
});

const byokWrap = [
  ...['run', 'byok-wrap', '--rehearse'],
  ...['--answers', join(root, 'ceremonies/answers/byok-wrap.yaml')],
  ...['--param', `recipient=${join(root, 'ceremonies/answers/byok-wrap/recipient.pub')}`],
];
const ofByokWrap = await recorded(byokWrap);

describe('byok-wrap in rehearsal, ended by signal 9', () => {
  const { ended, changes, session } = ofByokWrap;
  const all = placesOf(changes);
  // Between the container, its statement and the wiping of the key.
  const wrapping = all.filter((place) => /byok\.wrapped/.test(named(place, changes)));
  const places = thorough
    ? [...new Set([...spread(all, 4), ...spread(wrapping, 4)])]
    : spread(wrapping, 2);

  it('runs to its end when nothing happens', () => {
    expect(ended.code, ended.output).toBe(0);
    expect(wrapping.length).toBeGreaterThan(3);
    expect(leaks(session.snapshot(), session.secrets())).toEqual([]);
  });

  it.concurrent.each(tried(places, changes, 2))(
    'goes on after %s',
    async (_name, place, signalled) => {
      expect(await problemsAt(ofByokWrap, place, signalled)).toEqual([]);
    },
  );
});

describe('the search for secrets', () => {
  it('finds one in any file, in any form, but on the slip that is meant to hold it', () => {
    const bytes = new Uint8Array(32).map((_, i) => 7 * i + 3);
    const secret = { label: 'seed', bytes };
    const passphrase = { label: 'passphrase of witness', bytes: Buffer.from('abcde-fghij-klmno') };
    const disk = (path: string, text: string | Buffer): ReadonlyMap<string, Buffer> =>
      new Map([[path, Buffer.concat([Buffer.from('before '), Buffer.from(text)])]]);
    const hex = Buffer.from(bytes).toString('hex');
    expect(leaks(disk('session/journal.jsonl', hex), [secret])).toHaveLength(1);
    expect(leaks(disk('home/x', Buffer.from(bytes)), [secret])).toHaveLength(1);
    expect(leaks(disk('home/x', Buffer.from(bytes).toString('base64url')), [secret])).toHaveLength(
      1,
    );
    expect(leaks(disk('session/handouts/witness.txt', hex), [secret])).toHaveLength(1);
    expect(leaks(disk('session/minutes.md', 'abcde-fghij-klmno'), [passphrase])).toHaveLength(1);
    expect(leaks(disk('session/handouts/witness.txt', 'abcde-fghij-klmno'), [passphrase])).toEqual(
      [],
    );
    expect(leaks(disk('home/x', 'nothing'), [secret, passphrase])).toEqual([]);
    expect(clearKeys(disk('home/x', '-----BEGIN PRIVATE KEY-----'))).toHaveLength(1);
  });
});
