/**
 * What conclave adds to a token: importing and signing through it, as multiples of the calls of PKCS#11 that do the same work, made
 * bare on the same SoftHSM. What it adds are searches before and after, a session for each operation, and the check outside.
 */
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const title = 'tokens: medians of interleaved runs on SoftHSM, one key each';
export const peer = 'the same calls of PKCS#11, bare';

const ROUNDS = 15;
const load = (path) => import(new URL(`../dist/${path}.js`, import.meta.url));

/** All cases; none where SoftHSM or pkcs11js is absent. */
export async function measure() {
  const { findLibrary } = await load('carriage/stores/pkcs11/library');
  const folder = mkdtempSync(join(tmpdir(), 'conclave-bench-'));
  try {
    await import('pkcs11js');
    return await onToken(findLibrary('softhsm2', existsSync).path, folder);
  } catch (error) {
    if (error.exitCode !== 69 && !/pkcs11js/.test(error.message)) throw error;
    console.log(`left out, since ${error.message}`);
    return [];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function onToken(library, folder) {
  const [{ openModule }, { findToken, tokensOf }, { importKey }, { SecretBytes }] =
    await Promise.all(
      ['module', 'token', 'import']
        .map((name) => load(`carriage/stores/pkcs11/${name}`))
        .concat(load('formats/secret-bytes')),
    );
  const [{ signInToken }, { familyOf }, { findKey }, { resolve }] = await Promise.all([
    load('carriage/stores/pkcs11/use'),
    load('carriage/stores/pkcs11/family'),
    load('carriage/stores/pkcs11/object'),
    load('crypto/registry'),
  ]);
  const configuration = join(folder, 'softhsm2.conf');
  mkdirSync(join(folder, 'tokens'));
  const lines = [
    `directories.tokendir = ${folder}/tokens`,
    'objectstore.backend = file',
    'log.level = ERROR',
  ];
  writeFileSync(configuration, `${lines.join('\n')}\n`);
  process.env.SOFTHSM2_CONF = configuration;
  const secretOf = (text) => SecretBytes.copyOf(Buffer.from(text), 'bench');
  const module = await openModule(library);
  const fresh = tokensOf(module).find((each) => !each.describe().initialized);
  fresh.initialize('bench', { securityOfficer: secretOf('officer-1'), user: secretOf('user-1') });
  const token = findToken(module, { token: 'bench' });
  token.logIn(secretOf('user-1'));

  const descriptor = await resolve('p256');
  const implementation = await descriptor.load();
  const random = (length) => new Uint8Array(randomBytes(length));
  const raw = await implementation.generate(random);
  const publicKey = implementation.publicKey(raw);
  const secret = SecretBytes.copyOf(raw, 'bench');
  const common = { descriptor, implementation, secret, publicKey, random };
  const { api } = module;
  const slot = api
    .C_GetSlotList(true)
    .find((each) => api.C_GetTokenInfo(each).label.startsWith('bench'));
  const session = api.C_OpenSession(slot, 6);
  const bare = bareCalls(api, session, Buffer.from(raw), Buffer.from(publicKey));
  const node = createPublicKey({
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: b64(publicKey.subarray(1, 33)),
      y: b64(publicKey.subarray(33)),
    },
    format: 'jwk',
  });
  const message = randomBytes(1024);

  const wanted = (way) => ({ ...common, label: 'imported', id: random(8), way });
  const through = (way) => () => {
    const { key } = importKey(token, wanted(way));
    token.session({ write: true }, (own) => {
      own.destroy(key.handle);
      own.destroy(key.publicHandle);
    });
  };
  importKey(token, { ...common, label: 'lasting', id: random(8), way: 'clear' });
  const family = familyOf(descriptor);
  const { handle } = token.session({ write: false }, (own) =>
    findKey(own, { object: 'lasting' }, 'token'),
  );
  const cases = [
    bare.importClear,
    through('clear'),
    bare.importWrapped,
    through('wrapped'),
    () => bare.sign(handle, message),
    () => {
      const signature = bare.sign(handle, message);
      if (!verify('sha256', message, { key: node, dsaEncoding: 'ieee-p1363' }, signature))
        throw new Error('wrong');
    },
    () => {
      const signature = token.session({ write: false }, (own) =>
        signInToken(own, { handle, descriptor, family }, message),
      );
      if (!implementation.verify(signature, message, publicKey)) throw new Error('wrong');
    },
  ];
  const ms = medians(cases, ROUNDS);
  token[Symbol.dispose]();
  module[Symbol.dispose]();
  return [
    { name: 'import in clear, bare', ms: ms[0], ratio: 1 },
    { name: 'import in clear', ms: ms[1], ratio: ms[1] / ms[0] },
    { name: 'import wrapped, bare', ms: ms[2], ratio: 1 },
    { name: 'import wrapped', ms: ms[3], ratio: ms[3] / ms[2], target: 4 },
    { name: 'sign, bare', ms: ms[4], ratio: 1 },
    { name: 'sign, bare, verified by openssl', ms: ms[5], ratio: ms[5] / ms[4] },
    { name: 'sign, verified', ms: ms[6], ratio: ms[6] / ms[4] },
  ];
}

const b64 = (bytes) => Buffer.from(bytes).toString('base64url');

/** The work alone, as a program would do it that searches nothing and checks nothing. */
function bareCalls(api, session, scalar, point) {
  const params = { type: 0x180, value: Buffer.from('06082a8648ce3d030107', 'hex') };
  const on = (...types) => types.map((type) => ({ type, value: true }));
  const kind = (objectClass, keyType) => [
    { type: 0, value: objectClass },
    { type: 0x100, value: keyType },
  ];
  const privateKey = [...kind(3, 3), ...on(1, 2, 0x103, 0x108), { type: 0x162, value: false }];
  const putPublic = () =>
    api.C_CreateObject(session, [
      ...kind(2, 3),
      ...on(1, 0x10a),
      params,
      { type: 0x181, value: Buffer.concat([Buffer.of(4, point.length), point]) },
    ]);
  const sign = (key, message) => {
    api.C_DigestInit(session, { mechanism: 0x250 });
    const digest = api.C_Digest(session, message, Buffer.alloc(32));
    api.C_SignInit(session, { mechanism: 0x1041 }, key);
    return api.C_Sign(session, digest, Buffer.alloc(128));
  };
  const done = (...handles) => {
    for (const handle of handles) api.C_DestroyObject(session, handle);
  };
  const wrapping = { kek: randomBytes(32) };
  return {
    sign,
    importClear: () => {
      const key = api.C_CreateObject(session, [
        ...privateKey,
        params,
        { type: 0x11, value: scalar },
      ]);
      const shown = putPublic();
      sign(key, scalar);
      done(key, shown);
    },
    importWrapped: () => {
      const pair = api.C_GenerateKeyPair(
        session,
        { mechanism: 0 },
        [
          ...on(0x106, 0x104),
          { type: 0x121, value: 3072 },
          { type: 0x122, value: Buffer.of(1, 0, 1) },
        ],
        on(0x107, 0x105, 2, 0x103),
      );
      const oaep = { mechanism: 9, parameter: { type: 4, hashAlg: 0x220, mgf: 1, source: 1 } };
      // Wrapping inside, since outside is our own code: the token does the same work either way.
      const plain = api.C_CreateObject(session, [
        ...kind(4, 0x1f),
        ...on(2, 0x162, 0x106),
        { type: 0x11, value: wrapping.kek },
      ]);
      const first = api.C_WrapKey(session, oaep, pair.publicKey, plain, Buffer.alloc(512));
      const aes = api.C_UnwrapKey(session, oaep, pair.privateKey, first, [
        ...kind(4, 0x1f),
        ...on(2, 0x103, 0x107),
      ]);
      const open = api.C_CreateObject(session, [
        ...kind(3, 3),
        ...on(2, 0x162),
        { type: 1, value: false },
        { type: 0x103, value: false },
        params,
        { type: 0x11, value: scalar },
      ]);
      const second = api.C_WrapKey(session, { mechanism: 0x210a }, plain, open, Buffer.alloc(512));
      const key = api.C_UnwrapKey(session, { mechanism: 0x210a }, aes, second, privateKey);
      const shown = putPublic();
      sign(key, scalar);
      done(key, shown, open, aes, plain, pair.publicKey, pair.privateKey);
    },
  };
}

/** Medians of all cases, taken in turns so that a busy moment of the machine hits each alike. */
function medians(cases, rounds) {
  const times = cases.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, work] of cases.entries()) {
      const begin = process.hrtime.bigint();
      work();
      times[i].push(Number(process.hrtime.bigint() - begin) / 1e6);
    }
  }
  return times.map((each) => each.sort((a, b) => a - b)[Math.floor(each.length / 2)]);
}
