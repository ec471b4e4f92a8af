/** What goes to a provider: only the provider can open it, so a verdict is about the form. */
import { decodeKeyTransferBlob } from '#carriage/wrapping/azure-byok';
import { FORMAT_CHECKED } from '#carriage/wrapping/providers/profile';
import { decodeTransitImport } from '#carriage/wrapping/vault-transit';
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import type { JsonObject } from '#formats/canonical-json';
import type { ArtifactKind, ArtifactVerdict } from './artifact.js';

const mentions = (bytes: Uint8Array, ...marks: readonly string[]): boolean => {
  if (bytes[0] !== 0x7b) return false;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 1024 * 1024));
  return marks.every((mark) => text.includes(mark));
};

function formOnly(kind: string, what: string, ciphertext: Uint8Array): ArtifactVerdict {
  return {
    ok: true,
    kind,
    summary: `${what}; ${FORMAT_CHECKED}`,
    claims: [
      {
        claim: 'the form is what the provider documents',
        grade: 'checked',
        ok: true,
        detail: `${ciphertext.length} wrapped bytes, sha256:${toHex(sha256(ciphertext))}`,
      },
      {
        claim: 'the provider takes it',
        grade: 'recorded',
        ok: true,
        detail: 'only the provider can tell: nobody else has the private key',
      },
    ],
  };
}

/** `.byok` of Azure. */
export const azureByokKind: ArtifactKind = {
  kind: 'azure-byok',
  detect: (bytes) => mentions(bytes, '"schema_version"', '"CKM_RSA_AES_KEY_WRAP"'),
  show: (bytes, name): Promise<JsonObject> => {
    const { kid, ciphertext, generator } = decodeKeyTransferBlob(bytes, name);
    return Promise.resolve({
      kid,
      generator,
      wrappedBytes: ciphertext.length,
      assurance: FORMAT_CHECKED,
    });
  },
  verify: (bytes, name) => {
    const { kid, ciphertext } = decodeKeyTransferBlob(bytes, name);
    return Promise.resolve(formOnly('azure-byok', `key transfer blob for ${kid}`, ciphertext));
  },
};

/** Import request of transit. */
export const transitImportKind: ArtifactKind = {
  kind: 'transit-import',
  detect: (bytes) => mentions(bytes, '"ciphertext"', '"hash_function"', '"type"'),
  show: (bytes, name): Promise<JsonObject> => {
    const { ciphertext, hashFunction, type } = decodeTransitImport(bytes, name);
    return Promise.resolve({
      type,
      hashFunction,
      wrappedBytes: ciphertext.length,
      assurance: FORMAT_CHECKED,
    });
  },
  verify: (bytes, name) => {
    const { ciphertext, type, hashFunction } = decodeTransitImport(bytes, name);
    const what = `import request for a ${type} key (${hashFunction})`;
    return Promise.resolve(formOnly('transit-import', what, ciphertext));
  },
};
