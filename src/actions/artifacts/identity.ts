/** The public file of an identity, as `show` and `verify` see it. */
import {
  componentKeyIds,
  decodeIdentity,
  fingerprint,
  type Identity,
} from '#custody/authority/identity';
import type { ArtifactKind, ArtifactVerdict } from './artifact.js';

const MAX_BYTES = 16 * 1024;
const MARK = '"type":"conclave/identity"';

/** The kind `identity`. */
export const identityKind: ArtifactKind = {
  kind: 'identity',
  detect: (bytes) =>
    bytes[0] === 0x7b && bytes.length <= MAX_BYTES && Buffer.from(bytes).includes(MARK),
  async show(bytes, name) {
    const identity = decodeIdentity(bytes, name);
    const { id, created, environment } = identity;
    return {
      id,
      name: identity.name,
      created,
      environment,
      fingerprint: fingerprint(identity),
      keyIds: { ...componentKeyIds(identity) },
    };
  },
  async verify(bytes, name): Promise<ArtifactVerdict> {
    const identity = decodeIdentity(bytes, name);
    return {
      ok: true,
      kind: 'identity',
      summary: `${mark(identity)}identity of ${identity.name}, ${fingerprint(identity)}`,
      claims: [
        {
          claim: 'the id is that of the three keys',
          grade: 'checked',
          ok: true,
          detail: identity.id,
        },
        {
          claim: `the keys are those of ${identity.name}`,
          grade: 'recorded',
          ok: true,
          detail: 'the file says so itself: compare the fingerprint over a second channel',
        },
      ],
    };
  },
};

function mark({ environment }: Identity): string {
  return environment === 'production' ? '' : `${environment}: `;
}
