import { describe, expect, it } from 'vitest';
import { awsKms } from '#carriage/wrapping/aws-kms';
import { azureByok, decodeKeyTransferBlob } from '#carriage/wrapping/azure-byok';
import { gcpKms } from '#carriage/wrapping/gcp-kms';
import { openHpke } from '#carriage/wrapping/hpke';
import { pkcs11TwoStep } from '#carriage/wrapping/pkcs11';
import {
  type Offer,
  type Provider,
  spkiOf,
  wrapForImport,
  type Wrapped,
} from '#carriage/wrapping/providers/provider';
import { lookAt, Theirs } from '#carriage/wrapping/providers/theirs';
import { openUnderRsa } from '#carriage/wrapping/rsa-aes';
import {
  decodeTransitImport,
  openBaoTransit,
  vaultTransit,
} from '#carriage/wrapping/vault-transit';
import type { KemImplementation } from '#crypto/descriptor';
import { encodePkcs8 } from '#crypto/encodings/pkcs8';
import { resolve } from '#crypto/registry';
import { toHex, utf8 } from '#formats/bytes';
import { decodePem } from '#formats/pem';
import { fuzz, seededSource } from '../formats/mutate.js';
import { farKey } from './far-keys.js';
import { awsParameters, azureKek, googleJob, vaultWrappingKey } from './offers.js';
import { mutationCount } from '../support/require.js';

const now = new Date('2026-11-26T16:00:00Z');
const far = farKey(3072);
const pkcs8 = decodePem(Buffer.from(far.privatePem), 'far.pem').bytes;
const secret = seededSource(9)(32);
const withCode = (code: string): Error => expect.objectContaining({ code }) as Error;

const read = (provider: Provider, bytes: Uint8Array): Offer =>
  provider.read(Theirs.parse(bytes, 'offer.json'), 'offer.json');

const wrap = async (
  provider: Provider,
  offer: Offer,
  name: string,
  algorithm?: string,
): Promise<Wrapped> =>
  await wrapForImport(provider, {
    offer,
    descriptor: await resolve(name),
    secret,
    algorithm,
    now,
    random: seededSource(10),
    version: '0.0.0',
  });

const documents: readonly (readonly [Provider, Uint8Array])[] = [
  [awsKms, awsParameters(far)],
  [gcpKms, googleJob(far)],
  [azureByok, azureKek(far)],
  [vaultTransit, vaultWrappingKey(far)],
];

