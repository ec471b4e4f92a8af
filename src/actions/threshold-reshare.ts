/** `threshold reshare`: the same key for other members or another threshold. */
import { defineAction } from './action.js';
import { phased } from './threshold/begin.js';
import {
  keyField,
  nameField,
  partyField,
  proveOpeningsField,
  quorumField,
  simulateFields,
} from './threshold/fields.js';
import { phaseFacts, phaseFields, type PhaseResult } from './threshold/phases.js';
import { proposeReshare } from './threshold/propose.js';

const inPhases = phased('reshare', proposeReshare);

export const thresholdReshare = defineAction({
  ...phaseFacts,
  id: 'threshold.reshare',
  summary: 'give a group key to other members or another threshold',
  description:
    'A threshold of the members deals what it holds to those who shall hold the key afterwards, and the key is never put together. ' +
    'Members named again keep their numbers. Shares of before still fit together: the change takes effect when they are destroyed.',
  inputs: {
    ...phaseFields,
    key: keyField,
    quorum: quorumField,
    ...simulateFields,
    proveOpenings: proveOpeningsField,
    threshold: {
      type: 'integer',
      summary: 'how many sign together afterwards; as before when not given',
      min: 2,
      max: 255,
      placeholder: 'T',
    },
    party: partyField('public identity file of a member afterwards'),
    shares: {
      type: 'integer',
      summary: 'how many parties are simulated afterwards',
      min: 2,
      max: 255,
      placeholder: 'N',
    },
    name: nameField,
  },
  options: ['passphrase', 'new-passphrase', 'identity', 'force'],
  secrecy: 'protects',
  examples: [
    {
      command:
        'conclave threshold reshare --simulate --share dev-group/dev-party-1.key --share dev-group/dev-party-3.key --threshold 3 --shares 5 --out-dir wider',
      explains: 'a development key for any three of five',
    },
    {
      command:
        'conclave threshold reshare start --key treasury --threshold 3 --party ann.pub --party cem.pub --party dan.pub --party eve.pub --session ann --identity ann --out-dir out',
      explains: 'from two of three to three of four, without Ben',
    },
  ],
  run: async (input, context): Promise<PhaseResult> => {
    if (input.simulate === true) {
      const { simulateChange } = await import('./threshold/simulate-change.js');
      return await simulateChange('reshare', input, context);
    }
    return await inPhases(input, context);
  },
});
