/**
 * Post-quantum keys by the names of PKCS#11 3.2, before a module that knows the templates and nothing else. It shows that what
 * conclave passes is what the standard describes, not that a token took it.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cryptoki, nativeCryptoki } from '#carriage/stores/pkcs11/cryptoki';
import { importKey, type ImportRequest } from '#carriage/stores/pkcs11/import';
import { openModule } from '#carriage/stores/pkcs11/module';
import { keysIn } from '#carriage/stores/pkcs11/object';
import { findToken } from '#carriage/stores/pkcs11/token';
import { resolve } from '#crypto/registry';
import { toHex } from '#formats/bytes';
import { SecretBytes } from '#formats/secret-bytes';
import { buildShim, withShim } from './shim.js';
import { random } from './softhsm.js';

/** CKA_PARAMETER_SET, CKA_SEED, CKA_VALUE, CKA_KEY_TYPE as recorded. */
const [SET, SEED, VALUE, TYPE] = ['61d', '637', '11', '100'];

const ulong = (value: number): string => toHex(Uint8Array.of(value, 0, 0, 0, 0, 0, 0, 0));

describe.skipIf(!withShim)('post-quantum keys by PKCS#11 3.2', () => {
  let folder: string;
  let path: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'conclave-record-'));
    path = buildShim('record', folder);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
    delete process.env['SHIM_RECORD'];
  });

  const request = async (name: string): Promise<ImportRequest> => {
    const descriptor = await resolve(name);
    const implementation = await descriptor.load();
    if (implementation.kind === 'symmetric') throw new Error('unreachable');
    const secret = SecretBytes.adopt(await implementation.generate(random), 'key');
    const publicKey = secret.use((raw) => implementation.publicKey(raw));
    const [label, id] = [name, random(32)];
    return { descriptor, implementation, secret, publicKey, label, id, way: 'auto', random };
  };

  const templates = (): readonly ReadonlyMap<string, string>[] =>
    readFileSync(process.env['SHIM_RECORD'] ?? '', 'utf8')
      .trimEnd()
      .split('\n')
      .map(
        (line) =>
          new Map([
            ['answer', line.slice(0, line.indexOf(' '))],
            ...line
              .split(' ')
              .slice(1)
              .map((pair) => pair.split('=') as [string, string]),
          ]),
      );

  it.each([
    ['ml-dsa-44', 0x4a, 1, 2560, 1312],
    ['ml-dsa-65', 0x4a, 2, 4032, 1952],
    ['ml-dsa-87', 0x4a, 3, 4896, 2592],
    ['ml-kem-512', 0x49, 1, 1632, 800],
    ['ml-kem-768', 0x49, 2, 2400, 1184],
    ['ml-kem-1024', 0x49, 3, 3168, 1568],
  ])('%s: seed, expanded key and parameter set', async (name, type, set, expanded, open) => {
    process.env['SHIM_RECORD'] = join(folder, name);
    const wanted = await request(name);
    using secret = wanted.secret;
    const { implementation } = wanted;
    // The module signs nothing; where the answer matters, what is signed comes from the implementation.
    const signs = implementation.kind === 'signature' ? implementation.sign : undefined;
    const honest = async (): Promise<Cryptoki> => {
      const api = await nativeCryptoki();
      if (signs !== undefined) {
        api.C_Sign = (_session, message) =>
          Buffer.from(secret.use((raw) => signs(message, raw, { random })));
      }
      return api;
    };
    using module = await openModule(path, honest);
    expect(module.interfaceVersion).toBe('3.2');
    using token = findToken(module, { token: 'record' });
    const imported = importKey(token, wanted);
    expect(imported.clear).toBe(true);
    expect(imported.crossing).toBe('in clear: the token unwraps no keys');
    expect(imported.check).toBe(
      signs === undefined ? undefined : 'a random message signed in the token, verified outside',
    );

    const [key, publicKey, ...others] = templates();
    expect(others).toEqual([]);
    for (const each of [key, publicKey]) {
      expect(each?.get('answer')).toBe('0');
      expect(each?.get(TYPE)).toBe(ulong(type));
      expect(each?.get(SET)).toBe(ulong(set));
    }
    expect(key?.get(SEED)).toBe(secret.use((raw) => toHex(raw)));
    expect(key?.get(VALUE)).toHaveLength(2 * expanded);
    if (!('expanded' in implementation)) throw new Error(`${name} has no expanded form`);
    expect(key?.get(VALUE)).toBe(
      secret.use((raw) => toHex(implementation.expanded?.from(raw) ?? new Uint8Array(0))),
    );
    expect(publicKey?.get(VALUE)).toBe(toHex(wanted.publicKey));
    expect(wanted.publicKey).toHaveLength(open);
    expect(publicKey?.has(SEED)).toBe(false);
  });

  it('a token whose signature does not verify has the key removed again', async () => {
    process.env['SHIM_RECORD'] = join(folder, 'liar');
    const wanted = await request('ml-dsa-65');
    using _ = wanted.secret;
    using module = await openModule(path);
    using token = findToken(module, { token: 'record' });
    expect(() => importKey(token, wanted)).toThrow(
      /signature is not that of the .* key it was given/,
    );
    expect(token.session({ write: false }, (session) => keysIn(session))).toEqual([]);
  });
});
