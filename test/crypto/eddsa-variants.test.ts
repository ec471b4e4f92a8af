/** EdDSA with a context and with a prehash: RFC 8032 §7.2, §7.3 and §7.5, and a token that is asked for neither. */
import { describe, expect, it, vi } from 'vitest';
import type { Session } from '#carriage/stores/pkcs11/session';
import { signInToken, type UsableKey } from '#carriage/stores/pkcs11/use';
import { prepareBase } from '#crypto/edwards';
import type { SignatureImplementation, SignatureOptions } from '#crypto/descriptor';
import { resolve } from '#crypto/registry';
import { fromHex, toHex, utf8 } from '#formats/bytes';

const load = async (name: string): Promise<SignatureImplementation> =>
  (await (await resolve(name)).load()) as SignatureImplementation;

const abc = utf8('abc');

describe('Ed25519', () => {
  const secret = fromHex('833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42');

  it('signs a digest as Ed25519ph', async () => {
    const is = await load('ed25519');
    const signature = is.sign(abc, secret, { hash: 'sha512' });
    expect(toHex(signature)).toBe(
      '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41' +
        '31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
    );
  });

  it('signs under a context as Ed25519ctx', async () => {
    const is = await load('ed25519');
    const key = fromHex('0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6');
    const message = fromHex('f726936d19c800494e3fdaff20b276a8');
    const signature = is.sign(message, key, { context: utf8('foo') });
    expect(toHex(signature)).toBe(
      '55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a' +
        '8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d',
    );
  });
});

describe.each([
  ['ed25519', 'sha512'],
  ['ed448', 'shake256'],
] as const)('%s', (name, hash) => {
  const forms: readonly SignatureOptions[] = [
    {},
    { context: utf8('a') },
    { hash },
    { hash, context: utf8('a') },
  ];

  it('keeps its forms apart: each signature holds in its own and in no other', async () => {
    const is = await load(name);
    const secret = new Uint8Array((await resolve(name)).sizes.private).fill(7);
    const publicKey = is.publicKey(secret);
    for (const made of forms) {
      const signature = is.sign(abc, secret, made);
      for (const asked of forms)
        expect(is.verify(signature, abc, publicKey, asked)).toBe(asked === made);
    }
  });
});

describe('a token', () => {
  it('is never asked for a plain signature in place of another', async () => {
    const descriptor = await resolve('ed25519');
    const session = {
      sign: () => {
        throw new Error('asked');
      },
    } as unknown as Session;
    const family = { kind: 'ec', digests: false } as UsableKey['family'];
    const key = { handle: 1, descriptor, family } as unknown as UsableKey;
    for (const options of [{ hash: 'sha512' }, { context: abc }] as const) {
      expect(() => signInToken(session, key, abc, options)).toThrow(
        expect.objectContaining({ code: 'E_SIGNATURE_OPTION', exitCode: 2 }) as Error,
      );
    }
  });
});

it('has a table of base point multiples made once for a curve, however often it is loaded', () => {
  const precompute = vi.fn();
  const curve = { Point: { BASE: { precompute } } } as never;
  prepareBase(curve);
  prepareBase(curve);
  expect(precompute).toHaveBeenCalledOnce();
});
