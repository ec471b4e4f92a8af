/**
 * The cage with people: three cards of five, a request that was changed on the way, a card that nobody asked for, faults on
 * purpose and the power gone. What is left is read by ours and by the second verifier, in plain Python.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import { hasProgram, needs, root, thorough } from '../support/require.js';
import { type Checked, checkSession, problemsOf } from './evidence.js';
import { type Change, Disk, place, lastEntry } from './memory-host.js';
import { butFor, type Player, type PlayedTerminal, playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const python = needs('python3', hasProgram('python3'), 'the second verifier is written in it');
const OUT = '/out';
const answersFolder = join(root, 'ceremonies/answers');
const AUDITORS = 'sha256:ca96eca78cb34428617b4c7a51a520222b7e9ec3e0a421fbe91e2dde3f986887';
const input = {
  ceremony: 'cold-sign',
  outDir: OUT,
  rehearse: true,
  param: [
    'request=/people/release.request',
    'set=/people/set.json',
    'auditors=/people/auditors.pub',
  ],
} as const;

/** Per custodian: the code of the card as a scanner types it. */
const codes = new Map<string, string>();
/** Who came. */
const HERE = ['custodian-1', 'custodian-3', 'custodian-4'];
let room: Disk;
/** The disk when the shares were about to be opened, after the first run came by. */
let ready: Disk | undefined;
/** The disk when the trace was written and the signature was not. */
let killed: Disk | undefined;
let done: Disk;
let checked: Checked;
let terminal: PlayedTerminal;
let work: string;

/** Everybody does what the script wants; the order of the cards is the caller's. */
function people(cards: readonly string[], words = cards): Player {
  let scanned = 0;
  return ({ kind, key, choices }) => {
    const who = key.split('/')[2] ?? '';
    if (key.startsWith('request/attendance/')) return HERE.includes(who) ? 'here' : 'absent';
    if (key.startsWith('request/approve/')) return HERE.includes(who);
    if (key === 'request/arrive') return 'medium';
    if (/^seal\/[a-z]+-digest$/.test(key)) return AUDITORS;
    if (!key.startsWith('sign/prove')) return undefined;
    if (kind === 'choose') return choices.includes('keyboard') ? 'keyboard' : undefined;
    if (kind === 'text') return codes.get(cards[scanned++] ?? '');
    if (kind !== 'secret') return undefined;
    return words.includes(who)
      ? readFileSync(join(answersFolder, `root-key/${who}.txt`), 'utf8').trim()
      : '';
  };
}

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'conclave-cage-'));
  room = new Disk();
  furnish(room);
  room.folders.add('/people');
  const bring = (name: string, from: string): void => {
    place(room, `/people/${name}`, readFileSync(join(answersFolder, from)));
  };
  bring('release.request', 'cold-sign/release.request');
  bring('set.json', 'refresh-shares/set.json');
  bring('auditors.pub', 'byok-wrap/recipient.pub');
  const answers = readFileSync(join(answersFolder, 'cold-sign.yaml'), 'utf8');
  const scanned = [...answers.matchAll(/text: (UR:CONCLAVE-FILE\/[A-Z]+)$/gm)].map(
    (match) => match[1] ?? '',
  );
  HERE.forEach((who, i) => codes.set(who, scanned[i] ?? ''));
  expect(scanned).toHaveLength(3);

  done = room.copy();
  terminal = playedTerminal(people(HERE));
  const after = (change: Change, now: Disk): void => {
    if (lastEntry(change, now).includes('"step":"opened-bag"')) ready = now.copy();
    if (change.call === 'write' && change.path.endsWith('signature.trace')) killed = now.copy();
  };
  const context = await roomContext(done, { terminal, host: { faults: { after } } });
  expect(await runIn(context, input)).toMatchObject({ ok: true, mode: 'rehearsal' });
  checked = await checkSession(done, OUT, await context.catalogue());
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

/** Goes on where the shares are about to be opened. */
async function goOn(disk: Disk, player: Player, inject: readonly string[] = []) {
  const context = await roomContext(disk, { terminal: playedTerminal(player) });
  const result = await runIn(context, { ceremony: OUT, outDir: OUT, resume: true, inject });
  return { result, checked: await checkSession(disk, OUT, await context.catalogue()) };
}

