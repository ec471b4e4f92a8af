/** Changing a dealing without its secret: what is linear stays true over every quorum, and nobody learns more than before. */
import { seededSource } from '../formats/mutate.js';
import { fc } from '../support/property.js';
import { describe, expect, it } from 'vitest';
import { equal, toHex } from '#formats/bytes';
import { SecretBytes } from '#formats/secret-bytes';
import { deal, type DealtShare, recombine } from '#protocols/sharing/deal';
import {
  canRefresh,
  Collection,
  contribute,
  dealParts,
  dealZero,
  factorsOf,
  refreshShare,
  Repair,
  repairFactors,
} from '#protocols/sharing/renew';
import {
  everyQuorum,
  indexNumber,
  plainStructure,
  type ShareIndex,
  type Structure,
} from '#protocols/sharing/structure';

const random = seededSource(2);
const NO_KEY = new Uint8Array(0);

const quorum = fc
  .record({ shares: fc.integer({ min: 2, max: 5 }), at: fc.nat() })
  .map(({ shares, at }) => ({ threshold: 2 + (at % (shares - 1)), shares }));
const structure: fc.Arbitrary<Structure> = fc
  .record({ groups: fc.array(quorum, { minLength: 1, maxLength: 3 }), at: fc.nat() })
  .map(({ groups, at }) => ({ groupThreshold: 1 + (at % groups.length), groups }));

function pick(shares: readonly DealtShare[], indices: readonly ShareIndex[]): DealtShare[] {
  return indices.map(
    (index) => shares.find((each) => indexNumber(each.index) === indexNumber(index)) as DealtShare,
  );
}

/** The secret of each quorum, once each. */
function secrets(shares: readonly DealtShare[], of: Structure): Set<string> {
  return new Set([...everyQuorum(of)].map((indices) => toHex(recombine(pick(shares, indices)))));
}

