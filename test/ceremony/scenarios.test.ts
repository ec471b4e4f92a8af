/** What does not go to script: refusals, failures, disagreement, second runs, altered folders, clocks that go back. */
import { beforeAll, describe, expect, it } from 'vitest';
import { smallCeremony } from './directory.js';
import { checkSession, problemsOf } from './evidence.js';
import { Disk, place } from './memory-host.js';
import { CTRL_C, type Player, playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const CONFIRM = `- { id: look, title: The administrator looks, by: administrator, do: confirm, say: All is well. RULES }`;

function diskWith(steps: string): Disk {
  const disk = new Disk();
  furnish(disk);
  place(disk, '/small.yaml', smallCeremony(steps));
  return disk;
}

const input = { ceremony: '/small.yaml', outDir: '/out' } as const;

async function play(
  disk: Disk,
  player: Player = () => undefined,
  more: Partial<Parameters<typeof runIn>[1]> = {},
): ReturnType<typeof runIn> {
  return await runIn(await roomContext(disk, { terminal: playedTerminal(player) }), {
    ...input,
    ...more,
  });
}

async function check(disk: Disk): ReturnType<typeof checkSession> {
  const context = await roomContext(disk);
  return await checkSession(disk, '/out', await context.catalogue());
}

describe('a step that fails', () => {
  it('aborts the ceremony, and the transcript says so', async () => {
    const disk = diskWith(CONFIRM.replace('RULES', ''));
    const result = await play(disk, ({ key }) => (key === 'work/look' ? false : undefined));
    expect(result).toMatchObject({ ok: false, outcome: 'aborted', signers: ['administrator'] });
    expect(result.reason).toContain('work/look');
    const { verdict } = await check(disk);
    expect(problemsOf(verdict)).toEqual([]);
    expect(verdict.summary).toContain('ABORTED');
  });

  it('is tried again as often as the definition allows', async () => {
    let no = 2;
    const disk = diskWith(CONFIRM.replace('RULES', ', retry: 2, on-failure: retry'));
    const result = await play(disk, ({ key, kind }) => {
      if (key !== 'work/look') return undefined;
      if (kind === 'choose') return 'no';
      return no-- > 0 ? false : undefined;
    });
    expect(result.ok).toBe(true);
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('step.failed').map(({ data }) => data.then)).toEqual(['retry', 'retry']);
  });

  it('is left out as a deviation, with a reason and initials, also across an interruption', async () => {
    const disk = diskWith(CONFIRM.replace('RULES', ', on-failure: deviate'));
    await expect(
      play(disk, ({ key, kind }) =>
        key !== 'work/look'
          ? undefined
          : kind === 'confirm'
            ? false
            : kind === 'choose'
              ? 'no'
              : CTRL_C,
      ),
    ).rejects.toMatchObject({ exitCode: 130 });
    const result = await play(
      disk,
      ({ key, kind }) =>
        key === 'work/look' && kind === 'text' ? 'the lamp is broken' : undefined,
      { resume: true },
    );
    expect(result.ok).toBe(true);
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('deviation').map(({ data }) => data)).toMatchObject([
      { about: 'step', reason: 'the lamp is broken', initials: ['witness'], graded: 'recorded' },
    ]);
  });
});

