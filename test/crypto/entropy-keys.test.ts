/** Dice count: with the system's generator fixed, one changed throw changes the key of every algorithm that takes them. */
import { describe, expect, it } from 'vitest';
import { mixEntropy } from '#crypto/entropy';
import { allDescriptors } from '#crypto/registry';
import { toHex, utf8 } from '#formats/bytes';
import { seededSource } from '../formats/mutate.js';

const descriptors = (await allDescriptors()).map(
  (each) => [`${each.name} ${each.profile}`, each] as const,
);

describe.each(descriptors)('a key of %s', (_, descriptor) => {
  it('depends on every die, or says that it cannot', async () => {
    const refuses = /^RSA$/.test(descriptor.jose?.kty ?? '');
    expect(descriptor.ownEntropy === true).toBe(refuses);
    if (refuses) return;
    const is = await descriptor.load();
    const make = async (dice: string): Promise<string> =>
      toHex(await is.generate(mixEntropy(seededSource(9), [utf8(dice)])));
    const dice = '31415265351223462643315244625316415236';
    const key = await make(dice);
    expect(await make(dice)).toBe(key);
    expect(await make(dice.replace(/6$/, '5'))).not.toBe(key);
  });
});
