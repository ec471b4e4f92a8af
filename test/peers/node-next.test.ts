/**
 * A newer Node (24.7 or later, with OpenSSL 3.5) reads our ML-DSA and ML-KEM keys in each form; both sides verify each other's
 * signatures, contexts included, and open each other's encapsulations. Its path comes by CONCLAVE_PEER_NODE.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { derOctetString, derOid, derSequence, derSmallInteger } from '#crypto/der';
import type { Descriptor, KemImplementation, SignatureImplementation } from '#crypto/descriptor';
import { decodeJwk, encodeJwkPrivate, encodeJwkPublic } from '#crypto/encodings/jwk';
import { decodePkcs8, encodePkcs8, parsePkcs8 } from '#crypto/encodings/pkcs8';
import { decodeSpki, encodeSpki } from '#crypto/encodings/spki';
import { resolve } from '#crypto/registry';
import { toHex, utf8 } from '#formats/bytes';
import { seededSource } from '../formats/mutate.js';
import { needs } from '../support/require.js';

const peer = process.env['CONCLAVE_PEER_NODE'];
const present = peer !== undefined && existsSync(peer);
const random = seededSource(61);
const message = utf8('a message');
const context = utf8('a context');

/** What the peer does with its input `given` (bytes as base64); what it returns comes back the same way. */
function atPeer(
  body: string,
  given: Readonly<Record<string, Uint8Array | string>>,
): Record<string, Uint8Array | boolean> {
  const script = `
    import * as crypto from 'node:crypto';
    const given = JSON.parse(process.argv[1], (_, v) => v?.b64 === undefined ? v : Buffer.from(v.b64, 'base64'));
    const priv = (der) => crypto.createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const pub = (der) => crypto.createPublicKey({ key: der, format: 'der', type: 'spki' });
    const spkiOf = (key) => crypto.createPublicKey(key).export({ format: 'der', type: 'spki' });
    const answer = (() => { ${body} })();
    console.log(JSON.stringify(answer, (_, v) => v?.type === 'Buffer' ? { b64: Buffer.from(v.data).toString('base64') } : v));
  `;
  const input = JSON.stringify(given, (_, value: unknown) =>
    value instanceof Uint8Array ? { b64: Buffer.from(value).toString('base64') } : value,
  );
  const { status, stdout, stderr } = spawnSync(
    peer ?? '',
    ['--input-type=module', '-e', script, input],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout, (_, value: unknown) =>
    typeof value === 'object' && value !== null && 'b64' in value
      ? new Uint8Array(Buffer.from(value.b64 as string, 'base64'))
      : value,
  ) as Record<string, Uint8Array | boolean>;
}

/** PKCS#8 in the three forms of RFC 9881 and RFC 9935. */
function forms(
  descriptor: Descriptor,
  secret: Uint8Array,
  expanded: Uint8Array,
): Record<'seed' | 'expanded' | 'both', Uint8Array> {
  const info = (key: Uint8Array): Uint8Array =>
    derSequence(derSmallInteger(0), derSequence(derOid(descriptor.oid ?? '')), derOctetString(key));
  return {
    seed: encodePkcs8(descriptor, secret),
    expanded: info(derOctetString(expanded)),
    both: info(derSequence(derOctetString(secret), derOctetString(expanded))),
  };
}

const why = 'set CONCLAVE_PEER_NODE to a node of version 24.7 or later';

