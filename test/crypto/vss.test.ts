/** Verifiable sharing of scalars over every group: laws, noble's own FROST dealer, liars, and what t−1 shares tell. */
import { p256_FROST } from '@noble/curves/nist.js';
import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import {
  decodeScalar,
  encodeScalar,
  groupNames,
  invert,
  lagrangeScalars,
  loadGroup,
  mod,
  randomScalar,
} from '#crypto/math/prime-group';
import {
  combineScalars,
  committedAt,
  dealFeldman,
  dealPedersen,
  dealZeroFeldman,
  type ScalarShare,
  verifyScalarShare,
} from '#crypto/math/vss';
import { fromHex, toHex } from '#formats/bytes';
import { seededSource } from '../formats/mutate.js';

const random = seededSource(3);
const QUORUM = { threshold: 3, shares: 5 };
const PAIRS = [
  [0, 1, 2],
  [4, 2, 0],
  [1, 3, 4],
];

function pick(shares: readonly ScalarShare[], at: readonly number[]): ScalarShare[] {
  return at.map((i) => shares[i] as ScalarShare);
}

describe.each(groupNames)('over %s', (name) => {
  it('Feldman: each share verifies alone, any quorum gives the secret, the first commitment is the public key', async () => {
    const group = await loadGroup(name);
    const secret = randomScalar(group, random);
    const { shares, commitments } = dealFeldman(secret, QUORUM, group, random);
    expect(commitments.length).toBe(3);
    expect((commitments[0] as typeof group.base).equals(group.base.multiply(secret))).toBe(true);
    for (const share of shares) {
      expect(verifyScalarShare(share, commitments, group)).toBe(true);
      expect(
        verifyScalarShare(
          { ...share, value: mod(share.value + 1n, group.order) },
          commitments,
          group,
        ),
      ).toBe(false);
      expect(verifyScalarShare({ ...share, index: share.index + 1 }, commitments, group)).toBe(
        false,
      );
      expect(
        verifyScalarShare({ ...share, value: share.value + group.order }, commitments, group),
      ).toBe(false);
      expect(verifyScalarShare({ ...share, index: 0 }, commitments, group)).toBe(false);
      const own = group.base.multiply(share.value);
      expect(own.equals(committedAt(commitments, share.index, group))).toBe(true);
    }
    for (const at of PAIRS) expect(combineScalars(pick(shares, at), 3, group)).toBe(secret);
    expect(combineScalars(pick(shares, [0, 1]), 2, group)).not.toBe(secret);
    expect(() => combineScalars(pick(shares, [0, 0, 1]), 3, group)).toThrow(/exactly 3 different/);
  });

  it('Pedersen: the same, and the commitments fit every secret', async () => {
    const group = await loadGroup(name);
    const secret = randomScalar(group, random);
    const { shares, commitments } = dealPedersen(secret, QUORUM, group, random);
    for (const share of shares) {
      expect(verifyScalarShare(share, commitments, group)).toBe(true);
      const blinding = mod((share.blinding as bigint) + 1n, group.order);
      expect(verifyScalarShare({ ...share, blinding }, commitments, group)).toBe(false);
      expect(
        verifyScalarShare({ index: share.index, value: share.value }, commitments, group),
      ).toBe(false);
    }
    for (const at of PAIRS) expect(combineScalars(pick(shares, at), 3, group)).toBe(secret);
    // secret · G does not show in the first commitment.
    expect((commitments[0] as typeof group.base).equals(group.base.multiply(secret))).toBe(false);
    expect(group.second.equals(group.base)).toBe(false);
    expect(group.second.isTorsionFree()).toBe(true);
  });

  it('a sharing of zero refreshes shares and commitments together', async () => {
    const group = await loadGroup(name);
    const secret = randomScalar(group, random);
    const old = dealFeldman(secret, QUORUM, group, random);
    const zero = dealZeroFeldman(QUORUM, group, random);
    expect((zero.commitments[0] as typeof group.base).is0()).toBe(true);
    const commitments = old.commitments.map((point, k) =>
      point.add(zero.commitments[k] as typeof point),
    );
    const shares = old.shares.map(({ index, value }, i) => ({
      index,
      value: mod(value + (zero.shares[i] as ScalarShare).value, group.order),
    }));
    for (const share of shares) expect(verifyScalarShare(share, commitments, group)).toBe(true);
    for (const share of old.shares)
      expect(verifyScalarShare(share, commitments, group)).toBe(false);
    expect(combineScalars(shares.slice(2), 3, group)).toBe(secret);
  });

  it('decodes its own encodings only', async () => {
    const group = await loadGroup(name);
    const scalar = randomScalar(group, random);
    const point = group.base.multiply(scalar);
    expect(group.decode(point.toBytes(), 'P').equals(point)).toBe(true);
    expect(decodeScalar(encodeScalar(scalar, group), group, 's')).toBe(scalar);
    expect(() => decodeScalar(encodeScalar(group.order, group), group, 's')).toThrow(/no scalar/);
    expect(() => group.decode(point.toBytes().slice(1), 'P')).toThrow(/bytes/);
    expect(() => group.decode(new Uint8Array(group.pointBytes).fill(0xff), 'P')).toThrow(
      /P is no point/,
    );
    await expect(loadGroup('none')).rejects.toThrow(/no group/);
  });
});

