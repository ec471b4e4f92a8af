/**
 * Azure Key Vault and Managed HSM: the key transfer blob, a `.byok` file. The hash is SHA-1 because the mechanism that the
 * service uses knows no other here; OAEP does not need a hash that resists collisions.
 * @see Azure documentation, "Bring your own key specification"
 */
import { spkiOfRsaJwk } from '#crypto/rsa-oaep';
import { fromBase64Url, toBase64Url, utf8 } from '#formats/bytes';
import { type JsonObject, parseJson } from '#formats/canonical-json';
import * as s from '#formats/schema';
import { importFormat } from './providers/format.js';
import type { Provider } from './providers/provider.js';
import { shellWord } from './providers/shell.js';
import { jwkNumber, type Theirs } from './providers/theirs.js';

const SCHEMA_VERSION = '1.0.0';
const ENC = 'CKM_RSA_AES_KEY_WRAP';

/** A `.byok` file is a few kilobytes. */
const MAX_BYTES = 256 * 1024;

const blobSchema = s.object({
  schema_version: s.oneOf(SCHEMA_VERSION),
  header: s.object({
    kid: s.string({ max: 1024, pattern: /^\S+$/, what: 'the identifier of a key' }),
    alg: s.oneOf('dir'),
    enc: s.oneOf(ENC),
  }),
  ciphertext: s.string({ max: MAX_BYTES, pattern: /^[A-Za-z0-9_-]+$/, what: 'base64url' }),
  generator: s.string({ max: 256 }),
});

/** What a `.byok` file says in clear. */
export interface KeyTransferBlob {
  /** Identifier of the key exchange key. */
  readonly kid: string;
  readonly ciphertext: Uint8Array;
  readonly generator: string;
}

/** The text of a `.byok` file. */
export function encodeKeyTransferBlob({ kid, ciphertext, generator }: KeyTransferBlob): Uint8Array {
  const blob = {
    schema_version: SCHEMA_VERSION,
    header: { kid, alg: 'dir', enc: ENC },
    ciphertext: toBase64Url(ciphertext),
    generator,
  } satisfies JsonObject;
  return utf8(`${JSON.stringify(blob, null, 2)}\n`);
}

/**
 * A `.byok` file as we write it: strict, since it is ours.
 * @throws {@link InputError} of the JSON reader and `E_SCHEMA_MISMATCH`
 */
export function decodeKeyTransferBlob(bytes: Uint8Array, what: string): KeyTransferBlob {
  const { header, ciphertext, generator } = blobSchema.parse(
    parseJson(bytes, what, { maxBytes: MAX_BYTES, maxDepth: 3 }),
    what,
  );
  return {
    kid: header.kid,
    ciphertext: fromBase64Url(ciphertext, `${what}: ciphertext`),
    generator,
  };
}

/** The key itself: alone as a JWK, or under `key` as the command line prints it with its attributes. */
function jwkOf(document: Theirs): { readonly jwk: Theirs; readonly attributes?: Theirs } {
  if (!document.has('key')) return { jwk: document };
  const jwk = document.object('key');
  return document.has('attributes') ? { jwk, attributes: document.object('attributes') } : { jwk };
}

/** Azure Key Vault. */
export const azureByok: Provider = {
  format: 'azure-byok',
  title: 'Azure Key Vault',
  profiles: [{ name: ENC, steps: 'two-step', hash: 'sha1' }],
  accepts: {
    'RSA-2048': { payload: 'pkcs8', spec: '--kty RSA' },
    'RSA-3072': { payload: 'pkcs8', spec: '--kty RSA' },
    'RSA-4096': { payload: 'pkcs8', spec: '--kty RSA' },
    'P-256': { payload: 'pkcs8', spec: '--kty EC --curve P-256' },
    'P-384': { payload: 'pkcs8', spec: '--kty EC --curve P-384' },
    'P-521': { payload: 'pkcs8', spec: '--kty EC --curve P-521' },
    secp256k1: { payload: 'pkcs8', spec: '--kty EC --curve P-256K' },
    'AES-128': { payload: 'raw', spec: '--kty oct', note: 'only a Managed HSM takes AES keys' },
    'AES-256': { payload: 'raw', spec: '--kty oct', note: 'only a Managed HSM takes AES keys' },
  },
  refused: (label) =>
    /^(?:ML|SLH)-|^Ed/.test(label) ? 'it knows RSA, EC and AES keys only' : undefined,
  claims: (document) => {
    const { jwk } =
      document.has('key') && !document.has('kty') ? tryKey(document) : { jwk: document };
    return jwk !== undefined && jwk.has('kid') && jwk.has('kty') && jwk.has('n');
  },
  read: (document, name) => {
    const { jwk, attributes } = jwkOf(document);
    const kty = jwk.text('kty');
    if (kty !== 'RSA-HSM') {
      throw jwk.fault('kty', `a key exchange key is of type RSA-HSM, and this one is ${kty}`);
    }
    const both = jwk.has('key_ops') && jwk.has('keyOps');
    if (both) throw jwk.fault('keyOps', 'key_ops is there as well');
    const operations = jwk.texts(jwk.has('keyOps') ? 'keyOps' : 'key_ops');
    if (operations.length !== 1 || operations[0] !== 'import') {
      throw jwk.fault('key_ops', `only "import" is allowed, and it says ${operations.join(', ')}`);
    }
    if (attributes?.optionalBoolean('enabled') === false) {
      throw attributes.fault('enabled', 'the key exchange key is disabled');
    }
    const until = attributes?.optionalTime(attributes.has('exp') ? 'exp' : 'expires');
    const kid = jwk.text('kid');
    const spki = spkiOfRsaJwk(
      jwkNumber(jwk.eitherBase64('n')),
      jwkNumber(jwk.eitherBase64('e')),
      name,
    );
    return {
      name,
      key: { kind: 'rsa', spki },
      algorithm: ENC,
      names: { kid },
      until,
      ignored: document.ignored(),
    };
  },
  renew: 'make a new key exchange key: az keyvault key create --kty RSA-HSM --ops import',
  usual: () => ENC,
  envelope: ({ blob, offer, version }) =>
    encodeKeyTransferBlob({
      kid: offer.names['kid'] ?? '',
      ciphertext: blob,
      generator: `conclave ${version}; no HSM`,
    }),
  next: ({ offer, accepted }, out) => {
    const host = /^https:\/\/(?<vault>[A-Za-z0-9-]+)\.(?<service>vault|managedhsm)\./.exec(
      offer.names['kid'] ?? '',
    )?.groups;
    const where =
      host === undefined
        ? '--vault-name VAULT'
        : `--${host['service'] === 'vault' ? 'vault' : 'hsm'}-name ${shellWord(host['vault'] ?? '')}`;
    return [`az keyvault key import ${where} --name NAME ${accepted.spec} --byok-file ${out}`];
  },
};

function tryKey(document: Theirs): { readonly jwk: Theirs | undefined } {
  try {
    return { jwk: document.object('key') };
  } catch {
    return { jwk: undefined };
  }
}

/** The format `azure-byok`. */
export const format = importFormat(azureByok, ['"schema_version"', ENC]);
