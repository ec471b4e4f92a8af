/**
 * Every reference and every form of speaking that a definition may use, run through the engine by people who first answer
 * wrongly. What they were asked, what stands in the record, and what the checker makes of it afterwards are held against values
 * that this file knows by itself.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { BYTEWORDS } from '#carriage/transport/bytewords';
import { type Checked, checkSession, problemsOf } from './evidence.js';
import { Disk, place } from './memory-host.js';
import { type Asked, type Player, playedTerminal, type PlayedTerminal } from './people.js';
import { furnish, roomContext, runIn } from './room.js';

const DEFINITION = `conclave: 1
id: language
title: Dev ceremony of every reference
summary: A dev ceremony for tests.
classification: dev
parameters:
  copies: { type: integer, summary: how many, default: 7 }
  place: { type: string, summary: where, choices: [cellar, attic], default: cellar }
  sealed: { type: boolean, summary: whether, default: true }
roles:
  administrator: { count: 1, identity: required, distinct-from: [witness], summary: drives }
  custodian: { count: 3, identity: optional, distinct-from: [], summary: holds }
  witness: { count: 1, identity: required, distinct-from: [administrator], summary: attests }
quorums:
  opening: { of: custodian, threshold: 2, shares: 3 }
materials:
  pouch: { kind: blue pouch, count: 3, serial: required }
branches:
  way:
    summary: which of two
    when: steps.weather.answer == 'dry' or parameters.place == 'attic'
    gives:
      told: { then: '\${{ steps.inside.answer }}', else: '\${{ steps.outside.answer }}' }
acts:
  - id: forms
    title: Forms of speaking
    steps:
      - { id: words, title: The witness reads words, by: witness, do: read-back, value: '\${{ session.execution-digest }}', form: words }
      - { id: nato, title: The witness reads letters, by: witness, do: read-back, value: '\${{ session.definition-digest }}', form: nato }
      - id: choice
        title: The witness chooses among decoys
        by: witness
        do: read-back
        value: \${{ session.execution-digest }}
        form: choice
        retry: 2
        on-failure: retry
  - id: values
    title: Values
    steps:
      - { id: id, title: The witness reads the session, by: witness, do: read-back, value: '\${{ session.id }}' }
      - { id: count, title: The witness reads how many custodians, by: witness, do: read-back, value: '\${{ roles.custodian.count }}' }
      - { id: threshold, title: 'The witness reads the threshold, 2 of 3', by: witness, do: read-back, value: '\${{ quorums.opening.threshold }}' }
      - { id: shares, title: The witness reads the shares, by: witness, do: read-back, value: '\${{ quorums.opening.shares }}' }
      - { id: copies, title: The witness reads the parameter, by: witness, do: read-back, value: '\${{ parameters.copies }}' }
      - id: number
        title: The witness reads the number of each custodian
        by: witness
        each: custodian
        do: read-back
        value: \${{ each.number }}
        say: Custodian \${{ each.number }} of \${{ roles.custodian.count }}, who is \${{ each.name }}, in session \${{ session.id }}.
      - { id: name, title: The witness reads the name of each custodian, by: witness, each: custodian, do: read-back, value: '\${{ each.name }}' }
      - { id: pouch, title: Each custodian seals, by: custodian, each: custodian, do: seal, value: '\${{ materials.pouch }}' }
      - id: own
        title: The witness reads the serial of each custodian
        by: witness
        each: custodian
        do: read-back
        value: \${{ steps.pouch.serial }}
      - id: first
        title: The witness hears of the first custodian alone
        by: witness
        each: custodian
        when: each.number == 1 and roles.custodian.count == 3
        do: confirm
        say: This is custodian one.
      - id: others
        title: The witness hears of the other custodians
        by: witness
        each: custodian
        when: not (each.name == 'custodian-1') and (session.id != 'none' or false) and parameters.sealed
        do: confirm
        say: This is not custodian one.
  - id: ways
    title: Ways
    steps:
      - { id: weather, title: What does the administrator say of the weather?, by: administrator, do: ask, choices: [dry, wet] }
      - { id: inside, title: What does the administrator see inside?, by: administrator, do: ask, branch: way.then }
      - { id: outside, title: What does the administrator see outside?, by: administrator, do: ask, branch: way.else }
      - { id: told, title: The witness reads what was told, by: witness, do: read-back, value: '\${{ branches.way.told }}' }
  - id: close
    title: Close
    steps:
      - { id: administrator, title: The administrator signs off, by: administrator, each: administrator, do: sign-off }
      - { id: witness, title: The witness signs off, by: witness, each: witness, do: sign-off }
`;

const LETTERS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    'zero one two three four five six seven eight nine'.split(' ').map((word, i) => [i, word]),
  ),
  ...{ a: 'alfa', b: 'bravo', c: 'charlie', d: 'delta', e: 'echo', f: 'foxtrot' },
};

/** The sixteen groups of a digest, spoken. */
const inWords = (digest: string): string[] =>
  (digest.slice(7).match(/.{4}/g) ?? []).map((group) =>
    (group.match(/../g) ?? []).map((byte) => BYTEWORDS[Number.parseInt(byte, 16)]).join(' '),
  );
