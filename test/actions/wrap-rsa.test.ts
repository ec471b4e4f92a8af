/** RSA keys: wrapped for providers, opened by openssl, and carried in containers; wrapping keys as PEM, JWK and COSE. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyExport } from '#actions/key-export';
import { keyGenerate } from '#actions/key-generate';
import { keyImport } from '#actions/key-import';
import { keyPublic } from '#actions/key-public';
import { unwrap } from '#actions/unwrap';
import { wrap } from '#actions/wrap';
import { decodeKeyTransferBlob } from '#carriage/wrapping/azure-byok';
import { decodeTransitImport } from '#carriage/wrapping/vault-transit';
import { hasProgram, needs } from '../support/require.js';
import { type RunOptions, type Workplace, workplace } from '../support/home.js';
import { farKey } from '../wrapping/far-keys.js';
import { azureKek } from '../wrapping/offers.js';

const PLAIN: RunOptions = { noPassphrase: true };
const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 3072 });
const rsaPem = rsa.export({ format: 'pem', type: 'pkcs8' }) as string;

let place: Workplace;
beforeEach(async () => {
  place = workplace();
  writeFileSync(place.at('rsa.pem'), rsaPem);
  await place.run(keyImport, { file: place.at('rsa.pem'), name: 'tls' }, PLAIN);
});
afterEach(() => {
  place.remove();
});

describe('an RSA-3072 key', () => {
  it('goes through a container', async () => {
    const publicOut = place.at('kem.pub');
    await place.run(keyGenerate, { algorithm: 'x-wing', name: 'kem', publicOut }, PLAIN);
    await place.run(wrap, { key: 'tls', to: [publicOut], out: place.at('w') });
    const out = place.at('back.pem');
    const opened = await place.run(unwrap, { in: place.at('w'), out }, PLAIN);
    expect(opened.algorithm).toBe('rsa-3072');
    expect(createPrivateKey(readFileSync(out)).equals(rsa)).toBe(true);
  });

  describe.skipIf(!needs('openssl', hasProgram('openssl'), 'the program is not installed'))(
    'wrapped for a provider opens with openssl',
    () => {
      const far = farKey(3072);
      const openssl = (...args: string[]): Buffer =>
        execFileSync('openssl', args, { cwd: place.folder });
      const blobs: readonly [string, string, string, (file: Uint8Array) => Uint8Array][] = [
        ['aws-kms', 'pem', 'sha256', (file) => file],
        ['aws-kms', 'jwk', 'sha256', (file) => file],
        ['aws-kms', 'cose', 'sha256', (file) => file],
        ['gcp-kms', 'pem', 'sha256', (file) => file],
        ['azure-byok', 'kek', 'sha1', (file) => decodeKeyTransferBlob(file, 'it').ciphertext],
        ['vault', 'pem', 'sha256', (file) => decodeTransitImport(file, 'it').ciphertext],
      ];
      it.each(blobs)('%s, to a key as %s', async (format, form, hash, blobOf) => {
        writeFileSync(place.at('far.key'), far.privatePem);
        const to = place.at(`far.${form}`);
        const jwk = far.publicKey.export({ format: 'jwk' });
        const plain = place.at('plain.pem');
        writeFileSync(plain, far.privatePem);
        await place.run(keyImport, { file: plain, name: 'far' }, PLAIN);
        await place.run(keyPublic, { key: 'far', format: 'cose', out: place.at('far.cose') });
        const forms = { pem: far.pem, jwk: JSON.stringify(jwk), kek: azureKek(far) };
        const bytes = forms[form as 'pem'];
        if (form !== 'cose') writeFileSync(to, bytes);
        const out = place.at('blob');
        const algorithm = format === 'gcp-kms' ? 'RSA_OAEP_3072_SHA256_AES_256' : undefined;
        await place.run(wrap, { key: 'tls', to: [to], format, out, algorithm });
        const blob = blobOf(readFileSync(out));
        writeFileSync(place.at('aes.enc'), blob.subarray(0, 384));
        writeFileSync(place.at('key.enc'), blob.subarray(384));
        openssl(
          ...['pkeyutl', '-decrypt', '-inkey', 'far.key', '-in', 'aes.enc', '-out', 'aes.bin'],
          ...['-pkeyopt', 'rsa_padding_mode:oaep'],
          ...['-pkeyopt', `rsa_oaep_md:${hash}`, '-pkeyopt', `rsa_mgf1_md:${hash}`],
        );
        openssl(
          ...['enc', '-d', '-id-aes256-wrap-pad', '-iv', 'A65959A6'],
          ...['-K', readFileSync(place.at('aes.bin')).toString('hex')],
          ...['-in', 'key.enc', '-out', 'key.der'],
        );
        const pem = openssl('pkey', '-inform', 'DER', '-in', 'key.der').toString();
        expect(createPrivateKey(pem).equals(rsa)).toBe(true);
      });
    },
  );

  it('is no recipient of a container', async () => {
    const pem = createPublicKey(rsaPem).export({ format: 'pem', type: 'spki' });
    writeFileSync(place.at('far.pem'), pem);
    const out = place.at('w');
    const input = { key: 'tls', to: [place.at('far.pem')], format: 'hpke', out };
    await expect(place.run(wrap, input)).rejects.toMatchObject({ exitCode: 2 });
    expect(existsSync(out)).toBe(false);
  });
});

describe('a recipient', () => {
  it.each([
    ['x-wing', 'raw', false],
    ['ml-kem-768', 'spki-pem', true],
    ['ml-kem-768', 'jwk', false],
    ['ml-kem-768', 'cose', false],
    ['ml-kem-1024', 'spki-der', true],
    ['x-wing', 'jwk', false],
  ] as const)('%s as %s', async (algorithm, format, works) => {
    await place.run(keyGenerate, { algorithm, name: 'kem' }, PLAIN);
    const to = place.at('kem.public');
    const input = { key: 'kem', format, out: to };
    if (!works) {
      // Raw bytes name no algorithm, and no KEM here is registered for JOSE or COSE: refused, and said so.
      try {
        await place.run(keyPublic, input);
      } catch (error) {
        expect(error).toMatchObject({ code: 'E_ENCODING_UNSUPPORTED' });
        return;
      }
      const no = place.run(wrap, { key: 'tls', to: [to], out: place.at('w') });
      await expect(no).rejects.toMatchObject({ exitCode: 65 });
      return;
    }
    await place.run(keyPublic, input);
    await place.run(wrap, { key: 'tls', to: [to], out: place.at('w') });
    const opened = await place.run(unwrap, { in: place.at('w'), out: place.at('k.pem') }, PLAIN);
    expect(opened.algorithm).toBe('rsa-3072');
  });

  it('ml-kem-1024+p384 by its record, from wrapping to a digest that was compared', async () => {
    const publicOut = place.at('kem.pub');
    const algorithm = 'ml-kem-1024+p384';
    await place.run(keyGenerate, { algorithm, name: 'kem', publicOut }, PLAIN);
    const { to } = await place.run(wrap, { key: 'tls', to: [publicOut], out: place.at('w') });
    const expectTo = to.map(({ sha256 }) => sha256);
    const again = { key: 'tls', to: ['kem'], expectTo, out: place.at('w2') };
    await place.run(wrap, again);
    const opened = await place.run(unwrap, { in: place.at('w2'), out: place.at('k.pem') }, PLAIN);
    expect(opened.keyId).not.toBeNull();
  });
});

describe('an export of an RSA key', () => {
  it('is read by openssl', async () => {
    const out = place.at('out.pem');
    await place.run(keyExport, { key: 'tls', format: 'pkcs8-pem', out, passphrase: false });
    expect(createPrivateKey(readFileSync(out)).equals(rsa)).toBe(true);
  });
});
