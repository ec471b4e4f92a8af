/** `threshold.propose`: in a ceremony, what the parties of a new key agree on, as the start message that each of them accepts. */
import { suiteOf } from '#crypto/frost/suite';
import { toHex } from '#formats/bytes';
import { defineAction } from './action.js';
import { suiteChoices, countField, provenField, saidField } from './threshold/fields.js';
import { newStart, partiesOf, writeStart } from './threshold/opening.js';
import { readPolicyDigest } from './threshold/propose.js';

/** What was proposed. */
export interface ProposeResult {
  readonly start: string;
  readonly terms: string;
  /** `any 2 of 3`. */
  readonly quorum: string;
  /** `sha256:HEX`, or `none`. */
  readonly policy: string;
}

export const thresholdPropose = defineAction({
  id: 'threshold.propose',
  summary: 'propose a key that the holders of a role make together',
  description:
    'Writes the start message of a distributed key generation: curve, threshold, parties by their identities, and the digest of the ' +
    'policy that is bound to the key. Nothing is made yet. Its digest, the terms, is what people compare before they accept.',
  inputs: {
    suite: { type: 'string', summary: 'curve of the key', choices: suiteChoices, required: true },
    threshold: countField('how many parties sign together'),
    shares: countField('how many parties there are'),
    custodians: {
      type: 'role',
      summary: 'who the parties are, each with an identity',
      required: true,
    },
    policy: { type: 'file', summary: 'policy of the key, if one is bound to it' },
    bound: { type: 'boolean', summary: 'whether the policy is bound to the key', default: false },
    proveOpenings: provenField,
    outDir: saidField,
  },
  outputs: {
    start: { type: 'file', summary: 'the start message' },
    terms: { type: 'digest', summary: 'its digest, the same for all' },
    quorum: { type: 'string', summary: 'how many sign together' },
    policy: { type: 'string', summary: 'digest of the policy, or none' },
  },
  effect: 'repeatable',
  only: 'ceremony',
  examples: [],
  run: async (input, context): Promise<ProposeResult> => {
    const { suite, threshold, shares, custodians, outDir } = input;
    const parties = partiesOf(custodians, shares, context);
    const numbers = parties.map(({ number }) => number);
    const policy = input.bound ? readPolicyDigest(input.policy, context) : null;
    const start = await newStart(
      {
        operation: 'keygen',
        suite: suiteOf(suite),
        environment: context.environment,
        threshold,
        parties,
        contributors: numbers,
        receivers: numbers,
        policy,
        group: null,
        message: null,
        ...(input.proveOpenings ? { openings: 'proven' as const } : {}),
      },
      context,
    );
    return {
      start: writeStart(start, outDir, context),
      terms: `sha256:${toHex(start.terms)}`,
      quorum: `any ${threshold} of ${shares}`,
      policy: policy ?? 'none',
    };
  },
  present: ({ terms, quorum, policy }) => `${quorum} will sign; policy ${policy}; terms ${terms}`,
});
