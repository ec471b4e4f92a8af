/** What providers hand out, in the words of their command lines: documents made for the tests, around keys of the tests. */
import type { FarKey } from './far-keys.js';

const json = (value: object): Uint8Array => Buffer.from(`${JSON.stringify(value, null, 4)}\n`);

/** `aws kms get-parameters-for-import`. */
export function awsParameters(far: FarKey, changes: object = {}): Uint8Array {
  return json({
    KeyId: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    ImportToken: Buffer.alloc(300, 7).toString('base64'),
    PublicKey: Buffer.from(far.spki).toString('base64'),
    ParametersValidTo: '2026-11-27T16:00:00.123000+01:00',
    ...changes,
  });
}

/** `gcloud kms import-jobs describe --format=json`. */
export function googleJob(far: FarKey, changes: object = {}): Uint8Array {
  return json({
    createTime: '2026-11-26T09:00:00.000000000Z',
    expireTime: '2026-11-29T09:00:00.000000000Z',
    generateTime: '2026-11-26T09:00:01.000000000Z',
    importMethod: `RSA_OAEP_${far.bits}_SHA256_AES_256`,
    name: 'projects/acme/locations/europe-west3/keyRings/ring/importJobs/job-1',
    protectionLevel: 'HSM',
    publicKey: { pem: far.pem },
    state: 'ACTIVE',
    ...changes,
  });
}

/** `az keyvault key show`. */
export function azureKek(far: FarKey, changes: object = {}, attributes: object = {}): Uint8Array {
  const { n = '', e = '' } = far.publicKey.export({ format: 'jwk' });
  return json({
    attributes: {
      created: '2026-11-26T09:00:00+00:00',
      enabled: true,
      exportable: false,
      ...attributes,
    },
    key: {
      crv: null,
      d: null,
      e: Buffer.from(e, 'base64url').toString('base64'),
      keyOps: ['import'],
      kid: 'https://acme-vault.vault.azure.net/keys/KEKforBYOK/0123456789abcdef0123456789abcdef',
      kty: 'RSA-HSM',
      n: Buffer.from(n, 'base64url').toString('base64'),
      ...changes,
    },
    managed: null,
    tags: null,
  });
}

/** `vault read -format=json transit/wrapping_key`. */
export function vaultWrappingKey(far: FarKey, changes: object = {}): Uint8Array {
  return json({
    request_id: '5a3b7d0e-0000-4000-8000-000000000000',
    lease_id: '',
    lease_duration: 0,
    renewable: false,
    data: { public_key: far.pem, ...changes },
    warnings: null,
  });
}
