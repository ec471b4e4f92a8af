import { decodeKeyFile, IDENTITY_LABEL, KEY_LABEL } from '#carriage/stores/key-file';
import type { EncryptedPkcs8 } from '#crypto/encodings/encrypted-pkcs8';
import { keyId } from '#crypto/key-id';
import { decodeIdentity, identityJson } from '#custody/authority/identity';
import { decodeRecord, recordJson } from '#custody/authority/record';
import type { JsonObject } from '#formats/canonical-json';
import { InputError } from '#formats/errors';
import { decodePem, looksLikePem } from '#formats/pem';
import { ENCRYPTED_LABEL, looksEncryptedPkcs8 } from '../context/encrypted-forms.js';
import { looksLikeForeignPrivate } from '../context/foreign-forms.js';
import { publicSideOf, SEEDS_LABEL } from '../context/identity-space.js';
import { publicKeyOf, RAW_LABEL, readPrivateFile } from '../context/private-forms.js';
import type { ArtifactKind, Claim } from './artifact.js';
import { derShape } from './der-shape.js';

const LABELS = [KEY_LABEL, IDENTITY_LABEL, 'PRIVATE KEY', RAW_LABEL, SEEDS_LABEL];

/**
 * Private keys at rest: sealed key files and identities, PKCS#8 encrypted or not, JWK, COSE_Key, OpenSSH. Nothing secret is
 * ever shown, nothing sealed is opened.
 */
export const keyFileKind: ArtifactKind = {
  kind: 'key-file',
  detect: (bytes) =>
    LABELS.some((label) => looksLikePem(bytes, label)) ||
    derShape(bytes) === 'pkcs8' ||
    looksEncryptedPkcs8(bytes) ||
    looksLikeForeignPrivate(bytes) ||
    isRatifyPrivate(bytes),

  show: async (bytes, name) => {
    if (isSealed(bytes)) {
      const { label, box, explanation, record } = decodeKeyFile(bytes, name);
      const { logN, r, p } = box.kdf;
      return {
        type: label,
        protection: 'sealed under a passphrase',
        kdf: { name: 'scrypt', logN, r, p },
        cipher: 'AES-256-GCM',
        ...(explanation === '' ? {} : { mark: explanation }),
        record: await recordOf(label, record, name),
      };
    }
    if (looksEncryptedPkcs8(bytes)) return encryptedFacts(await encryptedOf(bytes, name));
    const facts = await plainFacts(bytes, name);
    return { ...facts, protection: 'none: whoever has this file has the key' };
  },

  verify: async (bytes, name) => {
    if (looksEncryptedPkcs8(bytes)) {
      const { cipher, kdf } = encryptedFacts(await encryptedOf(bytes, name));
      return {
        ok: true,
        kind: 'key-file',
        summary: 'a private key encrypted under a passphrase, in good form',
        claims: [
          claim('its parameters are well formed', 'checked', `${cipher}, ${kdf.name}`),
          claim(
            'a private key is inside, unchanged',
            'recorded',
            'this form does not authenticate what it encrypts: import it into a sealed key file',
          ),
        ],
      };
    }
    if (!isSealed(bytes)) {
      const { algorithm, id } = await plainFacts(bytes, name);
      return {
        ok: true,
        kind: 'key-file',
        summary: 'an unencrypted private key in good form',
        claims: [claim('the key is well formed', 'checked', `${algorithm}, id ${id}`)],
      };
    }
    const { label, record } = decodeKeyFile(bytes, name);
    const { id, environment } =
      label === KEY_LABEL
        ? await decodeRecord(record, `${name}: record`)
        : decodeIdentity(record, `${name}: record`);
    const mark = environment === 'production' ? '' : `${environment.toUpperCase()} KEY: `;
    return {
      ok: true,
      kind: 'key-file',
      summary: `${mark}a sealed ${label === KEY_LABEL ? 'private key' : 'identity'}, undamaged`,
      claims: [
        claim('the file is undamaged', 'checked', 'its checksum matches'),
        claim('the id is that of the public key', 'checked', id),
        claim(
          'the private key belongs to it',
          'recorded',
          'sealed: it is checked each time the key is opened',
        ),
      ],
    };
  },
};

async function encryptedOf(bytes: Uint8Array, name: string): Promise<EncryptedPkcs8> {
  const { parseEncryptedPkcs8 } = await import('#crypto/encodings/encrypted-pkcs8');
  return parseEncryptedPkcs8(bytes[0] === 0x30 ? bytes : decodePem(bytes, name).bytes, name);
}

function encryptedFacts({ cipher, kdf }: EncryptedPkcs8) {
  const { kdf: name, salt: _salt, ...cost } = kdf;
  return {
    type: ENCRYPTED_LABEL,
    protection: 'encrypted under a passphrase, not authenticated',
    kdf: { name, ...cost },
    cipher,
  };
}

/** The Ratify protocol's private form names its first member so. */
function isRatifyPrivate(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 64)).toString('latin1').startsWith('{"ed25519_seed":');
}

function isSealed(bytes: Uint8Array): boolean {
  return looksLikePem(bytes, KEY_LABEL) || looksLikePem(bytes, IDENTITY_LABEL);
}

async function recordOf(label: string, record: Uint8Array, name: string): Promise<JsonObject> {
  return label === KEY_LABEL
    ? recordJson(await decodeRecord(record, `${name}: record`))
    : identityJson(decodeIdentity(record, `${name}: record`));
}

/** The public facts of an unencrypted key. */
async function plainFacts(
  bytes: Uint8Array,
  name: string,
): Promise<Readonly<Record<'type' | 'algorithm' | 'id', string>>> {
  if (looksLikePem(bytes, SEEDS_LABEL)) {
    const identity = publicSideOf(bytes, name);
    return { type: SEEDS_LABEL, algorithm: `identity of ${identity.name}`, id: identity.id };
  }
  if (looksLikePem(bytes, RAW_LABEL)) {
    decodePem(bytes, name).bytes.fill(0);
    return { type: RAW_LABEL, algorithm: 'raw bytes', id: 'told by its record only' };
  }
  const read = await readPrivateFile(bytes, name, undefined);
  if (read.sealed) throw new InputError({ code: 'E_KEY_UNREADABLE', message: `${name} is sealed` });
  using secret = read.secret;
  const { name: algorithm, profile } = read.descriptor;
  const id = keyId(read.descriptor, await publicKeyOf(read.descriptor, secret));
  return {
    type: read.format,
    algorithm: profile === '' ? algorithm : `${algorithm} (${profile})`,
    id,
  };
}

function claim(text: string, grade: Claim['grade'], detail: string): Claim {
  return { claim: text, grade, ok: true, detail };
}
