/**
 * COSE_Key with a CBOR library and a key implementation that we did not write: cborg takes our keys apart by the labels of RFC 9053
 * §7 and RFC 8230 §4, and node:crypto works with what is in them; and the other way round.
 */
import * as crypto from 'node:crypto';
import * as cborg from 'cborg';
import { describe, expect, it } from 'vitest';
import type { Descriptor, SignatureImplementation } from '#crypto/descriptor';
import { decodeCoseKey, encodeCosePrivate, encodeCosePublic } from '#crypto/encodings/cose-key';
import { resolve } from '#crypto/registry';
import { utf8 } from '#formats/bytes';
import { seededSource } from '../formats/mutate.js';

type Label = number | string;
type Members = Map<Label, unknown>;

const random = seededSource(91);
const message = utf8('a message');
const strict = {
  strict: true,
  allowIndefinite: false,
  rejectDuplicateMapKeys: true,
  useMaps: true,
};
const EC = 'EC';
const OKP = 'OKP';

/** By algorithm: key type, curve, algorithm (IANA COSE registries), and how node:crypto calls all that. */
const ROWS = [
  ['p256', 2, 1, -7, EC, 'P-256', 'sha256'],
  ['p384', 2, 2, -35, EC, 'P-384', 'sha384'],
  ['p521', 2, 3, -36, EC, 'P-521', 'sha512'],
  ['secp256k1', 2, 8, -47, EC, 'secp256k1', 'sha256'],
  ['ed25519', 1, 6, -8, OKP, 'Ed25519', null],
  ['ed448', 1, 7, -8, OKP, 'Ed448', null],
] as const;

const base64url = (bytes: unknown): string =>
  Buffer.from(bytes as Uint8Array).toString('base64url');
const bytesOf = (text: string | undefined): Uint8Array =>
  new Uint8Array(Buffer.from(text ?? '', 'base64url'));

async function pairOf(
  name: string,
): Promise<{ descriptor: Descriptor; is: SignatureImplementation; secret: Uint8Array }> {
  const descriptor = await resolve(name);
  const is = await descriptor.load();
  if (is.kind !== 'signature') throw new Error('an algorithm that signs');
  return { descriptor, is, secret: await is.generate(random) };
}

/** The members of a JWK from those of a COSE_Key. */
function jwkOf(members: Members, kty: string, crv: string): crypto.JsonWebKey {
  return {
    kty,
    crv,
    x: base64url(members.get(-2)),
    ...(kty === EC ? { y: base64url(members.get(-3)) } : {}),
    ...(members.has(-4) ? { d: base64url(members.get(-4)) } : {}),
  };
}

describe('cborg and node:crypto', () => {
  it.each(ROWS)('read our COSE_Key of %s', async (name, kty, crv, alg, jwkType, jwkCurve, hash) => {
    const { descriptor, is, secret } = await pairOf(name);
    const publicKey = is.publicKey(secret);
    const open = cborg.decode(encodeCosePublic(descriptor, publicKey), strict) as Members;
    expect([open.get(1), open.get(-1), open.get(3)]).toEqual([kty, crv, alg]);
    expect([...open.keys()].sort()).toEqual([1, 3, -1, -2, ...(kty === 2 ? [-3] : [])].sort());
    const key = crypto.createPublicKey({ key: jwkOf(open, jwkType, jwkCurve), format: 'jwk' });
    const signature = is.sign(message, secret);
    const dsa = { key, dsaEncoding: 'ieee-p1363' } as const;
    expect(crypto.verify(hash, message, dsa, signature)).toBe(true);

    const closed = cborg.decode(
      encodeCosePrivate(descriptor, secret, publicKey),
      strict,
    ) as Members;
    const priv = crypto.createPrivateKey({
      key: jwkOf(closed, jwkType, jwkCurve),
      format: 'jwk',
    });
    const theirs = crypto.sign(hash, message, { key: priv, dsaEncoding: 'ieee-p1363' });
    expect(is.verify(new Uint8Array(theirs), message, publicKey)).toBe(true);
  });

  it.each(ROWS)(
    'write a COSE_Key of %s that we read',
    async (name, kty, crv, alg, jwkType, curve) => {
      const { descriptor, is } = await pairOf(name);
      const { privateKey } =
        jwkType === EC
          ? crypto.generateKeyPairSync('ec', { namedCurve: curve })
          : crypto.generateKeyPairSync(curve.toLowerCase() as 'ed25519');
      const { x, y, d } = privateKey.export({ format: 'jwk' });
      const members = new Map<Label, unknown>([
        [1, kty],
        [3, alg],
        [-1, crv],
        [-2, bytesOf(x)],
        ...(kty === 2 ? [[-3, bytesOf(y)] as const] : []),
        [-4, bytesOf(d)],
      ]);
      const encoded = cborg.encode(members, cborg.rfc8949EncodeOptions);
      const read = await decodeCoseKey(encoded, 'key');
      if (read.side !== 'private') throw new Error('a private key');
      expect(read.descriptor).toBe(descriptor);
      const publicKey = is.publicKey(read.secret);
      expect(publicKey.at(-1)).toBe(bytesOf(y ?? x).at(-1));
      members.delete(-4);
      const open = await decodeCoseKey(cborg.encode(members, cborg.rfc8949EncodeOptions), 'key');
      expect(open).toEqual({ side: 'public', descriptor, publicKey });
    },
  );

  it('read our COSE_Key of RSA, ML-DSA and HMAC by their labels', async () => {
    const rsa = await pairOf('rsa-2048');
    const publicKey = rsa.is.publicKey(rsa.secret);
    const members = cborg.decode(encodeCosePublic(rsa.descriptor, publicKey), strict) as Members;
    expect([members.get(1), members.get(3)]).toEqual([3, -37]);
    const [n, e] = [base64url(members.get(-1)), base64url(members.get(-2))];
    const key = crypto.createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' });
    const how = { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    const signature = rsa.is.sign(message, rsa.secret);
    expect(crypto.verify('sha256', message, how, signature)).toBe(true);

    // draft-ietf-cose-dilithium §3: AKP is 7; pub and priv stand at -1 and -2, and priv is the seed.
    const ml = await pairOf('ml-dsa-65');
    const mlPublic = ml.is.publicKey(ml.secret);
    const encoded = encodeCosePrivate(ml.descriptor, ml.secret, mlPublic);
    const akp = cborg.decode(encoded, strict) as Members;
    expect([...akp]).toEqual([
      [1, 7],
      [3, -49],
      [-1, mlPublic],
      [-2, ml.secret],
    ]);

    const mac = await resolve('hmac-sha256');
    const secret = random(32);
    const oct = cborg.decode(encodeCosePrivate(mac, secret, new Uint8Array(0)), strict) as Members;
    expect([...oct]).toEqual([
      [1, 4],
      [3, 5],
      [-1, secret],
    ]);
  });
});
