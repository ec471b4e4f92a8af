/**
 * A stand-in for the far side of a hand-over: it hands out a wrapping key in a provider's words, imports what comes back as that
 * provider's documentation says, and answers a challenge with the imported key. It uses node:crypto and nothing of conclave.
 *
 *   node provider.mjs offer  PROVIDER --key PRIVATE.pem --out DOCUMENT.json
 *   node provider.mjs import PROVIDER --key PRIVATE.pem --container FILE [--token FILE] --challenge FILE --out DIR [--as KIND] [--lie LIE]
 *
 * PROVIDER is aws, google, azure or vault. KIND is hmac or aes for secret keys, which are raw bytes and have no public side. A LIE is
 * other-key, old-challenge, wrong-hash or other-container.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  constants,
  generateKeyPairSync,
  privateDecrypt,
  randomBytes,
  sign,
} from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const TOKEN = Buffer.from('an import token is opaque, and comes back as it went out');

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    key: { type: 'string' },
    container: { type: 'string' },
    token: { type: 'string' },
    challenge: { type: 'string' },
    out: { type: 'string' },
    as: { type: 'string' },
    lie: { type: 'string' },
    until: { type: 'string' },
  },
});
const [verb, provider] = positionals;
const wrappingKey = createPrivateKey(readFileSync(given.key));

if (verb === 'offer') offer();
else if (verb === 'import') imported();
else throw new Error(`what is ${verb}?`);

function offer() {
  const publicKey = createPublicKey(wrappingKey);
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const until = given.until ?? '2099-12-31T00:00:00+00:00';
  const { n, e } = publicKey.export({ format: 'jwk' });
  const documents = {
    aws: {
      KeyId: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      ImportToken: TOKEN.toString('base64'),
      PublicKey: der.toString('base64'),
      ParametersValidTo: until,
    },
    google: {
      name: 'projects/acme/locations/europe-west3/keyRings/ring/importJobs/job-1',
      importMethod: `RSA_OAEP_${wrappingKey.asymmetricKeyDetails.modulusLength}_SHA256_AES_256`,
      expireTime: until.replace('+00:00', 'Z'),
      state: 'ACTIVE',
      publicKey: { pem },
    },
    azure: {
      attributes: { enabled: true },
      key: {
        kid: 'https://acme.vault.azure.net/keys/KEKforBYOK/0123456789abcdef',
        kty: 'RSA-HSM',
        keyOps: ['import'],
        n: Buffer.from(n, 'base64url').toString('base64'),
        e: Buffer.from(e, 'base64url').toString('base64'),
      },
    },
    vault: { data: { public_key: pem } },
  };
  write(given.out, documents[provider]);
}

function imported() {
  let container = readFileSync(given.container);
  if (given.lie === 'other-container')
    container = Buffer.concat([container, container.subarray(-8)]);
  const material = openAs(provider, container);
  if (given.as !== undefined) {
    answerWithSecret(material, readFileSync(given.challenge));
    return;
  }
  let key = createPrivateKey({ key: material, format: 'der', type: 'pkcs8' });
  let challenge = readFileSync(given.challenge);
  if (given.lie === 'other-key') {
    key = generateKeyPairSync(key.asymmetricKeyType, key.asymmetricKeyDetails).privateKey;
  }
  if (given.lie === 'old-challenge') {
    challenge = Buffer.from(
      challenge.toString().replace(/"nonce":"[0-9a-f]{64}"/, `"nonce":"${'0'.repeat(64)}"`),
    );
  }
  answer(key, challenge);
}

/** Unwraps as the provider's documentation says; a wrong byte is an error, as it is there. */
function openAs(name, container) {
  switch (name) {
    case 'aws':
      if (!readFileSync(given.token).equals(TOKEN)) throw new Error('InvalidImportTokenException');
      return given.as === undefined ? twoSteps(container, 'sha256') : oaep(container, 'sha256');
    case 'google':
      return twoSteps(container, 'sha256');
    case 'azure': {
      const blob = JSON.parse(container.toString());
      const { schema_version: version, header, ciphertext } = blob;
      if (version !== '1.0.0' || header.alg !== 'dir' || header.enc !== 'CKM_RSA_AES_KEY_WRAP') {
        throw new Error('BadParameter');
      }
      return twoSteps(Buffer.from(ciphertext, 'base64url'), 'sha1');
    }
    case 'vault': {
      const { ciphertext, hash_function: hash, type } = JSON.parse(container.toString());
      if (typeof type !== 'string') throw new Error('no type');
      return twoSteps(Buffer.from(ciphertext, 'base64'), hash.toLowerCase());
    }
    default:
      throw new Error(`who is ${name}?`);
  }
}

