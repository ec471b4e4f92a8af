/** Cards typed, scanned and pasted: the wrong line, the odd card, what is still missing, all told at once. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Conversation } from '#actions/context/context';
import { shareCheck } from '#actions/share-check';
import { shareCombine } from '#actions/share-combine';
import { sharePrint } from '#actions/share-print';
import { CardEntry } from '#actions/shares/entry';
import { FountainEncoder } from '#carriage/transport/fountain-encoder';
import { encodeFilePayload, FILE_UR_TYPE } from '#carriage/transport/payload';
import { encodeUr, encodeUrPart } from '#carriage/transport/ur';
import { sha256 } from '#crypto/hash';
import { utf8 } from '#formats/bytes';
import { readSharePrefix } from '#protocols/sharing/share-prefix';
import { Desk, type DeskOptions } from './desk.js';

/** A person whose hands are a list. What is typed beyond it would hang, so it is an error. */
function person(script: { choose?: string[]; text?: string[]; lines?: readonly string[] }) {
  const said: string[] = [];
  let cleared = 0;
  const lines = [...(script.lines ?? [])];
  const conversation: Conversation = {
    say: (text) => void said.push(text),
    choose: () => Promise.resolve(script.choose?.shift() ?? 'keyboard'),
    text: () => Promise.resolve(script.text?.shift() ?? ''),
    lines: async function* (prompt) {
      while (lines.length > 0) {
        prompt();
        yield await Promise.resolve(lines.shift() as string);
      }
    },
    clear: () => void cleared++,
  };
  return { said, conversation, cleared: () => cleared, left: lines };
}

const talking = (desk: Desk, conversation: Conversation | undefined, options: DeskOptions = {}) => {
  const context = desk.context(options);
  return { ...context, ask: { ...context.ask, converse: () => Promise.resolve(conversation) } };
};

/** The lines of a printed card. */
async function cards(desk: Desk, shares: readonly string[], set?: string): Promise<string[][]> {
  const texts = await cardTexts(desk, shares, set);
  return texts.map((lines) => lines.filter((line) => /^P?\d\d {2}/.test(line)));
}

/** All that stands on a printed card. */
async function cardTexts(desk: Desk, shares: readonly string[], set?: string): Promise<string[][]> {
  const outDir = desk.path(`cards-${desk.events.length}`);
  const { cards: paths } = await sharePrint.run(
    {
      shares,
      set,
      custodian: [],
      paper: 'a4',
      format: 'text',
      unlock: 'blank',
      unsealed: true,
      outDir,
    },
    desk.context(),
  );
  return paths.map((path) => readFileSync(path, 'utf8').split('\n'));
}

const fileOf = (path: string): Uint8Array => new Uint8Array(readFileSync(path));
const secret = utf8('what the cards bring back');
const scan = (name: string, bytes: Uint8Array): string =>
  encodeUr(FILE_UR_TYPE, encodeFilePayload({ kind: 'share', name, bytes }, sha256)).toUpperCase();

async function quorum(desk: Desk) {
  const pass = desk.write('pass', 'seven quiet words');
  const { shares, set } = await desk.split({
    in: desk.write('x', secret),
    sealPassphraseFile: [pass],
  });
  return { shares, set, options: { passphrases: ['seven quiet words'] } };
}

