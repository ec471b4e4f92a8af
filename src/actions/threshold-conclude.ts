/** `threshold.conclude`: in a ceremony, the key that follows from what the parties said in public, once all acknowledged it. */
import { dirname, join } from 'node:path';
import { decodeGroup, encodeGroup, groupDigest } from '#crypto/frost/group';
import { toHex } from '#formats/bytes';
import { NegativeError } from '#formats/errors';
import { rosterDigest } from '#protocols/parties/roster';
import { publicRecord } from '#protocols/threshold/public-result';
import { defineAction } from './action.js';
import { writePublicKey } from './threshold/group-files.js';
import { heardIn, readStartFile } from './threshold/heard.js';
import { concludeProofs } from './threshold/proof-files.js';
import { encodeTranscript, readTranscript } from './threshold/transcript.js';

/** The key. */
export interface ConcludeResult {
  readonly ok: boolean;
  readonly group: string;
  readonly transcript: string;
  readonly proofs: readonly string[];
  readonly public: string;
  readonly record: string;
  readonly id: string;
  readonly policy: string;
  readonly acknowledged: readonly string[];
}

export const thresholdConclude = defineAction({
  id: 'threshold.conclude',
  summary: 'compute the group key from what its parties said in public',
  description:
    'Recomputes the group record, of a new key or of one whose shares change, from the commitments, checks every proof and signature, and that every party acknowledged this very ' +
    'record. Writes the record, its public key, and the transcript with everybody’s signed acknowledgement. It needs no secret and ' +
    'takes part in nothing.',
  inputs: { start: { type: 'file', summary: 'the start message', required: true } },
  outputs: {
    ok: { type: 'verdict', summary: 'whether all acknowledged the record that follows' },
    group: { type: 'file', summary: 'the group record' },
    transcript: { type: 'file', summary: 'all that was said in public, with the acknowledgements' },
    proofs: {
      type: 'file',
      summary: 'proofs of the commitments, where they were agreed on',
      repeat: true,
    },
    public: { type: 'file', summary: 'the public key of the group' },
    record: { type: 'digest', summary: 'digest of the group record' },
    id: { type: 'digest', summary: 'id of the key' },
    policy: { type: 'string', summary: 'digest of the policy that is bound to the key, or none' },
    acknowledged: { type: 'string', summary: 'who acknowledged it', repeat: true },
  },
  effect: 'repeatable',
  only: 'ceremony',
  examples: [],
  run: async ({ start: path }, context): Promise<ConcludeResult> => {
    const start = await readStartFile(path, context);
    const folder = dirname(path);
    const { certificates, roster, broadcasts, messages } = await heardIn(start, folder, context);
    const group = await publicRecord(start, broadcasts, rosterDigest(roster));
    const bytes = encodeTranscript(start, { certificates, messages }, [], group);
    const { problems, acknowledged, parties } = await readTranscript(bytes, 'transcript');
    if (problems.length > 0) {
      throw new NegativeError({
        code: 'E_THRESHOLD_UNACKNOWLEDGED',
        message: problems.join('; '),
        hint: 'nobody may use this record; begin again',
      });
    }
    const checked = await decodeGroup(encodeGroup(group), 'group record');
    const proofs = concludeProofs(checked, start, folder, context);
    const groupFile = join(folder, 'group.json');
    const transcript = join(folder, 'transcript.json');
    context.files.write(groupFile, encodeGroup(group));
    context.files.write(transcript, bytes);
    const record = `sha256:${toHex(groupDigest(group))}`;
    const { key, epoch, policy } = group;
    context.record({
      type: `threshold.${start.message.operation}`,
      data: { id: key, session: start.message.session, epoch, group: record, policy },
    });
    return {
      ok: true,
      group: groupFile,
      transcript,
      proofs,
      public: await writePublicKey(group, folder, context),
      record,
      id: `sha256:${key}`,
      policy: policy ?? 'none',
      acknowledged: parties
        .filter(({ number }) => acknowledged.includes(number))
        .map(({ number, name }) => `${number} ${name}`),
    };
  },
  present: ({ id, record, acknowledged }) =>
    `key ${id}; record ${record}, acknowledged by ${acknowledged.join(', ')}`,
});
