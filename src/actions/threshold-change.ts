/** `threshold.change`: in a ceremony, how the shares of a key change, as the start message that each of its parties accepts. */
import { decodeGroup } from '#crypto/frost/group';
import { toHex } from '#formats/bytes';
import { groupJson } from '#protocols/threshold/start-message';
import { defineAction } from './action.js';
import { countField, provenField, saidField } from './threshold/fields.js';
import { CHANGES, changedSeats, type Change, changeSentence } from './threshold/changing.js';
import { newStart, partiesOf, writeStart } from './threshold/opening.js';
import { openingsOf } from './threshold/propose.js';

const MAX_GROUP_BYTES = 256 * 1024;

/** What was proposed. */
export interface ChangeResult {
  readonly start: string;
  readonly terms: string;
  /** What changes, in words. */
  readonly change: string;
  readonly id: string;
  /** `sha256:HEX`, or `none`. */
  readonly policy: string;
}

export const thresholdChange = defineAction({
  id: 'threshold.change',
  summary: 'propose that the holders of a role change the shares of their group key',
  description:
    'Writes the start message of a session that changes shares and not the key: refresh, reshare, repair or enrol, the group record as ' +
    'it is, and who takes part. Nothing changes yet. Its digest, the terms, is what people compare before they accept, with what ' +
    'changes said in words.',
  inputs: {
    operation: {
      type: 'string',
      summary: 'what changes',
      choices: CHANGES,
      required: true,
    },
    group: { type: 'file', summary: 'record of the group key', required: true },
    threshold: countField('how many sign together afterwards'),
    shares: countField('how many parties take part'),
    custodians: {
      type: 'role',
      summary: 'who the parties are, each with an identity',
      required: true,
    },
    lost: {
      type: 'integer',
      summary: 'number of the member whose share is lost, for repair',
      min: 1,
      max: 65_535,
    },
    proveOpenings: provenField,
    outDir: saidField,
  },
  outputs: {
    start: { type: 'file', summary: 'the start message' },
    terms: { type: 'digest', summary: 'its digest, the same for all' },
    change: { type: 'string', summary: 'what changes, in words' },
    id: { type: 'digest', summary: 'id of the key' },
    policy: { type: 'string', summary: 'digest of the policy that the key is bound to, or none' },
  },
  effect: 'repeatable',
  only: 'ceremony',
  examples: [],
  run: async (input, context): Promise<ChangeResult> => {
    const operation = input.operation as Change;
    const group = await decodeGroup(context.files.read(input.group, MAX_GROUP_BYTES), input.group);
    const people = partiesOf(input.custodians, input.shares, context);
    const { threshold, lost } = input;
    const seats = changedSeats(group.record, people, { operation, threshold, lost }, context);
    const { record, parties, contributors, receivers } = seats;
    const start = await newStart(
      {
        operation,
        suite: record.suite,
        environment: record.environment,
        threshold,
        parties,
        contributors,
        receivers,
        policy: record.policy,
        group: groupJson({ ...group, record }),
        message: null,
        ...openingsOf(record, input.proveOpenings),
      },
      context,
    );
    return {
      start: writeStart(start, input.outDir, context),
      terms: `sha256:${toHex(start.terms)}`,
      change: changeSentence(start),
      id: `sha256:${record.key}`,
      policy: record.policy ?? 'none',
    };
  },
  present: ({ change, terms, policy }) => `${change}; policy ${policy}; terms ${terms}`,
});
