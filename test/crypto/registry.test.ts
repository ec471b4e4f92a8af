import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keyId } from '#crypto/key-id';
import { algorithmNames, resolve, resolveOid } from '#crypto/registry';
import { sha256 } from '#crypto/hash';
import { toHex, utf8 } from '#formats/bytes';
import { root } from '../support/require.js';

describe('the registry', () => {
  it('is tested from its source', () => {
    expect(import.meta.resolve('#crypto/registry')).toContain('/src/');
  });

  it('suggests the nearest name', async () => {
    await expect(resolve('ml-dsa65')).rejects.toMatchObject({
      code: 'E_ALGORITHM_UNKNOWN',
      exitCode: 2,
      hint: 'did you mean ml-dsa-65',
    });
    const { hint } = (await resolve('blowfish').catch((error: unknown) => error)) as {
      hint: string;
    };
    for (const name of algorithmNames()) expect(hint).toContain(name);
  });

  it.each(['constructor', '__proto__', 'toString', ''])('knows no algorithm %j', async (name) => {
    await expect(resolve(name)).rejects.toMatchObject({ code: 'E_ALGORITHM_UNKNOWN' });
  });

  it('gives hybrids the composite profile unless another is asked for', async () => {
    expect((await resolve('ed25519+ml-dsa-65')).profile).toBe('composite');
    expect((await resolve('ed25519+ml-dsa-65', 'ratify-v1')).profile).toBe('ratify-v1');
    await expect(resolve('ed25519+ml-dsa-65', 'ratify')).rejects.toMatchObject({
      code: 'E_PROFILE_UNKNOWN',
      hint: 'its profiles are composite, ratify-v1',
    });
    await expect(resolve('ed25519', 'composite')).rejects.toMatchObject({
      code: 'E_PROFILE_UNKNOWN',
      exitCode: 2,
    });
  });

  it('knows no foreign object identifier', async () => {
    expect(await resolveOid('1.2.840.10040.4.1')).toEqual([]);
  });

  it('loads no noble before a descriptor is loaded', () => {
    const sources = readdirSync(join(root, 'src/crypto'), { recursive: true, encoding: 'utf8' });
    for (const source of sources.filter((name) => name.endsWith('.ts'))) {
      const code = readFileSync(join(root, 'src/crypto', source), 'utf8');
      expect(code, source).not.toMatch(/^(?:import|export) (?!type )(?:[^;=()]*from )?'@noble\//m);
    }
  });
});

describe('a key id', () => {
  it('is the hash that the design says', () => {
    const publicKey = new Uint8Array(32).fill(9);
    const framed = utf8('conclave-key-v1\0ed25519+ml-dsa-65\0composite\0');
    expect(keyId({ name: 'ed25519+ml-dsa-65', profile: 'composite' }, publicKey)).toBe(
      toHex(sha256(framed, publicKey)),
    );
  });
});
