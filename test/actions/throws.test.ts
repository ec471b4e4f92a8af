/** Dice, coins, cards and digits that people type: what is read, what it is worth, and what looks made up. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { gatherEntropy } from '#actions/entropy/gather';
import { biasOf, type EntropySource, readThrows } from '#actions/entropy/throws';
import type { ActionContext } from '#actions/context/context';

/** Deterministic throws: digests cut into values without favour. */
function fair(outcomes: number, count: number, seed: string): number[] {
  const values: number[] = [];
  for (let i = 0; values.length < count; i++)
    for (const byte of createHash('sha256').update(`${seed} ${i}`).digest())
      if (byte < 256 - (256 % outcomes) && values.length < count) values.push(byte % outcomes);
  return values;
}

describe('what is typed', () => {
  it.each([
    ['dice', '3 5-1,6', [2, 4, 0, 5], 4 * Math.log2(6)],
    ['coins', 'hTt H', [0, 1, 1, 0], 4],
    ['hex', 'dead BEEF', [13, 14, 10, 13, 11, 14, 14, 15], 32],
    ['cards', 'AS 10h qd TC', [0, 22, 37, 48], Math.log2(52 * 51 * 50 * 49)],
  ] as const)('as %s is read and worth something', (source, typed, values, bits) => {
    const throws = readThrows(source, typed);
    expect(throws.values).toEqual(values);
    expect(throws.bits).toBeCloseTo(bits, 9);
  });

  it.each([
    ['dice', '3 7', /sign 2 is none of them: a die/],
    ['coins', 'HTX', /sign 3 is none/],
    ['hex', '0xg', /sign 2 is none/],
    ['cards', 'AS 1H', /card 2 is none/],
    ['cards', 'AS KD AS', /card 3 was drawn before/],
  ] as const)('as %s in vain: %s', (source, typed, problem) => {
    expect(() => readThrows(source, typed)).toThrow(problem);
  });
});

describe('what looks made up', () => {
  it.each([
    ['dice', '1'.repeat(40), /repeats itself every 1/],
    ['dice', '123456'.repeat(6), /repeats itself every 6/],
    ['dice', `${'2'.repeat(11)}3514625143`, /the same comes 11 times/],
    ['coins', 'HT'.repeat(30), /repeats itself every 2/],
    ['hex', '0123456789ABCDEF', /counts up or down/],
    ['dice', '6165636661646566636166656661666365666166646665661666', /far more often/],
    ['cards', 'AS 2S 3S 4S 5S 6S 7S 8S 9S 10S JS QS KS', /counts up or down/],
  ] as const)('%s %s', (source, typed, problem) => {
    expect(biasOf(readThrows(source, typed))).toMatch(problem);
  });

  it('is not what chance makes', () => {
    let refused = 0;
    for (const outcomes of [2, 6, 16])
      for (let i = 0; i < 2000; i++) {
        const values = fair(outcomes, 20 + (i % 150), `${outcomes} ${i}`);
        if (biasOf({ values, outcomes, bits: 0 }) !== undefined) refused++;
      }
    expect(refused).toBe(0);
  });
});

describe('gathering', () => {
  it('asks until there is enough, asks again for what is unfit, and records no value', async () => {
    const typed: [EntropySource, string][] = [
      ['dice', '1'.repeat(40)],
      ['dice', '3514625143261'],
      ['coins', 'HTTHTHHTTTHHTH'],
      ['hex', '9f3a77c1'],
    ];
    const said: string[] = [];
    const recorded: unknown[] = [];
    let cleared = 0;
    const talk = {
      say: (text: string) => void said.push(text),
      choose: () => Promise.resolve((typed[0] as (typeof typed)[number])[0]),
      text: (_: string, check: (value: string) => string | undefined) => {
        for (;;) {
          const [, text] = typed.shift() as [string, string];
          const problem = check(text);
          if (problem === undefined) return Promise.resolve(text);
          said.push(problem);
        }
      },
      clear: () => {
        cleared = said.length;
      },
    };
    const context = {
      ask: { converse: () => Promise.resolve(talk) },
      random: (length: number) => new Uint8Array(length).fill(5),
      record: (event: unknown) => void recorded.push(event),
    } as unknown as ActionContext;
    const contributions = await gatherEntropy(70, context);
    expect(contributions).toHaveLength(3);
    expect(said.join('\n')).toMatch(/does not look thrown: it repeats itself/);
    expect(recorded).toMatchObject([
      { type: 'entropy.gathered', data: { source: 'dice', count: 13, bits: 33 } },
      { type: 'entropy.gathered', data: { source: 'coins', count: 14, bits: 14 } },
      { type: 'entropy.gathered', data: { source: 'hex', count: 8, bits: 32 } },
    ]);
    // The commitment is what the page says, and can be opened with the salt that was shown.
    const { commitment } = (recorded[1] as { data: { commitment: string } }).data;
    const opened = createHash('sha256')
      .update('conclave/entropy-commitment/v1\0')
      .update(new Uint8Array(16).fill(5))
      .update(contributions[1] as Uint8Array)
      .digest('hex');
    expect(commitment).toBe(opened);
    expect(JSON.stringify(recorded)).not.toContain('9f3a77c1');
    // With the throws the screen is wiped; the salts come afterwards, so that somebody can write them down.
    const salt = '05'.repeat(16);
    expect(said.slice(0, cleared).join('\n')).not.toContain(salt);
    expect(said.slice(cleared + 1)).toEqual([`dice: ${salt}`, `coins: ${salt}`, `hex: ${salt}`]);
  });

  it('refuses where nobody can be asked', async () => {
    const context = { ask: {} } as unknown as ActionContext;
    await expect(gatherEntropy(1, context)).rejects.toMatchObject({ code: 'E_ENTROPY_NOBODY' });
  });
});