describe('share combine without files', () => {
  it('takes lines in any order from two cards, and a code from a scanner', async () => {
    using desk = new Desk();
    const { shares, options } = await quorum(desk);
    const [one = []] = await cards(desk, shares);
    const played = person({
      lines: [...one].reverse().concat(scan('s', fileOf(shares[2] as string))),
    });
    const before = desk.files();
    const result = await shareCombine.run(
      { shares: [], out: desk.path('back') },
      talking(desk, played.conversation, options),
    );
    expect(desk.read('back')).toEqual(secret);
    expect(result.used).toEqual(['card 1', 'card 3']);
    expect(desk.files().filter((name) => !before.includes(name))).toEqual(['back']);
    expect(played.said.join('\n')).toContain('Card 1 is whole. Now 1 of 2 shares are here.');
    expect(played.said.at(-1)).toBe('Card 3 is whole. That is enough.');
    // What one typed, the next one does not read, sealed or not.
    expect(played.cleared()).toBe(2);
  });

  it('names a wrong line, a mixed one, and what is no line, and goes on', async () => {
    using desk = new Desk();
    const { shares, options } = await quorum(desk);
    const [one = [], two = []] = await cards(desk, shares);
    const fifth = one[4] as string;
    const wrong = fifth.slice(0, 4) + (fifth.charAt(4) === '7' ? '8' : '7') + fifth.slice(5);
    const played = person({
      lines: [
        wrong,
        'hello',
        ...one.slice(0, 11),
        // Lines 9 and on are not alike on two cards.
        two[9] as string,
        'skip',
        ...one,
        ...two,
      ],
    });
    await shareCombine.run(
      { shares: [], out: desk.path('back') },
      talking(desk, played.conversation, options),
    );
    const said = played.said.join('\n');
    expect(said).toContain('Line 05 does not fit its check characters: look at group 1.');
    expect(said).toContain('That is no line of a card');
    expect(said).toContain(
      'Line 10 was entered already, and said something else: two cards are mixed.',
    );
    expect(said).not.toContain(fifth.slice(4, 8));
  });

  it('takes the whole text of cards, pasted one after another, and says nothing of their prose', async () => {
    using desk = new Desk();
    const { shares, options } = await quorum(desk);
    const [one = [], two = []] = await cardTexts(desk, shares);
    const lineTwo = two.findIndex((line) => line.startsWith('02  '));
    const mistyped = (two[lineTwo] as string).replace(/^02 {2}\w/, '02  $');
    const wrong = (two[lineTwo] as string).replace(/^(02 {2}\w{4} \w{4} )\w/, '$1u');
    const ended = one.findIndex((line) => line.startsWith('-----END'));
    const played = person({ lines: [...one.slice(0, ended + 1), wrong, mistyped, ...one, ...two] });
    await shareCombine.run(
      { shares: [], out: desk.path('whole') },
      talking(desk, played.conversation, options),
    );
    const said = played.said.join('\n');
    expect(said).not.toContain('That is no line of a card');
    expect(said).toMatch(/Line 02/);
    expect(said.match(/Line \d\d/g)?.length).toBe(2);
    expect(fileOf(desk.path('whole'))).toEqual(secret);
  });

  it('names a foreign card after five lines, a repeated one, an old one, and a damaged one', async () => {
    using desk = new Desk();
    const { shares, options } = await quorum(desk);
    const other = await desk.split({
      in: desk.write('y', secret),
      unsealed: true,
      outDir: desk.path('other'),
    });
    const [one = [], two = []] = await cards(desk, shares);
    const [foreign = []] = await cards(desk, other.shares);
    const stale = new Uint8Array(fileOf(shares[1] as string));
    stale[60] = (stale[60] as number) ^ 1;
    const broken = new Uint8Array(fileOf(shares[1] as string));
    broken[200] = (broken[200] as number) ^ 1;
    const played = person({
      lines: [
        ...one,
        ...foreign.slice(0, 5),
        ...one.slice(0, 7),
        scan('stale', stale),
        scan('broken', broken),
        scan('again', fileOf(shares[0] as string)),
        ...two,
      ],
    });
    const result = await shareCombine.run(
      { shares: [], out: desk.path('back') },
      talking(desk, played.conversation, options),
    );
    expect(result.used).toEqual(['card 1', 'card 2']);
    const said = played.said.join('\n');
    expect(said).toMatch(/does not belong: it is of set [0-9a-f]{16}, the other cards are of set/);
    expect(said.match(/card 1, which is here already/g)).toHaveLength(2);
    expect(said).toContain('of another dealing of it, old or new');
    expect(said).toMatch(/this card is damaged: .*It was not taken/);
    expect(played.left).toEqual([]);
  });

  it('asks for the package that does not lie in the shares', async () => {
    using desk = new Desk();
    const big = desk.context().random(500);
    const { shares, set } = await desk.split({ in: desk.write('x', big), unsealed: true });
    const printed = await cards(desk, shares, set);
    const [one = [], two = []] = printed;
    const share = (lines: readonly string[]) => lines.filter((line) => !line.startsWith('P'));
    const parts = one.filter((line) => line.startsWith('P'));
    const played = person({ lines: [...share(one), ...share(two), ...parts] });
    await shareCombine.run(
      { shares: [], out: desk.path('back') },
      talking(desk, played.conversation),
    );
    expect(desk.read('back')).toEqual(big);
    expect(played.said.join('\n')).toContain('what they open is not: scan the second code');
    // Open shares were on the screen.
    expect(played.cleared()).toBe(2);
  });

  it('takes words, by lines or as they are', async () => {
    using desk = new Desk();
    const seed = desk.context().random(32);
    const { shares, set } = await desk.split({
      in: desk.write('x', seed),
      format: 'slip39',
      unsealed: true,
    });
    const [, two = []] = await cards(desk, shares, set);
    const first = readFileSync(shares[0] as string, 'utf8').trim();
    const played = person({ lines: [...two, first] });
    await shareCombine.run(
      { shares: [], set, out: desk.path('back') },
      talking(desk, played.conversation),
    );
    expect(desk.read('back')).toEqual(seed);
    expect(played.cleared()).toBe(2);
    // Nothing of what was typed is repeated. Some words of the list are in these sentences anyway, so they are compared whole.
    expect(played.said).toEqual([
      'Scan the code, or type the lines with their numbers, in any order; what you type is shown. ' +
        '"skip" begins a card again, "other" comes back here, Ctrl-C leaves.',
      'Card 2 is whole. Now 1 of 2 shares are here.',
      'Card 1 is whole. That is enough.',
    ]);
  });

  it('takes the files of cards, and goes on after one that is none', async () => {
    using desk = new Desk();
    const { shares, options } = await quorum(desk);
    writeFileSync(desk.path('junk.txt'), 'nothing at all');
    const played = person({
      choose: ['file', 'file', 'file'],
      text: [desk.path('junk.txt'), shares[0] as string, shares[1] as string],
    });
    await shareCombine.run(
      { shares: [], out: desk.path('back') },
      talking(desk, played.conversation, options),
    );
    expect(desk.read('back')).toEqual(secret);
    expect(played.said[0]).toContain('It was not taken');
  });

  it('writes nothing when somebody stops, and asks nobody where nobody is', async () => {
    using desk = new Desk();
    const { shares, options } = await quorum(desk);
    const [one = []] = await cards(desk, shares);
    const played = person({ choose: ['keyboard', 'stop'], lines: one });
    const out = desk.path('back');
    const run = (conversation: Conversation | undefined) =>
      shareCombine.run({ shares: [], out }, talking(desk, conversation, options));
    await expect(run(played.conversation)).rejects.toMatchObject({ exitCode: 130 });
    await expect(run(undefined)).rejects.toMatchObject({ code: 'E_SHARES_MISSING', exitCode: 2 });
    expect(desk.files()).not.toContain('back');
  });
});