const inLetters = (digest: string): string[] =>
  (digest.slice(7).match(/.{4}/g) ?? []).map((group) =>
    [...group].map((digit) => LETTERS[digit]).join(' '),
  );

/** Which groups a question asks for, from 0. */
const asksFor = (question: string): number[] =>
  (/type groups ([\d, ]+) of/.exec(question)?.[1] ?? '').split(', ').map((at) => Number(at) - 1);

/** People who are asked again as a terminal does it, and what it told them. */
function stubborn(player: Player, told: string[]): PlayedTerminal {
  const played = playedTerminal(player);
  return {
    ...played,
    text: async (question, at, check) => {
      for (let attempt = 1; attempt < 5; attempt++) {
        const asked: Asked = { kind: 'text', question, key: at.key, attempt, choices: [] };
        played.asked.push(asked);
        const value = String(player(asked) ?? 'because');
        const problem = check?.(value);
        if (problem === undefined) return { value, source: 'person' };
        told.push(at.key);
      }
      throw new Error(`${at.key}: nobody knows the answer to ${question}`);
    },
  };
}

describe('a ceremony of every reference and form', () => {
  const told: string[] = [];
  let terminal: PlayedTerminal;
  let checked: Checked;
  let opened: Checked['entries'][number]['data'] & {
    readonly session: string;
    readonly executionDigest: string;
    readonly definitionDigest: string;
  };

  beforeAll(async () => {
    const disk = new Disk();
    furnish(disk);
    place(disk, '/language.yaml', DEFINITION);
    let session = '';
    const digests: Record<string, string> = {};
    /** The first answer is wrong, the second right. */
    const once = ({ attempt }: Asked, wrong: string, right: string): string =>
      attempt === 1 ? wrong : right;
    const chosen: string[] = [];
    const player: Player = (asked) => {
      const journal = Buffer.from(disk.files.get('/out/journal.jsonl') ?? []).toString();
      session = /"session":"([^"]+)"/.exec(journal)?.[1] ?? '';
      digests['execution'] = /"executionDigest":"([^"]+)"/.exec(journal)?.[1] ?? '';
      digests['definition'] = /"definitionDigest":"([^"]+)"/.exec(journal)?.[1] ?? '';
      const { key, kind, question, choices } = asked;
      const [, step = '', holder = ''] = key.split('/');
      const number = Number(holder.slice('custodian-'.length));
      if (kind === 'choose' && step === 'choice') {
        const groups = (digests['execution'].slice(7).match(/.{4}/g) ?? []).join(' ');
        // What went before in this step: a decoy, then none of them.
        const said = [choices.find((it) => it !== groups && it !== 'none') ?? '', 'none', groups];
        if (choices.includes(groups)) chosen.push(groups);
        return choices.includes('none') ? said[chosen.length - 1] : undefined;
      }
      if (kind === 'choose' && step === 'weather') return 'wet';
      if (kind !== 'text') return undefined;
      switch (step) {
        case 'words':
        case 'nato': {
          const spoken =
            step === 'words' ? inWords(digests['execution']) : inLetters(digests['definition']);
          const right = asksFor(question).map((at) => spoken[at] ?? '');
          return once(asked, right.slice(1).join(' '), right.join(' '));
        }
        case 'id':
          return once(asked, `${session}1`, session);
        case 'count':
          return once(asked, '2', '3');
        case 'threshold':
          return once(asked, '3', '2');
        case 'shares':
          return once(asked, '2', '3');
        case 'copies':
          return once(asked, '8', '7');
        case 'number':
          return once(asked, `${(number % 3) + 1}`, `${number}`);
        case 'name':
          return once(asked, `custodian-${(number % 3) + 1}`, holder);
        case 'pouch':
          return question.includes('once more')
            ? once(asked, `B-${number}0`, `B-${number}`)
            : `B-${number}`;
        case 'own':
          return once(asked, `B-${(number % 3) + 1}`, `B-${number}`);
        case 'outside':
          return 'a fox';
        case 'told':
          return once(asked, 'a hen', 'a fox');
      }
      return undefined;
    };
    terminal = stubborn(player, told);
    const context = await roomContext(disk, { terminal });
    const result = await runIn(context, { ceremony: '/language.yaml', outDir: '/out' });
    expect(result).toMatchObject({ ok: true, outcome: 'completed' });
    checked = await checkSession(disk, '/out', await context.catalogue());
    const [entry] = checked.of('session.opened');
    opened = entry?.data as unknown as typeof opened;
  });

  const said = (step: string): readonly string[] =>
    checked
      .of('step.finished')
      .filter(({ data }) => data.step === step)
      .flatMap(({ data }) => data.people.map((it) => it.said));

  it('holds, for whoever checks it afterwards', () => {
    expect(problemsOf(checked.verdict)).toEqual([]);
  });

  it('asks again after each wrong answer, and only then', () => {
    const holders = (step: string): string[] =>
      [1, 2, 3].map((n) => `values/${step}/custodian-${n}`);
    expect(told).toEqual([
      'forms/words',
      'forms/nato',
      'values/id',
      'values/count',
      'values/threshold',
      'values/shares',
      'values/copies',
      ...holders('number'),
      ...holders('name'),
      ...holders('pouch'),
      ...holders('own'),
      'ways/told',
    ]);
  });

  it('shows a digest as words and as letters, group by group', () => {
    const screens = terminal.shown.filter((text) => text.startsWith('Read aloud'));
    const cells = (screen = ''): string[] =>
      [...screen.matchAll(/\d+ ([a-z]+(?: [a-z]+)+)/g)].map((match) => match[1] ?? '');
    expect(cells(screens[0])).toEqual(inWords(opened.executionDigest));
    expect(cells(screens[1])).toEqual(inLetters(opened.definitionDigest));
    expect([said('words'), said('nato')]).toEqual([
      [opened.executionDigest],
      [opened.definitionDigest],
    ]);
  });

  it('fails a reading for whoever takes a decoy, and for whoever finds none', () => {
    const choice = checked.of('step.failed').filter(({ data }) => data.step === 'choice');
    expect(choice.map(({ data }) => data.then)).toEqual(['retry', 'retry']);
    expect(said('choice')).toEqual([opened.executionDigest]);
    const asked = terminal.asked.filter(
      ({ key, choices }) => key === 'forms/choice' && choices.includes('none'),
    );
    expect(asked.map(({ choices }) => new Set(choices).size)).toEqual([5, 5, 5]);
    // In the form of a choice nothing stands on the screen that gives it away.
    expect(terminal.shown.filter((text) => text.startsWith('Read aloud'))[2]).toContain(
      opened.session,
    );
  });

  it('gives each reference its value', () => {
    expect(['id', 'count', 'threshold', 'shares', 'copies'].map(said)).toEqual([
      [opened.session],
      ['3'],
      ['2'],
      ['3'],
      ['7'],
    ]);
    expect(said('number')).toEqual(['1', '2', '3']);
    expect(said('name')).toEqual(['custodian-1', 'custodian-2', 'custodian-3']);
    expect(said('own')).toEqual(['B-1', 'B-2', 'B-3']);
    expect(said('told')).toEqual(['a fox']);
    const shown = terminal.shown.join('\n');
    for (const n of [1, 2, 3])
      expect(shown).toContain(
        `Custodian ${n} of 3, who is custodian-${n}, in session ${opened.session}.`,
      );
    const bags = terminal.asked.filter(({ key }) => key === 'values/pouch/custodian-2');
    expect(bags[0]?.question).toBe('custodian-2: serial number of the blue pouch:');
  });

  it('leaves out whomever a condition leaves out', () => {
    expect(checked.of('step.skipped').map(({ data }) => `${data.step}/${data.for ?? ''}`)).toEqual([
      'first/custodian-2',
      'first/custodian-3',
      'others/custodian-1',
      'inside/',
    ]);
    expect(checked.of('branch.taken').map(({ data }) => [data.side, data.values])).toEqual([
      ['else', { 'steps.weather.answer': 'wet', 'parameters.place': 'cellar' }],
    ]);
  });
});