describe('people', () => {
  it('are asked again when a no was a slip of the finger', async () => {
    const disk = diskWith(CONFIRM.replace('RULES', ''));
    let slips = 2;
    const result = await play(disk, ({ key, kind }) =>
      key === 'work/look' && kind === 'confirm' && slips-- > 0 ? false : undefined,
    );
    expect(result.ok).toBe(true);
    const checked = await check(disk);
    expect(checked.of('step.failed')).toEqual([]);
  });

  it('may disagree, in writing', async () => {
    const disk = diskWith(CONFIRM.replace('RULES', ''));
    const result = await play(disk, ({ key, kind }) =>
      key !== 'close/witness/witness'
        ? undefined
        : kind === 'choose'
          ? 'disagree'
          : 'the lid was open',
    );
    expect(result).toMatchObject({ ok: true, dissent: ['witness'], signers: ['administrator'] });
    const checked = await check(disk);
    expect(
      checked.of('signoff').map(({ data }) => [data.person, data.agrees, data.reason]),
    ).toEqual([
      ['administrator', true, null],
      ['witness', false, 'the lid was open'],
    ]);
    expect(checked.verdict.summary).toContain('DISAGREE');
    expect(problemsOf(checked.verdict)).toEqual([]);
  });

  it('sign off once, whatever happens between the sign-off and its step', async () => {
    const disk = diskWith(CONFIRM.replace('RULES', ''));
    const moments: Disk[] = [];
    const context = await roomContext(disk, {
      terminal: playedTerminal(),
      host: {
        faults: {
          after: (_, now) => {
            const text = Buffer.from(now.files.get('/out/journal.jsonl') ?? []).toString();
            const last = text.trimEnd().split('\n').at(-1) ?? '';
            if (last.includes('"type":"signoff"')) moments.push(now.copy());
          },
        },
      },
    });
    await runIn(context, input);
    const killed = moments[0] as Disk;
    expect((await play(killed, () => undefined, { resume: true })).ok).toBe(true);
    const checked = await check(killed);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('signoff')).toHaveLength(2);
  });

  it('read back what stands there, and are refused when it is something else', async () => {
    const disk = diskWith(
      '- { id: back, title: The witness reads back, by: witness, do: read-back, value: "${{ session.definition-digest }}" }',
    );
    const result = await play(disk);
    expect(result.ok).toBe(true);
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    const differs = diskWith(
      '- { id: back, title: The witness reads back, by: witness, do: read-back, value: "${{ session.definition-digest }}" }',
    );
    const other = await play(differs, ({ key, kind }) =>
      key === 'work/back' && kind === 'text' ? 'no' : undefined,
    );
    expect(other).toMatchObject({ ok: false, outcome: 'aborted' });
    const wrong = diskWith(
      '- { id: back, title: The witness reads back, by: witness, do: read-back, value: "${{ session.definition-digest }}" }',
    );
    await expect(
      play(wrong, ({ key, kind }) => (key === 'work/back' && kind === 'text' ? '0000' : undefined)),
    ).rejects.toThrow('That is not what stands there');
  });

  it('postpone at a pause', async () => {
    const disk = diskWith(
      '- { id: rest, title: The administrator rests, by: administrator, do: pause }',
    );
    await expect(
      play(disk, ({ key }) => (key === 'work/rest' ? false : undefined)),
    ).rejects.toMatchObject({ code: 'E_POSTPONED', exitCode: 75 });
    expect((await play(disk, () => undefined, { resume: true })).ok).toBe(true);
    expect(problemsOf((await check(disk)).verdict)).toEqual([]);
  });
});

