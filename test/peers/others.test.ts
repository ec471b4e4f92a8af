/** RSA, SM2, BLS and Falcon with programs and libraries that we did not write: each verifies what the other signs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as blst from '@chainsafe/blst';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Descriptor, Implementation, SignatureImplementation } from '#crypto/descriptor';
import { decodePkcs8, encodePkcs8 } from '#crypto/encodings/pkcs8';
import { encodeSpki } from '#crypto/encodings/spki';
import { resolve } from '#crypto/registry';
import { utf8 } from '#formats/bytes';
import { seededSource } from '../formats/mutate.js';
import { hasProgram, needs } from '../support/require.js';

const random = seededSource(53);
const message = utf8('signed on one side, verified on the other');

type Signer = SignatureImplementation & Pick<Implementation, 'generate'>;

async function signer(name: string): Promise<{ descriptor: Descriptor; is: Signer }> {
  const descriptor = await resolve(name);
  return { descriptor, is: (await descriptor.load()) as Signer };
}

describe.skipIf(!needs('openssl', hasProgram('openssl'), 'the program is not installed'))(
  'openssl',
  () => {
    let folder: string;
    const path = (name: string): string => join(folder, name);
    const openssl = (...args: string[]): Uint8Array =>
      new Uint8Array(execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' }));
    const holds = (...args: string[]): boolean =>
      spawnSync('openssl', args, { cwd: folder }).status === 0;

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'conclave-others-'));
      writeFileSync(path('message'), message);
    });
    afterAll(() => {
      rmSync(folder, { recursive: true });
    });

    it('and we use the same RSA keys, PSS and PKCS#1', async () => {
      openssl('genrsa', '-out', 'rsa.pem', '2048');
      const der = openssl('pkcs8', '-topk8', '-nocrypt', '-in', 'rsa.pem', '-outform', 'DER');
      const { descriptor, secret } = await decodePkcs8(der, 'rsa.pem');
      expect(descriptor).toBe(await resolve('rsa-2048'));
      expect(encodePkcs8(descriptor, secret)).toEqual(der);
      const is = (await descriptor.load()) as Signer;
      const publicKey = is.publicKey(secret);
      const spki = encodeSpki(descriptor, publicKey);
      expect(openssl('pkey', '-in', 'rsa.pem', '-pubout', '-outform', 'DER')).toEqual(spki);
      writeFileSync(path('pub.der'), spki);
      const pss = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'];
      for (const [padding, options] of [['pss', pss] as const, ['pkcs1', []] as const]) {
        const theirs = openssl('dgst', '-sha384', ...options, '-sign', 'rsa.pem', 'message');
        const how = { padding, hash: 'sha384' } as const;
        expect(is.verify(theirs, message, publicKey, how)).toBe(true);
        writeFileSync(path('sig'), is.sign(message, secret, how));
        const verify = ['-verify', 'pub.der', '-keyform', 'DER', '-signature', 'sig', 'message'];
        expect(holds('dgst', '-sha384', ...options, ...verify)).toBe(true);
        expect(holds('dgst', '-sha256', ...options, ...verify)).toBe(false);
      }
    });

    it('and we make and verify the same SM2 signatures', async () => {
      const { descriptor, is } = await signer('sm2');
      const secret = await is.generate(random);
      const publicKey = is.publicKey(secret);
      writeFileSync(path('sm2.der'), encodePkcs8(descriptor, secret, publicKey));
      writeFileSync(path('sm2pub.der'), encodeSpki(descriptor, publicKey));
      const id = ['-rawin', '-digest', 'sm3', '-pkeyopt', 'distid:1234567812345678'];
      const key = ['-inkey', 'sm2.der', '-keyform', 'DER', '-in', 'message'];
      expect(is.verify(openssl('pkeyutl', '-sign', ...id, ...key), message, publicKey)).toBe(true);
      writeFileSync(path('sig'), is.sign(message, secret));
      const pub = ['-pubin', '-inkey', 'sm2pub.der', '-keyform', 'DER', '-in', 'message'];
      expect(holds('pkeyutl', '-verify', ...id, ...pub, '-sigfile', 'sig')).toBe(true);
      writeFileSync(path('sig'), is.sign(utf8('another'), secret));
      expect(holds('pkeyutl', '-verify', ...id, ...pub, '-sigfile', 'sig')).toBe(false);
    });
  },
);

describe('blst', () => {
  it('and we use the same keys and signatures, in the suite that it speaks', async () => {
    const { is } = await signer('bls12-381');
    const suite = { suite: 'possession' } as const;
    // Both derive by KeyGen of the draft, from the same material.
    const ikm = random(32);
    const secret = await is.generate(() => ikm.slice());
    const theirs = blst.SecretKey.fromKeygen(ikm);
    expect(new Uint8Array(theirs.toBytes())).toEqual(secret);
    const publicKey = is.publicKey(secret);
    expect(new Uint8Array(theirs.toPublicKey().toBytes())).toEqual(publicKey);
    const ours = is.sign(message, secret, suite);
    expect(new Uint8Array(theirs.sign(message).toBytes())).toEqual(ours);
    const key = blst.PublicKey.fromBytes(publicKey, true);
    expect(blst.verify(message, key, blst.Signature.fromBytes(ours, true))).toBe(true);
    const basic = blst.Signature.fromBytes(is.sign(message, secret), true);
    expect(blst.verify(message, key, basic)).toBe(false);
  });
});

/** What of liboqs is used: its own declarations are no TypeScript that can be compiled strictly. */
interface LibOqs {
  readonly [create: string]: () => Promise<{
    generateKeyPair(): { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array };
    sign(message: Uint8Array, secret: Uint8Array): Uint8Array;
    verify(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean;
    destroy(): void;
  }>;
}
const LIBOQS: string = '@oqs/liboqs-js';
const liboqs = (await import(LIBOQS)) as LibOqs;

describe('liboqs', () => {
  it.each([
    ['falcon-512', 'createFalconPadded512'],
    ['falcon-1024', 'createFalconPadded1024'],
  ] as const)('and we use the same %s keys, and verify each other', async (name, create) => {
    const { is } = await signer(name);
    const peer = await liboqs[create]?.();
    if (peer === undefined) throw new Error('liboqs without Falcon');
    try {
      const pair = peer.generateKeyPair();
      const secret = new Uint8Array(pair.secretKey);
      const publicKey = is.publicKey(secret);
      expect(publicKey).toEqual(new Uint8Array(pair.publicKey));
      const theirs = new Uint8Array(peer.sign(message, secret));
      expect(is.verify(theirs, message, publicKey)).toBe(true);
      expect(is.verify(theirs, utf8('another'), publicKey)).toBe(false);
      expect(peer.verify(message, is.sign(message, secret, { random }), publicKey)).toBe(true);
      // And with a key that we made.
      const own = await is.generate(random);
      const ours = is.sign(message, own, { random });
      expect(peer.verify(message, ours, is.publicKey(own))).toBe(true);
      expect(peer.verify(utf8('another'), ours, is.publicKey(own))).toBe(false);
      const again = new Uint8Array(peer.sign(message, own));
      expect(is.verify(again, message, is.publicKey(own))).toBe(true);
    } finally {
      peer.destroy();
    }
  });
});
