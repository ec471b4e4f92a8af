import { describe, expect, it } from 'vitest';
import { mixEntropy } from '#crypto/entropy';
import { toHex, utf8 } from '#formats/bytes';
import { seededSource } from '../formats/mutate.js';

const dice = utf8('1 6 3 4 4 2');
const coins = utf8('HTTHHT');
const mixed = (seed: number, ...contributions: Uint8Array[]): string =>
  toHex(mixEntropy(seededSource(seed), contributions)(64));

describe('mixed entropy', () => {
  it('depends on the system and on every contribution, and on nothing else', () => {
    const base = mixed(1, dice, coins);
    expect(mixed(1, dice, coins)).toBe(base);
    const others = [
      mixed(2, dice, coins),
      mixed(1, dice),
      mixed(1, coins),
      mixed(1, coins, dice),
      mixed(1, dice, utf8('HTTHHH')),
      mixed(1, utf8('1 6 3 4 4 3'), coins),
      mixed(1, dice, coins, new Uint8Array(0)),
      // Framed, so that bytes cannot move from one contribution to the next.
      mixed(1, utf8('1 6 3 4 4 2H'), utf8('TTHHT')),
    ];
    expect(new Set([base, ...others]).size).toBe(others.length + 1);
  });

  it('draws fresh bytes for every output, at least as many as it gives', () => {
    const drawn: number[] = [];
    const os = seededSource(1);
    const source = mixEntropy(
      (length) => {
        drawn.push(length);
        return os(length);
      },
      [dice],
    );
    expect(toHex(source(32))).not.toBe(toHex(source(32)));
    source(100);
    expect(drawn).toEqual([64, 64, 100]);
  });

  it('differs from call to call even when the system repeats itself', () => {
    const source = mixEntropy((length) => new Uint8Array(length), [dice]);
    expect(toHex(source(32))).not.toBe(toHex(source(32)));
  });

  it('gives any length', () => {
    const source = mixEntropy(seededSource(1), [dice]);
    for (const length of [0, 1, 255 * 64, 255 * 64 + 1, 100_000])
      expect(source(length).length).toBe(length);
    const long = Buffer.from(source(100_000));
    expect(
      new Set(Array.from({ length: 97 }, (_, i) => long.toString('hex', i * 1024, i * 1024 + 16)))
        .size,
    ).toBe(97);
  });

  it('leaves the contributions to whoever brought them, and needs them no longer', () => {
    const contribution = new Uint8Array(dice);
    const source = mixEntropy(seededSource(1), [contribution]);
    expect(contribution).toEqual(dice);
    contribution.fill(0);
    expect(toHex(source(64))).toBe(mixed(1, dice));
  });

  it('is the system alone when nobody contributes', () => {
    const os = seededSource(1);
    expect(mixEntropy(os, [])).toBe(os);
  });
});
