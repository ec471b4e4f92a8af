/** SM2DSA against the example of its standard, and against an implementation we did not write. */
import { sm2 as peer } from 'sm-crypto-v2';
import { describe, expect, it } from 'vitest';
import type { SignatureImplementation } from '#crypto/descriptor';
import { resolve } from '#crypto/registry';
import { fromHex, toHex, utf8 } from '#formats/bytes';
import { seededSource } from '../formats/mutate.js';

const is = (await (await resolve('sm2')).load()) as SignatureImplementation;
const random = seededSource(64);

describe('SM2', () => {
  it('verifies the example of GB/T 32918.5 §A.2, whose id is the default one', () => {
    const secret = fromHex('3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8');
    const publicKey = fromHex(
      '0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020' +
        'ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13',
    );
    const signature = fromHex(
      'f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3' +
        'b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa',
    );
    const message = utf8('message digest');
    expect(is.publicKey(secret)).toEqual(publicKey);
    const raw = { encoding: 'raw' } as const;
    expect(is.verify(signature, message, publicKey, raw)).toBe(true);
    const id = utf8('1234567812345678');
    expect(is.verify(signature, message, publicKey, { ...raw, userId: id })).toBe(true);
    const other = utf8('ALICE123@YAHOO.COM');
    expect(is.verify(signature, message, publicKey, { ...raw, userId: other })).toBe(false);
    expect(is.verify(signature, utf8('message digest.'), publicKey, raw)).toBe(false);
  });

  it('and sm-crypto verify each other, with the default id and another, raw and DER', async () => {
    for (let i = 0; i < 4; i++) {
      const secret = await (await (await resolve('sm2')).load()).generate(random);
      const publicKey = is.publicKey(secret);
      expect(peer.getPublicKeyFromPrivateKey(toHex(secret))).toBe(toHex(publicKey));
      const message = random(20 + i);
      for (const userId of [undefined, 'ada@example.org']) {
        for (const der of [true, false]) {
          const options = { hash: true, der, ...(userId === undefined ? {} : { userId }) };
          const ours = {
            encoding: der ? ('der' as const) : ('raw' as const),
            ...(userId === undefined ? {} : { userId: utf8(userId) }),
          };
          const made = toHex(is.sign(message, secret, { ...ours, random }));
          expect(peer.doVerifySignature(message, made, toHex(publicKey), options)).toBe(true);
          const theirs = fromHex(peer.doSignature(message, toHex(secret), options));
          expect(is.verify(theirs, message, publicKey, ours)).toBe(true);
          expect(is.verify(theirs, random(9), publicKey, ours)).toBe(false);
        }
      }
    }
  });

  it('refuses scalars without an inverse, and signatures out of range', () => {
    const order = 'fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123';
    for (const bad of ['00'.repeat(32), order, order.replace(/23$/, '22')]) {
      expect(() => is.publicKey(fromHex(bad))).toThrow(
        expect.objectContaining({ code: 'E_KEY_INVALID', exitCode: 65 }) as Error,
      );
    }
    const secret = random(32);
    const key = is.publicKey(secret);
    const raw = { encoding: 'raw' } as const;
    const r = is.sign(utf8('x'), secret, raw).subarray(0, 32);
    for (const s of ['00'.repeat(32), order]) {
      const signature = new Uint8Array([...r, ...fromHex(s)]);
      expect(is.verify(signature, utf8('x'), key, raw)).toBe(false);
    }
    expect(() => is.sign(utf8('x'), secret, { userId: new Uint8Array(8192) })).toThrow(
      expect.objectContaining({ code: 'E_SIGNATURE_OPTION' }) as Error,
    );
  });
});
