/**
 * A second verifier, in plain Python and written from docs/spec/ alone, says of every transcript what ours says, and names the
 * same entry.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '#formats/bytes';
import type { ActionDescription } from '#formats/action';
import type { JsonObject } from '#formats/canonical-json';
import { hasProgram, needs, root, spread, thorough } from '../support/require.js';
import { actionCatalogue, shipped } from './catalogue.js';
import { changed, edit, find, sessions } from './forgeries.js';
import { KINDS, tamperings } from './tamperings.js';
import { type Case, ours, program, theirs } from './two-verifiers.js';
import { type Draft, type Made, makePeople, makeSession, publish } from './session.js';

const python = needs('python3', hasProgram('python3'), 'the second verifier is written in it');

let work: string;
let catalogue: readonly ActionDescription[];

/** Nobody but a few lines of what the shipped script says, so that what is rarely used is in it. */
const SMALL = `conclave: 1
id: small
title: Small
summary: Looks twice. DEV, nothing of it may be relied on.
classification: production
unattended: false
parameters:
  algorithm: { type: algorithm, summary: "which", default: 'ed25519' } # a remark
roles:
  administrator: { count: 1, identity: required, level: verified, distinct-from: [witness], summary: drives }
  witness:
    count: 2
    identity: required
    distinct-from: [ administrator ]
    summary: >-
      attests, at some
      length
environment: { require: [ swap, clock ], recheck: every-act }
acts:
- id: one
  title: One
  steps:
  - { id: look, title: The administrator looks, by: administrator, do: confirm, say: It is so., timeout: 1 }
  - id: maybe
    title: Each witness waits
    by: witness
    each: witness
    do: pause
    when: not (parameters.algorithm == 'ed25519') or false
  - id: read
    title: Each witness reads
    by: witness
    each: witness
    do: read-back
    value: \${{ session.execution-digest }}
- id: two
  title: Two
  steps:
  - id: administrator
    title: The administrator signs off
    by: administrator
    each: administrator
    do: sign-off
  - id: witnesses
    title: Each witness signs off
    by: witness
    each: witness
    do: sign-off
`;

const PROBES = [
  { name: 'swap', result: 'ok', detail: 'none' },
  { name: 'clock', result: 'ok', detail: 'right' },
];
const checked = (act: string, airGap = PROBES): Draft => ({
  type: 'environment.checked',
  data: { act, airGap },
});
const withLooks = (drafts: readonly Draft[]): Draft[] =>
  drafts.flatMap((draft) =>
    draft.type === 'act.started' ? [draft, checked(String(draft.data['act']))] : [draft],
  );
const deviation = (about: string, more: JsonObject = {}, at?: number): Draft => ({
  type: 'deviation',
  ...(at === undefined ? {} : { at }),
  data: {
    about,
    expected: 'one thing',
    happened: 'another',
    reason: 'because',
    by: 'administrator',
    initials: ['witness-1'],
    graded: 'recorded',
    ...more,
  },
});
const resumed = (i: number): Draft => ({
  type: 'session.resumed',
  data: {
    lastTime: new Date(Date.parse('2026-11-23T09:00:00Z') + i * 1000)
      .toISOString()
      .replace('.000Z', 'Z'),
    lost: [],
    tool: { version: '0.1.0', digest: `sha256:${'0'.repeat(64)}` },
  },
});

const cases: Case[] = [];