describe('a session', () => {
  let finished: Disk;

  beforeAll(async () => {
    finished = diskWith(CONFIRM.replace('RULES', ''));
    await play(finished);
  });

  it('is not run twice at a time', async () => {
    const disk = diskWith(CONFIRM.replace('RULES', ''));
    let second: unknown;
    const terminal = playedTerminal();
    const context = await roomContext(disk, {
      terminal: {
        ...terminal,
        confirm: async (question, at) => {
          second = await play(disk, () => undefined, { resume: true }).catch((e: unknown) => e);
          return await terminal.confirm(question, at);
        },
      },
    });
    const result = await runIn(context, input);
    expect(second).toMatchObject({ code: 'E_LOCKED', exitCode: 75 });
    expect(result).toMatchObject({ ok: true, resumed: 0 });
    expect(disk.locks.size).toBe(0);
  });

  it('is not begun where another lies', async () => {
    await expect(play(finished.copy())).rejects.toMatchObject({
      code: 'E_SESSION_EXISTS',
      exitCode: 73,
    });
  });

  it('that is finished is told again, and nothing is written', async () => {
    const disk = finished.copy();
    const before = disk.copy();
    const result = await play(disk, () => undefined, { resume: true });
    expect(result).toMatchObject({ ok: true, resumed: 0 });
    expect(disk.files).toEqual(before.files);
  });

  it('says which answer is missing, and goes on when it is there', async () => {
    const disk = diskWith(CONFIRM.replace('RULES', ''));
    const answers = 'answers:\n  close/administrator/administrator: { choice: agree }\n';
    place(disk, '/answers.yaml', answers);
    const context = await roomContext(disk);
    const given = { ...input, answers: '/answers.yaml' };
    await expect(runIn(context, given)).rejects.toMatchObject({
      code: 'E_ANSWER_MISSING',
      exitCode: 2,
      hint: expect.stringContaining('go on with --resume') as string,
      details: { key: 'work/look' },
    });
    place(
      disk,
      '/answers.yaml',
      `${answers}  close/witness/witness: { choice: agree }\n  work/look: { confirm: true }\n  work/lok: { confirm: true }\n`,
    );
    const again = await roomContext(disk);
    const result = await runIn(again, { ...given, resume: true });
    expect(result).toMatchObject({ ok: true, unusedAnswers: ['work/lok'] });
    expect(problemsOf((await check(disk)).verdict)).toEqual([]);
  });

  it('asks nobody where nobody can be asked', async () => {
    const disk = diskWith(CONFIRM.replace('RULES', ''));
    await expect(runIn(await roomContext(disk), input)).rejects.toMatchObject({
      code: 'E_ANSWER_MISSING',
      hint: expect.stringContaining('--answers') as string,
    });
  });

  it('cannot change its definition, its kind or its parameters on the way', async () => {
    const disk = diskWith(CONFIRM.replace('RULES', ''));
    await expect(
      play(disk, ({ key }) => (key === 'work/look' ? CTRL_C : undefined)),
    ).rejects.toMatchObject({ exitCode: 130 });
    const resume = { resume: true } as const;
    await expect(play(disk, () => undefined, { ...resume, rehearse: true })).rejects.toMatchObject({
      code: 'E_SESSION_MODE',
    });
    const other = disk.copy();
    place(
      other,
      '/out/definition.yaml',
      smallCeremony(CONFIRM.replace('RULES', ', retry: 1, on-failure: retry')),
    );
    await expect(play(other, () => undefined, resume)).rejects.toMatchObject({
      code: 'E_SESSION_DEFINITION',
      exitCode: 1,
    });
    const edited = disk.copy();
    const journal = Buffer.from(edited.files.get('/out/journal.jsonl') ?? []).toString();
    place(edited, '/out/journal.jsonl', journal.replace('"level":"tofu"', '"level":"none"'));
    await expect(play(edited, () => undefined, resume)).rejects.toMatchObject({
      code: 'E_JOURNAL_BROKEN',
      exitCode: 1,
    });
    const cut = disk.copy();
    place(cut, '/out/journal.jsonl', `garbage\n${journal}`);
    await expect(play(cut, () => undefined, resume)).rejects.toMatchObject({ exitCode: 65 });
    expect((await play(disk, () => undefined, resume)).ok).toBe(true);
  });

  it('goes on at another machine, whose site file differs, and says so', async () => {
    const disk = diskWith(CONFIRM.replace('RULES', ''));
    const site = (key: string): string => `site: 1\nidentities:\n  administrator: ${key}\n`;
    place(disk, '/here.yaml', site('/media/one/administrator.key'));
    await expect(
      play(disk, ({ key }) => (key === 'work/look' ? CTRL_C : undefined), { site: '/here.yaml' }),
    ).rejects.toMatchObject({ exitCode: 130 });
    const other = new Disk();
    furnish(other);
    for (const [path, bytes] of disk.files) if (path.startsWith('/out/')) place(other, path, bytes);
    place(other, '/there.yaml', site('/media/two/administrator.key'));
    const moved = { ceremony: '/out', site: '/there.yaml', resume: true } as const;
    expect(await play(other, () => undefined, moved)).toMatchObject({ ok: true, resumed: 1 });
    const checked = await check(other);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('deviation').map(({ data }) => data.about)).toEqual(['site']);
  });

  it('bears a clock that goes back', async () => {
    const disk = diskWith(CONFIRM.replace('RULES', ''));
    let now = new Date('2026-11-23T09:30:00Z');
    const clock = { now: (): Date => now };
    const context = await roomContext(disk, {
      host: clock,
      terminal: playedTerminal(({ key }) => {
        if (key !== 'work/look') return undefined;
        now = new Date('2026-11-23T08:00:00Z');
        return CTRL_C;
      }),
    });
    await expect(runIn(context, input)).rejects.toMatchObject({ exitCode: 130 });
    const again = await roomContext(disk, { host: clock, terminal: playedTerminal() });
    const result = await runIn(again, { ...input, resume: true });
    expect(result.ok).toBe(true);
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('deviation').map(({ data }) => data.about)).toEqual(['clock']);
  });

  it('refuses a definition with findings, parameters that do not exist, a ceremony that is none', async () => {
    const disk = diskWith(CONFIRM.replace('RULES', '').replace('by: administrator', 'by: nobody'));
    await expect(play(disk)).rejects.toMatchObject({ code: 'E_DEFINITION_UNSOUND', exitCode: 65 });
    const good = diskWith(CONFIRM.replace('RULES', ''));
    await expect(play(good, undefined, { param: ['depth=3'] })).rejects.toMatchObject({
      code: 'E_PARAMETER_UNKNOWN',
    });
    await expect(play(good, undefined, { ceremony: 'quickstrat' })).rejects.toMatchObject({
      code: 'E_CEREMONY_UNKNOWN',
      hint: expect.stringContaining('quickstart') as string,
    });
  });
});