describe('documents of providers', () => {
  it.each(documents)('$title: recognised by its own format and by no other', (provider, bytes) => {
    const document = lookAt(bytes);
    const claiming = documents.filter(([each]) => document !== undefined && each.claims(document));
    expect(claiming.map(([each]) => each.format)).toEqual([provider.format]);
  });

  it.each(documents)(
    '$title: the wrapping key is found, its digest is that of the SPKI',
    async (provider, bytes) => {
      expect(toHex(await spkiOf(provider, read(provider, bytes)))).toBe(toHex(far.spki));
    },
  );

  it('what was not looked at is named, and nothing is refused for it', () => {
    const offer = read(
      awsKms,
      awsParameters(far, { NewMember: { a: 1.5e3 }, PublicKeyFormat: 'DER' }),
    );
    expect(offer.ignored).toEqual(['NewMember', 'PublicKeyFormat']);
    expect(read(gcpKms, googleJob(far)).ignored).toContain('protectionLevel');
    expect(read(azureByok, azureKek(far)).ignored).toEqual(
      expect.arrayContaining(['managed', 'attributes.exportable']),
    );
  });

  it('duplicate members, missing ones and ones of another type are refused', () => {
    const twice = utf8('{"ImportToken":"AA==","ImportToken":"AQ==","PublicKey":"AA=="}');
    expect(() => Theirs.parse(twice, 'x')).toThrow(withCode('E_JSON_MALFORMED'));
    for (const [provider, bytes] of [
      [awsKms, awsParameters(far, { PublicKey: null })],
      [awsKms, awsParameters(far, { ParametersValidTo: undefined })],
      [awsKms, awsParameters(far, { ParametersValidTo: 'tomorrow' })],
      [gcpKms, googleJob(far, { publicKey: 'pem' })],
      [gcpKms, googleJob(far, { state: 'EXPIRED' })],
      [azureByok, azureKek(far, { kty: 'RSA' })],
      [azureByok, azureKek(far, { keyOps: ['import', 'wrapKey'] })],
      [azureByok, azureKek(far, { keyOps: undefined, key_ops: [] })],
      [azureByok, azureKek(far, { key_ops: ['import'] })],
      [azureByok, azureKek(far, {}, { enabled: false })],
      [vaultTransit, vaultWrappingKey(far, { public_key: 7 })],
    ] as const) {
      expect(() => read(provider, bytes)).toThrow(withCode('E_PROVIDER_DOCUMENT'));
    }
    for (const [provider, bytes] of [
      [awsKms, awsParameters(far, { PublicKey: '====' })],
      [gcpKms, googleJob(far, { publicKey: { pem: far.privatePem } })],
    ] as const) {
      expect(() => read(provider, bytes)).toThrow();
    }
  });

  it.each([
    [awsKms, awsParameters(far, { ParametersValidTo: '2026-11-26T15:59:59+00:00' })],
    [awsKms, awsParameters(far, { ParametersValidTo: 1764086399.5 })],
    [gcpKms, googleJob(far, { expireTime: '2026-11-26T15:00:00Z' })],
    [azureByok, azureKek(far, {}, { expires: '2026-11-01T00:00:00+00:00' })],
  ] as const)('$title: what is past its time is refused', async (provider, bytes) => {
    await expect(wrap(provider, read(provider, bytes), 'aes-256')).rejects.toThrow(
      withCode('E_WRAP_EXPIRED'),
    );
  });

  it('survive mutations', async () => {
    for (const [provider, bytes] of documents) {
      const outcome = await fuzz(
        [bytes],
        async (input) => {
          const document = lookAt(input);
          if (document !== undefined) provider.claims(document);
          try {
            await spkiOf(provider, read(provider, input));
          } catch (error) {
            // A key that was changed into a short one is refused, not malformed.
            if ((error as { code?: string }).code === 'E_RSA_KEY_WEAK') return;
            throw error;
          }
        },
        { count: mutationCount / 4, seed: 4 },
      );
      expect(outcome.refused).toBeGreaterThan(0.1 * mutationCount);
    }
  });
});

