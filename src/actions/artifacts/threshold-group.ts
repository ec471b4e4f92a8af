/** Group records and the transcripts of the sessions that made them. */
import { decodeGroup, encodeGroup, type GroupRecord } from '#crypto/frost/group';
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import type { JsonObject } from '#formats/canonical-json';
import { commitmentClaim } from '../threshold/proof-files.js';
import { readTranscript } from '../threshold/transcript.js';
import type { ArtifactKind, Claim } from './artifact.js';

function namesType(bytes: Uint8Array, type: string): boolean {
  return bytes[0] === 0x7b && Buffer.from(bytes).includes(`"type":"conclave/${type}"`);
}

function described(record: GroupRecord): JsonObject {
  return {
    kind: 'group',
    ...record,
    members: record.members.map((member) => ({ ...member })),
    digest: `sha256:${toHex(sha256(encodeGroup(record)))}`,
    // Whether proofs hold is `verify`'s to say; this says that they were agreed on.
    commitments: record.version === 1 ? 'recorded' : 'with proofs',
  };
}

function marked(record: GroupRecord, words: string): string {
  return record.environment === 'production' ? words : `${record.environment}: ${words}`;
}

/** The kind `group`. */
export const groupKind: ArtifactKind = {
  kind: 'group',
  detect: (bytes) =>
    namesType(bytes, 'group') &&
    !namesType(bytes, 'threshold-transcript') &&
    !namesType(bytes, 'threshold-start'),
  show: async (bytes, name) => described((await decodeGroup(bytes, name)).record),
  verify: async (bytes, name, { files }) => {
    const group = await decodeGroup(bytes, name);
    const { record } = group;
    const commitments = commitmentClaim(group, name, files);
    const claims: readonly Claim[] = [
      {
        claim: 'the public shares belong to the key and the threshold',
        grade: 'checked',
        ok: true,
        detail: `${record.threshold} of ${record.members.length}, ${record.suite}`,
      },
      commitments,
      {
        claim: 'all members agreed on this record',
        grade: 'recorded',
        ok: true,
        detail: 'the transcript of its session holds their acknowledgements',
      },
    ];
    const about = `group record of key ${record.key.slice(0, 16)}, epoch ${record.epoch}`;
    const { ok } = commitments;
    return {
      ok,
      kind: 'group',
      summary: marked(record, ok ? about : `${about}: ${commitments.detail}`),
      claims,
    };
  },
};

/** The kind `threshold-transcript`. */
export const thresholdTranscriptKind: ArtifactKind = {
  kind: 'threshold-transcript',
  detect: (bytes) => namesType(bytes, 'threshold-transcript'),
  show: async (bytes, name) => {
    const { start, group, parties, acknowledged } = await readTranscript(bytes, name);
    return {
      kind: 'threshold-transcript',
      operation: start.message.operation,
      session: start.message.session,
      created: start.message.created,
      terms: toHex(start.terms),
      parties: parties.map((party) => ({ ...party })),
      acknowledged: [...acknowledged],
      group: described(group),
    };
  },
  verify: async (bytes, name, { files }) => {
    const { start, group, parties, acknowledged, problems } = await readTranscript(bytes, name);
    const record = await decodeGroup(encodeGroup(group), `${name}: group`);
    const commitments = commitmentClaim(record, name, files);
    if (!commitments.ok) problems.push(commitments.detail);
    const ok = problems.length === 0;
    const claims: readonly Claim[] = [
      {
        claim: 'the group record follows from what was said in public',
        grade: 'checked',
        ok,
        detail: ok
          ? `${start.message.operation} by ${parties.length} parties`
          : problems.join('; '),
      },
      {
        claim: 'every party acknowledged it under keys that its identity certified',
        grade: 'attested',
        ok: acknowledged.length === parties.length,
        detail: parties.map((party) => party.name).join(', '),
      },
      commitments,
    ];
    return {
      ok: ok && acknowledged.length === parties.length,
      kind: 'threshold-transcript',
      summary: marked(
        group,
        ok
          ? `${start.message.operation} of key ${group.key.slice(0, 16)}, acknowledged by all ${parties.length}`
          : `the transcript does not hold: ${problems[0] ?? ''}`,
      ),
      claims,
    };
  },
};
