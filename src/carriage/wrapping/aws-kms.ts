/**
 * AWS KMS: what `ImportKeyMaterial` takes. The wrapping key comes with `GetParametersForImport`, whose answer names neither the
 * algorithm nor the kind of key that waits for its material.
 * @see AWS KMS API reference, GetParametersForImport, ImportKeyMaterial
 */
import { UsageError } from '#formats/errors';
import { importFormat } from './providers/format.js';
import type { Provider } from './providers/provider.js';
import { shellWord } from './providers/shell.js';

const NEEDS_TWO_STEPS = /^RSA-/;

/** AWS KMS. */
export const awsKms: Provider = {
  format: 'aws-kms',
  title: 'AWS KMS',
  profiles: [
    { name: 'RSA_AES_KEY_WRAP_SHA_256', steps: 'two-step', hash: 'sha256' },
    { name: 'RSAES_OAEP_SHA_256', steps: 'direct', hash: 'sha256' },
    { name: 'RSA_AES_KEY_WRAP_SHA_1', steps: 'two-step', hash: 'sha1', onlyByName: true },
    { name: 'RSAES_OAEP_SHA_1', steps: 'direct', hash: 'sha1', onlyByName: true },
  ],
  accepts: {
    'AES-256': { payload: 'raw', spec: 'SYMMETRIC_DEFAULT' },
    'HMAC-256': { payload: 'raw', spec: 'HMAC_256' },
    'HMAC-384': { payload: 'raw', spec: 'HMAC_384' },
    'HMAC-512': { payload: 'raw', spec: 'HMAC_512' },
    'RSA-2048': { payload: 'pkcs8', spec: 'RSA_2048' },
    'RSA-3072': { payload: 'pkcs8', spec: 'RSA_3072' },
    'RSA-4096': { payload: 'pkcs8', spec: 'RSA_4096' },
    'P-256': { payload: 'pkcs8', spec: 'ECC_NIST_P256' },
    'P-384': { payload: 'pkcs8', spec: 'ECC_NIST_P384' },
    'P-521': { payload: 'pkcs8', spec: 'ECC_NIST_P521' },
    secp256k1: { payload: 'pkcs8', spec: 'ECC_SECG_P256K1' },
    Ed25519: {
      payload: 'pkcs8',
      spec: 'ECC_NIST_EDWARDS25519',
      note: 'that AWS KMS takes an imported Ed25519 key is not confirmed; try it with a key that may be lost',
    },
  },
  refused: (label) =>
    /^(?:ML|SLH)-/.test(label)
      ? 'it has such keys, but no document says that they can be imported, or in which encoding'
      : undefined,
  claims: (document) => document.has('ImportToken') && document.has('PublicKey'),
  read: (document, name) => {
    const spki = document.base64('PublicKey');
    const token = document.base64('ImportToken');
    const keyId = document.optionalText('KeyId');
    const until = document.optionalTime('ParametersValidTo');
    if (until === undefined) {
      throw document.fault('ParametersValidTo', 'it is missing, and nothing else tells the age');
    }
    return {
      name,
      key: { kind: 'rsa', spki },
      names: keyId === undefined ? {} : { key: keyId },
      until,
      token,
      ignored: document.ignored(),
    };
  },
  renew: 'get new parameters: aws kms get-parameters-for-import; they are valid for 24 hours',
  // RSA keys are too long for OAEP, symmetric keys are not among those that the two-step algorithms are documented for.
  usual: (label) =>
    /^(?:AES|HMAC)-/.test(label) ? 'RSAES_OAEP_SHA_256' : 'RSA_AES_KEY_WRAP_SHA_256',
  combine: (profile, label, bits) => {
    const refuse = (why: string, use: string): UsageError =>
      new UsageError({ code: 'E_WRAP_ALGORITHM', message: why, hint: `use ${use}` });
    if (profile.steps === 'direct' && NEEDS_TWO_STEPS.test(label)) {
      throw refuse(`AWS KMS takes RSA keys by RSA_AES_KEY_WRAP only`, 'RSA_AES_KEY_WRAP_SHA_256');
    }
    if (profile.steps === 'direct' && label === 'P-521' && bits === 2048) {
      throw refuse(
        'AWS KMS takes no P-521 key by RSAES_OAEP under a wrapping key of 2048 bits',
        'RSA_AES_KEY_WRAP_SHA_256, or a longer wrapping key',
      );
    }
    if (profile.steps === 'two-step' && /^(?:AES|HMAC)-/.test(label)) {
      throw refuse(
        'AWS KMS documents RSA_AES_KEY_WRAP for RSA and elliptic curve keys only',
        'RSAES_OAEP_SHA_256',
      );
    }
  },
  envelope: ({ blob }) => blob,
  companions: ({ offer }) =>
    offer.token === undefined ? [] : [{ suffix: '.token', bytes: offer.token }],
  next: ({ offer, profile, accepted }, out) => [
    `# the parameters must have been asked for with --wrapping-algorithm ${profile.name}, for a key of spec ${accepted.spec}`,
    `aws kms import-key-material --key-id ${shellWord(offer.names['key'] ?? 'KEY-ID')} ` +
      `--encrypted-key-material fileb://${out} --import-token fileb://${offer.token === undefined ? 'IMPORT-TOKEN' : `${out}.token`} ` +
      '--expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE',
  ],
};

/** The format `aws-kms`. */
export const format = importFormat(awsKms);