describe('against others', () => {
  it('noble’s FROST dealer over P-256: its commitments verify its shares by our code', async () => {
    const group = await loadGroup('nist-p256');
    const { public: published, secretShares } = p256_FROST.trustedDealer({ min: 3, max: 5 });
    const commitments = published.commitments.map((bytes) => group.decode(bytes, 'commitment'));
    const shares = Object.values(secretShares).map(({ identifier, signingShare }) => ({
      index: Number.parseInt(identifier, 16),
      value: decodeScalar(signingShare, group, 'share'),
    }));
    expect(shares.length).toBe(5);
    for (const share of shares) expect(verifyScalarShare(share, commitments, group)).toBe(true);
    const secret = combineScalars(shares.slice(1, 4), 3, group);
    expect(group.base.multiply(secret).equals(commitments[0] as typeof group.base)).toBe(true);
  });

  it('points outside the prime-order subgroup are refused', async () => {
    const group = await loadGroup('edwards25519');
    for (const hex of ED25519_TORSION_SUBGROUP) {
      expect(() => group.decode(fromHex(hex), 'P')).toThrow(/no point/);
      const torsion = (await import('@noble/curves/ed25519.js')).ed25519.Point.fromHex(hex, true);
      if (torsion.is0()) continue;
      const mixed = torsion.add((await import('@noble/curves/ed25519.js')).ed25519.Point.BASE);
      expect(() => group.decode(mixed.toBytes(), 'P')).toThrow(/subgroup/);
    }
  });

  it('Lagrange factors and inverses modulo a small prime, by hand', () => {
    // f(x) = 5 + 3x + 2x² mod 13 at 1, 2, 4: 10, 6, 10.
    const factors = lagrangeScalars([1, 2, 4], { order: 13n });
    const at0 = [10n, 6n, 10n].reduce(
      (sum, y, k) => mod(sum + y * (factors[k] as bigint), 13n),
      0n,
    );
    expect(at0).toBe(5n);
    for (let a = 1n; a < 13n; a++) expect(mod(a * invert(a, 13n), 13n)).toBe(1n);
    expect(() => invert(13n, 13n)).toThrow(/inverse/);
    expect(() => lagrangeScalars([1, 1], { order: 13n })).toThrow(/distinct/);
  });

  it('t−1 shares of two secrets have the same distribution', async () => {
    const group = await loadGroup('nist-p256');
    const counts = new Array<number>(16).fill(0);
    const bucket = (group.order >> 4n) + 1n;
    for (let i = 0; i < 640; i++) {
      const { shares } = dealFeldman(1n, { threshold: 2, shares: 2 }, group, random);
      const at = Number((shares[0] as ScalarShare).value / bucket);
      counts[at] = (counts[at] as number) + 1;
    }
    const chi = counts.reduce((sum, count) => sum + (count - 40) ** 2 / 40, 0);
    expect(chi).toBeLessThan(15 + 8 * Math.sqrt(30));
    expect(toHex(encodeScalar(1n, group)).endsWith('01')).toBe(true);
  });
});
