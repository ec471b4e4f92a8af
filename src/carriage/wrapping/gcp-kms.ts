/**
 * Google Cloud KMS: what `importCryptoKeyVersion` takes as `wrappedKey`. The import job names its method, so the algorithm is
 * never a choice here.
 * @see Cloud KMS documentation, "Key wrapping", "Quantum-safe key import"
 */
import { importFormat } from './providers/format.js';
import type { HpkeProfile, Provider } from './providers/provider.js';
import { shellWord } from './providers/shell.js';

const EXPERIMENTAL =
  'the order of the parts (encapsulated key first) and the empty info are taken from public code, not from a document of Google: experimental';

const hpke: readonly HpkeProfile[] = [
  { name: 'HPKE_KEM_ML_KEM_768_HKDF_SHA256_AES_256_GCM', kem: 0x0041, experimental: EXPERIMENTAL },
  { name: 'HPKE_KEM_ML_KEM_1024_HKDF_SHA256_AES_256_GCM', kem: 0x0042, experimental: EXPERIMENTAL },
  { name: 'HPKE_KEM_XWING_HKDF_SHA256_AES_256_GCM', kem: 0x647a, experimental: EXPERIMENTAL },
];

const JOB =
  /^projects\/(?<project>[^/]+)\/locations\/(?<location>[^/]+)\/keyRings\/(?<ring>[^/]+)\/importJobs\/(?<job>[^/]+)$/;

/** Google Cloud KMS. */
export const gcpKms: Provider = {
  format: 'gcp-kms',
  title: 'Google Cloud KMS',
  profiles: [
    { name: 'RSA_OAEP_3072_SHA256_AES_256', steps: 'two-step', hash: 'sha256', bits: 3072 },
    { name: 'RSA_OAEP_4096_SHA256_AES_256', steps: 'two-step', hash: 'sha256', bits: 4096 },
    { name: 'RSA_OAEP_3072_SHA256', steps: 'direct', hash: 'sha256', bits: 3072 },
    { name: 'RSA_OAEP_4096_SHA256', steps: 'direct', hash: 'sha256', bits: 4096 },
    {
      name: 'RSA_OAEP_3072_SHA1_AES_256',
      steps: 'two-step',
      hash: 'sha1',
      bits: 3072,
      onlyByName: true,
    },
    {
      name: 'RSA_OAEP_4096_SHA1_AES_256',
      steps: 'two-step',
      hash: 'sha1',
      bits: 4096,
      onlyByName: true,
    },
  ],
  hpke,
  accepts: {
    'AES-128': { payload: 'raw', spec: 'aes-128-gcm' },
    'AES-256': { payload: 'raw', spec: 'google-symmetric-encryption' },
    'HMAC-256': { payload: 'raw', spec: 'hmac-sha256' },
    'HMAC-384': { payload: 'raw', spec: 'hmac-sha384' },
    'HMAC-512': { payload: 'raw', spec: 'hmac-sha512' },
    'RSA-2048': { payload: 'pkcs8', spec: 'rsa-sign-pss-2048-sha256' },
    'RSA-3072': { payload: 'pkcs8', spec: 'rsa-sign-pss-3072-sha256' },
    'RSA-4096': { payload: 'pkcs8', spec: 'rsa-sign-pss-4096-sha256' },
    'P-256': { payload: 'pkcs8', spec: 'ec-sign-p256-sha256' },
    'P-384': { payload: 'pkcs8', spec: 'ec-sign-p384-sha384' },
    secp256k1: { payload: 'pkcs8', spec: 'ec-sign-secp256k1-sha256' },
    Ed25519: {
      payload: 'pkcs8',
      spec: 'ec-sign-ed25519',
      note: 'that Google Cloud KMS takes an imported Ed25519 key is not confirmed; try it with a key that may be lost',
    },
  },
  refused: (label) =>
    /^(?:ML|SLH)-/.test(label)
      ? 'it has such keys, but its list of what an import job takes names none of them'
      : undefined,
  claims: (document) => document.has('importMethod') && document.has('publicKey'),
  read: (document, name) => {
    const method = document.text('importMethod');
    const job = document.text('name');
    const state = document.optionalText('state');
    if (state !== undefined && state !== 'ACTIVE') {
      throw document.fault(
        'state',
        `the import job is ${state}, and only an ACTIVE one takes keys`,
      );
    }
    const until = document.optionalTime('expireTime');
    const format = document.optionalText('publicKeyFormat');
    const isHpke = hpke.some((each) => each.name === method);
    const publicKey = document.object('publicKey');
    const rsa = (): Uint8Array => publicKey.publicKeyPem('pem');
    if (isHpke && format !== undefined && !['NIST_PQC', 'XWING_RAW_BYTES'].includes(format)) {
      throw document.fault('publicKeyFormat', 'NIST_PQC or XWING_RAW_BYTES was expected');
    }
    const parts = JOB.exec(job)?.groups;
    return {
      name,
      key: isHpke ? { kind: 'kem', raw: publicKey.base64('data') } : { kind: 'rsa', spki: rsa() },
      algorithm: method,
      names: parts === undefined ? { job } : { ...parts },
      until,
      ignored: document.ignored(),
    };
  },
  renew: 'make a new import job: gcloud kms import-jobs create; a job lives for three days',
  usual: () => undefined,
  envelope: ({ blob }) => blob,
  next: ({ offer, accepted }, out) => {
    const { job = 'JOB', location = 'LOCATION', ring = 'KEYRING', project } = offer.names;
    return [
      'gcloud kms keys versions import ' +
        (project === undefined ? '' : `--project ${shellWord(project)} `) +
        `--location ${shellWord(location)} --keyring ${shellWord(ring)} --key KEY ` +
        `--import-job ${shellWord(job)} --algorithm ${accepted.spec} --wrapped-key-file ${out}`,
    ];
  },
};

/** The format `gcp-kms`. */
export const format = importFormat(gcpKms);