describe('AWS KMS', () => {
  const offer = read(awsKms, awsParameters(far));

  it('takes symmetric keys raw and directly, others as PKCS#8 in two steps', async () => {
    const aes = await wrap(awsKms, offer, 'aes-256');
    expect(aes.profile.name).toBe('RSAES_OAEP_SHA_256');
    expect(openUnderRsa({ steps: 'direct', hash: 'sha256' }, pkcs8, 384, aes.blob, 'x')).toEqual(
      secret,
    );
    const ed = await wrap(awsKms, offer, 'ed25519');
    expect(ed.profile.name).toBe('RSA_AES_KEY_WRAP_SHA_256');
    expect(ed.accepted.note).toMatch(/not confirmed/);
    const opened = openUnderRsa({ steps: 'two-step', hash: 'sha256' }, pkcs8, 384, ed.blob, 'x');
    expect(opened).toEqual(encodePkcs8(await resolve('ed25519'), secret));
  });

  it('carries the import token beside, and names the next command', async () => {
    const wrapped = await wrap(awsKms, offer, 'aes-256');
    expect(awsKms.companions?.(wrapped)).toEqual([
      { suffix: '.token', bytes: new Uint8Array(Buffer.alloc(300, 7)) },
    ]);
    expect(awsKms.next(wrapped, 'OUT').join('\n')).toContain(
      'aws kms import-key-material --key-id arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab ' +
        '--encrypted-key-material fileb://OUT --import-token fileb://OUT.token',
    );
  });

  it('uses SHA-1 only when it is named, and what the two names mean', async () => {
    const sha1 = await wrap(awsKms, offer, 'aes-256', 'RSAES_OAEP_SHA_1');
    expect(openUnderRsa({ steps: 'direct', hash: 'sha1' }, pkcs8, 384, sha1.blob, 'x')).toEqual(
      secret,
    );
    const two = await wrap(awsKms, offer, 'ed25519', 'rsa_aes_key_wrap_sha_1');
    expect(two.profile.name).toBe('RSA_AES_KEY_WRAP_SHA_1');
    for (const provider of [awsKms, gcpKms, pkcs11TwoStep, vaultTransit]) {
      const bits = 4096;
      const usual = ['AES-256', 'RSA-2048', 'P-256'].map((label) => provider.usual(label, bits));
      for (const name of usual) {
        const profile = provider.profiles.find((each) => each.name === name);
        expect(profile?.onlyByName).toBeUndefined();
      }
    }
  });

  it('refuses what the provider refuses, with the reason', async () => {
    await expect(wrap(awsKms, offer, 'ml-dsa-65')).rejects.toThrow(
      /no document says that they can be imported/,
    );
    await expect(wrap(awsKms, offer, 'aes-256', 'RSA_AES_KEY_WRAP_SHA_256')).rejects.toThrow(
      withCode('E_WRAP_ALGORITHM'),
    );
    await expect(wrap(awsKms, offer, 'aes-256', 'RSAES_PKCS1_V1_5')).rejects.toThrow(
      withCode('E_WRAP_ALGORITHM'),
    );
    expect(() => awsKms.combine?.(awsKms.profiles[1] as never, 'RSA-2048', 4096)).toThrow(
      /RSA_AES_KEY_WRAP only/,
    );
    expect(() => awsKms.combine?.(awsKms.profiles[1] as never, 'P-521', 2048)).toThrow(/2048 bits/);
    expect(() => awsKms.combine?.(awsKms.profiles[1] as never, 'P-521', 3072)).not.toThrow();
  });

  it('makes nothing of a key id that is shell syntax', async () => {
    const evil = read(awsKms, awsParameters(far, { KeyId: "x'; rm -rf / #" }));
    const wrapped = await wrap(awsKms, evil, 'aes-256');
    expect(awsKms.next(wrapped, 'OUT').join('\n')).toContain(`--key-id 'x'\\''; rm -rf / #'`);
  });
});

