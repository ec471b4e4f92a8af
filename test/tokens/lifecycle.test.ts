/** Traps of beginning and ending: login, shutting down, dying, and what a token keeps to itself. The others are in traps.test.ts. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { PKCS11 } from 'pkcs11js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CKA, CKF, CKK, CKM, CKO, type Handle } from '#carriage/stores/pkcs11/cryptoki';
import { returnValueOf, tokenError } from '#carriage/stores/pkcs11/errors';
import { familyOf } from '#carriage/stores/pkcs11/family';
import { importKey, type ImportRequest, type ImportWay } from '#carriage/stores/pkcs11/import';
import { keysIn, publicKeyIn } from '#carriage/stores/pkcs11/object';
import type { Session } from '#carriage/stores/pkcs11/session';
import { findToken, tokensOf } from '#carriage/stores/pkcs11/token';
import { keyId } from '#crypto/key-id';
import { resolve } from '#crypto/registry';
import { fromHex } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { PIN, random, softHsm, type SoftHsm, withSoftHsm } from './softhsm.js';

const AES = [
  { type: CKA.CLASS, value: CKO.SECRET_KEY },
  { type: CKA.KEY_TYPE, value: CKK.AES },
];

describe.skipIf(!withSoftHsm)('traps of beginning and ending', () => {
  let soft: SoftHsm;
  beforeAll(async () => {
    soft = softHsm();
    await soft.init('ends');
  });
  afterAll(() => {
    soft[Symbol.dispose]();
  });

  const thrown = (work: () => unknown): unknown => {
    try {
      work();
    } catch (error) {
      return error;
    }
    throw new Error('nothing was thrown');
  };
  const refusal = (work: () => unknown): ConclaveError => {
    const error = thrown(work);
    if (error instanceof ConclaveError) return error;
    throw error;
  };

  /** A session of its own, without conclave between. */
  const bare = <T>(api: PKCS11, work: (session: Handle) => T): T => {
    const slot = api
      .C_GetSlotList(true)
      .find((each) => api.C_GetTokenInfo(each).label.startsWith('ends'));
    if (slot === undefined) throw new Error('no slot');
    const session = api.C_OpenSession(slot, CKF.SERIAL_SESSION | CKF.RW_SESSION);
    try {
      return work(session);
    } finally {
      api.C_CloseSession(session);
    }
  };

  const aes = async (label: string, way: ImportWay): Promise<ImportRequest> => {
    const descriptor = await resolve('aes-256');
    const implementation = await descriptor.load();
    if (implementation.kind !== 'symmetric') throw new Error('unreachable');
    const secret = SecretBytes.adopt(random(32), 'key');
    const publicKey = secret.use((raw) => implementation.checkValue(raw));
    const id = fromHex(keyId(descriptor, publicKey));
    return { descriptor, implementation, secret, publicKey, label, id, way, random };
  };

  it('without a login nothing private is made: CKR_USER_NOT_LOGGED_IN is 257', async () => {
    using module = await soft.module();
    using token = findToken(module, { token: 'ends' });
    const wanted = (isPrivate: boolean) => [
      ...AES,
      { type: CKA.TOKEN, value: true },
      { type: CKA.PRIVATE, value: isPrivate },
      { type: CKA.VALUE, value: Buffer.alloc(32) },
    ];
    const error = refusal(() =>
      token.session({ write: true }, (session) => session.create(wanted(true), 'storing')),
    );
    expect(error).toMatchObject({ code: 'E_TOKEN_USER_NOT_LOGGED_IN', exitCode: 77 });
    expect(error.details).toEqual({ ckr: 'CKR_USER_NOT_LOGGED_IN', value: 257 });
    expect(error.message).toContain('nobody is logged in');
    // What is not private can be made by anybody: the templates of conclave never are that (traps.test.ts).
    token.session({ write: true }, (session) => {
      session.destroy(session.create(wanted(false), 'storing'));
    });
  });

  it('after C_Finalize everything is 0x190, and the next command starts the module again', async () => {
    {
      using module = await soft.module();
      module.api.C_Finalize();
      const error = refusal(() => tokensOf(module));
      expect(error).toMatchObject({ code: 'E_TOKEN_CRYPTOKI_NOT_INITIALIZED', exitCode: 69 });
      expect(error.details).toMatchObject({ value: 0x190 });
      expect(error.message).toContain('the module was shut down');
    }
    using again = await soft.module();
    expect(tokensOf(again).length).toBeGreaterThan(0);
  });

  it('a process that is killed, logged in and amid a signature, leaves the token usable', async () => {
    const adapter = createRequire(import.meta.url).resolve('pkcs11js');
    const program = `
      const { PKCS11 } = require(${JSON.stringify(adapter)});
      const p = new PKCS11(); p.load(${JSON.stringify(soft.library)}); p.C_Initialize();
      const slot = p.C_GetSlotList(true).find((s) => p.C_GetTokenInfo(s).label.startsWith('ends'));
      const s = p.C_OpenSession(slot, 6); p.C_Login(s, 1, ${JSON.stringify(PIN)});
      const on = (...types) => types.map((type) => ({ type, value: true }));
      const k = p.C_GenerateKeyPair(s, { mechanism: 0x1040 },
        [{ type: 0x180, value: Buffer.from('06082a8648ce3d030107', 'hex') }, ...on(1)],
        [{ type: 3, value: Buffer.from('left') }, ...on(1, 2, 0x108)]);
      p.C_SignInit(s, { mechanism: 0x1041 }, k.privateKey);
      process.stdout.write('amid', () => process.kill(process.pid, 'SIGKILL'));`;
    const env = { ...process.env, SOFTHSM2_CONF: soft.configuration };
    const ran = spawnSync(process.execPath, ['-e', program], { env, encoding: 'utf8' });
    expect(ran).toMatchObject({ signal: 'SIGKILL', stdout: 'amid' });
    using module = await soft.module();
    using token = soft.enter(module, 'ends');
    const left = token.session({ write: false }, (session) => keysIn(session, { object: 'left' }));
    expect(left).toHaveLength(1);
  });

  it('a raw EC point is taken at creation, and then no signature verifies; conclave reads one and writes none', async () => {
    using module = await soft.module();
    using _token = soft.enter(module, 'ends');
    const api = module.api as unknown as PKCS11;
    const descriptor = await resolve('p256');
    const implementation = await descriptor.load();
    if (implementation.kind !== 'signature') throw new Error('unreachable');
    const secret = await implementation.generate(random);
    const publicKey = implementation.publicKey(secret);
    const message = random(64);
    const signature = Buffer.from(implementation.sign(message, secret, { random }));
    const digest = createHash('sha256').update(message).digest();
    const verdict = (point: Buffer): string =>
      bare(api, (session) => {
        const key = api.C_CreateObject(session, [
          { type: CKA.CLASS, value: CKO.PUBLIC_KEY },
          { type: CKA.KEY_TYPE, value: CKK.EC },
          { type: CKA.TOKEN, value: false },
          { type: CKA.VERIFY, value: true },
          { type: CKA.EC_PARAMS, value: Buffer.from('06082a8648ce3d030107', 'hex') },
          { type: CKA.EC_POINT, value: point },
        ]);
        try {
          api.C_VerifyInit(session, { mechanism: CKM.ECDSA }, key);
          return api.C_Verify(session, digest, signature) ? 'good' : 'bad';
        } catch (error) {
          return returnValueOf(error)?.name ?? 'no value';
        }
      });
    expect(verdict(Buffer.concat([Buffer.of(4, publicKey.length), publicKey]))).toBe('good');
    expect(verdict(Buffer.from(publicKey))).toBe('CKR_SIGNATURE_INVALID');

    const family = familyOf(descriptor);
    if (family === undefined) throw new Error('unreachable');
    const raw = { attribute: () => Buffer.from(publicKey) } as unknown as Session;
    const object = { handle: Buffer.alloc(8), publicHandle: Buffer.alloc(8), label: 'x' } as never;
    expect(publicKeyIn(raw, object, descriptor, family)).toEqual(publicKey);
  });

  it('a key that may not leave is not wrapped out: CKR_KEY_UNEXTRACTABLE is 0x6A', async () => {
    using module = await soft.module();
    using token = soft.enter(module, 'ends');
    const api = module.api as unknown as PKCS11;
    const wanted = await aes('stays', 'clear');
    using _ = wanted.secret;
    const { key } = importKey(token, wanted);
    const error = thrown(() =>
      bare(api, (session) => {
        const kek = api.C_CreateObject(session, [
          ...AES,
          { type: CKA.TOKEN, value: false },
          { type: CKA.VALUE, value: Buffer.alloc(32, 7) },
          { type: CKA.WRAP, value: true },
        ]);
        const mechanism = { mechanism: CKM.AES_KEY_WRAP_PAD };
        api.C_WrapKey(session, mechanism, kek, key.handle, Buffer.alloc(64));
      }),
    );
    expect(returnValueOf(error)).toEqual({ name: 'CKR_KEY_UNEXTRACTABLE', code: 0x6a });
    expect(tokenError(error, 'token "ends"').message).toContain('the key may not leave the token');
  });

  it('a secret key that was unwrapped has no length: SoftHSM says 0', async () => {
    using module = await soft.module();
    using token = soft.enter(module, 'ends');
    const wanted = await aes('no-length', 'wrapped');
    using _ = wanted.secret;
    const { key, clear } = importKey(token, wanted);
    expect(clear).toBe(false);
    const length = token.session({ write: false }, (s) => s.number(key.handle, CKA.VALUE_LEN));
    expect(length).toBe(0n);
  });
});
