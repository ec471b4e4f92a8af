import { describe, expect, it } from 'vitest';
import type { Descriptor, SignatureImplementation } from '#crypto/descriptor';
import { resolve } from '#crypto/registry';
import { selfCheck } from '#crypto/self-check';
import { seededSource } from '../formats/mutate.js';

const random = seededSource(5);

/** The algorithm with part of its code replaced by something broken. */
async function broken(name: string, change: object): Promise<Descriptor> {
  const descriptor = await resolve(name);
  const implementation = await descriptor.load();
  return {
    ...descriptor,
    load: () => Promise.resolve({ ...implementation, ...change }),
  };
}

describe('the self-check of a new key', () => {
  it('says what it checked', async () => {
    const { checks } = await selfCheck(await resolve('ed25519'), random(32), random);
    expect(checks).toEqual([
      'public key has its length',
      'signature verifies',
      'another message does not verify',
      'same public key by node:crypto',
      'signature verifies by node:crypto',
    ]);
  });

  it.each<[string, string, object]>([
    ['ed25519', 'a signature that does not verify', { verify: () => false }],
    ['ed25519', 'a verification that accepts everything', { verify: () => true }],
    ['ed25519', 'a foreign public key', { publicKey: () => new Uint8Array(32).fill(1) }],
    [
      'ed25519',
      'a second opinion of another key',
      { second: { by: 'x', publicKey: () => new Uint8Array(32) } },
    ],
    ['ml-dsa-44', 'a short public key', { ready: undefined, publicKey: () => new Uint8Array(1) }],
    ['ml-kem-512', 'a shared secret of its own', { decapsulate: () => new Uint8Array(32) }],
    [
      'x-wing',
      'a second opinion of another secret',
      {
        second: {
          by: 'x',
          publicKey: () => new Uint8Array(1216),
          decapsulate: () => new Uint8Array(32),
        },
      },
    ],
  ])('of %s finds %s', async (name, _, change) => {
    const descriptor = await broken(name, change);
    await expect(
      selfCheck(descriptor, random(descriptor.sizes.private), random),
    ).rejects.toMatchObject({
      code: 'E_SELF_CHECK_FAILED',
      exitCode: 70,
    });
  });

  it('finds a signature that only the first implementation accepts', async () => {
    const descriptor = await resolve('ed25519');
    const is = (await descriptor.load()) as SignatureImplementation;
    const change = {
      sign: () => new Uint8Array(64),
      verify: (_: unknown, message: Uint8Array) => message[0] === 99,
      second: is.second,
    };
    await expect(selfCheck(await broken('ed25519', change), random(32), random)).rejects.toThrow(
      /signature verifies by node:crypto/,
    );
  });
});