describe('Google Cloud KMS', () => {
  it('follows the method of the job, and refuses another', async () => {
    const offer = read(gcpKms, googleJob(far));
    const wrapped = await wrap(gcpKms, offer, 'aes-256');
    expect(wrapped.profile.name).toBe('RSA_OAEP_3072_SHA256_AES_256');
    const opened = openUnderRsa(
      { steps: 'two-step', hash: 'sha256' },
      pkcs8,
      384,
      wrapped.blob,
      'x',
    );
    expect(opened).toEqual(secret);
    await expect(wrap(gcpKms, offer, 'aes-256', 'RSA_OAEP_3072_SHA1_AES_256')).rejects.toThrow(
      /says RSA_OAEP_3072_SHA256_AES_256/,
    );
    expect(gcpKms.next(wrapped, 'OUT')[0]).toBe(
      'gcloud kms keys versions import --project acme --location europe-west3 --keyring ring --key KEY ' +
        '--import-job job-1 --algorithm google-symmetric-encryption --wrapped-key-file OUT',
    );
  });

  it('refuses a key of another size than the method says, and keys that do not fit', async () => {
    const wrong = read(gcpKms, googleJob(far, { importMethod: 'RSA_OAEP_4096_SHA256_AES_256' }));
    await expect(wrap(gcpKms, wrong, 'aes-256')).rejects.toThrow(withCode('E_WRAP_TARGET'));
    const unknown = read(gcpKms, googleJob(far, { importMethod: 'RSA_OAEP_8192_SHA3' }));
    await expect(wrap(gcpKms, unknown, 'aes-256')).rejects.toThrow(withCode('E_WRAP_ALGORITHM'));
    await expect(wrap(gcpKms, read(gcpKms, googleJob(far)), 'ml-dsa-65')).rejects.toThrow(
      withCode('E_WRAP_CONTENT'),
    );
  });

  it.each([
    ['HPKE_KEM_ML_KEM_768_HKDF_SHA256_AES_256_GCM', 'ml-kem-768', 'NIST_PQC'],
    ['HPKE_KEM_ML_KEM_1024_HKDF_SHA256_AES_256_GCM', 'ml-kem-1024', 'NIST_PQC'],
    ['HPKE_KEM_XWING_HKDF_SHA256_AES_256_GCM', 'x-wing', 'XWING_RAW_BYTES'],
  ])('%s: encapsulated key, then ciphertext, nothing bound', async (method, name, format) => {
    const kem = await resolve(name);
    const implementation = (await kem.load()) as KemImplementation;
    const own = seededSource(12)(kem.sizes.private);
    const data = Buffer.from(implementation.publicKey(own)).toString('base64');
    const offer = read(
      gcpKms,
      googleJob(far, { importMethod: method, publicKey: { data }, publicKeyFormat: format }),
    );
    const wrapped = await wrap(gcpKms, offer, 'aes-256');
    const length = kem.sizes.ciphertext ?? 0;
    const none = new Uint8Array(0);
    const opened = await openHpke({
      descriptor: kem,
      secret: own,
      enc: wrapped.blob.subarray(0, length),
      sealed: wrapped.blob.subarray(length),
      info: none,
      aad: none,
      what: 'x',
    });
    expect(opened).toEqual(secret);
    expect('experimental' in wrapped.profile).toBe(true);
    const short = read(
      gcpKms,
      googleJob(far, { importMethod: method, publicKey: { data: data.slice(0, -4) } }),
    );
    await expect(wrap(gcpKms, short, 'aes-256')).rejects.toThrow(withCode('E_WRAP_TARGET'));
  });
});

