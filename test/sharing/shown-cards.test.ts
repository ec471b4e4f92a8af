/** Who showed which card in a ceremony: one card is one share, and a new dealing has new cards. */
import { describe, expect, it } from 'vitest';
import type { OnceSpace } from '#actions/context/context';
import { assertNotShownBefore } from '#actions/shares/shown-cards';
import { Desk, refusal } from './desk.js';

describe('a card that is shown', () => {
  it('is of one person, until new cards are dealt', async () => {
    using desk = new Desk();
    const path = desk.write('secret', 'of three people');
    const old = await desk.split({ in: path, threshold: 2, shares: 3, unsealed: true });
    const next = await desk.reshare(old.shares, { threshold: 2, shares: 3, unsealed: true });
    const [before] = (await desk.check([old.shares[0] as string], { set: old.set })).shares;
    const [after] = (await desk.check([next.shares[0] as string], { set: next.set })).shares;
    if (before === undefined || after === undefined) throw new Error('nothing was checked');
    const kept = new Map<string, Uint8Array>();
    const once = {
      read: (name: string) => kept.get(name),
      write: (name: string, bytes: Uint8Array) => kept.set(name, bytes),
    } as unknown as OnceSpace;
    const show = (check: typeof before, holder: string): void => {
      assertNotShownBefore(check, { ask: { holder }, once } as never);
    };
    show(before, 'ada');
    show(before, 'ada');
    expect(() => {
      show(before, 'ben');
    }).toThrow(refusal(1, 'E_CARD_SHOWN', 'was shown by ada before'));
    // The same number of the same set, dealt again to somebody else.
    show(after, 'ben');
    expect(() => {
      show(after, 'ada');
    }).toThrow(refusal(1, 'E_CARD_SHOWN', 'was shown by ben before'));
    expect(kept.size).toBe(2);
  });
});
