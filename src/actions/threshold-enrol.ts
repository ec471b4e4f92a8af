/** `threshold enrol`: one more member, at the same threshold. */
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
import { proposeEnrol } from './threshold/propose.js';

const inPhases = phased('enrol', proposeEnrol);

export const thresholdEnrol = defineAction({
  ...phaseFacts,
  id: 'threshold.enrol',
  summary: 'add a member to a group key',
  description:
    'A threshold of the members computes the new share together, and none of them learns it. All members take part in the end, because ' +
    'every commitment to a share names all members; their shares stay as they are.',
  inputs: {
    ...phaseFields,
    key: keyField,
    quorum: quorumField,
    ...simulateFields,
    proveOpenings: proveOpeningsField,
    party: partyField('public identity file of the new member'),
    name: nameField,
  },
  options: ['passphrase', 'new-passphrase', 'identity', 'force'],
  secrecy: 'protects',
  examples: [
    {
      command:
        'conclave threshold enrol --simulate --share dev-group/dev-party-1.key --share dev-group/dev-party-2.key --share dev-group/dev-party-3.key --out-dir four',
      explains: 'a fourth party for a development key',
    },
    {
      command:
        'conclave threshold enrol start --key treasury --party dan.pub --session ann --identity ann --out-dir out',
      explains: 'Dan becomes member 4',
    },
  ],
  run: async (input, context): Promise<PhaseResult> => {
    if (input.simulate === true) {
      const { simulateChange } = await import('./threshold/simulate-change.js');
      return await simulateChange('enrol', input, context);
    }
    return await inPhases(input, context);
  },
});
