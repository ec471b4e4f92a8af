/**
 * Transcripts of every type of entry, and of every value that an entry can choose from. What can occur is read from the schemas
 * of `src/script/entries.ts` themselves: a type or a value that is added there fails here until a sample has it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseStatement } from '#custody/audit/statement';
import { decodeDsse } from '#formats/dsse';
import type { JsonObject } from '#formats/canonical-json';
import type { Optional, Schema } from '#formats/schema';
import type { Entry } from '#script/entries';
import { renderMinutes } from '#script/minutes';
import { parseDefinition } from '#script/parse';
import { parseTranscript } from '#script/transcript';
import { inProcess } from '../cli/runners.js';
import { hasProgram, needs, root } from '../support/require.js';
import { sampleSessions } from './transcript-sessions.js';

/** One choice that the schemas leave, and what of it was seen. */
interface Choice {
  readonly what: string;
  readonly values: readonly string[];
  readonly seen: Set<string>;
}
const watched = vi.hoisted(() => ({ on: false, choices: [] as Choice[] }));

/** The schemas as they are, each choice of them watched while they are made. */
vi.mock('#formats/schema', async (original) => {
  const real = await original<typeof import('#formats/schema')>();
  const watch = <T>(
    inner: Schema<T>,
    what: string,
    values: readonly unknown[],
    of: (value: unknown) => string,
  ): Schema<T> => {
    if (!watched.on) return inner;
    const choice: Choice = { what, values: values.map(String), seen: new Set() };
    watched.choices.push(choice);
    return {
      parse: (value, at) => {
        choice.seen.add(of(value));
        return inner.parse(value, at);
      },
    };
  };
  return {
    ...real,
    oneOf: (...values: readonly (string | number)[]) =>
      watch(real.oneOf(...values), values.join(' '), values, String),
    boolean: () => watch(real.boolean(), 'a truth', [true, false], String),
    nullable: <T>(inner: Schema<T>) =>
      watch(real.nullable(inner), 'a value or null', ['null', 'a value'], (it) =>
        it === null ? 'null' : 'a value',
      ),
    object: (shape: Readonly<Record<string, Schema<unknown> | Optional<unknown>>>) => {
      let schema = real.object(shape) as Schema<unknown>;
      for (const [member, inner] of Object.entries(shape)) {
        if (!('optional' in inner)) continue;
        const what = `${member} of ${Object.keys(shape).join(' ')}`;
        schema = watch(schema, what, ['there', 'absent'], (it) =>
          Object.hasOwn(it as object, member) ? 'there' : 'absent',
        );
      }
      return schema;
    },
  };
});

/** What no session can leave behind, and why. */
const NEVER: Readonly<Record<string, string>> = {
  'act of person role act step for reason graded: absent': 'who objects does so at a step',
  'step of person role act step for reason graded: absent': 'as above',
  'for of act step for key how: there': 'a key is wiped once, and not by each: the linter refuses it',
};

const python = needs('python3', hasProgram('python3'), 'the second verifier is written in it');
const folder = fileURLToPath(new URL('v2/transcripts', import.meta.url));
const run = inProcess('transcripts-v2');
const names = Object.keys(sampleSessions);
const at = (name: string): string => join(folder, `${name}.json`);
const parsed = (name: string): ReturnType<typeof parseTranscript> =>
  parseTranscript(parseStatement(decodeDsse(readFileSync(at(name)), name), name), name);

const DEV = 'DEV: nothing of this ceremony may be relied on';
const UNPINNED = 'signers not pinned';

/** What the verdict on each sample begins with, and what `show` must tell of it. */
const EXPECTED: Readonly<
  Record<string, { readonly marks: readonly string[]; readonly shows: readonly string[] }>
> = {
  ways: {
    marks: [DEV, UNPINNED, '1 OBJECTION on the way', '1 of the participants DISAGREE'],
    shows: ['It is too dark here.', 'I could not see the paper.', 'The bulb is gone.'],
  },
  keys: { marks: [DEV, UNPINNED], shows: ['artifacts/shares/set.json', 'completed'] },
  lost: { marks: [DEV, UNPINNED], shows: ['artifacts/set.sig'] },
  failing: { marks: [DEV, UNPINNED, 'ABORTED'], shows: ['aborted'] },
  gate: {
    marks: [UNPINNED, '1 OBJECTION on the way'],
    shows: ['This bag was open before.', 'environment.swap', 'environment.network-interfaces', 'introduced', 'swap is on'],
  },
  disturbed: {
    marks: ['REHEARSAL: not evidence of a ceremony', DEV, UNPINNED],
    shows: ['wrong-pin', 'token-pulled', 'garbled-print', 'bad-clock', 'power-cut', 'full-disk'],
  },
  enrolled: { marks: [DEV, UNPINNED], shows: ['guest', 'tofu'] },
  comers: { marks: [UNPINNED], shows: ['brought', 'introduced', 'compared'] },
};
/** Everything that a verdict says before it says what it is about. */
const begins = (name: string): string => {
  const [opened] = parsed(name).entries;
  const title = opened?.type === 'session.opened' ? opened.data.title : '';
  return [...(EXPECTED[name]?.marks ?? []), `${title}, session `].join('; ');
};

let work: string;
let entries: readonly Entry[];
let entryTypes: readonly string[];

