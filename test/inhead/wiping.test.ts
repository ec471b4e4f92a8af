/** What the prover holds is wiped however it ends: its tapes, which every test here gets hold of where they are made. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Gauge } from '#actions/context/context';
import { stepping } from '#actions/trace/progress';
import type * as Hash from '#crypto/hash';
import type * as Lane from '#protocols/inhead/lane';
import { proveStepwise } from '#protocols/inhead/prover';
import { bytesCase, root } from './support.js';

const { tapes, views } = vi.hoisted(() => ({
  tapes: [] as Uint8Array[],
  views: [] as Uint8Array[],
}));

vi.mock('#crypto/hash', async (original) => {
  const real = await original<typeof Hash>();
  return {
    ...real,
    shake256: (length: number, ...parts: Uint8Array[]): Uint8Array => {
      const out = real.shake256(length, ...parts);
      // Masks and inputs of one participant: nothing else is as long.
      if (length > 5000) tapes.push(out);
      return out;
    },
  };
});

// Views of three participants, which with their tapes tell what was shared.
vi.mock('#protocols/inhead/lane', async (original) => {
  const real = await original<typeof Lane>();
  return {
    ...real,
    fromRows: (rows: Lane.Rows, bits: number, lanes: number): Uint8Array[] => {
      const out = real.fromRows(rows, bits, lanes);
      if (bits > 40_000) views.push(...out);
      return out;
    },
  };
});

const REPETITIONS = 3;
const told = { title: 'proving', about: 'a test' };
const steps = (): ReturnType<typeof proveStepwise> => {
  const { statement, openings } = bytesCase(2, REPETITIONS);
  return proveStepwise(statement, openings, root('coins'));
};
const held = (): boolean[] => tapes.map((tape) => tape.some((byte) => byte !== 0));

describe('the tapes of a proof are wiped', () => {
  afterEach(() => {
    tapes.length = 0;
    views.length = 0;
  });

  it('at its end', async () => {
    await stepping(steps(), told, { progress: () => undefined });
    expect(held()).toEqual(new Array(3 * REPETITIONS).fill(false));
  });

  it('where it is given up', () => {
    const proving = steps();
    proving.next();
    expect(held()).toEqual(new Array(3 * REPETITIONS).fill(true));
    proving.return(undefined as never);
    expect(held()).toEqual(new Array(3 * REPETITIONS).fill(false));
  });

  it('where it is given up while views are read, and the views too', () => {
    const proving = steps();
    while (views.length === 0) proving.next();
    expect(views.every((view) => view.some((byte) => byte !== 0))).toBe(true);
    proving.return(undefined as never);
    expect(views.some((view) => view.some((byte) => byte !== 0))).toBe(false);
    expect(held()).toEqual(new Array(3 * REPETITIONS).fill(false));
  });

  it('where the line of its progress breaks, which is gone then', async () => {
    let open = 0;
    const gauge = (): Gauge => {
      open++;
      let shown = 0;
      return {
        show: () => {
          if (shown++ > 3) throw new Error('the terminal went');
        },
        [Symbol.dispose]: () => void open--,
      };
    };
    const watched = { progress: () => undefined, gauge };
    await expect(stepping(steps(), told, watched)).rejects.toThrow('the terminal went');
    expect(open).toBe(0);
    expect(held()).toEqual(new Array(3 * REPETITIONS).fill(false));
  });

  it('where it cannot be told how far it is', async () => {
    const progress = (): void => {
      throw new Error('nobody listens');
    };
    await expect(stepping(steps(), told, { progress })).rejects.toThrow('nobody listens');
    // It was told before anything was drawn.
    expect(held()).toEqual([]);
  });
});
