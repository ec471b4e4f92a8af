/** The reducer and the decision: every prefix of a journal is a valid state, and the same state decides the same. */
import { fc } from '../support/property.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { decide, type Facts, lostKeys } from '#ceremony/decide';
import { emptyState, keyOf, reduce, replay } from '#ceremony/state';
import { NegativeError } from '#formats/errors';
import type { Definition } from '#script/definition';
import type { Entry } from '#script/entries';
import { parseDefinition } from '#script/parse';
import { type Instance, instanceKey, plan } from '#script/plan';
import { checkSession } from './evidence.js';
import { Disk } from './memory-host.js';
import { furnish, roomContext, runIn } from './room.js';

let entries: readonly Entry[];
let definition: Definition;
let instances: readonly Instance[];

/** A quickstart that was killed between split and sign, so that its journal has a gap and a restored key. */
beforeAll(async () => {
  const disk = new Disk();
  furnish(disk);
  const input = { ceremony: 'quickstart', outDir: '/out' } as const;
  const stop = ({ call }: { readonly call: string }): void => {
    const journal = Buffer.from(disk.files.get('/out/journal.jsonl') ?? []).toString();
    const last = journal.trimEnd().split('\n').at(-1) ?? '';
    if (call === 'append' && last.includes('"step":"sign"') && last.includes('step.started'))
      throw new Error('killed');
  };
  const first = await roomContext(disk, { host: { faults: { before: stop } } });
  await expect(runIn(first, input)).rejects.toThrow('killed');
  const second = await roomContext(disk);
  await runIn(second, { ...input, resume: true });
  entries = (await checkSession(disk, '/out', await second.catalogue())).entries;
  const bytes = disk.files.get('/out/definition.yaml') as Uint8Array;
  ({ definition } = parseDefinition(bytes, 'definition.yaml'));
  const [opened] = entries;
  if (opened?.type !== 'session.opened') throw new Error('not opened');
  instances = plan(definition, opened.data.participants);
});

const facts = (more: Partial<Facts> = {}): Facts => ({
  live: new Set(),
  undone: new Set(),
  settles: (instance) => instance.step.effect === 'irreversible',
  opens: (instance) => (['split', 'sign'].includes(instance.step.id) ? ['ceremony:generate'] : []),
  sealed: () => false,
  undecided: () => false,
  holds: () => true,
  ...more,
});

describe('the reducer', () => {
  it('gives a valid state for every prefix of a journal', () => {
    expect(entries.map(({ type }) => type)).toContain('restore');
    let before = emptyState;
    for (const [i, entry] of entries.entries()) {
      const state = replay(entries.slice(0, i + 1));
      expect(reduce(before, entry)).toEqual(state);
      for (const [key, instance] of state.instances) {
        expect(keyOf(instance)).toBe(key);
        expect(state.attempts.get(key) ?? 0).toBeGreaterThan(
          instance.status === 'skipped' ? -1 : 0,
        );
      }
      for (const { madeIn } of state.keys.values()) expect(state.instances.has(madeIn)).toBe(true);
      if (state.opened !== undefined) expect(decide(instances, state, facts())).toBeDefined();
      before = state;
    }
    expect(before.closed).toEqual({ outcome: 'completed', reason: null });
  });

  it('does not change the state that it is given', () => {
    const half = entries.slice(0, Math.floor(entries.length / 2));
    const state = replay(half);
    const copy = structuredClone(state);
    for (const entry of entries) {
      try {
        reduce(state, entry);
      } catch {
        // Only that nothing changed matters here.
      }
    }
    expect(state).toEqual(copy);
  });

  it('refuses entries out of order by name, and never with another error', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: entries.length - 1 }), { maxLength: 40 }),
        fc.nat({ max: entries.length }),
        (picked, from) => {
          const chosen = [...entries.slice(0, from), ...picked.map((i) => entries[i] as Entry)];
          try {
            replay(chosen);
          } catch (error) {
            expect(error).toBeInstanceOf(NegativeError);
            expect((error as NegativeError).code).toBe('E_JOURNAL_ORDER');
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('the decision', () => {
  const at = (type: string, step: string): number =>
    entries.findIndex(
      (entry) => entry.type === type && 'step' in entry.data && entry.data.step === step,
    );
  const after = (type: string, step: string): ReturnType<typeof replay> =>
    replay(entries.slice(0, at(type, step) + 1));

  it('walks a whole session that was never interrupted in the order of the plan', () => {
    const live = new Set(['ceremony:generate']);
    const started: string[] = [];
    for (const [i, entry] of entries.entries()) {
      if (entry.type !== 'step.started') continue;
      const next = decide(instances, replay(entries.slice(0, i)), facts({ live }));
      if (next.do === 'run') {
        started.push(instanceKey(next.instance));
        expect(keyOf(entry.data)).toBe(instanceKey(next.instance));
        expect(entry.data.attempt).toBe(next.attempt);
      }
    }
    // The one that was killed is begun twice.
    expect([...new Set(started)]).toEqual(instances.map(instanceKey));
    expect(started).toHaveLength(instances.length + 1);
  });

  it('goes back to the step that made a key lost before it was sealed', () => {
    const state = after('step.finished', 'generate');
    expect(lostKeys(state, { live: new Set() })).toEqual(['ceremony:generate']);
    expect(decide(instances, state, facts())).toMatchObject({
      do: 'rollback',
      lost: ['ceremony:generate'],
      to: { step: { id: 'generate' } },
    });
  });

  it('restores a sealed key only for a step that opens it', () => {
    const sealed = (): boolean => true;
    const split = after('step.finished', 'split');
    expect(decide(instances, split, facts({ sealed }))).toMatchObject({
      do: 'run',
      instance: { step: { id: 'prove' } },
    });
    const proven = after('step.finished', 'prove');
    const entered = reduce(proven, entries[at('step.finished', 'prove') + 1] as Entry);
    expect(entered.act).toBe('use');
    expect(decide(instances, entered, facts({ sealed }))).toMatchObject({
      do: 'restore',
      reference: 'ceremony:generate',
    });
  });

  it('never runs a finished step again, and settles an irreversible one that was left open', () => {
    const open = after('step.started', 'generate');
    expect(decide(instances, open, facts())).toMatchObject({ do: 'settle' });
    const undone = new Set(['generate/generate']);
    expect(decide(instances, open, facts({ undone }))).toMatchObject({ do: 'run', attempt: 2 });
    for (const [i] of entries.entries()) {
      const state = replay(entries.slice(0, i + 1));
      const next = decide(instances, state, facts({ live: new Set(['ceremony:generate']) }));
      if (next.do === 'run')
        expect(state.instances.get(instanceKey(next.instance))?.status).not.toBe('finished');
    }
  });

  it('publishes what is closed, and nothing else', () => {
    expect(decide(instances, replay(entries), facts())).toEqual({ do: 'publish' });
  });
});
