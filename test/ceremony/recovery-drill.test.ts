/**
 * The drill with people: who is absent, whose card fails, whose words are gone, what is owed when too few are left; nothing is put
 * together, and a kill loses nothing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { root, thorough } from '../support/require.js';
import { checkSession, problemsOf } from './evidence.js';
import { type Change, Disk, place } from './memory-host.js';
import { CTRL_C, type Player, playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const OUT = '/out';
const SET = '/people/set.json';
const input = {
  ceremony: 'recovery-drill',
  outDir: OUT,
  rehearse: true,
  param: [`set=${SET}`],
} as const;
let room: Disk;
/** Per custodian: the code of the card as a scanner types it. */
const codes = new Map<string, string>();
const words = (who: string): string =>
  readFileSync(join(root, `ceremonies/answers/root-key/${who}.txt`), 'utf8').trim();

beforeAll(() => {
  room = new Disk();
  furnish(room);
  room.folders.add('/people');
  place(room, SET, readFileSync(join(root, 'ceremonies/answers/refresh-shares/set.json')));
  const answers = readFileSync(join(root, 'ceremonies/answers/recovery-drill.yaml'), 'utf8');
  const scanned = [...answers.matchAll(/text: (UR:\S+)/g)].map((match) => match[1] ?? '');
  ['custodian-1', 'custodian-3', 'custodian-4'].forEach((who, i) =>
    codes.set(who, scanned[i] ?? ''),
  );
  expect(scanned).toHaveLength(3);
});

/** Custodians 1, 3 and 4 bring cards, the others are absent. */
const custodians: Player = ({ kind, key, choices }) => {
  const who = key.split('/')[2] ?? '';
  if (key.startsWith('drill/attendance/')) return codes.has(who) ? 'here' : 'absent';
  if (!key.startsWith('drill/check/')) return undefined;
  if (kind === 'choose') return choices.includes('keyboard') ? 'keyboard' : undefined;
  if (kind === 'secret') return words(who);
  return kind === 'text' ? codes.get(who) : undefined;
};

