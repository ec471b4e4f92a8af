/** OpenSSL's command line reads our Ed25519 keys, signs with them, and both verify each other. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SignatureImplementation } from '#crypto/descriptor';
import { decodePkcs8, encodePkcs8 } from '#crypto/encodings/pkcs8';
import { decodeSpki, encodeSpki } from '#crypto/encodings/spki';
import { resolve } from '#crypto/registry';
import { utf8 } from '#formats/bytes';
import { decodePem, encodePem } from '#formats/pem';
import { seededSource } from '../formats/mutate.js';
import { hasProgram, needs } from '../support/require.js';

const descriptor = await resolve('ed25519');
const is = (await descriptor.load()) as SignatureImplementation;
const secret = seededSource(51)(32);
const publicKey = is.publicKey(secret);
const message = utf8('signed on one side, verified on the other');

describe.skipIf(!needs('openssl', hasProgram('openssl'), 'the program is not installed'))(
  'openssl',
  () => {
    let folder: string;
    const path = (name: string): string => join(folder, name);
    const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { cwd: folder });

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'conclave-openssl-'));
      writeFileSync(
        path('key.pem'),
        encodePem('PRIVATE KEY', encodePkcs8(descriptor, secret), 'an explanation'),
      );
      writeFileSync(path('key.der'), encodePkcs8(descriptor, secret));
      writeFileSync(path('pub.pem'), encodePem('PUBLIC KEY', encodeSpki(descriptor, publicKey)));
      writeFileSync(path('message'), message);
    });
    afterAll(() => {
      rmSync(folder, { recursive: true });
    });

    it('finds our public key in our PKCS#8, as PEM and as DER', () => {
      const spki = Buffer.from(encodeSpki(descriptor, publicKey));
      expect(openssl('pkey', '-in', 'key.pem', '-pubout', '-outform', 'DER').equals(spki)).toBe(
        true,
      );
      expect(
        openssl('pkey', '-in', 'key.der', '-inform', 'DER', '-pubout', '-outform', 'DER').equals(
          spki,
        ),
      ).toBe(true);
    });

    it('writes the same PKCS#8 and SPKI', () => {
      expect(
        openssl('pkey', '-in', 'key.pem', '-outform', 'DER').equals(
          encodePkcs8(descriptor, secret),
        ),
      ).toBe(true);
      expect(openssl('pkey', '-pubin', '-in', 'pub.pem', '-pubout').toString()).toBe(
        readFileSync(path('pub.pem'), 'utf8'),
      );
    });

    it('signs with our key what we verify: the very signature we make', () => {
      openssl(
        'pkeyutl',
        '-sign',
        '-rawin',
        '-inkey',
        'key.pem',
        '-in',
        'message',
        '-out',
        'theirs',
      );
      const theirs = new Uint8Array(readFileSync(path('theirs')));
      expect(is.verify(theirs, message, publicKey)).toBe(true);
      expect(is.sign(message, secret)).toEqual(theirs);
    });

    it('verifies what we sign, and refuses it changed', () => {
      const verify = (signature: Uint8Array): number | null => {
        writeFileSync(path('ours'), signature);
        const args = [
          '-verify',
          '-rawin',
          '-pubin',
          '-inkey',
          'pub.pem',
          '-in',
          'message',
          '-sigfile',
          'ours',
        ];
        return spawnSync('openssl', ['pkeyutl', ...args], { cwd: folder }).status;
      };
      const signature = is.sign(message, secret);
      expect(verify(signature)).toBe(0);
      signature[0] = (signature[0] as number) ^ 1;
      expect(verify(signature)).not.toBe(0);
    });

    it('makes keys that we read', async () => {
      openssl('genpkey', '-algorithm', 'ed25519', '-out', 'their.pem');
      const read = await decodePkcs8(
        decodePem(readFileSync(path('their.pem')), 'their.pem').bytes,
        'their.pem',
      );
      const spki = openssl('pkey', '-in', 'their.pem', '-pubout', '-outform', 'DER');
      const their = await decodeSpki(spki, 'their.pub');
      expect(is.publicKey(read.secret)).toEqual(their.publicKey);
    });
  },
);
