import { decodeRecord, recordJson } from '#custody/authority/record';
import type { ArtifactKind } from './artifact.js';

/** The public record of a key. */
export const keyRecordKind: ArtifactKind = {
  kind: 'key-record',
  detect: (bytes) =>
    bytes[0] === 0x7b &&
    Buffer.from(bytes.subarray(0, 4 * 1024 * 1024)).includes('"type":"conclave/key-record"'),

  show: async (bytes, name) => recordJson(await decodeRecord(bytes, name)),

  verify: async (bytes, name) => {
    const record = await decodeRecord(bytes, name);
    const mark =
      record.environment === 'production' ? '' : `${record.environment.toUpperCase()} KEY: `;
    return {
      ok: true,
      kind: 'key-record',
      summary: `${mark}record of ${record.name ?? record.id.slice(0, 16)}, ${record.algorithm}, ${record.state}`,
      claims: [
        {
          claim: 'the id is that of the public key',
          grade: 'checked',
          ok: true,
          detail: record.id,
        },
        {
          claim: 'state, purposes and history are as recorded',
          grade: 'recorded',
          ok: true,
          detail: 'a record by itself is not signed',
        },
      ],
    };
  },
};