describe.skipIf(!needs('a newer Node as peer', present, why))('a newer Node', () => {
  it.each(['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'])('and we use the same %s keys', async (name) => {
    const descriptor = await resolve(name);
    const is = (await descriptor.load()) as SignatureImplementation;
    const secret = random(32);
    const publicKey = is.publicKey(secret);
    const spki = encodeSpki(descriptor, publicKey);
    const ours = is.sign(message, secret, { random });
    const oursInContext = is.sign(message, secret, { random, context });
    for (const [form, key] of Object.entries(
      forms(descriptor, secret, is.expanded?.from(secret) as Uint8Array),
    )) {
      expect(await parsePkcs8(key, 'x')).toMatchObject({ form });
      const theirs = atPeer(
        `const key = priv(given.key);
         return {
           spki: spkiOf(key),
           plain: crypto.sign(null, given.message, key),
           inContext: crypto.sign(null, given.message, { key, context: given.context }),
           verifies: crypto.verify(null, given.message, pub(given.spki), given.ours),
           verifiesInContext: crypto.verify(null, given.message, { key: pub(given.spki), context: given.context }, given.oursInContext),
           refuses: !crypto.verify(null, given.message, pub(given.spki), given.oursInContext),
         };`,
        { key, message, context, spki, ours, oursInContext },
      );
      expect(theirs['spki'], form).toEqual(spki);
      expect(theirs, form).toMatchObject({
        verifies: true,
        verifiesInContext: true,
        refuses: true,
      });
      expect(is.verify(theirs['plain'] as Uint8Array, message, publicKey)).toBe(true);
      expect(is.verify(theirs['inContext'] as Uint8Array, message, publicKey, { context })).toBe(
        true,
      );
      expect(is.verify(theirs['inContext'] as Uint8Array, message, publicKey)).toBe(false);
    }
  });

  it.each(['ml-kem-512', 'ml-kem-768', 'ml-kem-1024'])(
    'and we use the same %s keys',
    async (name) => {
      const descriptor = await resolve(name);
      const is = (await descriptor.load()) as KemImplementation;
      const secret = random(64);
      const publicKey = is.publicKey(secret);
      const spki = encodeSpki(descriptor, publicKey);
      const ours = is.encapsulate(publicKey, random);
      for (const [form, key] of Object.entries(
        forms(descriptor, secret, is.expanded?.from(secret) as Uint8Array),
      )) {
        expect(await parsePkcs8(key, 'x')).toMatchObject({ form });
        const theirs = atPeer(
          `const key = priv(given.key);
         const { sharedKey, ciphertext } = crypto.encapsulate(pub(given.spki));
         return { spki: spkiOf(key), sharedKey, ciphertext, opened: crypto.decapsulate(key, given.ciphertext) };`,
          { key, spki, ciphertext: ours.ciphertext },
        );
        expect(theirs['spki'], form).toEqual(spki);
        expect(theirs['opened'], form).toEqual(ours.sharedSecret);
        expect(is.decapsulate(theirs['ciphertext'] as Uint8Array, secret)).toEqual(
          theirs['sharedKey'],
        );
      }
    },
  );

  it.each(['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87', 'ml-kem-512', 'ml-kem-768', 'ml-kem-1024'])(
    'makes %s keys that we read',
    async (name) => {
      const made = atPeer(
        `const { privateKey, publicKey } = crypto.generateKeyPairSync(given.name);
         return {
           pkcs8: privateKey.export({ format: 'der', type: 'pkcs8' }),
           spki: publicKey.export({ format: 'der', type: 'spki' }),
         };`,
        { name },
      );
      const { descriptor, publicKey } = await decodeSpki(made['spki'] as Uint8Array, 'x');
      expect(descriptor.name).toBe(name);
      const key = await decodePkcs8(made['pkcs8'] as Uint8Array, 'x');
      const is = (await descriptor.load()) as SignatureImplementation | KemImplementation;
      expect(toHex(is.publicKey(key.secret))).toBe(toHex(publicKey));
    },
  );

  it.each(['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'])(
    'and we read each other’s JWK of %s keys',
    async (name) => {
      const descriptor = await resolve(name);
      const is = (await descriptor.load()) as SignatureImplementation;
      const secret = random(32);
      const publicKey = is.publicKey(secret);
      const theirs = atPeer(
        `const text = (bytes) => JSON.parse(Buffer.from(bytes).toString());
         const key = crypto.createPrivateKey({ key: text(given.jwk), format: 'jwk' });
         const pub = crypto.createPublicKey({ key: text(given.publicJwk), format: 'jwk' });
         const made = crypto.generateKeyPairSync(given.name);
         const json = (key) => Buffer.from(JSON.stringify(key.export({ format: 'jwk' })));
         return {
           spki: spkiOf(key),
           same: spkiOf(key).equals(pub.export({ format: 'der', type: 'spki' })),
           again: json(key),
           signed: crypto.sign(null, given.message, key),
           verifies: crypto.verify(null, given.message, pub, given.ours),
           made: json(made.privateKey),
           madePublic: json(made.publicKey),
           madeSpki: made.publicKey.export({ format: 'der', type: 'spki' }),
         };`,
        {
          name,
          message,
          jwk: encodeJwkPrivate(descriptor, secret, publicKey),
          publicJwk: encodeJwkPublic(descriptor, publicKey),
          ours: is.sign(message, secret, { random }),
        },
      );
      expect(theirs['spki']).toEqual(encodeSpki(descriptor, publicKey));
      expect(theirs).toMatchObject({ same: true, verifies: true });
      expect(is.verify(theirs['signed'] as Uint8Array, message, publicKey)).toBe(true);
      const back = await decodeJwk(theirs['again'] as Uint8Array, 'x');
      expect(back).toEqual({ side: 'private', descriptor, secret });
      const made = await decodeJwk(theirs['made'] as Uint8Array, 'x');
      const madePublic = await decodeJwk(theirs['madePublic'] as Uint8Array, 'x');
      if (made.side !== 'private' || madePublic.side !== 'public') throw new Error('another side');
      expect(toHex(is.publicKey(made.secret))).toBe(toHex(madePublic.publicKey));
      expect(theirs['madeSpki']).toEqual(encodeSpki(descriptor, madePublic.publicKey));
    },
  );

  it('refuses, like we, a seed beside the expanded key of another', async () => {
    for (const name of ['ml-dsa-65', 'ml-kem-768']) {
      const descriptor = await resolve(name);
      const is = (await descriptor.load()) as SignatureImplementation | KemImplementation;
      const { private: length } = descriptor.sizes;
      const { both } = forms(
        descriptor,
        random(length),
        is.expanded?.from(random(length)) as Uint8Array,
      );
      await expect(parsePkcs8(both, 'x')).rejects.toMatchObject({ code: 'E_KEY_INCONSISTENT' });
      expect(
        atPeer(
          `try { priv(given.both); return { refused: false } } catch { return { refused: true } }`,
          { both },
        ),
      ).toEqual({ refused: true });
    }
  });
});