function oaep(bytes, oaepHash) {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return privateDecrypt({ key: wrappingKey, padding, oaepHash }, bytes);
}

function twoSteps(blob, hash) {
  const k = wrappingKey.asymmetricKeyDetails.modulusLength / 8;
  const aes = oaep(blob.subarray(0, k), hash);
  const cipher = createDecipheriv('id-aes256-wrap-pad', aes, Buffer.from('a65959a6', 'hex'));
  return cipher.update(blob.subarray(k));
}

/** A MAC over the challenge, or (transit) a ciphertext of it, as the provider's command line prints it. */
function answerWithSecret(secret, challenge) {
  mkdirSync(given.out, { recursive: true });
  const mac = createHmac('sha256', secret).update(challenge).digest('base64');
  const nonce = randomBytes(12);
  const encrypted = () => {
    const cipher = createCipheriv('aes-256-gcm', secret, nonce);
    const parts = [nonce, cipher.update(challenge), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat(parts).toString('base64');
  };
  const answers = {
    'aws hmac': () => ({ KeyId: 'arn', Mac: mac, MacAlgorithm: 'HMAC_SHA_256' }),
    'google hmac': () => ({ mac, macCrc32c: '1', name: 'projects/…/1', protectionLevel: 'HSM' }),
    'vault hmac': () => ({ data: { hmac: `vault:v1:${mac}` } }),
    'vault aes': () => ({ data: { ciphertext: `vault:v1:${encrypted()}`, key_version: 1 } }),
  };
  write(join(given.out, 'answer.json'), answers[`${provider} ${given.as}`]());
}

/** GetPublicKey, and a signature over the challenge, as the provider's command line prints them. */
function answer(key, challenge) {
  mkdirSync(given.out, { recursive: true });
  const publicKey = createPublicKey(key);
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const type = key.asymmetricKeyType;
  const hash = type === 'ed25519' ? null : 'sha256';
  const used = given.lie === 'wrong-hash' && hash !== null ? 'sha512' : hash;
  const signWith = (options) => sign(used, challenge, { key, ...options });
  const pss = type === 'rsa' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {};
  const at = (name) => join(given.out, name);
  if (provider === 'aws') {
    const names = { ec: 'ECDSA_SHA_256', rsa: 'RSASSA_PSS_SHA_256', ed25519: 'ED25519_SHA_512' };
    write(at('public-key.json'), {
      KeyId: 'arn',
      PublicKey: der.toString('base64'),
      KeyUsage: 'SIGN_VERIFY',
    });
    write(at('signature.json'), {
      KeyId: 'arn',
      Signature: signWith(pss).toString('base64'),
      SigningAlgorithm: names[type],
    });
  } else if (provider === 'google') {
    write(at('public-key.json'), { pem, algorithm: 'EC_SIGN_P256_SHA256', name: 'projects/…/1' });
    writeFileSync(at('signature.json'), signWith(pss));
  } else if (provider === 'azure') {
    const { kty, crv, x, y, n, e } = publicKey.export({ format: 'jwk' });
    const base64 = (text) => text && Buffer.from(text, 'base64url').toString('base64');
    const named = crv === 'secp256k1' ? 'P-256K' : crv;
    const jwk = { kid: 'https://acme/keys/k/1', kty: `${kty}-HSM`, crv: named ?? null };
    write(at('public-key.json'), {
      attributes: {},
      key: { ...jwk, x: base64(x), y: base64(y), n: base64(n), e: base64(e) },
    });
    write(at('signature.json'), {
      algorithm: type === 'ec' ? 'ES256' : 'PS256',
      kid: 'https://acme/keys/k/1',
      signature: signWith(type === 'ec' ? { dsaEncoding: 'ieee-p1363' } : pss).toString('base64'),
    });
  } else {
    const raw = type === 'ed25519' ? der.subarray(-32).toString('base64') : pem;
    write(at('public-key.json'), { data: { keys: { 1: { public_key: raw } }, latest_version: 1 } });
    write(at('signature.json'), {
      data: { signature: `vault:v1:${signWith(pss).toString('base64')}` },
    });
  }
}

function write(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}