describe('recovery-drill', () => {
  it('records who was absent, what was good, and the next day', async () => {
    const disk = room.copy();
    const secrets: Uint8Array[] = [];
    const terminal = playedTerminal(custodians);
    const context = await roomContext(disk, { terminal, onSecret: (key) => secrets.push(key) });
    const result = await runIn(context, input);
    expect(result).toMatchObject({ ok: true, mode: 'rehearsal', artifacts: [] });
    expect(secrets).toEqual([]);
    const checked = await checkSession(disk, OUT, await context.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('step.skipped').map(({ data }) => `${data.step} ${data.for ?? ''}`)).toEqual(
      expect.arrayContaining(['check custodian-2', 'check custodian-5']),
    );
    const found = checked.of('step.finished').filter(({ data }) => data.step === 'check');
    expect(found.map(({ data }) => data.outputs['summary'])).toEqual(
      [1, 3, 4].map((card) => expect.stringMatching(`^card ${card}: .*the share that was dealt$`)),
    );
  });

  it.each([
    [
      'a card that cannot be read',
      (kind: string) => (kind === 'choose' ? 'unreadable' : undefined),
      /could not be read/,
    ],
    [
      'words that nobody remembers',
      (kind: string) => (kind === 'secret' ? '' : undefined),
      /answers no: card 3: .*not checked: the share itself: it is sealed/,
    ],
    [
      'wrong words',
      (kind: string, attempt: number) =>
        kind !== 'secret' ? undefined : thorough || attempt === 1 ? 'not these' : '',
      /passphrase/,
    ],
  ])('%s is a deviation and not the end', async (_what, play, happened) => {
    const disk = room.copy();
    const terminal = playedTerminal((asked) => {
      const mine = asked.key === 'drill/check/custodian-3';
      if (mine && asked.choices.includes('deviate')) return 'deviate';
      // Asked for the reason, when all attempts are over.
      if (mine && asked.question.includes('why does')) return 'it is visited at home';
      return (mine ? play(asked.kind, asked.attempt) : undefined) ?? custodians(asked);
    });
    const context = await roomContext(disk, { terminal });
    expect(await runIn(context, input)).toMatchObject({ ok: true });
    const checked = await checkSession(disk, OUT, await context.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
    const deviations = checked.of('deviation').filter(({ data }) => data.step === 'check');
    expect(deviations).toHaveLength(1);
    expect(deviations[0]?.data.happened).toMatch(happened);
  });

  it('one card that two custodians show counts once', async () => {
    const disk = room.copy();
    const terminal = playedTerminal((asked) => {
      const mine = asked.key === 'drill/check/custodian-4';
      if (mine && asked.choices.includes('deviate')) return 'deviate';
      if (mine && asked.question.includes('why does')) return 'the card is looked for at home';
      if (mine && asked.kind === 'secret') return words('custodian-3');
      if (mine && asked.kind === 'text') return codes.get('custodian-3');
      return custodians(asked);
    });
    const context = await roomContext(disk, { terminal });
    expect(await runIn(context, input)).toMatchObject({ ok: true });
    const checked = await checkSession(disk, OUT, await context.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
    const [deviation] = checked.of('deviation').filter(({ data }) => data.step === 'check');
    expect(deviation?.data.happened).toMatch(/card 3 was shown by custodian-3 before/);
  });

  it('owes a repair where too few were good, once the witnesses counted the same', async () => {
    const disk = room.copy();
    let refused = 0;
    const terminal = playedTerminal((asked) => {
      const { key, kind, choices } = asked;
      if (key === 'drill/attendance/custodian-4') return 'here without the share';
      if (key === 'conclude/count' && kind === 'choose')
        return choices[refused === 0 ? 0 : 1] ?? '';
      // The administrator counted wrong, and one witness did not.
      if (key === 'conclude/counted/witness-2' && kind === 'confirm') return refused++ > 0;
      if (key === 'conclude/counted/witness-2') return 'no';
      if (key === 'repair/way' && kind === 'choose')
        return 'a new split of the key, where it still rests';
      if (key === 'repair/day' && kind === 'text') return '2026-12-15';
      return custodians(asked);
    });
    const context = await roomContext(disk, { terminal });
    expect(await runIn(context, input)).toMatchObject({ ok: true });
    const checked = await checkSession(disk, OUT, await context.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(refused).toBe(2);
    expect(checked.of('branch.taken').map(({ data }) => data.side)).toEqual(['then']);
    expect(checked.of('step.skipped').map(({ data }) => data.step)).toEqual(
      expect.arrayContaining(['emergency', 'next']),
    );
    const minutes = Buffer.from(disk.files.get(`${OUT}/minutes.md`) ?? []).toString();
    expect(minutes).toMatch(/way: then/);
    expect(minutes).toMatch(
      /mend the shares: a new split of the key, where it still rests, by 2026-12-15/,
    );
    expect(minutes).not.toContain('| hold the next drill');
  });

  it('goes on after the power went between two custodians', async () => {
    const disk = room.copy();
    const moments: Disk[] = [];
    const after = ({ call, path }: Change, now: Disk): void => {
      if (call !== 'append' || !path.endsWith('journal.jsonl')) return;
      const [last = ''] = Buffer.from(now.files.get(path) ?? [])
        .toString()
        .trimEnd()
        .split('\n')
        .slice(-1);
      if (last.includes('step.started') && last.includes('"for":"custodian-3","step":"check"'))
        moments.push(now.copy());
    };
    const stops = playedTerminal((asked) =>
      asked.key === 'drill/check/custodian-3' ? CTRL_C : custodians(asked),
    );
    const first = await roomContext(disk, { terminal: stops, host: { faults: { after } } });
    await expect(runIn(first, input)).rejects.toMatchObject({ exitCode: 130 });
    const [killed] = moments;
    if (killed === undefined) throw new Error('the moment was missed');
    const later = await roomContext(killed, { terminal: playedTerminal(custodians) });
    const result = await runIn(later, { ceremony: OUT, outDir: OUT, resume: true });
    expect(result).toMatchObject({ ok: true, resumed: 1 });
    const checked = await checkSession(killed, OUT, await later.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
  });
});
