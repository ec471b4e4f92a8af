/**
 * The canary of what people throw: dice, coins, cards and digits occur in nothing that a ceremony writes, prints or says, in no
 * form and in no part, wherever the run is cut short, breaks, or refuses what was typed.
 */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type EntropySource, readThrows } from '#actions/entropy/throws';
import { utf8 } from '#formats/bytes';
import { inProcess } from '../cli/runners.js';
import { shipped } from '../script/catalogue.js';
import { filesBelow, formsIn } from '../support/canary.js';
import { Disk, place } from './memory-host.js';
import { playedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

/** What is typed, and why it is refused if it is; longer than the longest part of a digest that could be it by chance. */
const THROWN: readonly (readonly [EntropySource, string, RegExp?])[] = [
  ['dice', '3514625143261 2265413362 5144215366'],
  ['coins', 'HTTHTHHTTTHHTHTHHHTTHTTTHHTHTH'],
  ['cards', 'QD 7S AH 10C 3D KS 9H JC 2H 6D 8S 4C'],
  ['hex', '9f3a77c1d20b5e64a8130fce'],
];
const REFUSED: typeof THROWN = [
  ['dice', '6165636661646566636166656661666365666166646665661666', /more often/],
  ['dice', '24513624513624513624513624513624513', /repeats itself/],
  ['dice', '35146251432617', /sign 14 is none/],
  ['coins', 'HTTHTHHTTTHHTHTHHX', /sign 18 is none/],
  ['cards', 'QC 7D AC 10S 3H KD 9S QC', /card 8 was drawn before/],
  ['hex', '5e64a81309f3a77c1d2g', /sign 20 is none/],
];
const BITS = 270;

/** Every text in which throws, or a telling part of them, could appear. */
function formsOf(source: EntropySource, typed: string): readonly string[] {
  const whole = typed.replaceAll(/[\s,-]/g, '');
  const parts = source === 'cards' ? typed.split(' ') : [...whole];
  const span = source === 'cards' ? 4 : 12;
  let values: readonly number[] = [];
  try {
    ({ values } = readThrows(source, typed));
  } catch {
    // What cannot be read has no values.
  }
  const windows = (all: readonly (string | number)[], by: string): string[] =>
    all.slice(0, -span + 1).map((_, i) => all.slice(i, i + span).join(by));
  const texts = [
    typed,
    ...['', ' ', ',', ', ', '-', '\n'].flatMap((by) => windows(parts, by)),
    ...[' ', ',', ', '].flatMap((by) => windows(values, by)),
  ];
  return texts.flatMap((text) => [text, text.toLowerCase()]);
}

/** The forms of each, which are looked for again and again. */
const FORMS = new Map(
  [...THROWN, ...REFUSED].map(([source, typed]) => {
    const bytes = [utf8(typed)];
    try {
      bytes.push(utf8(`${source} ${readThrows(source, typed).values.join(' ')}`));
    } catch {
      // What cannot be read is no contribution.
    }
    if (source === 'hex')
      bytes.push(Buffer.from(typed.slice(0, typed.length - (typed.length % 2)), 'hex'));
    return [typed, { texts: formsOf(source, typed).map((it) => Buffer.from(it)), bytes }];
  }),
);

/** Where something thrown occurs. */
function found(places: ReadonlyMap<string, Buffer>, thrown: typeof THROWN): readonly string[] {
  return thrown.flatMap(([source, typed]) => {
    const { texts = [], bytes = [] } = FORMS.get(typed) ?? {};
    return [...places].flatMap(([at, content]) => {
      const inText = texts.filter((form) => content.includes(form)).map(String);
      const coded = bytes.flatMap((it) => formsIn(content, it));
      return [...inText.slice(0, 1), ...coded].map((form) => `${source} in ${at}: ${form}`);
    });
  });
}

const text = shipped('quickstart.yaml').replace(
  /(uses: key\.generate\n +with:\n)( +)/,
  `$1$2people-bits: ${BITS}\n$2`,
);

/** An answers file with these throws. */
function answers(thrown: typeof THROWN): string {
  const given = thrown.map(([source, typed]) => `{ choice: ${source} }, { text: "${typed}" }`);
  return [
    'answers:',
    `  generate/generate: [${given.join(', ')}]`,
    '  close/administrator/administrator: { choice: agree }',
    '  close/witness/witness: { choice: agree }',
    '',
  ].join('\n');
}

/** What the session and the home left behind; what was there before is no business of it. */
const everything = (disk: Disk): Map<string, Buffer> =>
  new Map([
    ['the names of files', Buffer.from([...disk.files.keys(), ...disk.folders].join('\n'))],
    ...[...disk.files]
      .filter(([path]) => /^\/(?:out|home)\//.test(path))
      .map(([path, bytes]): [string, Buffer] => [path, Buffer.from(bytes)]),
  ]);

describe('the search itself', () => {
  it('finds what was typed and what was read of it, whole and in part', () => {
    for (const one of THROWN) {
      const [source, typed] = one;
      const { values } = readThrows(source, typed);
      const half = typed.slice(0, source === 'cards' ? 12 : 16);
      for (const leak of [
        typed,
        half,
        values.join(' '),
        JSON.stringify(values),
        typed.toLowerCase(),
      ])
        expect(found(new Map([['x', Buffer.from(`... ${leak} ...`)]]), [one]), leak).not.toEqual(
          [],
        );
      const coded = Buffer.from(typed).toString('base64');
      expect(found(new Map([['x', Buffer.from(coded)]]), [one])).not.toEqual([]);
    }
  });
});

describe('what was thrown', () => {
  it('is in nothing that was written, at whatever write the power goes, nor in what was said', async () => {
    const disk = new Disk();
    furnish(disk);
    place(disk, '/dice.yaml', text);
    let moments = 0;
    const lengths = new Map<string, number>();
    const leaks = new Set<string>();
    const left = [...REFUSED, ...THROWN];
    const all = [...REFUSED, ...THROWN];
    let current: (typeof THROWN)[number] | undefined;
    const refusals: string[] = [];
    const terminal = playedTerminal(({ key, kind }) => {
      if (key !== 'generate/generate') return undefined;
      if (kind === 'choose') {
        // What is refused stands before what is taken, and is of the same kind where there is such.
        current = left.shift();
        return current?.[0];
      }
      return current?.[1];
    });
    const patient: typeof terminal = {
      ...terminal,
      text: async (question, at, check) => {
        while (current?.[2] !== undefined) {
          const problem = check?.(current[1]) ?? '';
          expect(problem).toMatch(current[2]);
          refusals.push(problem);
          const next = left.findIndex(([source]) => source === current?.[0]);
          [current] = next < 0 ? [undefined] : left.splice(next, 1);
        }
        return await terminal.text(question, at, check);
      },
    };
    const context = await roomContext(disk, {
      terminal: patient,
      host: {
        faults: {
          after: ({ path }, now) => {
            moments++;
            // Of a journal what is new, and enough before it that nothing falls between.
            const bytes = now.files.get(path) ?? new Uint8Array(0);
            const fresh = bytes.subarray(Math.max(0, (lengths.get(path) ?? 0) - 1024));
            lengths.set(path, bytes.length);
            const places = new Map([
              [path, Buffer.from(fresh)],
              ['its name', Buffer.from(path)],
            ]);
            for (const leak of found(places, all)) leaks.add(leak);
          },
        },
      },
    });
    expect(await runIn(context, { ceremony: '/dice.yaml', outDir: '/out' })).toMatchObject({
      ok: true,
    });
    expect(moments).toBeGreaterThan(60);
    expect(refusals.length).toBe(REFUSED.length);
    expect([...leaks]).toEqual([]);
    const said = Buffer.from([...terminal.shown, ...refusals].join('\n'));
    expect(found(new Map([...everything(disk), ['the screen', said]]), all)).toEqual([]);
    expect(Buffer.from(disk.files.get('/out/journal.jsonl') ?? '').toString()).toContain(
      'entropy.gathered',
    );
  });
});

describe('a file of throws', () => {
  const work = realpathSync(mkdtempSync(join(tmpdir(), 'conclave-throws-')));
  const seen = join(work, 'seen');
  mkdirSync(seen);
  writeFileSync(join(work, 'dice.yaml'), text);
  const printed: Buffer[] = [];
  const draws: number[] = [];
  let breakAt = Infinity;
  const run = inProcess('throws', ({ length }) => {
    if (draws.push(length) === breakAt) throw new TypeError('the generator broke');
  });
  afterAll(() => {
    rmSync(work, { recursive: true, force: true });
  });

  async function conclave(thrown: typeof THROWN, out: string, ...more: string[]): Promise<number> {
    writeFileSync(join(work, 'answers.yaml'), answers(thrown));
    const words = ['run', join(work, 'dice.yaml'), '--answers', join(work, 'answers.yaml')];
    const ran = await run([...words, '--out-dir', out, ...more], {
      cwd: seen,
      stdin: new Uint8Array(0),
      env: {},
    });
    printed.push(ran.stdout, ran.stderr);
    return ran.code;
  }

  const places = (): Map<string, Buffer> => {
    const files = filesBelow(seen);
    return new Map([
      ['what was printed', Buffer.concat(printed)],
      ['the names of files', Buffer.from(files.join('\n'))],
      ...files.map((path): [string, Buffer] => [path, readFileSync(join(seen, path))]),
    ]);
  };

  it('is told by nothing that refuses it', async () => {
    // One for each reason; the others are refused at a keyboard above.
    for (const [i, one] of REFUSED.filter((_, at) => at === 0 || at > 3).entries()) {
      const more = i % 2 === 0 ? ['--json', '--debug'] : ['--debug'];
      const before = printed.length;
      expect(await conclave([one], `refused-${i}`, ...more)).toBe(2);
      expect(Buffer.concat(printed.slice(before)).toString()).toMatch(one[2] as RegExp);
    }
    expect(found(places(), REFUSED)).toEqual([]);
  });

  it('is told by nothing where all goes well, or the program breaks in the middle', async () => {
    draws.length = 0;
    expect(await conclave(THROWN, 'whole', '--json', '--debug')).toBe(0);
    // The salts of four throws in a row: at the third two were typed, after the last all of them.
    const salts = draws.findIndex((_, i) => [0, 1, 2, 3].every((more) => draws[i + more] === 16));
    expect(salts).toBeGreaterThan(0);
    for (const at of [salts + 3, salts + 5]) {
      draws.length = 0;
      breakAt = at;
      expect(await conclave(THROWN, `broken-${at}`, '--debug')).toBe(70);
    }
    breakAt = Infinity;
    expect(Buffer.concat(printed).toString()).toContain('the generator broke');
    expect(found(places(), THROWN)).toEqual([]);
  });
});
