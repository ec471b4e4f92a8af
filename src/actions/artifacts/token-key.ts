/** What a home or a session knows of a key in a token. Nobody signed it, and only the token can show that the key is there. */
import { parseTokenUri } from '#carriage/stores/pkcs11/uri';
import { decodeTokenKey, encodeTokenKey } from '#custody/authority/token-key';
import { isObject, type JsonObject, parseCanonicalJson } from '#formats/canonical-json';
import { originText } from '../hsm-info.js';
import type { ArtifactKind } from './artifact.js';

/** The kind `token-key`. */
export const tokenKeyKind: ArtifactKind = {
  kind: 'token-key',
  detect: (bytes) =>
    bytes[0] === 0x7b &&
    Buffer.from(bytes.subarray(0, 4 * 1024 * 1024)).includes('"type":"conclave/token-key"'),

  show: async (bytes, name) => {
    const key = await decodeTokenKey(bytes, name);
    parseTokenUri(key.uri);
    const value = parseCanonicalJson(encodeTokenKey(key), name);
    return isObject(value) ? value : ({} satisfies JsonObject);
  },

  verify: async (bytes, name) => {
    const { record, device, uri, origin, crossing } = await decodeTokenKey(bytes, name);
    parseTokenUri(uri);
    const mark =
      record.environment === 'production' ? '' : `${record.environment.toUpperCase()} KEY: `;
    return {
      ok: true,
      kind: 'token-key',
      summary: `${mark}${record.name ?? record.id.slice(0, 16)}, ${record.algorithm}, in the token ${device.label} (serial ${device.serial})`,
      claims: [
        {
          claim: 'the id is that of the public key',
          grade: 'checked',
          ok: true,
          detail: record.id,
        },
        {
          claim: `${origin}${crossing === '' ? '' : `: ${crossing}`}`,
          grade: 'recorded',
          ok: true,
          detail: 'whoever wrote this file says so',
        },
        {
          claim: `origin: ${originText(device.attributes)}`,
          grade: 'recorded',
          ok: true,
          detail: "the token's library says so; conclave hsm attest asks the token itself",
        },
      ],
    };
  },
};
