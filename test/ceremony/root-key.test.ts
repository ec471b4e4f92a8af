/** The real ceremony, with people: start to end, interrupted after the split, and as a rehearsal. */
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeShareSet } from '#protocols/sharing/share-set';
import { ceremonyPlan } from '#ceremony/commands/ceremony-plan';
import { checkSession, problemsOf } from './evidence.js';
import { rootKeyDirectory } from './directory.js';
import { type Change, Disk, place } from './memory-host.js';
import { CTRL_C, playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

let room: Disk;

beforeAll(async () => {
  room = new Disk();
  furnish(room);
  const context = await roomContext(room);
  await rootKeyDirectory(room, context, room.files.get('/shipped/root-key.yaml') as Uint8Array);
});

const session = (disk: Disk): string => {
  const journal = [...disk.files.keys()].find((path) => path.endsWith('/journal.jsonl'));
  return (journal ?? '').replace('/journal.jsonl', '');
};

describe('root-key', () => {
  it('runs from start to end with people', async () => {
    const disk = room.copy();
    const terminal = playedTerminal(({ kind, key }) =>
      key === 'environment/required' && kind === 'choose' ? 'deviate' : undefined,
    );
    const context = await roomContext(disk, { terminal });
    const result = await runIn(context, { ceremony: '/acme' });
    expect(result).toMatchObject({ ok: true, environment: 'production', mode: 'run', dissent: [] });
    expect(result.signers).toEqual(['Ada', 'Wim', 'Wren']);
    const checked = await checkSession(disk, result.session, await context.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
    // The memory machine answers one probe only: every other one that the script requires is a reasoned deviation.
    const deviations = checked.of('deviation').map(({ data }) => data);
    expect(deviations.length).toBeGreaterThan(5);
    expect(deviations[0]).toMatchObject({
      by: 'Ada',
      initials: ['Wim', 'Wren'],
      reason: 'because',
    });
    const path = `${result.session}/artifacts/shares/set.json`;
    const { set, signatures } = decodeShareSet(disk.files.get(path) as Uint8Array, path);
    expect(set.dealer).toBe(checked.of('session.opened')[0]?.data.participants[0]?.identity?.id);
    expect(signatures).toHaveLength(2);
    // Every custodian typed a passphrase twice, insisted on it though it is weak, and opened the share with it once.
    const secrets = terminal.asked.filter(({ kind }) => kind === 'secret');
    expect(secrets.filter(({ key }) => key.startsWith('protect/split/C'))).toHaveLength(20);
    expect(secrets.filter(({ key }) => key.startsWith('protect/prove/C'))).toHaveLength(5);
    expect([...disk.files.keys()].some((path) => path.includes('handouts'))).toBe(false);
    // Whoever follows on paper finds every step by the number on the screen, in the same order.
    const input = { ceremony: '/acme', format: 'markdown', out: undefined };
    const { plan } = await ceremonyPlan.run(input, context);
    const onPaper = [...plan.matchAll(/^\| (\d+\.\d+[a-z]?) \|/gm)].map((row) => row[1]);
    const onScreen = terminal.shown.flatMap((text) => /, (\S+) on paper: /.exec(text)?.[1] ?? []);
    expect(onScreen).toEqual(onPaper);
    expect(onScreen).toContain('4.4e');
  });

  it('goes on from a copied folder after a kill between split and sign', async () => {
    const disk = room.copy();
    const moments: Disk[] = [];
    const after = ({ call }: Change, now: Disk): void => {
      const journal = [...now.files].find(([path]) => path.endsWith('/journal.jsonl'))?.[1];
      const text = Buffer.from(journal ?? []).toString();
      const [last = ''] = text.trimEnd().split('\n').slice(-1);
      if (call === 'append' && last.includes('"step":"prove"') && last.includes('step.finished'))
        moments.push(now.copy());
    };
    const willing = ({ kind, key }: { kind: string; key: string }): string | undefined =>
      key === 'environment/required' && kind === 'choose' ? 'deviate' : undefined;
    const first = await roomContext(disk, {
      terminal: playedTerminal(willing),
      host: { faults: { after } },
    });
    await runIn(first, { ceremony: '/acme' });
    const [killed] = moments;
    if (killed === undefined) throw new Error('the moment was missed');

    // Another machine: nothing of the first one but the session's folder and the people's own media.
    const elsewhere = new Disk();
    furnish(elsewhere);
    const folder = session(killed);
    for (const [path, bytes] of killed.files) {
      if (path.startsWith(folder)) elsewhere.files.set(path.replace(folder, '/usb'), bytes);
      if (path.startsWith('/people/')) elsewhere.files.set(path, bytes);
    }
    for (const path of elsewhere.files.keys())
      for (let each = path; each !== '/'; each = each.replace(/\/[^/]*$/, '') || '/')
        if (!elsewhere.files.has(each)) elsewhere.folders.add(each);

    // Two of five are not a quorum: nothing happens, nothing is lost.
    const absent = playedTerminal(({ question, key }) =>
      /are you here/.test(question) ? /Cara|Cem/.test(key) : undefined,
    );
    const early = await roomContext(elsewhere, { terminal: absent });
    await expect(runIn(early, { ceremony: '/usb', resume: true })).rejects.toMatchObject({
      code: 'E_QUORUM_INCOMPLETE',
      exitCode: 75,
    });
    const strayed: string[] = [];
    const terminal = playedTerminal(({ kind, question, key }) => {
      if (/are you here/.test(question)) return /Cem|Cleo|Cyd/.test(key);
      const sealed = /passphrase for the identity (\w+)/.exec(question)?.[1];
      if (kind === 'secret' && sealed !== undefined) return `passphrase of ${sealed}`;
      if (!/private identity file/.test(question)) return undefined;
      // The bindings of the first machine's site file lead nowhere here. Whoever names somebody else's file is asked again.
      const own = `/people/${key.split('/')[2] ?? ''}.key`;
      if (strayed.length > 0) return own;
      strayed.push(own);
      return [...elsewhere.files.keys()].find(
        (it) => /^\/people\/[^/]*\.key$/.test(it) && it !== own,
      );
    });
    elsewhere.files.delete('/usb/site.yaml');
    const later = await roomContext(elsewhere, { terminal });
    const result = await runIn(later, { ceremony: '/usb', resume: true });
    expect(result).toMatchObject({ ok: true, resumed: 2 });
    expect(strayed).toHaveLength(1);
    const checked = await checkSession(elsewhere, '/usb', await later.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.of('restore').map(({ data }) => data.shares)).toEqual([[2, 4, 5]]);
    expect(checked.of('key.retired')).toEqual([]);
    expect(checked.of('wipe').map(({ data }) => data.how)).toEqual(['wiped']);
  });

  it('asks again after a wrong passphrase, and stops at Ctrl-C without losing anything', async () => {
    const disk = room.copy();
    let wrong = 0;
    const terminal = playedTerminal(({ kind, key, attempt }) => {
      if (key === 'environment/required' && kind === 'choose') return 'deviate';
      if (kind === 'secret' && key === 'protect/prove/Cem' && attempt < 3) {
        wrong++;
        return 'not it';
      }
      return key === 'use/sign' || key === 'handover/bag/Cem' ? CTRL_C : undefined;
    });
    const context = await roomContext(disk, { terminal });
    await expect(runIn(context, { ceremony: '/acme' })).rejects.toMatchObject({ exitCode: 130 });
    expect(wrong).toBe(2);
    const again = await roomContext(disk, { terminal: playedTerminal() });
    const result = await runIn(again, { ceremony: '/acme', resume: true });
    expect(result.ok).toBe(true);
    const checked = await checkSession(disk, result.session, await again.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
    const attempts = checked.of('step.started').filter(({ data }) => data.step === 'bag');
    expect(attempts.map(({ data }) => [data.for, data.attempt])).toContainEqual(['Cem', 2]);
  });

  it('is refused answers from a file, and takes them in a rehearsal', async () => {
    const disk = room.copy();
    const context = await roomContext(disk);
    const answers = '/shipped/answers/root-key.yaml';
    await expect(runIn(context, { ceremony: '/acme', answers })).rejects.toMatchObject({
      code: 'E_ANSWERS_PRODUCTION',
      exitCode: 77,
    });
    const result = await runIn(context, {
      ceremony: 'root-key',
      rehearse: true,
      answers,
      outDir: '/rehearsal',
    });
    expect(result).toMatchObject({ ok: true, environment: 'rehearsal', mode: 'rehearsal' });
    const checked = await checkSession(disk, '/rehearsal', await context.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
    expect(checked.verdict.summary).toMatch(/^REHEARSAL/);
    const heard = checked.of('step.finished').flatMap(({ data }) => data.people);
    expect(new Set(heard.map(({ graded }) => graded))).toEqual(new Set(['unattended']));
    const keys = checked
      .of('event')
      .flatMap(({ data }) => (data.event === 'key.added' ? [data.data['record']] : []));
    expect(keys).toMatchObject([{ environment: 'rehearsal' }]);
  });

  it('needs its people listed', async () => {
    const disk = new Disk();
    furnish(disk);
    const context = await roomContext(disk, { terminal: playedTerminal() });
    await expect(runIn(context, { ceremony: 'root-key', outDir: '/out' })).rejects.toMatchObject({
      code: 'E_PARTICIPANTS_MISSING',
    });
    expect([...disk.files.keys()].filter((path) => path.startsWith('/out'))).toEqual([]);
    expect(disk.folders).not.toContain('/out');
  });

  it('leaves nothing of a start that was refused, and nothing else is touched', async () => {
    const disk = new Disk();
    furnish(disk);
    const context = await roomContext(disk, { terminal: playedTerminal() });
    const none = 'participants:\n  - { name: Ada, role: administrator, identity: none }\n';
    place(disk, '/acme/definition.yaml', disk.files.get('/shipped/root-key.yaml') ?? '');
    place(disk, '/acme/participants.yaml', none);
    const before = [...disk.files.keys()];
    for (const rehearse of [false, true]) {
      await expect(runIn(context, { ceremony: '/acme', rehearse })).rejects.toMatchObject({
        code: 'E_PARTICIPANTS_UNFIT',
      });
    }
    expect([...disk.files.keys()]).toEqual(before);
    expect([...disk.folders].filter((path) => path.startsWith('/acme/'))).toEqual([]);
  });
});
