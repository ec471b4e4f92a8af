import { describe, expect, it } from 'vitest';
import { LayeredMap } from '#ceremony/layered-map';
import { seeded } from '../support/mutations.js';

describe('a layered map', () => {
  it('is what a map would be after every addition, and what it was before stays', () => {
    const next = seeded(7);
    const plain = new Map<string, number>();
    let layered = LayeredMap.of<number>();
    const kept: [LayeredMap<number>, [string, number][]][] = [];
    for (let i = 0; i < 2_000; i++) {
      const key = `step-${next(600)}`;
      plain.set(key, i);
      layered = layered.with(key, i);
      expect(layered.get(key)).toBe(i);
      if (i % 97 === 0) kept.push([layered, [...plain]]);
    }
    kept.push([layered, [...plain]]);
    for (const [map, entries] of kept) {
      expect([...map]).toEqual(entries);
      expect([...map.keys()]).toEqual(entries.map(([key]) => key));
      expect([...map.values()]).toEqual(entries.map(([, value]) => value));
      expect(map.size).toBe(entries.length);
      const seen: [string, number][] = [];
      map.forEach((value, each) => seen.push([each, value]));
      expect(seen).toEqual(entries);
    }
    expect(layered.has('step-600')).toBe(false);
    expect(layered.get('step-600')).toBeUndefined();
  });

  it('begins with what it is given', () => {
    const map = LayeredMap.of<number>([
      ['a', 1],
      ['b', 2],
    ]);
    expect([...map.with('a', 3)]).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
    expect(map.get('a')).toBe(1);
  });

  it('can be gone on from more than once', () => {
    const trunk = LayeredMap.of<number>([['a', 1]]).with('b', 2);
    const one = trunk.with('c', 3).with('a', 4);
    const other = trunk.with('d', 5).with('b', 6);
    expect([...trunk]).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    expect([...one]).toEqual([
      ['a', 4],
      ['b', 2],
      ['c', 3],
    ]);
    expect([...other]).toEqual([
      ['a', 1],
      ['b', 6],
      ['d', 5],
    ]);
    expect([trunk.size, one.size, other.size]).toEqual([2, 3, 3]);
    expect(trunk.has('c') || other.has('c') || one.has('d')).toBe(false);
  });
});
