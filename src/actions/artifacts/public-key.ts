import { keyId } from '#crypto/key-id';
import { toBase64 } from '#formats/bytes';
import { looksLikePem } from '#formats/pem';
import { fingerprints } from '../context/fingerprints.js';
import { foreignFormOf, looksLikeForeignPrivate } from '../context/foreign-forms.js';
import { readPublicKey } from '../context/public-keys.js';
import type { ArtifactKind } from './artifact.js';
import { derShape } from './der-shape.js';

/** Public keys of others' formats: SPKI, JWK, COSE_Key, SSH, Ratify JSON. */
export const publicKeyKind: ArtifactKind = {
  kind: 'public-key',
  detect: (bytes) =>
    looksLikePem(bytes, 'PUBLIC KEY') ||
    derShape(bytes) === 'spki' ||
    isRatify(bytes) ||
    (foreignFormOf(bytes) !== undefined && !looksLikeForeignPrivate(bytes)),

  show: async (bytes, name) => {
    const { descriptor, bytes: raw } = await readPublicKey(bytes, name, 'kem');
    return {
      form: formOf(bytes),
      algorithm: descriptor.name,
      profile: descriptor.profile,
      category: descriptor.category,
      status: descriptor.status,
      spec: descriptor.spec,
      id: keyId(descriptor, raw),
      ...fingerprints(descriptor, raw),
      publicKey: toBase64(raw),
    };
  },

  verify: async (bytes, name) => {
    const { descriptor, bytes: raw } = await readPublicKey(bytes, name, 'kem');
    return {
      ok: true,
      kind: 'public-key',
      summary: `a ${descriptor.name} public key in good form; whose it is, this file cannot tell`,
      claims: [
        {
          claim: 'the key is well formed',
          grade: 'checked',
          ok: true,
          detail: `id ${keyId(descriptor, raw)}`,
        },
      ],
    };
  },
};

/** In what form the key is written. */
function formOf(bytes: Uint8Array): string {
  const foreign = foreignFormOf(bytes);
  if (foreign !== undefined)
    return { jwk: 'JWK', cose: 'COSE_Key', ssh: 'SSH', openssh: 'SSH' }[foreign];
  return isRatify(bytes) ? 'Ratify JSON' : 'SPKI';
}

/** Two members and nothing that names a type. */
function isRatify(bytes: Uint8Array): boolean {
  return (
    bytes[0] === 0x7b &&
    /^\{\s*"ed25519"\s*:/.test(Buffer.from(bytes.subarray(0, 64)).toString('latin1'))
  );
}