describe('share check without files', () => {
  it('asks for one card and checks it', async () => {
    using desk = new Desk();
    const { shares, set, options } = await quorum(desk);
    const [, , three = []] = await cards(desk, shares);
    const played = person({ lines: three });
    const { ok, shares: verdicts } = await shareCheck.run(
      { shares: [], set },
      talking(desk, played.conversation, options),
    );
    expect(ok).toBe(true);
    expect(verdicts[0]?.file).toBe('card 3');
  });
});

describe('a card as it comes in', () => {
  it('knows the set after four lines, the root after six, the number after seven', async () => {
    using desk = new Desk();
    const { shares } = await quorum(desk);
    const bytes = fileOf(shares[1] as string);
    expect(readSharePrefix(bytes.subarray(0, 60))?.setId).toEqual(bytes.slice(22, 54));
    expect(readSharePrefix(bytes.subarray(0, 90))?.root).toEqual(bytes.slice(57, 89));
    expect(readSharePrefix(bytes.subarray(0, 105))?.index).toEqual({ group: 1, member: 2 });
    expect(readSharePrefix(utf8('no share of conclave at all, this one'))).toBeUndefined();
  });

  it('takes the parts of several codes in any order, and none of another card', async () => {
    using desk = new Desk();
    const { shares } = await quorum(desk);
    const parts = (path: string): string[] => {
      const bytes = fileOf(path);
      const message = encodeFilePayload({ kind: 'share', name: 's.cbor', bytes }, sha256);
      const encoder = new FountainEncoder(message, Math.ceil(message.length / 3), sha256);
      return [3, 1, 2].map((n) => encodeUrPart(FILE_UR_TYPE, encoder.part(n)));
    };
    const entry = new CardEntry(() => undefined);
    const [a = '', b = '', c = ''] = parts(shares[0] as string);
    const [foreign = ''] = parts(shares[1] as string);
    expect(entry.take(a)).toEqual({ kind: 'more', say: '1 of 3 codes of this card are here.' });
    expect(entry.take(foreign)).toMatchObject({ kind: 'more' });
    expect(entry.take(b)).toMatchObject({ kind: 'more' });
    expect(entry.take(c)).toEqual({ kind: 'share', bytes: fileOf(shares[0] as string) });
    expect(entry.begun).toBe(false);
  });
});
