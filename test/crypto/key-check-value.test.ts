/** Check values of symmetric keys, against values that others published. */
import { describe, expect, it } from 'vitest';
import type { SymmetricImplementation } from '#crypto/descriptor';
import { aesHsmCheckValue, genericHsmCheckValue } from '#crypto/key-check-value';
import { allDescriptors } from '#crypto/registry';
import { fromHex, toHex, utf8 } from '#formats/bytes';

describe('the check values of hardware security modules', () => {
  it.each([
    // The hash subkeys H of "The Galois/Counter Mode of Operation", appendix B, test cases 1, 3, 13 and 15.
    ['00000000000000000000000000000000', '66e94b'],
    ['feffe9928665731c6d6a8f9467308308', 'b83b53'],
    ['0000000000000000000000000000000000000000000000000000000000000000', 'dc95c0'],
    ['feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308', 'acbef2'],
  ])('of the AES key %s', (key, value) => {
    expect(toHex(aesHsmCheckValue(fromHex(key)))).toBe(value);
  });

  it('of keys that are no cipher’s', () => {
    // FIPS 180-1, appendix A.
    expect(toHex(genericHsmCheckValue(utf8('abc')))).toBe('a9993e');
  });

  it('are three bytes for every symmetric algorithm, and another than conclave’s own', async () => {
    const symmetric = (await allDescriptors()).filter(({ kind }) => kind === 'symmetric');
    expect(symmetric.length).toBeGreaterThan(0);
    for (const { load, sizes } of symmetric) {
      const { hsm, checkValue } = (await load()) as SymmetricImplementation;
      const key = new Uint8Array(sizes.private).fill(3);
      expect(hsm.checkValue(key).length).toBe(3);
      expect(toHex(checkValue(key)).startsWith(toHex(hsm.checkValue(key)))).toBe(false);
      expect(key).toEqual(new Uint8Array(sizes.private).fill(3));
    }
  });
});
