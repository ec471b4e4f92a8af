/** What a ceremony leaves for people: the paper script, duties and their days, the ledger of custody. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ceremonyCustody } from '#ceremony/commands/ceremony-custody';
import { ceremonyDue } from '#ceremony/commands/ceremony-due';
import { ceremonyPlan } from '#ceremony/commands/ceremony-plan';
import { ceremonyReadiness } from '#ceremony/commands/ceremony-readiness';
import { ceremonySchema } from '#ceremony/commands/ceremony-schema';
import { later } from '#script/duties';
import { htmlPage } from '#script/html-page';
import { inWords, renderPlan } from '#script/paper';
import { parseDefinition } from '#script/parse';
import { enrol, participants } from './directory.js';
import { Disk, place } from './memory-host.js';
import { playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const DEFINITION = `conclave: 1
id: small
title: A bag is sealed
summary: Seals a bag.
classification: production
roles:
  administrator: { count: 1, identity: required, distinct-from: [witness], summary: drives }
  custodian: { count: 1, identity: optional, summary: keeps it }
  witness: { count: 1, identity: required, distinct-from: [administrator], summary: attests }
materials:
  bag: { kind: tamper-evident bag, count: 1, serial: required }
environment: { require: [clock] }
acts:
  - id: convene
    title: Convene
    steps:
      - { id: definition-digest, title: Each witness reads back the script, by: witness, each: witness, do: read-back, value: '\${{ session.definition-digest }}' }
      - { id: execution-digest, title: Each witness reads back the execution, by: witness, each: witness, do: read-back, value: '\${{ session.execution-digest }}' }
      - { id: seal, title: Each custodian seals a bag, by: custodian, each: custodian, do: seal, value: '\${{ materials.bag }}', minutes: 7 }
      - { id: told, title: Each custodian confirms, by: custodian, each: custodian, do: confirm, say: 'I have \${{ steps.seal.serial }}.' }
  - id: close
    title: Close
    steps:
      - { id: administrator, title: The administrator signs off, by: administrator, each: administrator, do: sign-off }
      - { id: witness, title: The witness signs off, by: witness, each: witness, do: sign-off }
after:
  - { duty: publish it, within: P1M }
  - { duty: drill it, within: P1Y }
`.replaceAll('\\$', '$');

const PEOPLE = [
  { name: 'Ada', role: 'administrator', identity: true },
  { name: 'Cara', role: 'custodian', identity: false },
  { name: 'Wim', role: 'witness', identity: true },
];

let disk: Disk;
let now = new Date('2026-01-31T10:00:00Z');
const clock = { now: (): Date => now };

async function session(bag: string): Promise<void> {
  const terminal = playedTerminal(({ question }) =>
    question.includes('serial number') ? bag : undefined,
  );
  const context = await roomContext(disk, { host: clock, terminal });
  expect(await runIn(context, { ceremony: '/acme' })).toMatchObject({ ok: true });
}

beforeAll(async () => {
  disk = new Disk();
  furnish(disk);
  place(disk, '/acme/definition.yaml', DEFINITION);
  place(disk, '/acme/participants.yaml', participants(PEOPLE));
  const context = await roomContext(disk);
  for (const { name, identity } of PEOPLE) if (identity) await enrol(disk, context, name);
  place(
    disk,
    '/acme/site.yaml',
    'site: 1\nidentities: { Ada: ../people/Ada.key, Wim: ../people/Wim.key }\n',
  );
  await session('BAG-1');
  now = new Date('2026-02-20T10:00:00Z');
  await session('BAG-2');
});

describe('ceremony due', () => {
  it('counts from the close of each real session, and takes what was done on the record', async () => {
    const at = async (time: string, more: object = {}) => {
      now = new Date(time);
      const context = await roomContext(disk, { host: clock });
      return await ceremonyDue.run(
        { ceremony: '/acme', done: undefined, note: undefined, ...more },
        context,
      );
    };
    const soon = await at('2026-02-21T00:00:00Z');
    expect(soon.duties.map(({ due, state }) => `${due.slice(0, 10)} ${state}`)).toEqual([
      '2026-02-28 due',
      '2027-01-31 due',
      '2026-03-20 due',
      '2027-02-20 due',
    ]);
    expect((await at('2026-03-01T00:00:00Z')).ok).toBe(false);
    await expect(at('2026-03-01T00:00:00Z', { done: 1 })).rejects.toMatchObject({ exitCode: 2 });
    const done = await at('2026-03-01T00:00:00Z', { done: 1, note: 'on the web site, by Ada' });
    expect(done).toMatchObject({ ok: true, overdue: 0 });
    expect(done.duties[0]).toMatchObject({
      state: 'done',
      done: { note: 'on the web site, by Ada' },
    });
    await expect(at('2026-03-01T00:00:00Z', { done: 1, note: 'again' })).rejects.toMatchObject({
      code: 'E_DUTY_UNKNOWN',
    });
    await expect(at('2026-03-01T00:00:00Z', { done: 9, note: 'x' })).rejects.toMatchObject({
      code: 'E_DUTY_UNKNOWN',
    });
    expect(ceremonyDue.present?.(await at('2030-01-01T00:00:00Z'))).toContain('3 overdue');
    // Two at once would add two lines to the same one: the second waits its turn.
    const held = (await roomContext(disk)).host.files.lock('/acme/duties.lock');
    await expect(at('2026-03-01T00:00:00Z', { done: 2, note: 'x' })).rejects.toMatchObject({
      code: 'E_LOCKED',
    });
    held.release();
    const forged = Buffer.from(disk.files.get('/acme/duties.jsonl') ?? '').toString();
    place(disk, '/acme/duties.jsonl', `${forged}${forged}`);
    await expect(at('2026-03-01T00:00:00Z')).rejects.toMatchObject({ code: 'E_DUTIES_BROKEN' });
    place(disk, '/acme/duties.jsonl', forged);
  });

  it.each([
    ['2026-01-31T10:00:00Z', 'P1M', '2026-02-28T10:00:00Z'],
    ['2028-01-31T23:59:59Z', 'P1M', '2028-02-29T23:59:59Z'],
    ['2026-11-23T09:30:00Z', 'P1Y2M10D', '2028-02-02T09:30:00Z'],
    ['2026-12-25T00:00:00Z', 'P2W', '2027-01-08T00:00:00Z'],
    ['2026-12-31T00:00:00Z', 'P90D', '2027-03-31T00:00:00Z'],
  ])('%s and %s is %s', (from, duration, due) => {
    expect(later(from, duration)).toBe(due);
  });
});

describe('ceremony custody', () => {
  it('tells who holds what, over sessions that continue each other', async () => {
    const context = await roomContext(disk);
    const ledger = await ceremonyCustody.run({ sessions: ['/acme'] }, context);
    expect(ledger.problems).toEqual([]);
    expect(ledger).toMatchObject({ ok: true, sessions: 2 });
    expect(ledger.held).toMatchObject([
      {
        person: 'Cara',
        serial: 'BAG-2',
        kind: 'tamper-evident bag',
        since: '2026-02-20T10:00:00Z',
      },
    ]);
    expect(ledger.lines.map(({ event, what }) => `${event} ${what}`)).toContain('sealed BAG-1');
    expect(ceremonyCustody.present?.(ledger)).toContain('Cara holds the tamper-evident bag BAG-2');
  });

  it('misses a session that was left out', async () => {
    const context = await roomContext(disk);
    const [, second = ''] = [...disk.folders]
      .filter((it) => /^\/acme\/sessions\/[^/]+$/.test(it))
      .sort();
    const ledger = await ceremonyCustody.run({ sessions: [second] }, context);
    expect(ledger.problems.join()).toMatch(/continues small with the head .*, which is not here/);
  });
});

describe('ceremony readiness', () => {
  it('misses a rehearsal of exactly this script, then tells what was practised', async () => {
    const report = async () =>
      await ceremonyReadiness.run({ ceremony: '/acme' }, await roomContext(disk, { host: clock }));
    const before = await report();
    expect(before.ok).toBe(false);
    expect(before.points.filter(({ result }) => result === 'missing')).toMatchObject([
      { about: 'rehearsals', detail: 'exactly this script was never rehearsed to its end' },
    ]);
    const context = await roomContext(disk, { host: clock, terminal: playedTerminal() });
    const inject = ['bad-clock@seal'];
    expect(
      await runIn(context, {
        ceremony: '/acme',
        outDir: '/acme/sessions/dry',
        rehearse: true,
        inject,
      }),
    ).toMatchObject({ ok: true });
    const after = await report();
    expect(after.ok).toBe(true);
    const text = ceremonyReadiness.present?.(after) ?? '';
    expect(text).toMatch(/never practised with this script: power-cut, wrong-pin/);
    expect(text).not.toMatch(/never practised.*bad-clock/);
    expect(text).toContain('ready');
    disk.files.delete('/people/Wim.pub');
    expect((await report()).points).toContainEqual(
      expect.objectContaining({ about: 'the people', result: 'missing' }),
    );
  });
});

describe('a session that was altered', () => {
  it('keeps nobody from the next one, which continues what is whole', async () => {
    const { lastHead } = await import('#ceremony/past-session');
    const { files } = (await roomContext(disk)).host;
    const before = lastHead(files, '/acme');
    expect(before?.ceremony).toBe('small');
    const altered = disk.copy();
    for (const [path, bytes] of altered.files) {
      if (!/sessions\/2026-02-20.*journal\.jsonl$/.test(path)) continue;
      place(altered, path, Buffer.from(bytes).toString().replace('BAG-2', 'BAG-3'));
    }
    const after = lastHead((await roomContext(altered)).host.files, '/acme');
    expect(after).not.toBeNull();
    expect(after).not.toEqual(before);
  });
});

describe('ceremony plan', () => {
  const plan = async (ceremony: string, format = 'markdown') =>
    await ceremonyPlan.run({ ceremony, format, out: undefined }, await roomContext(disk));

  it('has names, blanks for serials, times and initials, a budget, and what is due', async () => {
    const { plan: text, minutes } = await plan('/acme');
    expect(minutes).toBe(3 + 3 + 7 + 2 + 3 + 3);
    for (const part of [
      '# Script: A bag is sealed',
      '| Ada | administrator | identity |',
      '| [ ] | tamper-evident bag | 1 | ______________________ |',
      '21 minutes in all (0 h 21 min)',
      '**Each custodian seals a bag** | custodian | 7 | serial ______',
      'I have ______.',
      '## Exception sheet 3',
      'I do not agree, because',
      '| [ ] | drill it | 1 year |',
    ])
      expect(text).toContain(part);
  });

  it('says in words which dangers are meant, and nothing where none are', async () => {
    expect((await plan('/acme')).plan).not.toContain('Dangers');
    expect((await plan('threshold-sign')).plan).toContain(
      '- **n-of-n** Everybody of a quorum is needed',
    );
    const waivers = ['n-of-n', 'threshold-1', 'draft', 'token-only'];
    const text = DEFINITION.replace('acts:', `waive: [${waivers.join(', ')}]\nacts:`);
    const { definition } = parseDefinition(Buffer.from(text), 'small.yaml');
    const paper = renderPlan({ definition, digest: `sha256:${'0'.repeat(64)}` });
    for (const waiver of waivers)
      expect(paper).toMatch(new RegExp(`^- \\*\\*${waiver}\\*\\* [A-Z].{30}`, 'm'));
    expect(paper).toContain('goes to no token of another maker, and is lost with its token.');
  });

  it.each(['root-key', 'recover', 'destroy', 'quickstart', 'hsm-import'])(
    'of %s is a page of HTML that is well formed and fetches nothing',
    async (name) => {
      const { plan: html } = await plan(name, 'html');
      const open: string[] = [];
      for (const [, close, tag = ''] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*>/g)) {
        if (tag === 'meta') continue;
        if (close === '') open.push(tag);
        else expect(open.pop()).toBe(tag);
      }
      expect(open).toEqual([]);
      expect(html).not.toMatch(/<script|<link|src=|href=|\*\*|\\/);
      expect(html.match(/<tr>/g)?.length).toBeGreaterThan(20);
    },
  );

  it('lets nothing in a definition become markup', () => {
    const html = htmlPage('# a \\<b\\>\n\n| x |\n| --- |\n| \\| \\*\\*no\\*\\* <script> |\n');
    expect(html).toContain('<td>| **no** &lt;script&gt;</td>');
    expect(inWords('P1Y2M')).toBe('1 year, 2 months');
  });
});

describe('ceremony schema', () => {
  it.each(['definition', 'site', 'participants', 'answers'])(
    'of %s is JSON Schema',
    async (file) => {
      const { schema } = await ceremonySchema.run({ file }, await roomContext(disk));
      expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
      expect(JSON.stringify(schema)).toContain('2020-12');
    },
  );
});