describe('Azure', () => {
  it('gets a key transfer blob under SHA-1', async () => {
    const offer = read(azureByok, azureKek(far));
    const wrapped = await wrap(azureByok, offer, 'aes-256');
    const text = azureByok.envelope(wrapped);
    const blob = decodeKeyTransferBlob(text, 'key.byok');
    expect(blob.kid).toMatch(/^https:\/\/acme-vault\.vault\.azure\.net\/keys\/KEKforBYOK\//);
    expect(JSON.parse(Buffer.from(text).toString())).toEqual({
      schema_version: '1.0.0',
      header: { kid: blob.kid, alg: 'dir', enc: 'CKM_RSA_AES_KEY_WRAP' },
      ciphertext: Buffer.from(wrapped.blob).toString('base64url'),
      generator: 'conclave 0.0.0; no HSM',
    });
    const profile = { steps: 'two-step', hash: 'sha1' } as const;
    expect(openUnderRsa(profile, pkcs8, 384, blob.ciphertext, 'x')).toEqual(secret);
    expect(azureByok.next(wrapped, 'OUT')).toEqual([
      'az keyvault key import --vault-name acme-vault --name NAME --kty oct --byok-file OUT',
    ]);
  });

  it('takes the JWK alone, as its service answers it, and refuses other kinds of keys', async () => {
    const { n = '', e = '' } = far.publicKey.export({ format: 'jwk' });
    const kid = 'https://hsm.managedhsm.azure.net/keys/KEK/1';
    const jwk = Buffer.from(JSON.stringify({ kid, kty: 'RSA-HSM', key_ops: ['import'], n, e }));
    const offer = read(azureByok, jwk);
    const wrapped = await wrap(azureByok, offer, 'aes-256');
    expect(azureByok.next(wrapped, 'OUT')[0]).toContain('--hsm-name hsm ');
    await expect(wrap(azureByok, offer, 'ed25519')).rejects.toThrow(/RSA, EC and AES keys only/);
  });

  it('the blob survives mutations', async () => {
    const text = azureByok.envelope(
      await wrap(azureByok, read(azureByok, azureKek(far)), 'aes-256'),
    );
    const outcome = await fuzz([text], (input) => decodeKeyTransferBlob(input, 'x'));
    expect(outcome.refused).toBeGreaterThan(0.5 * mutationCount);
  });
});

describe('Vault and OpenBao', () => {
  const offer = read(vaultTransit, vaultWrappingKey(far));

  it('get ciphertext, hash and type in one request', async () => {
    const wrapped = await wrap(vaultTransit, offer, 'ed25519');
    const request = decodeTransitImport(vaultTransit.envelope(wrapped), 'x');
    expect(request).toMatchObject({ hashFunction: 'SHA256', type: 'ed25519' });
    const profile = { steps: 'two-step', hash: 'sha256' } as const;
    expect(openUnderRsa(profile, pkcs8, 384, request.ciphertext, 'x')).toEqual(
      encodePkcs8(await resolve('ed25519'), secret),
    );
    const stronger = await wrap(vaultTransit, offer, 'aes-256', 'SHA512');
    expect(decodeTransitImport(vaultTransit.envelope(stronger), 'x')).toMatchObject({
      hashFunction: 'SHA512',
      type: 'aes256-gcm96',
    });
    expect(vaultTransit.next(wrapped, 'OUT')).toEqual([
      'vault write transit/keys/NAME/import @OUT',
    ]);
  });

  it('OpenBao takes the seed of an ML-DSA key, Vault none', async () => {
    await expect(wrap(vaultTransit, offer, 'ml-dsa-65')).rejects.toThrow(
      withCode('E_WRAP_CONTENT'),
    );
    const wrapped = await wrap(openBaoTransit, offer, 'ml-dsa-65');
    const request = decodeTransitImport(openBaoTransit.envelope(wrapped), 'x');
    expect(request.type).toBe('mldsa-65');
    const profile = { steps: 'two-step', hash: 'sha256' } as const;
    const opened = openUnderRsa(profile, pkcs8, 384, request.ciphertext, 'x');
    expect(toHex(opened)).toMatch(/^3034020100300b0609608648016503040312042280 ?20/);
    expect(opened).toHaveLength(54);
  });

  it('the request survives mutations', async () => {
    const text = vaultTransit.envelope(await wrap(vaultTransit, offer, 'aes-256'));
    const outcome = await fuzz([text], (input) => decodeTransitImport(input, 'x'));
    expect(outcome.refused).toBeGreaterThan(0.5 * mutationCount);
  });
});

describe('PKCS#11', () => {
  const offer: Offer = {
    name: 'token.pem',
    key: { kind: 'rsa', spki: far.spki },
    names: {},
    ignored: [],
  };

  it('wants its hash named', async () => {
    await expect(wrap(pkcs11TwoStep, offer, 'aes-256')).rejects.toThrow(
      withCode('E_WRAP_ALGORITHM'),
    );
    const wrapped = await wrap(pkcs11TwoStep, offer, 'ml-dsa-65', 'RSA_AES_KEY_WRAP_SHA_1');
    const opened = openUnderRsa({ steps: 'two-step', hash: 'sha1' }, pkcs8, 384, wrapped.blob, 'x');
    expect(opened).toHaveLength(54);
    const next = pkcs11TwoStep.next(wrapped, 'OUT');
    expect(next[0]).toBe('conclave unwrap --key KEY-IN-TOKEN --in OUT --public PUB');
    expect(next).toContain('head -c 384 OUT > OUT.aes && tail -c +385 OUT > OUT.key');
  });
});
