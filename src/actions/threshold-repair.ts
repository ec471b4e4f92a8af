/** `threshold repair`: one lost share again. */
import { defineAction } from './action.js';
import { phased } from './threshold/begin.js';
import {
  keyField,
  nameField,
  proveOpeningsField,
  quorumField,
  simulateFields,
} from './threshold/fields.js';
import { phaseFacts, phaseFields, type PhaseResult } from './threshold/phases.js';
import { proposeRepair } from './threshold/propose.js';

const inPhases = phased('repair', proposeRepair);

export const thresholdRepair = defineAction({
  ...phaseFacts,
  id: 'threshold.repair',
  summary: 'rebuild one lost share of a group key',
  description:
    'A threshold of other members is enough, and none of them shows its share. Everybody computes what the share must be in public, so ' +
    'that a wrong value is seen and its sender named. The rebuilt share has a new commitment; the others stay as they are. Repair is ' +
    'for a share that was destroyed: one that may be in other hands calls for threshold refresh.',
  inputs: {
    ...phaseFields,
    key: keyField,
    quorum: quorumField,
    ...simulateFields,
    proveOpenings: proveOpeningsField,
    lost: {
      type: 'integer',
      summary: 'number of the member whose share is lost',
      min: 1,
      max: 65_535,
      placeholder: 'I',
    },
    name: nameField,
  },
  options: ['passphrase', 'new-passphrase', 'identity', 'force'],
  secrecy: 'protects',
  examples: [
    {
      command:
        'conclave threshold repair --simulate --share dev-group/dev-party-1.key --share dev-group/dev-party-3.key --lost 2 --out-dir again',
      explains: 'share 2 of a development key again',
    },
    {
      command:
        'conclave threshold repair start --key treasury --lost 2 --session ann --identity ann --out-dir out',
      explains: 'Ann and one more rebuild member 2’s share',
    },
  ],
  run: async (input, context): Promise<PhaseResult> => {
    if (input.simulate === true) {
      const { simulateChange } = await import('./threshold/simulate-change.js');
      return await simulateChange('repair', input, context);
    }
    return await inPhases(input, context);
  },
});
