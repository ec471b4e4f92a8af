/**
 * Transit of HashiCorp Vault and of OpenBao: the body of a request to `keys/NAME/import`. Both take the same blob; they differ
 * in the kinds of keys.
 * @see Vault documentation, "Transit secrets engine (API)", "Import key"; OpenBao the same
 */
import { toBase64, utf8 } from '#formats/bytes';
import { parseJson } from '#formats/canonical-json';
import * as s from '#formats/schema';
import type { OaepHash } from '#crypto/rsa-oaep';
import type { Accepts } from './providers/material.js';
import type { ImportProfile } from './providers/profile.js';
import { importFormat } from './providers/format.js';
import type { Provider } from './providers/provider.js';
import type { Theirs } from './providers/theirs.js';

const MAX_BYTES = 256 * 1024;

const HASHES = {
  SHA1: 'sha1',
  SHA224: 'sha224',
  SHA256: 'sha256',
  SHA384: 'sha384',
  SHA512: 'sha512',
} as const satisfies Readonly<Record<string, OaepHash>>;

const requestSchema = s.object({
  ciphertext: s.base64(),
  hash_function: s.oneOf('SHA1', 'SHA224', 'SHA256', 'SHA384', 'SHA512'),
  type: s.string({ max: 64, pattern: /^[a-z0-9-]+$/, what: 'a type of key' }),
});

/** What an import request says. */
export interface TransitImport {
  readonly ciphertext: Uint8Array;
  readonly hashFunction: keyof typeof HASHES;
  readonly type: string;
}

/** The text of an import request. */
export function encodeTransitImport({ ciphertext, hashFunction, type }: TransitImport): Uint8Array {
  const body = { ciphertext: toBase64(ciphertext), hash_function: hashFunction, type };
  return utf8(`${JSON.stringify(body, null, 2)}\n`);
}

/**
 * An import request as we write it: strict, since it is ours.
 * @throws {@link InputError} of the JSON reader and `E_SCHEMA_MISMATCH`
 */
export function decodeTransitImport(bytes: Uint8Array, what: string): TransitImport {
  const { ciphertext, hash_function, type } = requestSchema.parse(
    parseJson(bytes, what, { maxBytes: MAX_BYTES, maxDepth: 2 }),
    what,
  );
  return { ciphertext, hashFunction: hash_function, type };
}

const accepts: Accepts = {
  'AES-128': { payload: 'raw', spec: 'aes128-gcm96' },
  'AES-256': { payload: 'raw', spec: 'aes256-gcm96' },
  'HMAC-256': { payload: 'raw', spec: 'hmac' },
  'HMAC-384': { payload: 'raw', spec: 'hmac' },
  'HMAC-512': { payload: 'raw', spec: 'hmac' },
  'P-256': { payload: 'pkcs8', spec: 'ecdsa-p256' },
  'P-384': { payload: 'pkcs8', spec: 'ecdsa-p384' },
  'P-521': { payload: 'pkcs8', spec: 'ecdsa-p521' },
  Ed25519: { payload: 'pkcs8', spec: 'ed25519' },
  'RSA-2048': { payload: 'pkcs8', spec: 'rsa-2048' },
  'RSA-3072': { payload: 'pkcs8', spec: 'rsa-3072' },
  'RSA-4096': { payload: 'pkcs8', spec: 'rsa-4096' },
};

const SINCE_2_7 =
  'OpenBao takes ML-DSA from version 2.7 on; the seed alone as PKCS#8 (RFC 9881) is what its library reads: experimental';

const openBaoAccepts: Accepts = {
  ...accepts,
  'ML-DSA-44': { payload: 'pkcs8', spec: 'mldsa-44', note: SINCE_2_7 },
  'ML-DSA-65': { payload: 'pkcs8', spec: 'mldsa-65', note: SINCE_2_7 },
  'ML-DSA-87': { payload: 'pkcs8', spec: 'mldsa-87', note: SINCE_2_7 },
};

const profiles: readonly ImportProfile[] = Object.entries(HASHES)
  .map(([name, hash]): ImportProfile => ({
    name,
    steps: 'two-step',
    hash,
    ...(name === 'SHA1' ? { onlyByName: true } : {}),
  }))
  // The strongest that every version knows comes first in help.
  .sort((a) => (a.hash === 'sha256' ? -1 : 0));

function transit(
  format: string,
  title: string,
  command: string,
  kinds: Accepts,
  refused: Provider['refused'],
): Provider {
  return {
    format,
    title,
    profiles,
    accepts: kinds,
    refused,
    claims: (document) => document.has('public_key') || dataHasKey(document),
    read: (document, name) => {
      const holder = document.has('data') ? document.object('data') : document;
      const spki = holder.publicKeyPem('public_key');
      return { name, key: { kind: 'rsa', spki }, names: {}, ignored: document.ignored() };
    },
    renew: `read the wrapping key again: ${command} read -format=json transit/wrapping_key`,
    // Written into the request, so that the far side cannot assume another one.
    usual: () => 'SHA256',
    envelope: ({ blob, profile, accepted }) =>
      encodeTransitImport({
        ciphertext: blob,
        hashFunction: profile.name as keyof typeof HASHES,
        type: accepted.spec,
      }),
    next: (_, out) => [`${command} write transit/keys/NAME/import @${out}`],
  };
}

/** HashiCorp Vault. */
export const vaultTransit: Provider = transit('vault', 'Vault', 'vault', accepts, (label) =>
  /^ML-DSA-/.test(label)
    ? 'only its enterprise edition has such keys, under other names'
    : undefined,
);

/** OpenBao. */
export const openBaoTransit: Provider = transit(
  'openbao',
  'OpenBao',
  'bao',
  openBaoAccepts,
  () => undefined,
);

function dataHasKey(document: Theirs): boolean {
  if (!document.has('data')) return false;
  try {
    return document.object('data').has('public_key');
  } catch {
    return false;
  }
}

/** The format `vault`. */
export const format = importFormat(vaultTransit, ['"ciphertext"', '"hash_function"']);
