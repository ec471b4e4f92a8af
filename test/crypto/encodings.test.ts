/** JWK, COSE_Key and SSH: every algorithm that has the form, there and back, and what their readers refuse. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint, importJWK, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Descriptor } from '#crypto/descriptor';
import { decodeCoseKey, encodeCosePrivate, encodeCosePublic } from '#crypto/encodings/cose-key';
import { decodeJwk, encodeJwkPrivate, encodeJwkPublic, jwkThumbprint } from '#crypto/encodings/jwk';
import { encodeSpki } from '#crypto/encodings/spki';
import { decodeSshPublic, encodeSshPublic } from '#crypto/encodings/ssh';
import { decodeSshPrivate, encodeSshPrivate } from '#crypto/encodings/ssh-private';
import { allDescriptors, resolve } from '#crypto/registry';
import { fromHex, toBase64Url, toHex, utf8 } from '#formats/bytes';
import { type CborMap, decodeCbor, encodeCbor } from '#formats/cbor';
import { ConclaveError } from '#formats/errors';
import { fuzz, seededSource } from '../formats/mutate.js';
import { mutationCount, thorough } from '../support/require.js';

const descriptors = await allDescriptors();
const random = seededSource(21);

interface Pair {
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
}

const pairs = new Map<Descriptor, Pair>();

/** Keys that take seconds to make are made where everything is tried. */
const isTried = ({ ownEntropy, slow, sizes }: Descriptor): boolean =>
  slow !== true && (thorough || ownEntropy !== true || sizes.private <= 256);

const pairOf = async (descriptor: Descriptor): Promise<Pair> => {
  const known = pairs.get(descriptor);
  if (known !== undefined) return known;
  const implementation = await descriptor.load();
  const secret = await implementation.generate(random);
  const publicKey =
    implementation.kind === 'symmetric'
      ? implementation.checkValue(secret)
      : implementation.publicKey(secret);
  const pair = { secret, publicKey };
  pairs.set(descriptor, pair);
  return pair;
};

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ConclaveError) return error.code;
    throw error;
  }
  return 'nothing';
}

const tried = descriptors.filter(isTried);
const withJwk = tried.filter(({ jose }) => jose !== undefined);
const withCose = tried.filter(({ cose }) => cose !== undefined);
const withSsh = tried.filter(({ ssh }) => ssh !== undefined);
const nameOf = ({ name, profile }: Descriptor): string => `${name} ${profile}`.trim();
const titled = (list: readonly Descriptor[]): (readonly [string, Descriptor])[] =>
  list.map((descriptor) => [nameOf(descriptor), descriptor] as const);

