/**
 * OpenSSL's command line and our classical keys: each reads the other's PKCS#8 and SPKI byte for byte, each verifies what the
 * other signs, and both come to the same shared secret.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  AgreementImplementation,
  Descriptor,
  SignatureImplementation,
} from '#crypto/descriptor';
import { decodePkcs8, encodePkcs8 } from '#crypto/encodings/pkcs8';
import { decodeSpki, encodeSpki } from '#crypto/encodings/spki';
import { resolve } from '#crypto/registry';
import { concat, utf8 } from '#formats/bytes';
import { decodePem, encodePem } from '#formats/pem';
import { seededSource } from '../formats/mutate.js';
import { hasProgram, needs } from '../support/require.js';

const random = seededSource(52);
const message = utf8('signed on one side, verified on the other');
const present = needs('openssl', hasProgram('openssl'), 'the program is not installed');

type Signer = SignatureImplementation & { generate(source: typeof random): Uint8Array };
type Agreement = AgreementImplementation & { generate(source: typeof random): Uint8Array };

describe.skipIf(!present)('openssl', () => {
  let folder: string;
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): Uint8Array =>
    new Uint8Array(execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' }));

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'conclave-classical-'));
    writeFileSync(path('message'), message);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** Writes our key and checks that openssl finds in it what we would, and writes it as we do. */
  function hand(descriptor: Descriptor, secret: Uint8Array, publicKey: Uint8Array): void {
    const pkcs8 = encodePkcs8(descriptor, secret, publicKey);
    const spki = encodeSpki(descriptor, publicKey);
    writeFileSync(path('key.pem'), encodePem('PRIVATE KEY', pkcs8));
    writeFileSync(path('pub.pem'), encodePem('PUBLIC KEY', spki));
    expect(openssl('pkey', '-in', 'key.pem', '-pubout', '-outform', 'DER')).toEqual(spki);
    expect(openssl('pkcs8', '-topk8', '-nocrypt', '-in', 'key.pem', '-outform', 'DER')).toEqual(
      pkcs8,
    );
  }

  async function theirs(...generate: string[]): Promise<{
    readonly descriptor: Descriptor;
    readonly secret: Uint8Array;
    readonly publicKey: Uint8Array;
  }> {
    openssl('genpkey', ...generate, '-out', 'their.pem');
    const { bytes } = decodePem(readFileSync(path('their.pem')), 'their.pem');
    const { descriptor, secret } = await decodePkcs8(bytes, 'their.pem');
    const spki = openssl('pkey', '-in', 'their.pem', '-pubout', '-outform', 'DER');
    const { publicKey } = await decodeSpki(spki, 'their.pub');
    expect(encodePkcs8(descriptor, secret, publicKey)).toEqual(bytes);
    return { descriptor, secret, publicKey };
  }

  const verifies = (signature: Uint8Array, ...options: string[]): boolean => {
    writeFileSync(path('sig'), signature);
    const { status } = spawnSync(
      'openssl',
      ['dgst', ...options, '-verify', 'pub.pem', '-signature', 'sig', 'message'],
      { cwd: folder },
    );
    return status === 0;
  };

  it.each([
    ['p256', 'P-256', 'sha256'],
    ['p384', 'P-384', 'sha384'],
    ['p521', 'P-521', 'sha512'],
    ['secp256k1', 'secp256k1', 'sha256'],
  ])('and we use the same %s keys', async (name, curve, hash) => {
    const descriptor = await resolve(name);
    const is = (await descriptor.load()) as Signer;
    const secret = is.generate(random);
    const publicKey = is.publicKey(secret);
    hand(descriptor, secret, publicKey);
    const der = { encoding: 'der' } as const;
    for (const other of [hash, 'sha3-256', 'sha512']) {
      const options = { ...der, hash: other as 'sha256' };
      expect(verifies(is.sign(message, secret, options), `-${other}`)).toBe(true);
      expect(verifies(is.sign(utf8('another'), secret, options), `-${other}`)).toBe(false);
      const made = openssl('dgst', `-${other}`, '-sign', 'key.pem', 'message');
      expect(is.verify(made, message, publicKey, options)).toBe(true);
    }
    expect(verifies(is.sign(message, secret, der), `-${hash}`)).toBe(true);
    const their = await theirs('-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${curve}`);
    expect(their.descriptor).toBe(descriptor);
    expect(is.publicKey(their.secret)).toEqual(their.publicKey);
    const shared = openssl('pkeyutl', '-derive', '-inkey', 'their.pem', '-peerkey', 'pub.pem');
    expect(is.agree?.(secret, their.publicKey)).toEqual(shared);
    const compressed = openssl(
      ...['ec', '-in', 'their.pem', '-pubout', '-conv_form', 'compressed', '-outform', 'DER'],
    );
    await expect(decodeSpki(compressed, 'x')).rejects.toMatchObject({ exitCode: 65 });
  });

  it('signs with our Ed448 key what we verify: the very signature we make', async () => {
    const descriptor = await resolve('ed448');
    const is = (await descriptor.load()) as Signer;
    const secret = is.generate(random);
    const publicKey = is.publicKey(secret);
    hand(descriptor, secret, publicKey);
    const sign = ['pkeyutl', '-sign', '-rawin', '-inkey', 'key.pem', '-in', 'message'];
    expect(openssl(...sign)).toEqual(is.sign(message, secret));
    writeFileSync(path('sig'), is.sign(message, secret));
    const verify = ['pkeyutl', '-verify', '-rawin', '-pubin', '-inkey', 'pub.pem'];
    openssl(...verify, '-in', 'message', '-sigfile', 'sig');
    const their = await theirs('-algorithm', 'ED448');
    expect(is.publicKey(their.secret)).toEqual(their.publicKey);
  });

  it.each(['x25519', 'x448'])('and we agree by %s', async (name) => {
    const descriptor = await resolve(name);
    const is = (await descriptor.load()) as Agreement;
    const secret = is.generate(random);
    hand(descriptor, secret, is.publicKey(secret));
    const their = await theirs('-algorithm', name.toUpperCase());
    const shared = openssl('pkeyutl', '-derive', '-inkey', 'their.pem', '-peerkey', 'pub.pem');
    expect(is.agree(secret, their.publicKey)).toEqual(shared);
  });

  it.each(['sha256', 'sha384', 'sha512'])('and we make the same HMAC with %s', async (hash) => {
    const descriptor = await resolve(`hmac-${hash}`);
    const is = await descriptor.load();
    if (is.kind !== 'symmetric') throw new Error('an HMAC is symmetric');
    const secret = await is.generate(random);
    const key = `hexkey:${Buffer.from(secret).toString('hex')}`;
    const mac = openssl(
      ...['mac', '-digest', hash, '-macopt', key, '-binary', '-in', 'message', 'HMAC'],
    );
    expect(is.mac?.(message, secret)).toEqual(mac);
  });
});

describe('the private key beside its public key', () => {
  it('is refused when they do not belong together, and read when it stands alone', async () => {
    const descriptor = await resolve('p256');
    const is = (await descriptor.load()) as Signer;
    const secret = is.generate(random);
    const foreign = is.publicKey(is.generate(random));
    await expect(decodePkcs8(encodePkcs8(descriptor, secret, foreign), 'x')).rejects.toMatchObject({
      code: 'E_KEY_INCONSISTENT',
    });
    const alone = encodePkcs8(descriptor, secret);
    expect(await decodePkcs8(alone, 'x')).toMatchObject({ descriptor, secret });
    const zero = encodePkcs8(descriptor, new Uint8Array(32), foreign);
    await expect(decodePkcs8(zero, 'x')).rejects.toMatchObject({ code: 'E_KEY_INVALID' });
    expect(() => encodePkcs8(descriptor, concat(secret, secret))).toThrow();
  });
});
