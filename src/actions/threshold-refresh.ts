/** `threshold refresh`: every share changes, the key does not. */
import { defineAction } from './action.js';
import { phased } from './threshold/begin.js';
import { keyField, proveOpeningsField, quorumField, simulateFields } from './threshold/fields.js';
import { phaseFacts, phaseFields, type PhaseResult } from './threshold/phases.js';
import { proposeRefresh } from './threshold/propose.js';

const inPhases = phased('refresh', proposeRefresh);

export const thresholdRefresh = defineAction({
  ...phaseFacts,
  id: 'threshold.refresh',
  summary: 'change every share of a group key, or remove members',
  description:
    'Everybody who stays deals a sharing of zero, and adds up what the others dealt: old and new shares no longer fit together. Members ' +
    'whom --quorum leaves out hold nothing of use afterwards. That undoes nothing for old shares: a threshold of them, kept together, ' +
    'still signs, so all must let theirs be overwritten.',
  inputs: {
    ...phaseFields,
    key: keyField,
    quorum: quorumField,
    ...simulateFields,
    proveOpenings: proveOpeningsField,
  },
  options: ['passphrase', 'new-passphrase', 'identity', 'force'],
  secrecy: 'protects',
  examples: [
    {
      command:
        'conclave threshold refresh --simulate --share dev-group/dev-party-1.key --share dev-group/dev-party-2.key --share dev-group/dev-party-3.key --out-dir fresh',
      explains: 'new shares of a development key, in fresh/',
    },
    {
      command:
        'conclave threshold refresh start --key treasury --session ann --identity ann --out-dir out',
      explains: 'all members take part; with --quorum 1,3 the others are removed',
    },
  ],
  run: async (input, context): Promise<PhaseResult> => {
    if (input.simulate === true) {
      const { simulateChange } = await import('./threshold/simulate-change.js');
      return await simulateChange('refresh', input, context);
    }
    return await inPhases(input, context);
  },
});