describe('refresh', () => {
  it('changes every share and no quorum’s secret; old and new do not mix', () => {
    fc.assert(
      fc.property(structure, (of) => {
        using dealing = deal(of, NO_KEY, random);
        const secret = dealing.kek.use(toHex);
        using changes = dealZero(of, random);
        const fresh = dealing.shares.map(({ index, opening }) => ({
          index,
          opening: refreshShare(opening, changes.of(index), random),
        }));
        expect(secrets(fresh, of)).toEqual(new Set([secret]));
        for (const [i, { opening }] of fresh.entries()) {
          const before = (dealing.shares[i] as DealtShare).opening.use((b) => b.slice());
          const after = opening.use((b) => b.slice());
          expect(equal(before.subarray(0, 32), after.subarray(0, 32))).toBe(false);
          expect(equal(before.subarray(32), after.subarray(32))).toBe(false);
        }
        for (const indices of everyQuorum(of)) {
          // One old card among new ones: another secret, with certainty up to 2^-256.
          const [first, ...others] = indices as [ShareIndex, ...ShareIndex[]];
          const mixed = [...pick(dealing.shares, [first]), ...pick(fresh, others)];
          expect(toHex(recombine(mixed))).not.toBe(secret);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('is proven from the changes alone: a wrong change is found by some quorum', () => {
    const of = plainStructure({ threshold: 3, shares: 5 });
    using changes = dealZero(of, random);
    expect(changes.proof).toMatchObject({ quorums: '10', tried: 10, failed: undefined });
    // A source that answers short is refused before anything is dealt.
    expect(() => dealZero(of, () => new Uint8Array(1))).toThrow();
  });

  it('is refused where a share is the secret', () => {
    expect(canRefresh(plainStructure({ threshold: 1, shares: 3 }))).toBe(false);
    expect(canRefresh(plainStructure({ threshold: 2, shares: 3 }))).toBe(true);
    const groups = [
      { threshold: 1, shares: 2 },
      { threshold: 2, shares: 3 },
    ];
    expect(canRefresh({ groupThreshold: 1, groups })).toBe(false);
    expect(canRefresh({ groupThreshold: 2, groups })).toBe(true);
  });

  it('t−1 changes take every value equally often, whatever was dealt', () => {
    // The first byte of one change of 2 of 3, over 25,600 refreshes: chi-square with 255 degrees of freedom.
    const of = plainStructure({ threshold: 2, shares: 3 });
    const counts = new Array<number>(256).fill(0);
    for (let i = 0; i < 800; i++) {
      using changes = dealZero(of, random);
      changes.of({ group: 1, member: 2 }).use((bytes) => {
        for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1;
      });
    }
    const chi = counts.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
    expect(Math.abs(chi - 255)).toBeLessThan(8 * Math.sqrt(2 * 255));
  });
});

describe('reshare', () => {
  it('from any structure to any other: every new quorum gives the secret, old and new do not mix', () => {
    fc.assert(
      fc.property(structure, structure, (from, to) => {
        using dealing = deal(from, NO_KEY, random);
        const secret = dealing.kek.use(toHex);
        for (const indices of [...everyQuorum(from)].slice(0, 4)) {
          const factors = factorsOf(indices);
          using collection = new Collection(to);
          for (const { index, opening } of pick(dealing.shares, indices)) {
            using parts = contribute(
              opening,
              factors.get(indexNumber(index)) as number,
              to,
              random,
            );
            expect(parts.proof.failed).toBeUndefined();
            collection.add(parts);
          }
          const fresh = collection.take(to, random);
          expect(secrets(fresh, to)).toEqual(new Set([secret]));
        }
      }),
      { numRuns: 15 },
    );
  });

  it('one contribution says nothing of its share to fewer than a new quorum', () => {
    // The same share contributed twice gives unrelated parts to t'−1 = 1 receiver.
    const to = plainStructure({ threshold: 2, shares: 3 });
    using share = SecretBytes.adopt(new Uint8Array(55).fill(7), 'share');
    const counts = new Array<number>(256).fill(0);
    for (let i = 0; i < 800; i++) {
      using parts = contribute(share, 3, to, random);
      parts.of({ group: 1, member: 1 }).use((bytes) => {
        for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1;
      });
    }
    const chi = counts.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
    expect(Math.abs(chi - 255)).toBeLessThan(8 * Math.sqrt(2 * 255));
  });
});

describe('repair', () => {
  it('rebuilds exactly the lost share from any threshold of others, with new randomness', () => {
    fc.assert(
      fc.property(structure, (of) => {
        using dealing = deal(of, NO_KEY, random);
        for (const { index: lost, opening } of dealing.shares) {
          const { threshold, shares } = of.groups[lost.group - 1] as {
            threshold: number;
            shares: number;
          };
          if (shares <= threshold) continue;
          const helpers = dealing.shares
            .filter(({ index }) => index.group === lost.group && index.member !== lost.member)
            .slice(-threshold);
          const factors = repairFactors(
            helpers.map(({ index }) => index),
            lost,
          );
          using repair = new Repair();
          for (const each of helpers)
            repair.add(each.opening, factors.get(indexNumber(each.index)) as number);
          using rebuilt = repair.take(random);
          const [before, after] = [opening, rebuilt].map((each) => each.use((b) => b.slice()));
          expect(after?.subarray(0, 32)).toEqual(before?.subarray(0, 32));
          expect(after?.subarray(32)).not.toEqual(before?.subarray(32));
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('parts', () => {
  it('are lent, proven and wiped', () => {
    const of = plainStructure({ threshold: 2, shares: 3 });
    using value = SecretBytes.adopt(random(32), 'value');
    const parts = dealParts(value, of, random);
    const first = parts.of({ group: 1, member: 1 });
    expect(() => parts.of({ group: 2, member: 1 })).toThrow(/no such share/);
    parts[Symbol.dispose]();
    expect(first.wiped).toBe(true);
  });
});
