/**
 * What PKCS#11 and its adapter do that nobody expects, one by one, on SoftHSM. Each was met once; each stays met.
 *
 * Without a test here, with the reason:
 *   - 4-byte handles of Windows: SoftHSM and these tests run on 64-bit Unix; `ulong` reads either width (below).
 *   - CKM_RSA_AES_KEY_WRAP through pkcs11js: it has no structure for it, so that nothing here names the mechanism (below).
 *   - CKA_LABEL and CKA_ID twice: below. Slots by number: nothing here takes one.
 *   - Beginning and ending (0x190, 257, dying without C_Finalize), raw EC points, and what may not leave (0x6A): lifecycle.test.ts.
 *   - Asynchronous calls of pkcs11js: none is made; what a token takes long for is announced before (`progress`).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as pkcs11 from 'pkcs11js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CK_PARAMS,
  CKA,
  CKF,
  CKG,
  CKK,
  CKM,
  CKO,
  type Cryptoki,
  type Handle,
  isUnavailable,
  nativeCryptoki,
  ulong,
} from '#carriage/stores/pkcs11/cryptoki';
import { answered, returnValueOf, tokenError } from '#carriage/stores/pkcs11/errors';
import { familyOf } from '#carriage/stores/pkcs11/family';
import { importKey, type ImportRequest } from '#carriage/stores/pkcs11/import';
import { openModule, type TokenModule } from '#carriage/stores/pkcs11/module';
import { attributesOf, findKey, keysIn } from '#carriage/stores/pkcs11/object';
import { findToken, type Token, tokensOf } from '#carriage/stores/pkcs11/token';
import { keyTemplate, publicObject } from '#carriage/stores/pkcs11/template';
import { signInToken } from '#carriage/stores/pkcs11/use';
import { keyId } from '#crypto/key-id';
import { resolve } from '#crypto/registry';
import { fromHex, toHex } from '#formats/bytes';
import { SecretBytes } from '#formats/secret-bytes';
import { pin, random, softHsm, type SoftHsm, withSoftHsm } from './softhsm.js';

const label = (text: string): pkcs11.Template[number] => ({
  type: CKA.LABEL,
  value: Buffer.from(text),
});

const AES = [
  { type: CKA.CLASS, value: CKO.SECRET_KEY },
  { type: CKA.KEY_TYPE, value: CKK.AES },
  { type: CKA.TOKEN, value: false },
  { type: CKA.PRIVATE, value: true },
];

describe.skipIf(!withSoftHsm)('traps of PKCS#11', () => {
  let soft: SoftHsm;
  let module: TokenModule;
  let token: Token;
  let api: Cryptoki;
  beforeAll(async () => {
    soft = softHsm();
    await soft.init('traps');
    module = await soft.module();
    token = soft.enter(module, 'traps');
    ({ api } = module);
  });
  afterAll(() => {
    token[Symbol.dispose]();
    module[Symbol.dispose]();
    soft[Symbol.dispose]();
  });

  /** A session of its own, without conclave between. */
  const bare = <T>(write: boolean, work: (session: Handle) => T): T => {
    const slot = api
      .C_GetSlotList(true)
      .find((each) => api.C_GetTokenInfo(each).label.startsWith('traps'));
    if (slot === undefined) throw new Error('no slot');
    const flags = CKF.SERIAL_SESSION | (write ? CKF.RW_SESSION : 0);
    const session = api.C_OpenSession(slot, flags);
    try {
      return work(session);
    } finally {
      api.C_CloseSession(session);
    }
  };

  const thrown = (work: () => unknown): unknown => {
    try {
      work();
    } catch (error) {
      return error;
    }
    throw new Error('nothing was thrown');
  };
  const value = (work: () => unknown): string => returnValueOf(thrown(work))?.name ?? 'no value';

  const request = async (name: string, named: string): Promise<ImportRequest> => {
    const descriptor = await resolve(name);
    const implementation = await descriptor.load();
    const secret = SecretBytes.adopt(await implementation.generate(random), 'key');
    const publicKey = secret.use((raw) =>
      implementation.kind === 'symmetric'
        ? implementation.checkValue(raw)
        : implementation.publicKey(raw),
    );
    const id = fromHex(keyId(descriptor, publicKey));
    return {
      descriptor,
      implementation,
      secret,
      publicKey,
      label: named,
      id,
      way: 'clear',
      random,
    };
  };

  it('C_CreateObject throws a plain error, the others a Pkcs11Error: both are one sentence', () => {
    const plain = thrown(() => bare(true, (session) => api.C_CreateObject(session, [])));
    expect(plain).toBeInstanceOf(Error);
    expect(returnValueOf(plain)).toEqual({ name: 'CKR_TEMPLATE_INCOMPLETE', code: 0xd0 });
    const wrapped = thrown(() =>
      bare(false, (session) => api.C_Sign(session, Buffer.of(1), Buffer.alloc(9))),
    );
    expect(returnValueOf(wrapped)).toEqual({ name: 'CKR_OPERATION_NOT_INITIALIZED', code: 0x91 });
    for (const error of [plain, wrapped]) {
      const said = tokenError(error, 'token "traps"', 'trying');
      expect(said.message).toMatch(/^token "traps", trying: .* \(CKR_[A-Z_]+\)$/);
      expect(said.message).not.toMatch(/\n|\.cpp|:\d/);
    }
  });

  it('loader, adapter and type errors carry no return value and no stack into the sentence', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'conclave-traps-'));
    await expect(openModule(join(folder, 'none.so'))).rejects.toMatchObject({
      code: 'E_PKCS11_MODULE',
      exitCode: 69,
    });
    rmSync(folder, { recursive: true });
    const closed = await nativeCryptoki();
    const adapter = thrown(() => closed.C_GetInfo());
    const type = thrown(() => api.C_CloseSession('x' as never));
    expect(type).toBeInstanceOf(TypeError);
    for (const error of [adapter, type]) {
      expect(returnValueOf(error)).toBeUndefined();
      const said = tokenError(error, 'token "traps"');
      expect(said.code).toBe('E_TOKEN_CALL');
      expect(said.message).not.toMatch(/\n|\.cpp/);
    }
  });

  it('CKA_VALUE_LEN beside CKA_VALUE is refused, and conclave does not give it', async () => {
    const template = [...AES, { type: CKA.VALUE, value: Buffer.alloc(32) }];
    expect(
      value(() =>
        bare(true, (session) =>
          api.C_CreateObject(session, [...template, { type: CKA.VALUE_LEN, value: 32 }]),
        ),
      ),
    ).toBe('CKR_ATTRIBUTE_READ_ONLY');
    const family = familyOf(await resolve('aes-256'));
    if (family === undefined) throw new Error('unreachable');
    const own = keyTemplate(family, { label: 'x', id: random(4) });
    expect(own.map(({ type }) => type)).not.toContain(CKA.VALUE_LEN);
    expect(own).toContainEqual({ type: CKA.CLASS, value: CKO.SECRET_KEY });
  });

  it('SoftHSM takes an AES key of 31 bytes without a word; conclave does not pass one', async () => {
    const handle = bare(true, (session) =>
      api.C_CreateObject(session, [...AES, { type: CKA.VALUE, value: Buffer.alloc(31) }]),
    );
    expect(handle).toHaveLength(8);
    const short = await request('aes-256', 'short');
    using _ = short.secret;
    const secret = SecretBytes.adopt(random(31), 'short key');
    using __ = secret;
    expect(() => importKey(token, { ...short, secret })).toThrow(/31/);
    expect(token.session({ write: false }, (s) => keysIn(s, { object: 'short' }))).toEqual([]);
  });

  it('a scalar with a zero byte before it has a wrong length for conclave', async () => {
    const wanted = await request('p256', 'long');
    using _ = wanted.secret;
    using secret = wanted.secret.use((raw) =>
      SecretBytes.copyOf(Uint8Array.of(0, ...raw), 'long scalar'),
    );
    expect(() => importKey(token, { ...wanted, secret })).toThrow(/33/);
  });

  it('a key that was put in under a wrong public key fails its challenge and is removed', async () => {
    const [wanted, other] = [await request('ed25519', 'wrong'), await request('ed25519', 'other')];
    using _ = wanted.secret;
    using __ = other.secret;
    expect(() => importKey(token, { ...wanted, secret: other.secret })).toThrow(
      /signature is not that of/,
    );
    expect(token.session({ write: false }, (s) => keysIn(s, { object: 'wrong' }))).toEqual([]);
  });

  it('points are DER OCTET STRINGs, curves OIDs as the standards have them', async () => {
    for (const [name, parameters] of [
      ['p256', '06082a8648ce3d030107'],
      ['p384', '06052b81040022'],
      ['secp256k1', '06052b8104000a'],
      ['ed25519', '06032b6570'],
    ] as const) {
      const { publicKey, secret, descriptor } = await request(name, name);
      using _ = secret;
      const family = familyOf(descriptor);
      if (family?.kind !== 'ec') throw new Error('unreachable');
      const template = publicObject(family, { label: name, id: random(4), publicKey });
      const of = (type: number): unknown => template.find((each) => each.type === type)?.value;
      expect(toHex(of(CKA.EC_PARAMS) as Buffer)).toBe(parameters);
      expect(toHex(of(CKA.EC_POINT) as Buffer)).toBe(
        `04${publicKey.length.toString(16).padStart(2, '0')}${toHex(publicKey)}`,
      );
      if (name === 'ed25519') {
        expect(family.parameters.map((each) => toHex(each))).toEqual([
          parameters,
          '130c656477617264733235353139',
        ]);
      }
    }
  });

  it('the token signs digests, not messages: what it gives verifies over the message outside', async () => {
    const wanted = await request('p256', 'digest');
    using _ = wanted.secret;
    importKey(token, wanted);
    const { descriptor, implementation, publicKey } = wanted;
    const family = familyOf(descriptor);
    if (family === undefined || implementation.kind !== 'signature') throw new Error('unreachable');
    const message = random(1000);
    const signature = token.session({ write: false }, (session) => {
      const { handle } = findKey(session, { object: 'digest' }, token.name);
      return signInToken(session, { handle, descriptor, family }, message);
    });
    expect(signature).toHaveLength(64);
    expect(implementation.verify(signature, message, publicKey)).toBe(true);
  });

  it('an HMAC key shorter than its digest is refused before the token takes it silently', async () => {
    const wanted = await request('hmac-sha256', 'short-mac');
    using _ = wanted.secret;
    using secret = SecretBytes.adopt(random(16), 'short');
    expect(() => importKey(token, { ...wanted, secret })).toThrow(/16/);
  });

  it('OAEP needs its source named, and SoftHSM only knows SHA-1: the next hash is tried', () => {
    const pair = token.session({ write: true }, (session) =>
      session.generateKeyPair(
        { mechanism: CKM.RSA_PKCS_KEY_PAIR_GEN },
        [
          { type: CKA.TOKEN, value: true },
          { type: CKA.MODULUS_BITS, value: 1024 },
          { type: CKA.PUBLIC_EXPONENT, value: Buffer.of(1, 0, 1) },
          { type: CKA.ENCRYPT, value: true },
        ],
        [
          { type: CKA.TOKEN, value: true },
          { type: CKA.DECRYPT, value: true },
        ],
      ),
    );
    const oaep = (hashAlg: number, mgf: number): void => {
      const parameter = { type: CK_PARAMS.RSA_OAEP, hashAlg, mgf, source: 1 } as never;
      bare(true, (session) => {
        api.C_EncryptInit(session, { mechanism: CKM.RSA_PKCS_OAEP, parameter }, pair.publicKey);
        api.C_Encrypt(session, Buffer.of(1), Buffer.alloc(256));
      });
    };
    expect(
      value(() => {
        oaep(CKM.SHA256, CKG.MGF1_SHA256);
      }),
    ).toBe('CKR_ARGUMENTS_BAD');
    oaep(CKM.SHA_1, CKG.MGF1_SHA1);
  });

  it('no name for CKM_RSA_AES_KEY_WRAP, which pkcs11js has no parameters for', () => {
    expect(Object.values<number>(CKM)).not.toContain(0x1054);
  });

  it('a failed unwrap is CKR_GENERAL_ERROR here, which is why that is never "cannot"', () => {
    const kek = bare(true, (session) => {
      const handle = api.C_CreateObject(session, [
        ...AES,
        { type: CKA.VALUE, value: Buffer.alloc(32, 7) },
        { type: CKA.UNWRAP, value: true },
      ]);
      return value(() =>
        api.C_UnwrapKey(
          session,
          { mechanism: CKM.AES_KEY_WRAP_PAD },
          handle,
          Buffer.alloc(40),
          AES,
        ),
      );
    });
    expect(kek).toBe('CKR_GENERAL_ERROR');
  });

  it('login is of the process: a second one is no error, and ends with the first', () => {
    const again = findToken(module, { token: 'traps' });
    using user = pin();
    again.logIn(user);
    expect(again.loggedIn).toBe(true);
    expect(
      answered(new Error('CKR_USER_ALREADY_LOGGED_IN:256'), 'CKR_USER_ALREADY_LOGGED_IN'),
    ).toBe(true);
  });

  it('every key is private: without a login SoftHSM would take others', async () => {
    for (const name of ['aes-256', 'hmac-sha256', 'p256', 'ed25519']) {
      const family = familyOf(await resolve(name));
      if (family === undefined) throw new Error('unreachable');
      const template = keyTemplate(family, { label: 'x', id: random(4) });
      expect(template).toContainEqual({ type: CKA.PRIVATE, value: true });
      expect(template).toContainEqual({ type: CKA.SENSITIVE, value: true });
      expect(template).toContainEqual({ type: CKA.EXTRACTABLE, value: false });
    }
  });

  it('a read-only session creates nothing on the token', () => {
    const error = thrown(() =>
      token.session({ write: false }, (session) =>
        session.create(
          [
            { type: CKA.CLASS, value: CKO.DATA },
            { type: CKA.TOKEN, value: true },
            { type: CKA.VALUE, value: Buffer.of(1) },
          ],
          'storing',
        ),
      ),
    );
    expect(error).toMatchObject({ code: 'E_TOKEN_SESSION_READ_ONLY', exitCode: 73 });
  });

  it('an operation that was left open blocks searching; sessions here are never shared', () => {
    const name = bare(true, (session) => {
      const key = api.C_CreateObject(session, [
        ...AES,
        { type: CKA.VALUE, value: Buffer.alloc(32) },
        { type: CKA.ENCRYPT, value: true },
      ]);
      const mechanism = { mechanism: CKM.AES_ECB };
      api.C_EncryptInit(session, mechanism, key);
      expect(
        value(() => {
          api.C_EncryptInit(session, mechanism, key);
        }),
      ).toBe('CKR_OPERATION_ACTIVE');
      expect(value(() => api.C_Encrypt(session, Buffer.alloc(16), Buffer.alloc(1)))).toBe(
        'CKR_BUFFER_TOO_SMALL',
      );
      return value(() => {
        api.C_FindObjectsInit(session, []);
      });
    });
    expect(name).toBe('CKR_OPERATION_ACTIVE');
    // The next operation has a session of its own and does not notice.
    expect(token.session({ write: false }, (session) => keysIn(session).length)).toBeGreaterThan(0);
  });

  it('labels of tokens are padded, numbers are buffers of either width', () => {
    expect(token.describe().label).toBe('traps');
    expect(ulong(Uint8Array.of(0x4a, 0, 0, 0))).toBe(0x4an);
    expect(ulong(Uint8Array.of(0x1d, 6, 0, 0, 0, 0, 0, 0))).toBe(0x61dn);
    expect(isUnavailable(ulong(new Uint8Array(8).fill(255)))).toBe(true);
    expect(isUnavailable(ulong(new Uint8Array(4).fill(255)))).toBe(true);
  });

  it('two labels alike are possible in a token, and a search that finds both takes neither', () => {
    bare(true, (session) => {
      for (const id of [1, 2]) {
        api.C_CreateObject(session, [
          { type: CKA.CLASS, value: CKO.SECRET_KEY },
          { type: CKA.KEY_TYPE, value: CKK.AES },
          { type: CKA.TOKEN, value: true },
          { type: CKA.PRIVATE, value: true },
          { type: CKA.VALUE, value: Buffer.alloc(32) },
          { type: CKA.ID, value: Buffer.of(id) },
          label('twins'),
        ]);
      }
    });
    const error = thrown(() =>
      token.session({ write: false }, (session) => findKey(session, { object: 'twins' }, 'token')),
    );
    expect(error).toMatchObject({ code: 'E_KEY_AMBIGUOUS', exitCode: 2 });
  });

  it('imported keys say so, and their values are not to be had', async () => {
    const wanted = await request('aes-256', 'imported');
    using _ = wanted.secret;
    const { attributes, key } = importKey(token, wanted);
    expect(attributes).toMatchObject({
      local: false,
      neverExtractable: false,
      keyGenMechanism: null,
    });
    token.session({ write: false }, (session) => {
      expect(session.attribute(key.handle, CKA.VALUE)).toBeUndefined();
      expect(attributesOf(session, key)).toEqual(attributes);
    });
  });

  it('a module that is started twice in a process is started once, and left when the last has', async () => {
    const second = await openModule(soft.library);
    expect(second.api).toBe(module.api);
    second[Symbol.dispose]();
    expect(tokensOf(module).length).toBeGreaterThan(0);
    expect(
      value(() => {
        api.C_Initialize();
      }),
    ).toBe('CKR_CRYPTOKI_ALREADY_INITIALIZED');
  });

  it('slots are renumbered by initialising; tokens are found by their labels', async () => {
    await soft.init('another');
    expect(findToken(module, { token: 'traps' }).describe().label).toBe('traps');
    expect(() => findToken(module, { token: 'nothing' })).toThrow(/there is no token "nothing"/);
  });
});
