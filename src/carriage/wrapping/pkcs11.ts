/**
 * A token by PKCS#11 in two steps: unwrap an AES key with the RSA key of the token, then the payload with that. It is what
 * CKM_RSA_AES_KEY_WRAP does in one, for tokens that have only its parts. The token's public key is all that is needed here.
 * @see PKCS#11 v3.1 §6.1.21
 */
import type { Accepts } from './providers/material.js';
import type { ImportProfile } from './providers/profile.js';
import { importFormat } from './providers/format.js';
import type { Provider } from './providers/provider.js';

const PQ =
  'the token must unwrap the seed alone (RFC 9881): openCryptoki 3.27 does, others were not tried';

const pkcs8 = (spec: string, note?: string): Accepts[string] => ({
  payload: 'pkcs8',
  spec,
  ...(note === undefined ? {} : { note }),
});

const profiles: readonly ImportProfile[] = [
  { name: 'RSA_AES_KEY_WRAP_SHA_256', steps: 'two-step', hash: 'sha256' },
  { name: 'RSA_AES_KEY_WRAP_SHA_384', steps: 'two-step', hash: 'sha384' },
  { name: 'RSA_AES_KEY_WRAP_SHA_512', steps: 'two-step', hash: 'sha512' },
  { name: 'RSA_AES_KEY_WRAP_SHA_1', steps: 'two-step', hash: 'sha1', onlyByName: true },
];

/** Tokens. */
export const pkcs11TwoStep: Provider = {
  format: 'pkcs11',
  title: 'PKCS#11',
  profiles,
  accepts: {
    'AES-128': { payload: 'raw', spec: 'CKK_AES' },
    'AES-256': { payload: 'raw', spec: 'CKK_AES' },
    'HMAC-256': { payload: 'raw', spec: 'CKK_GENERIC_SECRET' },
    'HMAC-384': { payload: 'raw', spec: 'CKK_GENERIC_SECRET' },
    'HMAC-512': { payload: 'raw', spec: 'CKK_GENERIC_SECRET' },
    'RSA-2048': pkcs8('CKK_RSA'),
    'RSA-3072': pkcs8('CKK_RSA'),
    'RSA-4096': pkcs8('CKK_RSA'),
    'P-256': pkcs8('CKK_EC'),
    'P-384': pkcs8('CKK_EC'),
    'P-521': pkcs8('CKK_EC'),
    secp256k1: pkcs8('CKK_EC'),
    Ed25519: pkcs8(
      'CKK_EC_EDWARDS',
      'SoftHSM 2.6.1 and openCryptoki 3.27 refuse to unwrap Ed25519 keys; conclave hsm import brings them in otherwise',
    ),
    'ML-DSA-44': pkcs8('CKK_ML_DSA', PQ),
    'ML-DSA-65': pkcs8('CKK_ML_DSA', PQ),
    'ML-DSA-87': pkcs8('CKK_ML_DSA', PQ),
    'ML-KEM-512': pkcs8('CKK_ML_KEM', PQ),
    'ML-KEM-768': pkcs8('CKK_ML_KEM', PQ),
    'ML-KEM-1024': pkcs8('CKK_ML_KEM', PQ),
  },
  refused: () => undefined,
  claims: () => false,
  read: (document) => {
    throw document.fault('public key', 'a token hands out an SPKI file, not JSON');
  },
  renew: "give the token's public key as PEM or DER",
  // Which hash a token's OAEP knows is its own affair (SoftHSM 2.6.1: SHA-1 alone), so it is always named.
  usual: () => undefined,
  envelope: ({ blob }) => blob,
  next: ({ bits, profile, accepted }, out) => {
    const hash = profile.name.replace('RSA_AES_KEY_WRAP_', '').replace('_', '-');
    return [
      `conclave unwrap --key KEY-IN-TOKEN --in ${out} --public PUB`,
      `# or, with tools of others:`,
      `head -c ${bits / 8} ${out} > ${out}.aes && tail -c +${bits / 8 + 1} ${out} > ${out}.key`,
      `# C_UnwrapKey of ${out}.aes with CKM_RSA_PKCS_OAEP (${hash}, MGF1 with the same hash, empty label) into a session AES key`,
      `# C_UnwrapKey of ${out}.key with CKM_AES_KEY_WRAP_KWP (0x210B; SoftHSM: CKM_AES_KEY_WRAP_PAD 0x210A) into a ${accepted.spec} key`,
    ];
  },
};

/** The format `pkcs11`. */
export const format = importFormat(pkcs11TwoStep);
