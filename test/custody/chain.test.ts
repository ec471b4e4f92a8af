import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import {
  type ChainEntry,
  encodeChainLine,
  entryHash,
  GENESIS,
  headOf,
  nextEntry,
  parseChain,
  parseChainLine,
  sealEntry,
  verifyChain,
} from '#custody/audit/chain';
import { concat, utf8 } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { fuzz } from '../support/mutations.js';
import { mutationCount, root } from '../support/require.js';

const TIME = '2026-11-23T09:30:00Z';

function chain(length: number): ChainEntry[] {
  const entries: ChainEntry[] = [];
  for (let i = 0; i < length; i++) {
    const before = entries.at(-1);
    entries.push(
      nextEntry(before && headOf(before), { time: TIME, type: 'test.entry', data: { n: i } }),
    );
  }
  return entries;
}

const edited = (entry: ChainEntry): ChainEntry => ({ ...entry, data: { n: 'another' } });

describe('entries', () => {
  it('hash what the specification says', () => {
    const [entry] = chain(1) as [ChainEntry];
    const text = `{"data":{"n":0},"prev":"${GENESIS}","seq":0,"time":"${TIME}","type":"test.entry"}`;
    expect(new TextDecoder().decode(encodeChainLine(entry))).toBe(`${text}\n`);
    const expected = createHash('sha256').update(`conclave-chain-v1\0${text}`).digest('hex');
    expect(entryHash(entry)).toBe(expected);
  });

  it('lead to the head of the example in docs/spec/audit-chain.md', () => {
    const page = readFileSync(join(root, 'docs/spec/audit-chain.md'), 'utf8');
    const lines = page.split('\n').filter((line) => line.startsWith('    {"data"'));
    const { entries } = parseChain(utf8(lines.map((line) => `${line.trim()}\n`).join('')), 'page');
    const verdict = verifyChain(entries);
    const head = verdict.ok ? `${verdict.head?.seq}:${verdict.head?.hash}` : verdict.reason;
    expect(/Head: `(.*)`/.exec(page)?.[1]).toBe(head);
  });

  it('survive writing and reading', () => {
    for (const entry of chain(3)) {
      expect(entryHash(parseChainLine(encodeChainLine(entry)))).toBe(entryHash(entry));
    }
  });

  it.each([
    ['an upper-case type', { time: TIME, type: 'Test', data: {} }],
    ['a type with a space', { time: TIME, type: 'a b', data: {} }],
    ['a local time', { time: '2026-11-23T09:30:00+01:00', type: 'a', data: {} }],
  ])('refuse %s', (_what, content) => {
    expect(() => nextEntry(undefined, content)).toThrow(InputError);
  });

  it.each([
    ['spaces', '{ "data":{},"prev":"' + GENESIS + `","seq":0,"time":"${TIME}","type":"a"}`],
    ['other member order', `{"seq":0,"data":{},"prev":"${GENESIS}","time":"${TIME}","type":"a"}`],
    [
      'an unknown member',
      `{"data":{},"extra":1,"prev":"${GENESIS}","seq":0,"time":"${TIME}","type":"a"}`,
    ],
    ['a missing member', `{"data":{},"prev":"${GENESIS}","seq":0,"type":"a"}`],
    [
      'a duplicate member',
      `{"data":{},"data":{},"prev":"${GENESIS}","seq":0,"time":"${TIME}","type":"a"}`,
    ],
    ['a negative place', `{"data":{},"prev":"${GENESIS}","seq":-1,"time":"${TIME}","type":"a"}`],
    [
      'an upper-case hash',
      `{"data":{},"prev":"${'A'.repeat(64)}","seq":0,"time":"${TIME}","type":"a"}`,
    ],
    [
      'data that is no object',
      `{"data":[],"prev":"${GENESIS}","seq":0,"time":"${TIME}","type":"a"}`,
    ],
    ['nothing', ''],
  ])('with %s are malformed', (_what, text) => {
    expect(() => parseChainLine(utf8(text))).toThrow(InputError);
  });
});

describe('journals', () => {
  const lines = chain(3).map(encodeChainLine);

  it('are read line by line', () => {
    expect(parseChain(concat(...lines), 'j')).toMatchObject({ torn: 0 });
    expect(parseChain(new Uint8Array(0), 'j')).toEqual({ entries: [], torn: 0 });
  });

  it('count a torn last line and do not read it', () => {
    const all = concat(...lines);
    const { entries, torn } = parseChain(all.subarray(0, all.length - 7), 'j');
    expect(entries).toHaveLength(2);
    expect(torn).toBe((lines[2] as Uint8Array).length - 7);
  });

  it('name the line that is malformed', () => {
    const bytes = concat(lines[0] as Uint8Array, utf8('{}\n'), lines[2] as Uint8Array);
    expect(() => parseChain(bytes, 'audit.jsonl')).toThrow(/audit\.jsonl: line 2/);
    expect(() => parseChain(utf8('\n'), 'audit.jsonl')).toThrow(/line 1 is empty/);
  });

  it('are refused in the agreed way when mutated', async () => {
    const input = concat(...lines);
    const tally = await fuzz(input, (bytes) => parseChain(bytes, 'j'));
    expect(tally['65']).toBeGreaterThan(0.5 * mutationCount);
  });
});

