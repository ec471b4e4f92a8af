/** Ctrl-C in the middle of a ceremony, and what the room can want then; delays; a machine that is looked at in every act. */
import { describe, expect, it } from 'vitest';
import { smallCeremony } from './directory.js';
import { type Checked, checkSession, problemsOf } from './evidence.js';
import { Disk, place } from './memory-host.js';
import { type Asked, CTRL_C, type Player, playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const LOOK = `- { id: look, title: The administrator looks, by: administrator, do: confirm, say: All is well. RULES }`;
const input = { ceremony: '/small.yaml', outDir: '/out' } as const;

function diskWith(rules = '', change = (text: string): string => text): Disk {
  const disk = new Disk();
  furnish(disk);
  place(disk, '/small.yaml', change(smallCeremony(LOOK.replace('RULES', rules))));
  return disk;
}

type More = Partial<Parameters<typeof runIn>[1]> & { readonly now?: () => Date };

async function play(disk: Disk, player: Player, { now, ...more }: More = {}) {
  const terminal = playedTerminal(player);
  const host = now === undefined ? {} : { now };
  const context = await roomContext(disk, { terminal, host });
  return { terminal, result: await runIn(context, { ...input, ...more }) };
}

async function check(disk: Disk): Promise<Checked> {
  const context = await roomContext(disk);
  return await checkSession(disk, '/out', await context.catalogue());
}

const isMenu = ({ choices }: Asked): boolean => choices.includes('leave');

/** Presses Ctrl-C at the first question of the step, then chooses as told, one menu after the other. */
function pressing(...wanted: readonly string[]): (asked: Asked) => string | undefined {
  const left = [...wanted];
  let pressed = false;
  return (asked) => {
    if (isMenu(asked)) return left.shift() ?? 'again';
    if (asked.key !== 'work/look' || asked.kind !== 'confirm' || pressed) return undefined;
    pressed = true;
    return CTRL_C;
  };
}

describe('Ctrl-C at a step', () => {
  it('asks what now, and goes on where it was', async () => {
    const disk = diskWith();
    const { result, terminal } = await play(disk, pressing('again'));
    expect(result.ok).toBe(true);
    expect(terminal.asked.filter(isMenu)).toHaveLength(1);
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('step.started').filter(({ data }) => data.step === 'look')).toHaveLength(1);
  });

  it('takes a deviation and an objection on the record, with the initials of who was asked', async () => {
    const disk = diskWith();
    const player = pressing('deviation', 'objection', 'again');
    const { result } = await play(disk, (asked) => {
      if (asked.question === 'Who disagrees?') return '1';
      if (asked.question.startsWith('witness: with what')) return 'I cannot see the screen';
      if (asked.question === 'What happened?') return 'the lamp broke';
      return player(asked);
    });
    expect(result.ok).toBe(true);
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.verdict.summary).toContain('1 OBJECTION on the way');
    expect(checked.of('objection').map(({ data }) => data)).toMatchObject([
      { person: 'witness', role: 'witness', step: 'look', reason: 'I cannot see the screen' },
    ]);
    expect(checked.of('deviation').map(({ data }) => data)).toMatchObject([
      { about: 'other', happened: 'the lamp broke', initials: ['witness'], step: 'look' },
    ]);
    const minutes = Buffer.from(disk.files.get('/out/minutes.md') ?? '').toString();
    expect(minutes).toContain('**objection** of witness');
  });

  it('does not put into writing what somebody did not mean to say', async () => {
    const disk = diskWith();
    const player = pressing('objection');
    await play(disk, (asked) =>
      asked.question.includes('is that what you mean to say') ? false : player(asked),
    );
    expect((await check(disk)).of('objection')).toEqual([]);
  });

  it('postpones, with a reason, and reconvenes', async () => {
    const disk = diskWith();
    const postponing = pressing('postpone');
    await expect(
      play(disk, (asked) =>
        asked.question.includes('why is it postponed') ? 'the lock jams' : postponing(asked),
      ),
    ).rejects.toMatchObject({ exitCode: 75, code: 'E_POSTPONED' });
    const { result } = await play(disk, () => undefined, { resume: true });
    expect(result.ok).toBe(true);
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('session.postponed').map(({ data }) => data.reason)).toEqual([
      'the lock jams',
    ]);
    expect(checked.of('session.resumed')).toHaveLength(1);
  });

  it('ends the ceremony for good only when that is meant', async () => {
    const disk = diskWith();
    let sure = false;
    const player = pressing('abort', 'abort');
    const { result } = await play(disk, (asked) => {
      if (asked.question.includes('cannot be resumed')) {
        const was = sure;
        sure = true;
        return was;
      }
      return player(asked);
    });
    expect(result).toMatchObject({ outcome: 'aborted', signers: ['administrator'] });
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.verdict.summary).toContain('ABORTED');
  });

  it('leaves at once, and a second Ctrl-C does the same', async () => {
    for (const second of ['leave', CTRL_C]) {
      const disk = diskWith();
      await expect(play(disk, pressing(second))).rejects.toMatchObject({
        exitCode: 130,
        hint: 'nothing is lost: the ceremony goes on with --resume',
      });
      expect((await play(disk, () => undefined, { resume: true })).result.ok).toBe(true);
    }
  });
});

describe('a step that takes too long', () => {
  it('needs a reason, which the verdict then tells', async () => {
    const disk = diskWith(', minutes: 2, timeout: 5');
    let now = Date.parse('2026-11-23T09:30:00Z');
    const { result } = await play(
      disk,
      ({ key, kind }) => {
        if (key === 'work/look' && kind === 'confirm') now += 6 * 60_000;
        return key === 'work/look' && kind === 'text' ? 'the printer jammed' : undefined;
      },
      { now: () => new Date(now) },
    );
    expect(result.ok).toBe(true);
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('deviation').map(({ data }) => data)).toMatchObject([
      { about: 'time', reason: 'the printer jammed', step: 'look' },
    ]);
  });

  it('is not done a second time when somebody interrupts that question', async () => {
    const disk = diskWith(', minutes: 2, timeout: 5');
    let now = Date.parse('2026-11-23T09:30:00Z');
    let pressed = false;
    const { result, terminal } = await play(
      disk,
      (asked) => {
        if (isMenu(asked)) return 'again';
        if (asked.key !== 'work/look') return undefined;
        if (asked.kind === 'confirm') now += 6 * 60_000;
        if (asked.kind !== 'text' || pressed) return undefined;
        pressed = true;
        return CTRL_C;
      },
      { now: () => new Date(now) },
    );
    expect(result.ok).toBe(true);
    const looks = terminal.asked.filter(
      ({ key, kind }) => key === 'work/look' && kind === 'confirm',
    );
    expect(looks).toHaveLength(1);
    expect(terminal.asked.filter(isMenu).map(({ question }) => question)).toEqual([
      'This step stopped: interrupted. What now?',
    ]);
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('deviation').map(({ data }) => data.about)).toEqual(['time']);
  });
});

describe('a machine that is looked at in every act', () => {
  const always = (text: string): string =>
    text.replace('acts:\n', 'environment: { require: [clock], recheck: every-act }\nacts:\n');

  it('is in the record once for each act and each gap', async () => {
    const disk = diskWith('', always);
    await expect(play(disk, pressing('leave'))).rejects.toMatchObject({ exitCode: 130 });
    expect((await play(disk, () => undefined, { resume: true })).result.ok).toBe(true);
    const checked = await check(disk);
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('environment.checked').map(({ data }) => data.act)).toEqual([
      'work',
      'work',
      'close',
    ]);
  });
});
