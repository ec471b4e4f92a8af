/** Ceremonies that go different ways: branches, failures that lead elsewhere, resumed in between; and two verifiers that know. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '#formats/canonical-json';
import { replaySession } from '#script/replay';
import { parseDefinition } from '#script/parse';
import { renderMinutes } from '#script/minutes';
import { renderPlan } from '#script/paper';
import { hasProgram, needs, root } from '../support/require.js';
import { BRANCHED } from '../script/branched.js';
import { entriesOf } from '../script/session.js';
import { type Checked, checkSession, problemsOf } from './evidence.js';
import { Disk, place } from './memory-host.js';
import { type Asked, CTRL_C, type Player, playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const python = needs('python3', hasProgram('python3'), 'the second verifier is written in it');
const program = join(root, 'test/independent/verify_transcript.py');
let work: string;
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'conclave-ways-'));
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

const input = { ceremony: '/ways.yaml', outDir: '/out' } as const;

function disk(text = BRANCHED): Disk {
  const made = new Disk();
  furnish(made);
  place(made, '/ways.yaml', text);
  return made;
}

async function play(on: Disk, player: Player, more: Partial<Parameters<typeof runIn>[1]> = {}) {
  const context = await roomContext(on, { terminal: playedTerminal(player) });
  return await runIn(context, { ...input, ...more });
}

/** What both verifiers say of the session. */
async function check(on: Disk): Promise<Checked> {
  const context = await roomContext(on);
  const checked = await checkSession(on, '/out', await context.catalogue());
  expect(problemsOf(checked.verdict)).toEqual([]);
  if (python) {
    const folder = mkdtempSync(join(work, 'session-'));
    for (const name of ['transcript.json', 'definition.yaml'])
      writeFileSync(join(folder, name), on.files.get(`/out/${name}`) ?? '');
    const said = spawnSync('python3', ['-B', program, folder], { encoding: 'utf8' });
    expect([said.status, said.stdout]).toEqual([0, expect.stringMatching(/^ok /)]);
  }
  return checked;
}

const NUMBERS: Player = ({ key, kind }) => {
  if (key === 'paper/typed' && kind === 'text') return '17';
  if (key === 'hand/written' && kind === 'text') return '71';
  return undefined;
};

/** Answers some questions with no, as often as said, and everything else as `NUMBERS`. */
function refusing(no: Record<string, number>, printer = 'works'): Player {
  const left = { ...no };
  return (asked: Asked) => {
    if (asked.key === 'convene/printer' && asked.kind === 'choose') return printer;
    const wanted = left[asked.key] ?? 0;
    if (wanted > 0 && asked.kind === 'confirm') return false;
    if (wanted > 0 && asked.kind === 'choose') {
      left[asked.key] = wanted - 1;
      return 'no';
    }
    return NUMBERS(asked);
  };
}

describe('a branch', () => {
  it.each([
    ['works', 'then', 'paper/typed', 'hand/written', '17'],
    ['broken', 'else', 'hand/written', 'paper/typed', '71'],
  ])('goes one way when the printer %s', async (printer, side, done, left, number) => {
    const on = disk();
    expect((await play(on, refusing({}, printer))).ok).toBe(true);
    const checked = await check(on);
    expect(checked.of('branch.taken').map(({ data }) => data)).toEqual([
      {
        act: 'paper',
        branch: 'output',
        side,
        condition: "steps.printer.answer == 'works' and parameters.place == 'cellar'",
        values: { 'steps.printer.answer': printer, 'parameters.place': 'cellar' },
      },
    ]);
    const at = ({ act, step }: { act: string; step: string }): string => `${act}/${step}`;
    expect(checked.of('step.finished').map(({ data }) => at(data))).toContain(done);
    expect(checked.of('step.skipped').map(({ data }) => at(data))).toContain(left);
    const { definition } = parseDefinition(Buffer.from(BRANCHED), 'd');
    expect(renderMinutes({ definition, entries: checked.entries })).toContain(`way: ${side}`);
    const claims = checked.verdict.claims.map(({ claim, detail }) => `${claim}: ${detail}`);
    expect(claims.join('\n')).toContain(`the branch output: "${side}"`);
    expect(JSON.stringify(checked.entries)).toContain(number);
  });

  it('is not asked twice by a session that was left behind it', async () => {
    const on = disk();
    const away = refusing({}, 'broken');
    await expect(
      play(on, (asked) => (asked.key === 'hand/written' ? CTRL_C : away(asked))),
    ).rejects.toMatchObject({ exitCode: 130 });
    expect((await play(on, NUMBERS, { resume: true })).ok).toBe(true);
    expect((await check(on)).of('branch.taken')).toHaveLength(1);
  });

  it('shows both ways on paper', () => {
    const { definition } = parseDefinition(Buffer.from(BRANCHED), 'd');
    const paper = renderPlan({ definition, digest: `sha256:${'0'.repeat(64)}` });
    expect(paper).toContain('## Branches');
    expect(paper).toContain('Way "then" of the branch output only.');
    expect(paper).toContain('Way "else" of the branch output only.');
    expect(paper).toContain('When it fails, the ceremony goes to step 1.2.');
    expect(paper).toContain('When it fails, the ceremony is postponed.');
  });
});