describe('verifyChain', () => {
  it('accepts what was written, and the empty chain', () => {
    const entries = chain(5);
    expect(verifyChain(entries)).toEqual({ ok: true, head: headOf(entries[4] as ChainEntry) });
    expect(verifyChain([])).toEqual({ ok: true, head: undefined });
  });

  const length = 8;
  const entries = chain(length);
  const head = headOf(entries[length - 1] as ChainEntry);

  it('locates a change of any entry', () => {
    for (let k = 0; k < length; k++) {
      const changed = entries.with(k, edited(entries[k] as ChainEntry));
      expect(verifyChain(changed, { head })).toMatchObject({ ok: false, seq: k });
      if (k < length - 1) expect(verifyChain(changed)).toMatchObject({ ok: false, seq: k });
    }
  });

  it('locates a change of any link', () => {
    for (let k = 0; k < length; k++) {
      const changed = entries.with(k, { ...(entries[k] as ChainEntry), prev: 'ab'.repeat(32) });
      expect(verifyChain(changed, { head })).toMatchObject({ ok: false, seq: k });
    }
  });

  it('locates an entry that was taken out', () => {
    for (let k = 0; k < length - 1; k++) {
      const verdict = verifyChain(entries.toSpliced(k, 1));
      expect(verdict).toMatchObject({
        ok: false,
        seq: k,
        reason: expect.stringMatching(/missing/) as string,
      });
    }
  });

  it('locates entries that changed places, and one that stands twice', () => {
    for (let a = 0; a < length; a++) {
      for (let b = a + 1; b < length; b++) {
        const swapped = entries.with(a, entries[b] as ChainEntry).with(b, entries[a] as ChainEntry);
        expect(verifyChain(swapped)).toMatchObject({
          ok: false,
          seq: a,
          reason: expect.stringMatching(/order/) as string,
        });
      }
      const twice = entries.toSpliced(a, 0, entries[a] as ChainEntry);
      expect(verifyChain(twice)).toMatchObject({ ok: false, seq: a + 1 });
    }
  });

  it('finds reordered entries whose numbers were adapted', () => {
    const forged = entries.toSpliced(
      2,
      2,
      { ...(entries[3] as ChainEntry), seq: 2 },
      { ...(entries[2] as ChainEntry), seq: 3 },
    );
    expect(verifyChain(forged)).toMatchObject({ ok: false });
  });

  it('cannot see a cut without a head, and sees every one with it', () => {
    for (let kept = 0; kept < length; kept++) {
      expect(verifyChain(entries.slice(0, kept)).ok).toBe(true);
      expect(verifyChain(entries.slice(0, kept), { head })).toMatchObject({
        ok: false,
        seq: kept,
        reason: expect.stringMatching(/missing at the end/) as string,
      });
    }
  });

  it('tells growth from a closed chain', () => {
    const early = headOf(entries[3] as ChainEntry);
    expect(verifyChain(entries, { head: early, mayHaveGrown: true })).toMatchObject({ ok: true });
    expect(verifyChain(entries, { head: early })).toMatchObject({ ok: false, seq: 4 });
    const rewritten = chain(3).concat([
      nextEntry(headOf(entries[2] as ChainEntry), { time: TIME, type: 'x', data: {} }),
    ]);
    expect(verifyChain(rewritten, { head: early, mayHaveGrown: true })).toMatchObject({
      ok: false,
      seq: 3,
    });
  });

  it('never accepts a chain with another entry in it', () => {
    fc.assert(
      fc.property(
        fc.nat(length - 1),
        fc.dictionary(fc.string(), fc.oneof(fc.integer(), fc.string({ unit: 'grapheme' }))),
        (k, data) => {
          const entry = entries[k] as ChainEntry;
          const changed = entries.with(k, { ...entry, data: { ...data, n: -1 } });
          const verdict = verifyChain(changed, { head });
          return !verdict.ok && verdict.seq === k;
        },
      ),
    );
  });
});

it('a sealed entry is its line and its head', () => {
  const entry = nextEntry(undefined, {
    time: '2026-11-23T09:30:00Z',
    type: 'a.b',
    data: { z: 1, a: [2] },
  });
  expect(sealEntry(entry)).toEqual({ line: encodeChainLine(entry), head: headOf(entry) });
});
