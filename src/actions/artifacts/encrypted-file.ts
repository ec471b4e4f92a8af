import { looksEncrypted, readEncryptedHeader } from '#carriage/wrapping/encrypted-file';
import type { ArtifactKind } from './artifact.js';

/** A file encrypted under a symmetric key, as `encrypt` writes it. Showing and verifying look at its header only. */
export const encryptedFileKind: ArtifactKind = {
  kind: 'encrypted-file',
  detect: looksEncrypted,

  show: (bytes, name) => {
    const { version, keyLength, keyId, contentLength } = readEncryptedHeader(bytes, name);
    return Promise.resolve({
      version,
      cipher: `AES-${keyLength * 8}-GCM`,
      key: keyId,
      bytes: contentLength,
    });
  },

  verify: (bytes, name) => {
    const { keyId, contentLength } = readEncryptedHeader(bytes, name);
    return Promise.resolve({
      ok: true,
      kind: 'encrypted-file',
      summary: `${contentLength} bytes encrypted under the key ${keyId.slice(0, 16)}`,
      claims: [
        { claim: 'the header is well formed', grade: 'checked', ok: true, detail: `key ${keyId}` },
        {
          claim: 'the content is as it was encrypted',
          grade: 'recorded',
          ok: true,
          detail: 'only the key can tell: conclave decrypt checks it before it writes anything',
        },
      ],
    });
  },
};