describe('a failure', () => {
  it('leads back, and the branch is taken once more, perhaps the other way', async () => {
    const on = disk();
    let asked = 0;
    const player = refusing({ 'compare/compare/witness': 1 });
    const result = await play(on, (it) =>
      it.key === 'convene/printer' && it.kind === 'choose'
        ? asked++ === 0
          ? 'works'
          : 'broken'
        : player(it),
    );
    expect(result.ok).toBe(true);
    const checked = await check(on);
    expect(checked.of('step.failed').map(({ data }) => data.then)).toEqual(['back']);
    expect(checked.of('rollback').map(({ data }) => data.toStep)).toEqual(['printer']);
    expect(checked.of('branch.taken').map(({ data }) => data.side)).toEqual(['then', 'else']);
  });

  it('leads back three times, and then ends the ceremony', async () => {
    const on = disk();
    const result = await play(on, refusing({ 'compare/compare/witness': 9 }));
    expect(result).toMatchObject({ ok: false, outcome: 'aborted' });
    const checked = await check(on);
    const then = checked.of('step.failed').map(({ data }) => data.then);
    expect(then).toEqual(['back', 'back', 'back', 'abort']);
  });

  it('leads onward as a deviation, past what stands between', async () => {
    const on = disk();
    expect((await play(on, refusing({ 'compare/lamp': 1 }))).ok).toBe(true);
    const checked = await check(on);
    expect(checked.of('step.failed').map(({ data }) => data.then)).toEqual(['onward']);
    expect(checked.of('deviation').map(({ data }) => data.step)).toEqual(['lamp']);
    expect(checked.of('step.skipped').map(({ data }) => data.condition)).toEqual([
      'the branch output went another way',
      'the branch output went another way',
      'a failure led past it',
    ]);
  });

  it('postpones, and the step is begun again with a fresh count', async () => {
    const on = disk();
    const twice = refusing({ 'convene/presence': 1 });
    await expect(play(on, twice)).rejects.toMatchObject({ code: 'E_POSTPONED', exitCode: 75 });
    const again = refusing({ 'convene/presence': 1 });
    await expect(play(on, again, { resume: true })).rejects.toMatchObject({ exitCode: 75 });
    expect((await play(on, refusing({}), { resume: true })).ok).toBe(true);
    const checked = await check(on);
    const then = checked.of('step.failed').map(({ data }) => data.then);
    expect(then).toEqual(['postpone', 'postpone']);
    expect(checked.of('session.postponed')).toHaveLength(2);
  });
});

describe('a record of another way', () => {
  it('is refused by both, at the same entry', async () => {
    const on = disk();
    await play(on, refusing({ 'compare/lamp': 1 }));
    const { entries } = await check(on);
    const drafts = entries.map(({ type, data }) => ({ type, data: data as unknown as JsonObject }));
    const at = drafts.findIndex(({ type }) => type === 'branch.taken');
    const skip = drafts.findIndex(({ data }) => data['step'] === 'written');
    const failed = drafts.findIndex(({ type }) => type === 'step.failed');
    const shade = drafts.findIndex(({ data }) => data['step'] === 'shade');
    const begun = { act: 'compare', step: 'shade', attempt: 1 };
    const edit = (i: number, change: JsonObject) =>
      drafts.with(i, {
        ...(drafts[i] as (typeof drafts)[0]),
        data: { ...drafts[i]?.data, ...change },
      });
    const cases: readonly (readonly [string, typeof drafts, number])[] = [
      ['the other side', edit(at, { side: 'else' }), at],
      ['another reason', edit(at, { values: { 'steps.printer.answer': 'works' } }), at],
      ['another condition', edit(at, { condition: 'true' }), at],
      ['no side at all', drafts.toSpliced(at, 1), at],
      ['a side taken twice', drafts.toSpliced(at, 0, drafts[at] as (typeof drafts)[0]), at + 1],
      [
        'a step of the other side',
        edit(skip, {}).with(skip, {
          type: 'step.started',
          data: { act: 'hand', step: 'written', attempt: 1 },
        }),
        skip,
      ],
      ['a failure that ends nothing', edit(failed, { then: 'retry' }), failed],
      ['a failure that leads back', edit(failed, { then: 'back' }), failed],
      [
        'a step that was passed over',
        drafts.with(shade, { type: 'step.started', data: begun }),
        shade,
      ],
    ];
    const { definition } = parseDefinition(Buffer.from(BRANCHED), 'd');
    const catalogue = await (await roomContext(on)).catalogue();
    for (const [name, forged, entry] of cases) {
      const ours = replaySession(definition, entriesOf(forged), catalogue).violation;
      expect([name, ours?.seq]).toEqual([name, entry]);
    }
    if (!python) return;
    const walk = [
      'import json, sys',
      `sys.path.insert(0, ${JSON.stringify(join(root, 'test/independent'))})`,
      'import verify_transcript as v',
      'text, runs = json.load(sys.stdin)',
      'definition, out = v.Yaml(text).read(), []',
      'for entries in runs:',
      '    walk, before, found = v.Walk(definition, entries[0]["data"]), None, None',
      '    for entry in entries:',
      '        try:',
      '            walk.entry(entry, before)',
      '        except (v.Problem, v.Unresolved) as problem:',
      '            found = entry["seq"]',
      '            break',
      '        before = entry',
      '    out.append(found)',
      'print(json.dumps(out))',
    ].join('\n');
    const runs = [drafts, ...cases.map(([, forged]) => forged)].map((it) => entriesOf(it));
    mkdirSync(join(work, 'empty'), { recursive: true });
    const done = spawnSync('python3', ['-B', '-c', walk], {
      input: JSON.stringify([BRANCHED, runs]),
      encoding: 'utf8',
    });
    expect(done.stderr).toBe('');
    expect(JSON.parse(done.stdout)).toEqual([null, ...cases.map(([, , entry]) => entry)]);
  });
});
