/** Tokens that are pulled, full, locked or read-only, by a module that stands before SoftHSM and fails where it is told to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTokenSpace, type TokenSpace } from '#actions/context/token-space';
import { destroyKey } from '#carriage/stores/pkcs11/generate';
import { importKey, type ImportRequest, type ImportWay } from '#carriage/stores/pkcs11/import';
import { openModule, type TokenModule } from '#carriage/stores/pkcs11/module';
import { type KeyObject, keysIn } from '#carriage/stores/pkcs11/object';
import { findToken, type Token } from '#carriage/stores/pkcs11/token';
import { keyId } from '#crypto/key-id';
import { resolve } from '#crypto/registry';
import { fromHex } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { spread, thorough } from '../support/require.js';
import { buildShim, type Orders, under, withShim } from './shim.js';
import { PIN, pin, random, softHsm, type SoftHsm } from './softhsm.js';

const REMOVED = '0x32';

describe.skipIf(!withShim)('tokens that fail', () => {
  let folder: string;
  let shim: string;
  let soft: SoftHsm;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'conclave-faults-'));
    shim = buildShim('forward', folder);
    soft = softHsm();
    await soft.init('faults');
    process.env['SHIM_MODULE'] = soft.library;
    process.env['SOFTHSM2_CONF'] = soft.configuration;
  });
  afterAll(() => {
    delete process.env['SHIM_MODULE'];
    soft[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  const request = async (name: string, label: string, way: ImportWay): Promise<ImportRequest> => {
    const descriptor = await resolve(name);
    const implementation = await descriptor.load();
    if (implementation.kind === 'symmetric') throw new Error('unreachable');
    const secret = SecretBytes.adopt(await implementation.generate(random), 'key');
    const publicKey = secret.use((raw) => implementation.publicKey(raw));
    const id = fromHex(keyId(descriptor, publicKey));
    return { descriptor, implementation, secret, publicKey, label, id, way, random };
  };

  const entered = async <T>(
    orders: Orders,
    work: (token: Token, module: TokenModule) => T,
  ): Promise<T> =>
    await under(orders, async () => {
      using module = await openModule(shim);
      using token = findToken(module, { token: 'faults' });
      using user = pin();
      token.logIn(user);
      return work(token, module);
    });

  const failure = async (
    orders: Orders,
    wanted: ImportRequest,
  ): Promise<ConclaveError | 'none'> => {
    try {
      await entered(orders, (token) => importKey(token, wanted));
      return 'none';
    } catch (error) {
      if (error instanceof ConclaveError) return error;
      throw error;
    }
  };

  /** How many keys of this id are there, and how often each name. */
  const keysOf = async (wanted: ImportRequest): Promise<number> =>
    await entered({}, (token) =>
      token.session({ write: false }, (session) => keysIn(session, { id: wanted.id }).length),
    );

  it('pulled at each call of an import: told, at most one key there, and the repeat ends well', async () => {
    let last = 0;
    // In a plain run every fifth call, in CI each.
    for (let call = 1; call < 400; call += thorough ? 1 : 5) {
      const wanted = await request('p256', `pulled-${call}`, 'clear');
      using _ = wanted.secret;
      const error = await failure(
        { FAIL_AT: String(call), FAIL_CKR: REMOVED, FAIL_ON: '1' },
        wanted,
      );
      if (error === 'none') break;
      last = call;
      expect(error.code, `call ${call}`).toBe('E_TOKEN_DEVICE_REMOVED');
      expect(error.exitCode).toBe(69);
      expect(error.message).toContain('the token was removed (CKR_DEVICE_REMOVED)');
      expect(error.hint).toContain('connect it again');
      // Looked at, repeated and removed in one go: entering the token is what takes long, and so are many keys.
      await entered({}, (token) => {
        const there = (): readonly KeyObject[] =>
          token.session({ write: false }, (session) => keysIn(session, { id: wanted.id }));
        expect(there().length, `call ${call}`).toBeLessThanOrEqual(1);
        expect(importKey(token, wanted).check).toContain('verified outside');
        const [key, ...others] = there();
        expect(others).toEqual([]);
        token.session({ write: true }, (session) => {
          destroyKey(session, key as KeyObject);
        });
      });
    }
    expect(last).toBeGreaterThan(20);
  });

  it('pulled once only, the half of a key is removed again', async () => {
    for (const name of ['C_SignInit', 'C_Sign']) {
      const wanted = await request('p256', `once-${name}`, 'clear');
      using _ = wanted.secret;
      const error = await failure({ FAIL_NAME: name, FAIL_CKR: REMOVED }, wanted);
      expect(error).toMatchObject({ code: 'E_TOKEN_DEVICE_REMOVED' });
      expect(await keysOf(wanted)).toBe(0);
    }
  });

  it('full, write-protected: exit 73, and nothing is left behind', async () => {
    for (const [ckr, code] of [
      ['0x31', 'E_TOKEN_DEVICE_MEMORY'],
      ['0xe2', 'E_TOKEN_TOKEN_WRITE_PROTECTED'],
      ['0xb5', 'E_TOKEN_SESSION_READ_ONLY'],
    ] as const) {
      const wanted = await request('p256', `no-room-${ckr}`, 'clear');
      using _ = wanted.secret;
      const error = await failure({ FAIL_NAME: 'C_CreateObject', FAIL_CKR: ckr }, wanted);
      expect(error).toMatchObject({ code, exitCode: 73 });
      expect(await keysOf(wanted)).toBe(0);
    }
  });

  const GENERAL = '0x5';
  it.each([
    ['C_UnwrapKey', GENERAL],
    ['C_UnwrapKey', '0x6'],
    ['C_UnwrapKey', '0x30'],
    ['C_GenerateKeyPair', GENERAL],
    ['C_GenerateKeyPair', '0x70'],
  ])('%s failing by %s is trouble: the key does not go in clear', async (name, ckr) => {
    const wanted = await request('p256', `closed-${name}-${ckr}`, 'auto');
    using _ = wanted.secret;
    expect(await failure({ FAIL_NAME: name, FAIL_CKR: ckr }, wanted)).toBeInstanceOf(ConclaveError);
    expect(await keysOf(wanted)).toBe(0);
  });

  const space = (answers: {
    readonly confirm?: boolean;
    readonly pins?: string[];
  }): TokenSpace & { readonly asked: string[] } => {
    const asked: string[] = [];
    const { confirm, pins } = answers;
    return {
      asked,
      ...createTokenSpace({
        home: { path: folder } as never,
        disk: { exists: () => true } as never,
        random,
        files: { read: (path: string) => new Uint8Array(Buffer.from(path)) } as never,
        ask: {
          ...(confirm === undefined
            ? {}
            : {
                confirm: (question: string) => {
                  asked.push(question);
                  return Promise.resolve(confirm);
                },
              }),
          ...(pins === undefined
            ? {}
            : {
                pin: ({ left }: { left: string }) => {
                  asked.push(left);
                  return Promise.resolve(pin(pins.shift() ?? 'none'));
                },
              }),
        } as never,
        progress: (message) => {
          asked.push(message);
        },
      }),
    };
  };

  /** Enters by PIN file (here the PIN itself) or by asking; the code of what went wrong. */
  const enter = async (tokens: TokenSpace, pinFile?: string): Promise<string> => {
    try {
      using open = await tokens.open({ uri: { token: 'faults' }, module: shim, pinFile });
      return open.token.loggedIn ? 'in' : 'out';
    } catch (error) {
      if (error instanceof ConclaveError) return `${error.code} ${error.exitCode}`;
      throw error;
    }
  };

  it('wrong PINs up to the lock: what is left is told, and the last try is not made unasked', async () => {
    await under({ PIN_LEFT: '3' }, async () => {
      const silent = space({});
      expect(await enter(silent, 'wrong')).toBe('E_TOKEN_PIN_INCORRECT 77');
      expect(process.env['SHIM_PIN_LEFT']).toBe('2');
      expect(await enter(silent, 'wrong')).toBe('E_TOKEN_PIN_INCORRECT 77');
      expect(process.env['SHIM_PIN_LEFT']).toBe('1');
      // Nobody can be asked, or somebody says no: the try is kept, even with the right PIN.
      expect(await enter(silent, 'wrong')).toBe('E_TOKEN_PIN_LAST_TRY 77');
      expect(await enter(silent, PIN)).toBe('E_TOKEN_PIN_LAST_TRY 77');
      expect(await enter(space({ confirm: false }), 'wrong')).toBe('E_TOKEN_PIN_LAST_TRY 77');
      expect(process.env['SHIM_PIN_LEFT']).toBe('1');
      const willing = space({ confirm: true });
      expect(await enter(willing, PIN)).toBe('in');
      expect(willing.asked[0]).toContain('One attempt is left');
      expect(await enter(willing, 'wrong')).toBe('E_TOKEN_PIN_INCORRECT 77');
      expect(process.env['SHIM_PIN_LEFT']).toBe('0');
      expect(await enter(willing, PIN)).toBe('E_TOKEN_PIN_LOCKED 77');
    });
  });

  it('asked at the keyboard, a wrong PIN may be typed again, until one try is left', async () => {
    await under({ PIN_LEFT: '9' }, async () => {
      expect(await enter(space({ pins: ['wrong', PIN] }))).toBe('in');
      expect(process.env['SHIM_PIN_LEFT']).toBe('8');
    });
    await under({ PIN_LEFT: '2' }, async () => {
      const asked = space({ pins: ['wrong', PIN] });
      expect(await enter(asked)).toBe('E_TOKEN_PIN_LAST_TRY 77');
      expect(asked.asked).toEqual(['few attempts are left before it locks itself']);
      expect(process.env['SHIM_PIN_LEFT']).toBe('1');
    });
  });

  it('a PIN pad is used without a PIN from here', async () => {
    await under({ FLAGS: '0x100', PAD_PIN: PIN }, async () => {
      const silent = space({});
      expect(await enter(silent)).toBe('in');
      expect(silent.asked).toEqual(['enter the PIN of token "faults" on its own keys']);
    });
    await under({ FLAGS: '0x100', PAD_PIN: 'wrong' }, async () => {
      expect(await enter(space({}))).toBe('E_TOKEN_PIN_INCORRECT 77');
    });
  });

  it('a PIN that nobody gives is asked for by its option', async () => {
    expect(await enter(space({}))).toBe('E_PIN_MISSING 2');
  });

  it('no message of a failing call carries a PIN or a stack', async () => {
    for (const call of spread([2, 3, 4, 5, 6, 7, 8], thorough ? 7 : 3)) {
      const wanted = await request('p256', `quiet-${call}`, 'clear');
      using _ = wanted.secret;
      const error = await failure({ FAIL_AT: String(call), FAIL_CKR: GENERAL }, wanted);
      if (error === 'none') continue;
      const said = `${error.message} ${error.hint ?? ''} ${JSON.stringify(error.details)}`;
      expect(said).not.toContain(PIN);
      expect(said).not.toMatch(/\n|\.cpp|at /);
    }
  });
});
