/** GF(256) and Shamir's sharing: field laws, published vectors, an independent package, and what t−1 shares tell. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededSource } from '../formats/mutate.js';
import { fc } from '../support/property.js';
import { combine as peerCombine, split as peerSplit } from 'shamir-secret-sharing';
import { describe, expect, it } from 'vitest';
import { interpolate, lagrangeFactors, multiply } from '#crypto/math/gf256';
import { fromHex, toHex } from '#formats/bytes';
import { combineBytes, liesOn, splitBytes } from '#protocols/sharing/shamir';
import { recoverWithDigest } from '#protocols/sharing/slip39';
import { needs, vectorsDir } from '../support/require.js';

const random = seededSource(1);
const element = fc.integer({ min: 0, max: 255 });
const vectors = vectorsDir();

/** Schoolbook: carry-less product, then division by the modulus. */
function schoolbook(a: number, b: number): number {
  let product = 0;
  for (let i = 0; i < 8; i++) if ((b >> i) & 1) product ^= a << i;
  for (let i = 14; i >= 8; i--) if ((product >> i) & 1) product ^= 0x11b << (i - 8);
  return product;
}

describe('the field', () => {
  it('multiplies like the schoolbook, all 65,536 pairs', () => {
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) {
        if (multiply(a, b) !== schoolbook(a, b)) expect.unreachable(`${a} · ${b}`);
      }
    }
    // FIPS 197 §4.2
    expect(multiply(0x57, 0x83)).toBe(0xc1);
  });

  it('divides: the factors of every two points, at every place', () => {
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) {
        if (a === b) continue;
        const at = (a * 7 + b) % 256;
        const [first = 0, second = 0] = lagrangeFactors([a, b], at);
        if (schoolbook(first, a ^ b) !== (at ^ b)) expect.unreachable(`${a}, ${b} at ${at}`);
        if ((first ^ second) !== 1) expect.unreachable(`${a}, ${b} at ${at}`);
      }
    }
    expect(lagrangeFactors([5, 9, 7], 9)).toEqual(Uint8Array.of(0, 1, 0));
  });

  it('refuses repeated points', () => {
    expect(() => lagrangeFactors([1, 2, 1])).toThrow();
    expect(() => lagrangeFactors([])).toThrow();
    expect(() => lagrangeFactors([256])).toThrow();
    expect(() => lagrangeFactors([1.5])).toThrow();
    expect(() => lagrangeFactors([1, 2], -1)).toThrow();
  });

  it('interpolates: any degree, any point', () => {
    fc.assert(
      fc.property(
        fc.array(element, { minLength: 1, maxLength: 12 }),
        fc.uniqueArray(element, { minLength: 12, maxLength: 12 }),
        element,
        (coefficients, xs, at) => {
          const value = (x: number): number =>
            coefficients.reduceRight((sum, c) => schoolbook(sum, x) ^ c, 0);
          const points = xs.slice(0, coefficients.length).map((x) => ({
            x,
            y: Uint8Array.of(value(x)),
          }));
          expect(interpolate(points, at)[0]).toBe(value(at));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('sharing', () => {
  it('any t of n give the secret, further shares lie on it', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 96 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 6 }),
        fc.nat(),
        (secret, threshold, more, seed) => {
          const shares = splitBytes(secret, { threshold, shares: threshold + more }, random);
          const points = shares.map((y, i) => ({ x: i + 1, y }));
          points.sort((a, b) => ((a.x * 7 + seed) % 13) - ((b.x * 7 + seed) % 13));
          const chosen = points.slice(0, threshold);
          expect(combineBytes(chosen)).toEqual(secret);
          for (const further of points.slice(threshold)) {
            expect(liesOn(chosen, further)).toBe(true);
            const wrong = { x: further.x, y: further.y.map((byte) => byte ^ 1) };
            expect(liesOn(chosen, wrong)).toBe(false);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('deals to 255', () => {
    const secret = random(32);
    const shares = splitBytes(secret, { threshold: 255, shares: 255 }, random);
    expect(combineBytes(shares.map((y, i) => ({ x: i + 1, y })))).toEqual(secret);
  });

  it('t−1 shares fit every secret: each byte of each share takes every value equally often', () => {
    // For a fixed secret and a threshold of 2, one share alone must be uniform: enumerate every coefficient.
    for (const secret of [0, 1, 0x53, 0xff]) {
      for (const x of [1, 2, 200, 255]) {
        const seen = new Set<number>();
        for (let coefficient = 0; coefficient < 256; coefficient++) {
          const quorum = { threshold: 2, shares: 255 };
          const shares = splitBytes(Uint8Array.of(secret), quorum, () =>
            Uint8Array.of(coefficient),
          );
          seen.add(shares[x - 1]?.[0] as number);
        }
        expect(seen.size).toBe(256);
      }
    }
  });

  it('t−1 of t shares are the same in distribution for two secrets', () => {
    // Threshold 3, shares 1 and 2 seen: over many splits their joint low bits are as for any other secret.
    const rounds = 8000;
    const counts = [0x00, 0xff].map((secret) => {
      const table = new Array<number>(16).fill(0);
      for (let i = 0; i < rounds; i++) {
        const [a, b] = splitBytes(Uint8Array.of(secret), { threshold: 3, shares: 3 }, random);
        const cell = (((a?.[0] as number) & 3) << 2) | ((b?.[0] as number) & 3);
        table[cell] = (table[cell] as number) + 1;
      }
      return table;
    });
    const expected = rounds / 16;
    for (const table of counts) {
      const chi2 = table.reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0);
      // 15 degrees of freedom: beyond 60 by chance once in ten million runs.
      expect(chi2).toBeLessThan(60);
    }
  });

  it('does not force the leading coefficient: it is zero once in 256', () => {
    let zeros = 0;
    for (let i = 0; i < 256; i++) {
      const quorum = { threshold: 2, shares: 2 };
      const shares = splitBytes(Uint8Array.of(9), quorum, () => Uint8Array.of(i));
      if (shares[0]?.[0] === 9) zeros++;
    }
    expect(zeros).toBe(1);
  });
});

describe('the npm package shamir-secret-sharing', () => {
  it.each([32, 64, 72, 96])('opens our shares of %d bytes and the other way round', async (n) => {
    const secret = random(n);
    const ours = splitBytes(secret, { threshold: 3, shares: 5 }, random);
    const asTheirs = ours.map((y, i) => Uint8Array.of(...y, i + 1));
    expect(await peerCombine([asTheirs[4], asTheirs[0], asTheirs[2]] as Uint8Array[])).toEqual(
      secret,
    );
    const theirs = await peerSplit(secret, 5, 3);
    const points = theirs.slice(1, 4).map((share) => ({
      x: share.at(-1) as number,
      y: share.slice(0, -1),
    }));
    expect(combineBytes(points)).toEqual(secret);
  });
});

describe.skipIf(!needs('vectors', vectors !== undefined, 'no folder of test vectors'))(
  'published vectors',
  () => {
    const read = (name: string): unknown =>
      JSON.parse(readFileSync(join(vectors as string, 'shamir', name), 'utf8'));

    it('draft-mcgrew-tss-03', () => {
      const { secret, shares } = read('draft-mcgrew-tss-03.json') as {
        secret: string;
        shares: { index: number; share: string }[];
      };
      const points = shares.map(({ index, share }) => ({ x: index, y: fromHex(share) }));
      expect(toHex(combineBytes(points))).toBe(secret);
    });

    it('bc-shamir: SLIP-39 layout with digest', () => {
      const { vectors: rows } = read('bc-shamir.json') as {
        vectors: { threshold: number; secret: string; share_index: number[]; shares: string[] }[];
      };
      expect(rows.length).toBeGreaterThan(0);
      for (const { threshold, secret, share_index, shares } of rows) {
        const points = shares.map((y, i) => ({ x: share_index[i] as number, y: fromHex(y) }));
        for (const chosen of [points.slice(0, threshold), points.slice(-threshold)]) {
          expect(toHex(recoverWithDigest(chosen, threshold))).toBe(secret);
        }
      }
    });
  },
);
