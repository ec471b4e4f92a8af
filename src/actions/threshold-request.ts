/** `threshold.request`: in a ceremony, what a quorum is to sign with its group key, as the start message that each accepts. */
import { decodeGroup } from '#crypto/frost/group';
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import { groupJson, MAX_SIGNED_BYTES } from '#protocols/threshold/start-message';
import { defineAction } from './action.js';
import { countField, saidField } from './threshold/fields.js';
import { writePublicKey } from './threshold/group-files.js';
import { assertQuorum, newStart, partiesOf, seatMembers, writeStart } from './threshold/opening.js';

const MAX_GROUP_BYTES = 256 * 1024;

/** What was asked for. */
export interface RequestResult {
  readonly start: string;
  readonly terms: string;
  readonly digest: string;
  readonly public: string;
  readonly id: string;
  readonly policy: string;
}

export const thresholdRequest = defineAction({
  id: 'threshold.request',
  summary: 'ask the holders of a role to sign with their group key',
  description:
    'Writes the start message of a signing session: the group record, who signs, and the very bytes. Nothing is signed yet. The digest ' +
    'of the bytes is what each signer compares with what they mean to sign.',
  inputs: {
    group: { type: 'file', summary: 'record of the group key', required: true },
    in: { type: 'file', summary: 'the bytes to sign', required: true },
    threshold: countField('how many sign together'),
    shares: countField('how many are here'),
    custodians: {
      type: 'role',
      summary: 'who signs, each a member by their identity',
      required: true,
    },
    outDir: saidField,
  },
  outputs: {
    start: { type: 'file', summary: 'the start message' },
    terms: { type: 'digest', summary: 'its digest, the same for all' },
    digest: { type: 'digest', summary: 'digest of the bytes to sign' },
    public: { type: 'file', summary: 'the public key of the group' },
    id: { type: 'digest', summary: 'id of the key' },
    policy: { type: 'string', summary: 'digest of the policy that the key is bound to, or none' },
  },
  effect: 'repeatable',
  only: 'ceremony',
  examples: [],
  run: async (input, context): Promise<RequestResult> => {
    const group = await decodeGroup(context.files.read(input.group, MAX_GROUP_BYTES), input.group);
    const people = partiesOf(input.custodians, input.shares, context);
    assertQuorum(group.record, people, input.threshold);
    const { record, parties } = seatMembers(group.record, people, context);
    const message = context.files.read(input.in, MAX_SIGNED_BYTES);
    const start = await newStart(
      {
        operation: 'sign',
        suite: record.suite,
        environment: record.environment,
        threshold: record.threshold,
        parties,
        contributors: parties.map(({ number }) => number),
        receivers: [],
        policy: record.policy,
        group: groupJson({ ...group, record }),
        message,
      },
      context,
    );
    return {
      start: writeStart(start, input.outDir, context),
      terms: `sha256:${toHex(start.terms)}`,
      digest: `sha256:${toHex(sha256(message))}`,
      public: await writePublicKey(record, input.outDir, context),
      id: `sha256:${record.key}`,
      policy: record.policy ?? 'none',
    };
  },
  present: ({ digest, id }) => `to be signed with ${id}: ${digest}`,
});