beforeAll(async () => {
  const samples = process.env['CONCLAVE_SAMPLES'];
  if (samples !== undefined) {
    mkdirSync(samples, { recursive: true });
    for (const [name, play] of Object.entries(sampleSessions))
      writeFileSync(join(samples, `${name}.json`), await play());
  }
  work = mkdtempSync(join(tmpdir(), 'conclave-transcripts-'));
  vi.resetModules();
  watched.on = true;
  const schemas = await import('#script/entries');
  watched.on = false;
  entryTypes = schemas.ENTRY_TYPES;
  entries = names.flatMap((name) =>
    parsed(name).entries.map((entry) =>
      schemas.parseEntry({ ...entry, data: entry.data as unknown as JsonObject }, name),
    ),
  );
});
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

describe('the samples of transcripts', () => {
  it('have every type of entry', () => {
    const there = new Set(entries.map(({ type }) => type as string));
    expect(entryTypes.filter((type) => !there.has(type))).toEqual([]);
    expect(entryTypes.length).toBeGreaterThan(20);
  });

  it('have every value of every choice', () => {
    expect(watched.choices.length).toBeGreaterThan(30);
    const missing = watched.choices.flatMap(({ what, values, seen }) =>
      values.filter((value) => !seen.has(value)).map((value) => `${what}: ${value}`),
    );
    expect(missing).toEqual(Object.keys(NEVER));
  });

  it('have parameters of every kind, and each thing that keys and quorums are told by', () => {
    const kinds = entries.flatMap((it) =>
      it.type === 'session.opened' ? Object.values(it.data.parameters).map((v) => typeof v) : [],
    );
    expect(new Set(kinds)).toEqual(new Set(['string', 'number', 'boolean']));
    const events = new Set(entries.flatMap((it) => (it.type === 'event' ? [it.data.event] : [])));
    for (const event of ['key.added', 'key.changed', 'quorum.agreed', 'entropy.gathered'])
      expect(events).toContain(event);
  });

  it('are those that there are, each of a size that can be kept', () => {
    expect(readdirSync(folder).sort()).toEqual(names.map((name) => `${name}.json`).sort());
    for (const name of names) expect(readFileSync(at(name)).length).toBeLessThan(100_000);
  });

  it('are told of type by type in the page of transcripts', () => {
    const page = readFileSync(join(root, 'docs/spec/transcript.md'), 'utf8');
    const told = [...page.matchAll(/^\| `([a-z.]+)` \|/gm)].map(([, type]) => type);
    expect(told.sort()).toEqual([...entryTypes].sort());
  });
});

describe.each(names)('the sample %s', (name) => {
  const ran = async (line: string): Promise<readonly [number, string]> => {
    const { code, stdout } = await run(line.split(' '), {
      cwd: work,
      stdin: new Uint8Array(0),
      env: {},
    });
    return [code, stdout.toString()];
  };

  it('holds, and says first what must not be overlooked', async () => {
    const [code, said] = await ran(`verify ${at(name)} --allow-unpinned --json`);
    const { verdicts } = JSON.parse(said) as { verdicts: readonly { summary: string }[] };
    expect([code, verdicts.length]).toEqual([0, 1]);
    expect(verdicts[0]?.summary.startsWith(begins(name)), verdicts[0]?.summary).toBe(true);
    const [refused] = await ran(`verify ${at(name)}`);
    expect(refused).toBe(1);
  });

  it('is shown with everything that did not go to script', async () => {
    const [code, said] = await ran(`show ${at(name)}`);
    expect(code).toBe(0);
    for (const part of EXPECTED[name]?.shows ?? []) expect(said).toContain(part);
    expect(said).not.toMatch(/undefined|\[object|NaN/);
  });

  it('has minutes with a line for every step that was begun or left out', () => {
    const { definition: text, entries: own } = parsed(name);
    const { definition } = parseDefinition(Buffer.from(text), name);
    const minutes = renderMinutes({ definition, entries: own });
    expect(minutes).not.toMatch(/undefined|\[object|NaN/);
    for (const { type, data } of own) {
      if (type !== 'deviation' && type !== 'objection' && type !== 'session.postponed') continue;
      expect(minutes).toContain(data.reason);
    }
  });
});

it.skipIf(!python)('the second verifier accepts every sample, and no copy with a digit changed', () => {
  const program = join(root, 'test/independent/verify_transcript.py');
  const files = names.map(at);
  const forged = names.map((name) => {
    const path = join(work, `forged-${name}.json`);
    const envelope = JSON.parse(readFileSync(at(name), 'utf8')) as { payload: string };
    const payload = Buffer.from(envelope.payload, 'base64').toString();
    const last = payload.lastIndexOf('"time":"20');
    const year = payload.slice(last + 8, last + 12);
    const later = `${payload.slice(0, last + 8)}${Number(year) + 1}${payload.slice(last + 12)}`;
    const changed = { ...envelope, payload: Buffer.from(later).toString('base64') };
    writeFileSync(path, `${JSON.stringify(changed)}\n`);
    return path;
  });
  const done = spawnSync('python3', ['-B', program, '--json', ...files, ...forged], {
    encoding: 'utf8',
  });
  expect(done.stderr).toBe('');
  const said = JSON.parse(done.stdout) as { ok: boolean; summary: string }[];
  expect(said.map(({ ok }) => ok)).toEqual([...names.map(() => true), ...names.map(() => false)]);
  for (const [i, name] of names.entries())
    expect(said[i]?.summary.startsWith(begins(name)), said[i]?.summary).toBe(true);
});
