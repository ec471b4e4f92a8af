/** What the prover holds is wiped however it ends: its tapes, which every test here gets hold of where they are made. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { stepping } from '#actions/trace/progress';
import type * as Hash from '#crypto/hash';
import { proveStepwise } from '#protocols/inhead/prover';
import { bytesCase, root } from './support.js';

const { tapes } = vi.hoisted(() => ({ tapes: [] as Uint8Array[] }));

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

const REPETITIONS = 3;
const steps = (): ReturnType<typeof proveStepwise> => {
  const { statement, openings } = bytesCase(2, REPETITIONS);
  return proveStepwise(statement, openings, root('coins'));
};
const held = (): boolean[] => tapes.map((tape) => tape.some((byte) => byte !== 0));

describe('the tapes of a proof are wiped', () => {
  afterEach(() => {
    tapes.length = 0;
  });

  it('at its end', async () => {
    await stepping(steps(), { progress: () => undefined });
    expect(held()).toEqual(new Array(3 * REPETITIONS).fill(false));
  });

  it('where it is given up', () => {
    const proving = steps();
    proving.next();
    expect(held()).toEqual(new Array(3 * REPETITIONS).fill(true));
    proving.return(undefined as never);
    expect(held()).toEqual(new Array(3 * REPETITIONS).fill(false));
  });

  it('where it cannot be told how far it is', async () => {
    const progress = (): void => {
      throw new Error('nobody listens');
    };
    await expect(stepping(steps(), { progress })).rejects.toThrow('nobody listens');
    expect(held()).toEqual(new Array(3 * REPETITIONS).fill(false));
  });
});