/** A witness reads another digest on the other laptop: it ends there, and neither signature nor trace goes anywhere. */
async function differs(disk: Disk, key: string): Promise<void> {
  const { result, checked: found } = await goOn(disk, butFor(people(HERE), key, 'no'));
  expect(result).toMatchObject({ ok: false, outcome: 'aborted' });
  // What was recorded holds, that it was aborted with it.
  expect(problemsOf(found.verdict)).toEqual([]);
  const [, step = '', witness = ''] = key.split('/');
  expect(found.of('step.failed').map(({ data }) => data)).toMatchObject([{ step, then: 'abort' }]);
  expect(JSON.stringify(found.of('session.closed')[0]?.data)).toContain(
    `${witness} reads something else`,
  );
  expect(found.of('event').filter(({ data }) => data.event === 'qr.shown')).toEqual([]);
  expect(disk.files.has(`${OUT}/artifacts/trace.wrapped`)).toBe(false);
  // It is over: nothing goes on from there.
  const { result: again } = await goOn(disk, people(HERE));
  expect(again).toMatchObject({ ok: false, outcome: 'aborted' });
}

const before = (): Disk => {
  if (ready === undefined) throw new Error('the moment was missed');
  return ready.copy();
};

describe('cold-sign', () => {
  it('leaves a record that holds, with the digest that the second device says', () => {
    expect(problemsOf(checked.verdict)).toEqual([]);
    const [signature] = [done.files.get(`${OUT}/artifacts/signature`)];
    const digest = `sha256:${toHex(sha256(signature ?? new Uint8Array(0)))}`;
    const [proven] = checked.of('event').filter(({ data }) => data.event === 'trace.proven');
    expect(proven?.data.data).toMatchObject({ quorum: '1, 3, 4', signature: digest });
    expect(terminal.shown.filter((text) => text.includes(digest)).length).toBeGreaterThan(1);
    expect(checked.of('event').filter(({ data }) => data.event === 'quorum.agreed')).toHaveLength(
      1,
    );
    const moved = checked.of('event').filter(({ data }) => data.event.startsWith('qr.'));
    expect(moved.map(({ data }) => [data.event, data.data['way'], data.data['sha256']])).toEqual([
      ['qr.scanned', 'medium', proven?.data.data['request']],
      ['qr.shown', 'code', digest],
    ]);
    // Whose trace it is the auditors see with their key alone: what leaves is a container.
    expect(done.files.get(`${OUT}/artifacts/trace.wrapped`)).toBeDefined();
  });

  it.runIf(python)('is a good record for the second verifier too, and a changed one is not', () => {
    for (const [path, bytes] of done.files) {
      if (!path.startsWith(`${OUT}/`)) continue;
      const at = join(work, path);
      mkdirSync(dirname(at), { recursive: true });
      writeFileSync(at, bytes);
    }
    const verify = () =>
      spawnSync(
        'python3',
        ['-B', join(root, 'test/independent/verify_transcript.py'), join(work, OUT)],
        {
          encoding: 'utf8',
        },
      );
    const good = verify();
    expect(good.status, good.stdout + good.stderr).toBe(0);
    expect(good.stdout).toContain('REHEARSAL');
    writeFileSync(join(work, OUT, 'artifacts/signature'), 'another');
    expect(verify().status).toBe(1);
  });

  it('keeps nothing that opens a share, and no card', () => {
    const own = [...done.files].filter(([path]) => path.startsWith(OUT));
    for (const who of HERE) {
      const read = (path: string) => readFileSync(join(answersFolder, path));
      const words = read(`root-key/${who}.txt`).toString().trim();
      const card = read(`refresh-shares/share-${who.slice(-1)}.cbor`).subarray(-64);
      for (const [path, bytes] of own) {
        expect(Buffer.from(bytes).includes(words), path).toBe(false);
        expect(Buffer.from(bytes).includes(card), path).toBe(false);
      }
    }
  });

  it('signs no other request than the one that was approved', async () => {
    const disk = before();
    const path = `${OUT}/artifacts/request`;
    const other = Buffer.from(disk.files.get(path) ?? []);
    other.write('release 9.9\n', other.indexOf('release 1.2\n'), 'latin1');
    place(disk, path, other);
    const { result, checked: found } = await goOn(disk, people(HERE));
    expect(result.ok).toBe(false);
    const [failed] = found.of('step.failed');
    expect(failed?.data).toMatchObject({ step: 'prove', then: 'abort' });
    expect(disk.files.has(`${OUT}/artifacts/signature`)).toBe(false);
  });

  it.runIf(thorough)(
    'goes on after the power went with the trace on the disk and the signature not',
    async () => {
      if (killed === undefined) throw new Error('the moment was missed');
      expect(killed.files.has(`${OUT}/artifacts/signature.trace`)).toBe(true);
      expect(killed.files.has(`${OUT}/artifacts/signature`)).toBe(false);
      const { result, checked: found } = await goOn(killed.copy(), people(HERE));
      expect(result).toMatchObject({ ok: true, resumed: 1 });
      expect(problemsOf(found.verdict)).toEqual([]);
    },
  );

  it.runIf(thorough)(
    'makes equal files on two laptops where it is run twin, and ends where a witness finds another digest',
    async () => {
      const disk = room.copy();
      let other: Disk | undefined;
      let compared: Disk | undefined;
      const after = (change: Change, now: Disk): void => {
        const last = lastEntry(change, now);
        if (last.includes('"step":"opened-bag"')) other = now.copy();
        if (last.includes('"step":"signed-digest"')) compared ??= now.copy();
      };
      const played = playedTerminal(people(HERE));
      const context = await roomContext(disk, { terminal: played, host: { faults: { after } } });
      const asked = { ...input, param: [...input.param, 'twin=true'] };
      expect(await runIn(context, asked)).toMatchObject({ ok: true });
      if (other === undefined || compared === undefined) throw new Error('the moment was missed');
      const { result, checked: found } = await goOn(other, people(HERE));
      expect(result).toMatchObject({ ok: true });
      expect(problemsOf(found.verdict)).toEqual([]);
      for (const name of ['signature', 'signature.trace']) {
        const [one, two, alone] = [disk, other, done].map((each) =>
          toHex(sha256(each.files.get(`${OUT}/artifacts/${name}`) ?? new Uint8Array(0))),
        );
        expect(two, name).toBe(one);
        // Without twins the coins are others, and the signature is made without any.
        expect(alone === one, name).toBe(name === 'signature');
      }
      const heard = played.asked.filter(({ key }) => key.startsWith('sign/twin/'));
      expect(heard.map(({ key }) => key)).toEqual(['sign/twin/witness-1', 'sign/twin/witness-2']);

      for (const key of ['sign/signed-digest/witness-1', 'sign/twin/witness-2'])
        await differs(compared.copy(), key);
    },
  );

  it.runIf(thorough)('bears wrong words, a garbled card and a bad clock on purpose', async () => {
    // A card that comes garbled is scanned again.
    const player = people([HERE[0] as string, ...HERE], HERE);
    const faults = ['wrong-pin', 'garbled-print', 'bad-clock'];
    const inject = faults.map((fault) => `${fault}@prove`);
    const { result, checked: found } = await goOn(before(), player, inject);
    expect(result).toMatchObject({ ok: true });
    expect(problemsOf(found.verdict)).toEqual([]);
    expect(found.of('fault.injected').map(({ data }) => data.fault)).toEqual(faults);
  });

  it.runIf(thorough)('bears a power cut and then a full disk on purpose', async () => {
    const disk = before();
    for (const [fault, exitCode] of [
      ['power-cut', 75],
      ['full-disk', 73],
    ] as const) {
      const context = await roomContext(disk, { terminal: playedTerminal(people(HERE)) });
      const inject = [`${fault}@prove`];
      await expect(
        runIn(context, { ceremony: OUT, outDir: OUT, resume: true, inject }),
      ).rejects.toMatchObject({ exitCode });
      expect(disk.files.has(`${OUT}/artifacts/signature`)).toBe(false);
    }
    const { result, checked: found } = await goOn(disk, people(HERE));
    expect(result).toMatchObject({ ok: true });
    expect(problemsOf(found.verdict)).toEqual([]);
  });
});