beforeAll(async () => {
  if (!python) return;
  work = mkdtempSync(join(tmpdir(), 'conclave-second-'));
  catalogue = await actionCatalogue();
  const real = await makeSession(shipped('root-key.yaml'));
  const quick = await makeSession(shipped('quickstart.yaml'));
  const rehearsed = await makeSession(shipped('root-key.yaml'), 'rehearsal');
  const small = await makeSession(SMALL);
  Object.assign(sessions, { real, quick, rehearsed });
  const good = async (name: string, made: Made, drafts = made.drafts): Promise<unknown> =>
    cases.push({ name, made, bytes: await publish(made, drafts), ok: true });
  const bad = async (name: string, made: Made, drafts: readonly Draft[]): Promise<unknown> =>
    cases.push({ name, made, bytes: await publish(made, drafts), ok: false });

  await good('root-key', real);
  await good('quickstart', quick);
  await good('a rehearsal', rehearsed);
  // The forgeries themselves are all tried by transcript.test.ts.
  for (const [name, , forge] of thorough ? tamperings : spread(tamperings, 12))
    cases.push({ name, made: real, bytes: await forge(real), ok: false });

  const looks = withLooks(small.drafts);
  const skips = looks.findIndex(
    ({ type, data }) => type === 'step.started' && data['step'] === 'maybe',
  );
  // The stand-in for an engine does not evaluate conditions.
  const skipped = looks.flatMap((draft, i): Draft[] => {
    if (draft.data['step'] !== 'maybe') return [draft];
    if (draft.type !== 'step.started' || i < skips) return [];
    const { act, step, for: holder } = draft.data as { act: string; step: string; for: string };
    return [{ type: 'step.skipped', data: { act, step, for: holder, condition: 'no' } }];
  });
  const at = find(skipped, 'step.started', 'look') + 1;
  const where = { act: 'one', step: 'look' };
  const objection: Draft = {
    type: 'objection',
    data: {
      person: 'witness-2',
      role: 'witness',
      ...where,
      reason: 'too dark',
      graded: 'recorded',
    },
  };
  const put = (...drafts: Draft[]): Draft[] => skipped.toSpliced(at, 0, ...drafts);
  await good('a small ceremony', small, skipped);
  await good('an objection', small, put(objection));
  await good('a deviation', small, put(deviation('other', where)));
  const postponed: Draft = {
    type: 'session.postponed',
    data: { by: 'administrator', reason: 'the lock jams', graded: 'recorded' },
  };
  const again: Draft = { type: 'step.started', data: { ...where, attempt: 2 } };
  await good('postponed', small, put(postponed, resumed(at), checked('one'), again));
  const late = skipped.map((draft, i): Draft => ({ ...draft, at: i < at ? i : i + 100 }));
  await good('late, and said so', small, late.toSpliced(at, 0, deviation('time', where, at + 100)));
  const swapped = [{ name: 'swap', result: 'finding', detail: 'on' }, PROBES[1] as JsonObject];
  const found = skipped.map((draft) =>
    draft.type === 'environment.checked' && draft.data['act'] === 'two'
      ? checked('two', swapped as never)
      : draft,
  );
  const afterFound = found.findIndex((it) => it.data['airGap'] === swapped) + 1;
  await good('explained', small, found.toSpliced(afterFound, 0, deviation('environment.swap')));

  await bad('late without a word', small, late);
  await bad(
    'the clock set back',
    small,
    skipped.map((it, i) => ({ ...it, at: i < 9 ? i : i - 5 })),
  );
  await bad('a finding unexplained', small, found);
  await bad(
    'not looked at',
    small,
    skipped.filter(({ type }) => type !== 'environment.checked'),
  );
  await bad('not looked at after a gap', small, put(resumed(at - 1), again));
  await bad('postponed and not resumed', small, put(postponed));
  await bad(
    'an objection by a stranger',
    small,
    put({ ...objection, data: { ...objection.data, person: 'nobody' } }),
  );
  await bad(
    'an objection without words',
    small,
    put({ ...objection, data: { ...objection.data, reason: ' ' } }),
  );
  await bad(
    'disturbed on purpose in earnest',
    small,
    put({ type: 'fault.injected', data: { fault: 'full-disk', ...where } }),
  );
  await bad('a looked-at machine that nobody asked for', real, [
    ...real.drafts.slice(0, 2),
    checked('convene'),
    ...real.drafts.slice(2),
  ]);
  await bad(
    'a level that is too low',
    small,
    changed(skipped, (copy) => {
      const people = copy[0]?.data['participants'] as { level: string }[];
      (people[0] as { level: string }).level = 'tofu';
      edit(copy, 0, { participants: people as never });
    }),
  );
  await bad(
    'a rehearsal passed off as real',
    rehearsed,
    changed(rehearsed.drafts, (copy) => {
      edit(copy, 0, { mode: 'run', environment: 'production' });
    }),
  );
  await bad(
    'a rehearsal with only its mark changed',
    rehearsed,
    changed(rehearsed.drafts, (copy) => {
      edit(copy, 0, { environment: 'production' });
    }),
  );
  cases.push({
    name: 'another file in the place of an artifact',
    made: { ...real, files: new Map(real.files).set('artifacts/shares/set.json', utf8('{}')) },
    bytes: await publish(real),
    ok: false,
  });
  const strangers = await makeSession(
    real.definitionText,
    'run',
    await makePeople(real.definition, 'production'),
  );
  cases.push({
    name: 'fresh keys under the same names',
    made: real,
    bytes: await publish(strangers),
    ok: false,
  });
  const text = Buffer.from(await publish(quick)).toString();
  for (const [name, change] of [
    ['an envelope with one member more', (it: string) => it.replace('{', '{"x":1,')],
    ['a file cut short', (it: string) => it.slice(0, -200)],
  ] as const)
    cases.push({ name, made: quick, bytes: utf8(change(text)), ok: false });
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

describe.skipIf(!python)('two verifiers', () => {
  /** What both refuse by the same entry. */
  const agreed = new Set<string>();

  it('say the same of every good and every forged transcript', async () => {
    expect(cases.filter(({ ok }) => !ok).length).toBeGreaterThan(20);
    const wrong: string[] = [];
    for (const made of new Set(cases.map((it) => it.made))) {
      const own = cases.filter((it) => it.made === made);
      const answers = theirs(made, own, work);
      for (const [i, one] of own.entries()) {
        const { ok, text } = await ours(one, catalogue);
        const other = answers[i];
        if (ok !== one.ok) wrong.push(`${one.name}: ours says ${String(ok)}: ${text}`);
        if (other?.ok !== one.ok) wrong.push(`${one.name}: theirs says ${JSON.stringify(other)}`);
        const named = [...text.matchAll(/entry (\d+)/g)].map(([, number]) => Number(number));
        const entry = other?.entry ?? null;
        if (!ok && entry !== null && named.includes(entry)) agreed.add(one.name);
        if (!ok && named.length > 0 && entry !== null && !named.includes(entry))
          wrong.push(`${one.name}: ours names ${named.join()}, theirs ${JSON.stringify(other)}`);
        if (other?.code === 65 && !/envelope|cut short/.test(one.name))
          wrong.push(`${one.name}: theirs cannot read it: ${other.summary}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('name the same entry of what is about one, whatever is done', () => {
    const known = new Set(tamperings.map(([name]) => name));
    const wanted = Object.entries(KINDS).flatMap(([kind, names]) =>
      names.map((name) => ({ kind, name })),
    );
    expect(wanted.filter(({ name }) => !known.has(name))).toEqual([]);
    expect(wanted.length).toBeGreaterThan(25);
    const tried = new Set(cases.map(({ name }) => name));
    expect(wanted.filter(({ name }) => tried.has(name) && !agreed.has(name))).toEqual([]);
    expect(agreed.size).toBeGreaterThan(thorough ? 30 : 8);
  });

  it('know the same of what actions do to secrets', () => {
    const script = [
      'import importlib.util, json, sys',
      `sys.path.insert(0, ${JSON.stringify(dirname(program))})`,
      `spec = importlib.util.spec_from_file_location("v", ${JSON.stringify(program)})`,
      'v = importlib.util.module_from_spec(spec)',
      'spec.loader.exec_module(v)',
      'print(json.dumps(v.SECRECY))',
    ].join('\n');
    const theirTable = JSON.parse(
      spawnSync('python3', ['-B', '-c', script], { encoding: 'utf8' }).stdout,
    ) as Readonly<Record<string, string>>;
    const ourTable = Object.fromEntries(
      catalogue.flatMap(({ id, secrecy, only }) =>
        secrecy === undefined || only === 'cli' ? [] : [[id, secrecy]],
      ),
    );
    expect(theirTable).toEqual(ourTable);
  });

  it('read every shipped definition alike', async () => {
    const { readFileSync, readdirSync } = await import('node:fs');
    const { readYaml } = await import('#script/yaml');
    const folder = join(root, 'ceremonies');
    const texts = [
      SMALL,
      ...readdirSync(folder)
        .filter((name) => name.endsWith('.yaml'))
        .map((name) => readFileSync(join(folder, name), 'utf8')),
    ];
    const script = [
      'import importlib.util, json, sys',
      `sys.path.insert(0, ${JSON.stringify(dirname(program))})`,
      `spec = importlib.util.spec_from_file_location("v", ${JSON.stringify(program)})`,
      'v = importlib.util.module_from_spec(spec)',
      'spec.loader.exec_module(v)',
      'print(json.dumps([v.Yaml(text).read() for text in json.load(sys.stdin)]))',
    ].join('\n');
    const done = spawnSync('python3', ['-B', '-c', script], {
      input: JSON.stringify(texts),
      encoding: 'utf8',
    });
    expect(done.stderr).toBe('');
    expect(JSON.parse(done.stdout)).toEqual(texts.map((text) => readYaml(utf8(text), 'x').value));
  });
});
