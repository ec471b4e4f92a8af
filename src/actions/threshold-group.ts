/** `threshold.group`: in a ceremony that shares of a threshold key are brought to, which key it is, so that people can compare it. */
import { decodeGroup } from '#crypto/frost/group';
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import { defineAction } from './action.js';

const MAX_GROUP_BYTES = 256 * 1024;

/** What a record says of itself. */
export interface GroupResult {
  readonly ok: boolean;
  /** `sha256:HEX` of the record as it stands. */
  readonly record: string;
  /** `sha256:HEX`, the id of the key. */
  readonly id: string;
  readonly suite: string;
  /** `any 2 of 3`. */
  readonly quorum: string;
  readonly policy: string;
}

export const thresholdGroup = defineAction({
  id: 'threshold.group',
  summary: 'say which threshold key a group record is of',
  description:
    'Reads group.json strictly: the public shares must give the group key. Whether it is the key that people mean they see from the ' +
    'digest of the record, which every member acknowledged when the key was made, and which stands in the record of that ceremony.',
  inputs: {
    group: { type: 'file', summary: 'record of the group key', required: true },
  },
  outputs: {
    ok: { type: 'verdict', summary: 'whether the public shares give the key' },
    record: { type: 'digest', summary: 'SHA-256 of the record' },
    id: { type: 'digest', summary: 'id of the key' },
    suite: { type: 'string', summary: 'protocol and curve' },
    quorum: { type: 'string', summary: 'how many shares sign' },
    policy: { type: 'string', summary: 'digest of the policy that the key is bound to, or none' },
  },
  effect: 'none',
  only: 'ceremony',
  examples: [],
  run: async ({ group: path }, context): Promise<GroupResult> => {
    const bytes = context.files.read(path, MAX_GROUP_BYTES);
    const { record } = await decodeGroup(bytes, path);
    const { key, suite, threshold, members, policy } = record;
    return {
      ok: true,
      record: `sha256:${toHex(sha256(bytes))}`,
      id: `sha256:${key}`,
      suite,
      quorum: `any ${threshold} of ${members.length}`,
      policy: policy ?? 'none',
    };
  },
  present: ({ record, suite, quorum }) => `${suite}, ${quorum}; record ${record}`,
});
