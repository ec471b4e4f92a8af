/** Rehearsals of what is shipped, undisturbed from answers files, and disturbed on purpose. */
import { describe, expect, it } from 'vitest';
import { Disturbance, injectionsOf } from '#ceremony/disturbance';
import { readSession } from '#ceremony/past-session';
import { utf8 } from '#formats/bytes';
import { custodyLedger } from '#script/custody-ledger';
import { parseDefinition } from '#script/parse';
import { shipped } from '../script/catalogue.js';
import { sameNumbers, sameTimes } from '../support/remembered.js';
import { checkSession, problemsOf } from './evidence.js';
import { Disk, place } from './memory-host.js';
import { playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const OUT = '/out';

function room(): Disk {
  const disk = new Disk();
  furnish(disk);
  return disk;
}

async function check(disk: Disk) {
  const context = await roomContext(disk);
  const checked = await checkSession(disk, OUT, await context.catalogue());
  expect(problemsOf(checked.verdict)).toEqual([]);
  expect(checked.verdict.summary).toMatch(/^REHEARSAL: not evidence/);
  return checked;
}

describe('a rehearsal from its answers', () => {
  it('of recover brings the key back, uses it, shares it anew, and wipes it', async () => {
    const disk = room();
    const secrets: Uint8Array[] = [];
    const context = await roomContext(disk, { onSecret: (key) => secrets.push(key) });
    const input = { ceremony: 'recover', outDir: OUT, rehearse: true } as const;
    const result = await runIn(context, { ...input, answers: '/shipped/answers/recover.yaml' });
    expect(result).toMatchObject({ ok: true, unusedAnswers: [] });
    const checked = await check(disk);
    expect(secrets).toHaveLength(1);
    const made = checked.of('event').find(({ data }) => data.event === 'key.added')?.data.data;
    expect(checked.of('wipe').map(({ data }) => data)).toMatchObject([
      { key: (made?.['record'] as { id: string }).id, how: 'wiped' },
    ]);
    // Were it no rehearsal, nobody would be on the ledger with a bag of before.
    const { held } = custodyLedger([
      { file: OUT, ...(await readSession(context.host.files, OUT)) },
    ]);
    expect(held.map(({ kind, serial }) => `${serial} ${kind}`)).toEqual([
      ...[1, 2, 3, 4, 5].map((i) => `BAG-300${i} tamper-evident bag`),
      ...[1, 2, 3, 4, 5].map((i) => `BAG-400${i} second tamper-evident bag`),
    ]);
    // The machine was looked at in each act.
    expect(new Set(checked.of('environment.checked').map(({ data }) => data.act)).size).toBe(8);
  });

  it('of destroy ends with no quorum, and says who was absent', async () => {
    const disk = room();
    const context = await roomContext(disk);
    const input = { ceremony: 'destroy', outDir: OUT, rehearse: true } as const;
    const result = await runIn(context, { ...input, answers: '/shipped/answers/destroy.yaml' });
    expect(result).toMatchObject({ ok: true, unusedAnswers: [] });
    const checked = await check(disk);
    const shredded = checked.of('step.finished').filter(({ data }) => data.step === 'shred');
    expect(shredded.map(({ data }) => data.for)).toEqual([
      'custodian-1',
      'custodian-3',
      'custodian-4',
    ]);
    expect(checked.of('event').filter(({ data }) => data.event === 'key.added')).toEqual([]);
  });
});

describe('a ceremony that demands what people throw', () => {
  it('asks for it, mixes it in, and records counts and commitments', async () => {
    const disk = room();
    const text = shipped('quickstart.yaml').replace(
      /(uses: key\.generate\n +with:\n)( +)/,
      '$1$2people-bits: 40\n$2',
    );
    place(disk, '/dice.yaml', text);
    const throws =
      '[{ choice: dice }, { text: "3514625143261" }, { choice: hex }, { text: "9f3a77c1" }]';
    place(
      disk,
      '/answers.yaml',
      `answers:\n  generate/generate: ${throws}\n  close/administrator/administrator: { choice: agree }\n  close/witness/witness: { choice: agree }\n`,
    );
    // Always the same, or a digest in the journal could by chance have in it what was thrown.
    const host = { random: sameNumbers(1), now: sameTimes('2026-11-23T09:30:00Z') };
    const context = await roomContext(disk, { host });
    const input = { ceremony: '/dice.yaml', outDir: OUT, answers: '/answers.yaml' };
    expect(await runIn(context, input)).toMatchObject({ ok: true, unusedAnswers: [] });
    const checked = await checkSession(disk, OUT, await context.catalogue());
    expect(problemsOf(checked.verdict)).toEqual([]);
    const gathered = checked.of('event').filter(({ data }) => data.event === 'entropy.gathered');
    expect(gathered.map(({ data }) => data.data)).toMatchObject([
      { source: 'dice', count: 13, bits: 33 },
      { source: 'hex', count: 8, bits: 32 },
    ]);
    expect(Buffer.from(disk.files.get(`${OUT}/journal.jsonl`) ?? '').toString()).not.toContain(
      '9f3a77c1',
    );
  });
});

describe('a rehearsal that is disturbed', () => {
  const input = { ceremony: 'root-key', outDir: OUT, rehearse: true } as const;

  it('bears a wrong passphrase, a garbled card and a bad clock', async () => {
    const disk = room();
    const said: string[] = [];
    const terminal = playedTerminal();
    const context = await roomContext(disk, { terminal, said });
    const inject = ['wrong-pin@prove', 'garbled-print@read-card', 'bad-clock@print'];
    expect(await runIn(context, { ...input, inject })).toMatchObject({ ok: true });
    const checked = await check(disk);
    expect(checked.of('fault.injected').map(({ data }) => `${data.fault}@${data.step}`)).toEqual([
      'bad-clock@print',
      'garbled-print@read-card',
      'wrong-pin@prove',
    ]);
    expect(checked.of('deviation').map(({ data }) => data.about)).toEqual(['clock']);
    const cards = terminal.asked.filter(({ question }) => question.includes('Path of the file'));
    expect(cards).toHaveLength(6);
  });

  it.each([
    ['power-cut@split', 75, 'E_POWER_CUT'],
    ['full-disk@print', 73, 'E_DISK_FULL'],
  ])('goes on after %s', async (fault, exitCode, code) => {
    const disk = room();
    const answers = '/shipped/answers/root-key.yaml';
    // Whoever goes on need not say again what is still to come.
    const disturbed = { ...input, answers, inject: [fault, 'bad-clock@wipe'] };
    await expect(runIn(await roomContext(disk), disturbed)).rejects.toMatchObject({
      exitCode,
      code,
    });
    expect(disk.locks.size).toBe(0);
    const again = await runIn(await roomContext(disk), { ...input, answers, resume: true });
    expect(again).toMatchObject({ ok: true, resumed: 1 });
    const checked = await check(disk);
    expect(checked.of('fault.injected').map(({ data }) => `${data.fault}@${data.step}`)).toEqual([
      fault,
      'bad-clock@wipe',
    ]);
  });

  it('keeps its faults to itself: a real session is not disturbed by a file', async () => {
    const disk = room();
    place(disk, `${OUT}/faults.json`, '["power-cut@program"]');
    const context = await roomContext(disk);
    const dev = await runIn(context, { ceremony: 'quickstart', outDir: OUT });
    expect(dev).toMatchObject({ ok: true, mode: 'run' });
    place(disk, '/other/faults.json', '["power-cut@program", 1]');
    await expect(
      runIn(context, { ...input, outDir: '/other', answers: '/shipped/answers/root-key.yaml' }),
    ).rejects.toMatchObject({ exitCode: 65, message: expect.stringContaining('faults.json') });
  });

  it('is a rehearsal, and names what there is', () => {
    const { definition } = parseDefinition(utf8(shipped('root-key.yaml')), 'root-key.yaml');
    expect(() => injectionsOf(['power-cut@split'], definition, false)).toThrow(/only a rehearsal/);
    expect(() => injectionsOf(['power-cut@spilt'], definition, true)).toThrow(
      expect.objectContaining({ exitCode: 2, hint: 'did you mean split?' }),
    );
    expect(() => injectionsOf(['powercut@split'], definition, true)).toThrow(
      expect.objectContaining({ hint: 'did you mean power-cut?' }),
    );
    expect(() => injectionsOf(['power-cut'], definition, true)).toThrow(/no step ""/);
  });

  it('pulls a token and exchanges its PIN file once each', () => {
    const disturbance = new Disturbance();
    const bound = () => ({ token: 'a', module: 'm', readPin: () => utf8('4711') });
    disturbance.arm(['token-pulled', 'wrong-pin']);
    expect(() => disturbance.token(bound)).toThrow(
      expect.objectContaining({ code: 'E_TOKEN_DEVICE_REMOVED' }),
    );
    const token = disturbance.token(bound);
    expect(token.readPin?.()).not.toEqual(utf8('4711'));
    expect(token.readPin?.()).toEqual(utf8('4711'));
  });
});