describe('JWK', () => {
  it.each(titled(withJwk))('of %s there and back', async (_, descriptor) => {
    const { secret, publicKey } = await pairOf(descriptor);
    const isPublic = descriptor.kind !== 'symmetric';
    if (isPublic) {
      const read = await decodeJwk(encodeJwkPublic(descriptor, publicKey), 'k');
      expect(read).toEqual({ side: 'public', descriptor, publicKey });
    } else {
      expect(() => encodeJwkPublic(descriptor, publicKey)).toThrow('no public JWK');
    }
    const text = encodeJwkPrivate(descriptor, secret, publicKey);
    expect(await decodeJwk(text, 'k')).toEqual({ side: 'private', descriptor, secret });
    // Another key's public part is refused.
    if (isPublic) {
      const other = (await descriptor.load()) as { publicKey(secret: Uint8Array): Uint8Array };
      const wrong = other.publicKey(await (await descriptor.load()).generate(random));
      const mixed = encodeJwkPrivate(descriptor, secret, wrong);
      expect(await codeOf(decodeJwk(mixed, 'k'))).toBe('E_KEY_INCONSISTENT');
    }
  });

  it.each(titled(withJwk.filter(({ kind }) => kind !== 'symmetric')))(
    'of %s has the thumbprint that jose computes',
    async (_, descriptor) => {
      const { publicKey } = await pairOf(descriptor);
      const jwk = JSON.parse(Buffer.from(encodeJwkPublic(descriptor, publicKey)).toString()) as JWK;
      expect(await calculateJwkThumbprint(jwk)).toBe(jwkThumbprint(descriptor, publicKey));
      expect(jwk.kid).toBe(jwkThumbprint(descriptor, publicKey));
    },
  );

  it.each(titled(withJwk.filter(({ jose }) => /^(?:OKP|EC|RSA)$/.test(jose?.kty ?? ''))))(
    'of %s is read by node:crypto as the same key',
    async (_, descriptor) => {
      const { secret, publicKey } = await pairOf(descriptor);
      const spki = Buffer.from(encodeSpki(descriptor, publicKey));
      const parse = (bytes: Uint8Array): Record<string, unknown> =>
        JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
      const jwk = parse(encodeJwkPublic(descriptor, publicKey));
      const read = createPublicKey({ key: jwk, format: 'jwk' });
      expect(read.export({ format: 'der', type: 'spki' }).equals(spki)).toBe(true);
      const own = parse(encodeJwkPrivate(descriptor, secret, publicKey));
      const derived = createPublicKey(createPrivateKey({ key: own, format: 'jwk' }));
      expect(derived.export({ format: 'der', type: 'spki' }).equals(spki)).toBe(true);
      // And what node writes, we read.
      const theirs = utf8(JSON.stringify(read.export({ format: 'jwk' })));
      expect(await decodeJwk(theirs, 'k')).toEqual({ side: 'public', descriptor, publicKey });
    },
  );

  it('is what jose imports', async () => {
    for (const name of ['ed25519', 'p256', 'p384', 'p521', 'rsa-2048']) {
      const descriptor = await resolve(name);
      const { publicKey } = await pairOf(descriptor);
      const jwk = JSON.parse(Buffer.from(encodeJwkPublic(descriptor, publicKey)).toString()) as JWK;
      expect(await importJWK(jwk)).toMatchObject({ type: 'public' });
    }
  });

  it('of RFC 8037 has its thumbprint and its public key', async () => {
    const text = utf8(
      '{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",' +
        '"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}',
    );
    const read = await decodeJwk(text, 'A.1');
    expect(read.side).toBe('private');
    const x = fromHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    expect(jwkThumbprint(read.descriptor, x)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  it('refuses whatever is not one spelling of one key', async () => {
    const ed = toBase64Url(random(32));
    const key = { kty: 'OKP', crv: 'Ed25519', x: ed };
    const json = (value: object): string => JSON.stringify(value);
    const cases: readonly [string, string][] = [
      [json({ ...key, alg: 'ES256' }), 'E_JWK_MISMATCH'],
      [json({ ...key, alg: 'EdDSA', use: 'enc' }), 'E_JWK_MISMATCH'],
      [json({ ...key, key_ops: ['verify', 'verify'] }), 'E_JWK_MISMATCH'],
      [json({ ...key, crv: 'Ed25518' }), 'E_ALGORITHM_UNSUPPORTED'],
      [json({ ...key, crv: 'P-256' }), 'E_ALGORITHM_UNSUPPORTED'],
      [json({ ...key, kty: 'EC' }), 'E_SCHEMA_MISMATCH'],
      [json({ ...key, kty: 'XX' }), 'E_ALGORITHM_UNSUPPORTED'],
      [json({ ...key, kty: '__proto__' }), 'E_ALGORITHM_UNSUPPORTED'],
      [json({ ...key, y: ed }), 'E_SCHEMA_MISMATCH'],
      [json({ ...key, x5c: [] }), 'E_SCHEMA_MISMATCH'],
      [json({ ...key, x: `${ed}=` }), 'E_BASE64_MALFORMED'],
      [json({ ...key, x: `${ed.slice(0, -1)}B` }), 'E_BASE64_MALFORMED'],
      [json({ ...key, x: ed.slice(0, 40) }), 'E_LENGTH_WRONG'],
      [json(key).replace('{', '{"kty":"OKP",'), 'E_JSON_MALFORMED'],
      [json({ kty: 'AKP', alg: 'ML-DSA-66', pub: ed }), 'E_ALGORITHM_UNSUPPORTED'],
      [json({ kty: 'AKP', pub: ed }), 'E_JWK_MISMATCH'],
      [json({ kty: 'AKP', alg: 'ML-DSA-65', pub: ed }), 'E_LENGTH_WRONG'],
      [json({ kty: 'oct', k: ed }), 'E_JWK_MISMATCH'],
      [json({ kty: 'oct', alg: 'A256GCM', k: 'AAAA' }), 'E_LENGTH_WRONG'],
      [json({ kty: 'oct', alg: 'A256GCM' }), 'E_SCHEMA_MISMATCH'],
      ['[]', 'E_SCHEMA_MISMATCH'],
      [`{"kty":"OKP"} `.repeat(5000), 'E_JSON_TOO_LARGE'],
    ];
    for (const [text, code] of cases) {
      expect([text.slice(0, 90), await codeOf(decodeJwk(utf8(text), 'k'))]).toEqual([
        text.slice(0, 90),
        code,
      ]);
    }
    expect(await codeOf(decodeJwk(utf8(json({ ...key, alg: 'Ed25519' })), 'k'))).toBe('nothing');
  });
});

describe('COSE_Key', () => {
  it.each(titled(withCose))('of %s there and back', async (_, descriptor) => {
    const { secret, publicKey } = await pairOf(descriptor);
    if (descriptor.kind !== 'symmetric') {
      const read = await decodeCoseKey(encodeCosePublic(descriptor, publicKey), 'k');
      expect(read).toEqual({ side: 'public', descriptor, publicKey });
    }
    const bytes = encodeCosePrivate(descriptor, secret, publicKey);
    expect(await decodeCoseKey(bytes, 'k')).toEqual({ side: 'private', descriptor, secret });
  });

  it('of Ed25519 has the labels of RFC 9053', async () => {
    const descriptor = await resolve('ed25519');
    const { publicKey } = await pairOf(descriptor);
    expect(toHex(encodeCosePublic(descriptor, publicKey))).toBe(
      `a40101032720062158 20${toHex(publicKey)}`.replaceAll(' ', ''),
    );
  });

  it('of ML-DSA is of the type AKP', async () => {
    const descriptor = await resolve('ml-dsa-44');
    const { secret, publicKey } = await pairOf(descriptor);
    const map = decodeCbor(encodeCosePrivate(descriptor, secret, publicKey), 'k') as CborMap;
    expect([...map.keys()]).toEqual([1, 3, -1, -2]);
    expect([map.get(1), map.get(3)]).toEqual([7, -48]);
    expect(map.get(-2)).toEqual(secret);
  });

  it('refuses other maps', async () => {
    const x = random(32);
    const key: [number, never][] = [
      [1, 1 as never],
      [-1, 6 as never],
      [-2, x as never],
    ];
    const without = (label: number): [number, never][] => key.filter(([each]) => each !== label);
    const cases: readonly [[number, unknown][], string][] = [
      [[...key, [3, -7]], 'E_COSE_KEY_MALFORMED'],
      [[...key, [3, 'EdDSA']], 'E_ALGORITHM_UNSUPPORTED'],
      [[...key, [5, x]], 'E_COSE_KEY_MALFORMED'],
      [[...key, [2, 'kid']], 'E_COSE_KEY_MALFORMED'],
      [[...key, [4, []]], 'E_COSE_KEY_MALFORMED'],
      [[...without(-2), [-2, 5]], 'E_COSE_KEY_MALFORMED'],
      [without(-2), 'E_COSE_KEY_MALFORMED'],
      [[...without(-2), [-2, x.slice(1)]], 'E_LENGTH_WRONG'],
      [without(-1), 'E_ALGORITHM_UNSUPPORTED'],
      [without(1), 'E_ALGORITHM_UNSUPPORTED'],
      [
        [
          [1, 4],
          [-1, x],
        ],
        'E_COSE_KEY_MALFORMED',
      ],
    ];
    for (const [entries, code] of cases) {
      const bytes = encodeCbor(new Map(entries as [number, never][]));
      expect([toHex(bytes), await codeOf(decodeCoseKey(bytes, 'k'))]).toEqual([toHex(bytes), code]);
    }
    expect(await codeOf(decodeCoseKey(encodeCbor(new Map(key)), 'k'))).toBe('nothing');
    expect(await codeOf(decodeCoseKey(encodeCbor([1]), 'k'))).toBe('E_COSE_KEY_MALFORMED');
  });
});

describe('SSH', () => {
  it.each(titled(withSsh))('of %s there and back', async (_, descriptor) => {
    const { secret, publicKey } = await pairOf(descriptor);
    const line = encodeSshPublic(descriptor, publicKey, 'a comment\nssh-rsa');
    expect(await decodeSshPublic(line, 'k')).toEqual({
      descriptor,
      publicKey,
      comment: 'a comment ssh-rsa',
    });
    const file = encodeSshPrivate(descriptor, secret, publicKey, random);
    expect(await decodeSshPrivate(file, 'k')).toEqual({ descriptor, secret });
  });

  it('refuses other lines', async () => {
    const descriptor = await resolve('ed25519');
    const { publicKey } = await pairOf(descriptor);
    const line = Buffer.from(encodeSshPublic(descriptor, publicKey)).toString();
    const cases: readonly [string, string][] = [
      [`command="x" ${line}`, 'E_SSH_MALFORMED'],
      [line.replace('ssh-ed25519', 'ssh-rsa'), 'E_SSH_MALFORMED'],
      [`${line}${line}`, 'E_SSH_MALFORMED'],
      [line.replace(/.\n$/, '\n'), 'E_BASE64_MALFORMED'],
      ['ssh-dss AAAAB3NzaC1kc3M=\n', 'E_ALGORITHM_UNSUPPORTED'],
      ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAAQA=\n', 'E_LENGTH_WRONG'],
      ['x'.repeat(20_000), 'E_KEY_TOO_LARGE'],
    ];
    for (const [text, code] of cases) {
      expect([text.slice(0, 60), await codeOf(decodeSshPublic(utf8(text), 'k'))]).toEqual([
        text.slice(0, 60),
        code,
      ]);
    }
  });
});

describe('readers', () => {
  let ed: Descriptor;
  let pair: Pair;
  beforeAll(async () => {
    ed = await resolve('ed25519');
    pair = await pairOf(ed);
  });

  it('of JWK survive mutations', async () => {
    const mlDsa = await resolve('ml-dsa-44');
    const other = await pairOf(mlDsa);
    const aes = await resolve('aes-256');
    const inputs = [
      encodeJwkPublic(ed, pair.publicKey),
      encodeJwkPrivate(ed, pair.secret, pair.publicKey),
      encodeJwkPublic(mlDsa, other.publicKey),
      encodeJwkPrivate(aes, random(32), new Uint8Array(32)),
    ];
    const { refused } = await fuzz(inputs, (bytes) => decodeJwk(bytes, 'k'));
    expect(refused).toBeGreaterThan(0.5 * mutationCount);
  });

  it('of COSE_Key survive mutations', async () => {
    const inputs = [
      encodeCosePublic(ed, pair.publicKey),
      encodeCosePrivate(ed, pair.secret, pair.publicKey),
    ];
    const { refused } = await fuzz(inputs, (bytes) => decodeCoseKey(bytes, 'k'));
    expect(refused).toBeGreaterThan(0.5 * mutationCount);
  });

  it('of RSA in JWK and SSH survive mutations', async () => {
    const rsa = await resolve('rsa-2048');
    const { publicKey } = await pairOf(rsa);
    const jwks = [encodeJwkPublic(rsa, publicKey)];
    expect(
      (await fuzz(jwks, (b) => decodeJwk(b, 'k'), { count: mutationCount / 2 })).refused,
    ).toBeGreaterThan(0.3 * mutationCount);
    const lines = [encodeSshPublic(rsa, publicKey)];
    await fuzz(lines, (b) => decodeSshPublic(b, 'k'), { count: mutationCount / 2 });
  });

  it('of SSH survive mutations each', async () => {
    const p256 = await resolve('p256');
    const other = await pairOf(p256);
    const lines = [encodeSshPublic(ed, pair.publicKey), encodeSshPublic(p256, other.publicKey)];
    expect((await fuzz(lines, (b) => decodeSshPublic(b, 'k'))).refused).toBeGreaterThan(
      0.5 * mutationCount,
    );
    const files = [encodeSshPrivate(ed, pair.secret, pair.publicKey, random)];
    expect((await fuzz(files, (b) => decodeSshPrivate(b, 'k'))).refused).toBeGreaterThan(
      0.5 * mutationCount,
    );
  });
});
