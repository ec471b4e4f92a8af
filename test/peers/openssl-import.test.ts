/** The command line of OpenSSL opens what the core of all import formats wraps, with the two commands that our manual gives. */
import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openUnderRsa, sealUnderRsa } from '#carriage/wrapping/rsa-aes';
import { encodePkcs8 } from '#crypto/encodings/pkcs8';
import { resolve } from '#crypto/registry';
import { type OaepHash, readRsaPublicKey, rsaOaepOpen } from '#crypto/rsa-oaep';
import { concat, toHex } from '#formats/bytes';
import { decodePem } from '#formats/pem';
import { seededSource } from '../formats/mutate.js';
import { hasProgram, needs } from '../support/require.js';
import { farKey } from '../wrapping/far-keys.js';

const random = seededSource(8);
const pkcs8Of = (type: 'rsa' | 'ec', options: object): Uint8Array => {
  const { privateKey } = generateKeyPairSync(type as 'rsa', {
    ...(options as { modulusLength: number }),
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  return new Uint8Array(privateKey);
};
const seeded = async (name: string): Promise<Uint8Array> => {
  const descriptor = await resolve(name);
  return encodePkcs8(descriptor, random(descriptor.sizes.private));
};

/** What providers take: symmetric keys raw, everything else as PKCS#8, post-quantum keys as their seed. */
const payloads: readonly (readonly [string, Uint8Array])[] = [
  ['AES-256', random(32)],
  ['HMAC of 48 bytes', random(48)],
  ['HMAC of an odd length', random(21)],
  ['RSA-3072', pkcs8Of('rsa', { modulusLength: 3072 })],
  ['P-256', pkcs8Of('ec', { namedCurve: 'P-256' })],
  ['secp256k1', pkcs8Of('ec', { namedCurve: 'secp256k1' })],
  ['Ed25519', await seeded('ed25519')],
  ['ML-DSA-65, seed only', await seeded('ml-dsa-65')],
];

describe.skipIf(!needs('openssl', hasProgram('openssl'), 'the program is not installed'))(
  'openssl opens',
  () => {
    let folder: string;
    const path = (name: string): string => join(folder, name);
    const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { cwd: folder });
    const oaep = (hash: OaepHash, input: string, output: string): Buffer =>
      openssl(
        ...['pkeyutl', '-decrypt', '-inkey', 'far.pem', '-in', input, '-out', output],
        ...['-pkeyopt', 'rsa_padding_mode:oaep'],
        ...['-pkeyopt', `rsa_oaep_md:${hash}`, '-pkeyopt', `rsa_mgf1_md:${hash}`],
      );

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'conclave-openssl-import-'));
    });
    afterAll(() => {
      rmSync(folder, { recursive: true });
    });

    describe.each(['sha1', 'sha224', 'sha256', 'sha384', 'sha512'] as const)('%s', (hash) => {
      it.each(payloads)('%s wrapped in two steps', (_, payload) => {
        const far = farKey(hash === 'sha1' ? 2048 : 4096);
        writeFileSync(path('far.pem'), far.privatePem);
        const key = readRsaPublicKey(far.spki, 'far');
        const blob = sealUnderRsa({ steps: 'two-step', hash }, key, payload, random);
        writeFileSync(path('aes.enc'), blob.subarray(0, key.bytes));
        writeFileSync(path('key.enc'), blob.subarray(key.bytes));
        oaep(hash, 'aes.enc', 'aes.bin');
        openssl(
          ...['enc', '-d', '-id-aes256-wrap-pad', '-iv', 'A65959A6'],
          ...['-K', toHex(readFileSync(path('aes.bin'))), '-in', 'key.enc', '-out', 'key.bin'],
        );
        expect(toHex(readFileSync(path('key.bin')))).toBe(toHex(payload));
      });

      it('a short key wrapped directly, and another hash opens nothing', () => {
        const far = farKey(4096);
        writeFileSync(path('far.pem'), far.privatePem);
        const key = readRsaPublicKey(far.spki, 'far');
        const payload = payloads[0]?.[1] as Uint8Array;
        writeFileSync(
          path('key.enc'),
          sealUnderRsa({ steps: 'direct', hash }, key, payload, random),
        );
        oaep(hash, 'key.enc', 'key.bin');
        expect(toHex(readFileSync(path('key.bin')))).toBe(toHex(payload));
        const other = hash === 'sha256' ? 'sha1' : 'sha256';
        const args = ['-pkeyopt', 'rsa_padding_mode:oaep', '-pkeyopt', `rsa_oaep_md:${other}`];
        const failed = spawnSync(
          'openssl',
          ['pkeyutl', '-decrypt', '-inkey', 'far.pem', '-in', 'key.enc', ...args],
          { cwd: folder },
        );
        expect(failed.status).not.toBe(0);
      });
    });

    it('and we open what openssl wraps', () => {
      const far = farKey(3072);
      writeFileSync(path('far.pem'), far.privatePem);
      const payload = payloads[3]?.[1] as Uint8Array;
      const aes = random(32);
      writeFileSync(path('aes.bin'), aes);
      writeFileSync(path('key.bin'), payload);
      openssl(
        ...['pkeyutl', '-encrypt', '-inkey', 'far.pem', '-in', 'aes.bin', '-out', 'aes.enc'],
        ...['-pkeyopt', 'rsa_padding_mode:oaep', '-pkeyopt', 'rsa_oaep_md:sha256'],
      );
      openssl(
        ...['enc', '-id-aes256-wrap-pad', '-iv', 'A65959A6', '-K', toHex(aes)],
        ...['-in', 'key.bin', '-out', 'key.enc'],
      );
      const { bytes: pkcs8 } = decodePem(Buffer.from(far.privatePem), 'far.pem');
      const blob = concat(readFileSync(path('aes.enc')), readFileSync(path('key.enc')));
      const profile = { steps: 'two-step', hash: 'sha256' } as const;
      expect(toHex(openUnderRsa(profile, pkcs8, 384, blob, 'blob'))).toBe(toHex(payload));
      expect(toHex(rsaOaepOpen(pkcs8, 'sha256', blob.subarray(0, 384), { what: 'x' }))).toBe(
        toHex(aes),
      );
    });
  },
);
