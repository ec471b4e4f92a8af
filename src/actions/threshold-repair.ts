/** `threshold repair`: one lost share again. */
import { defineAction } from './action.js';
import { start } from './threshold/begin.js';
import { keyField, phaseOutputs, quorumField } from './threshold/fields.js';
import { phaseFields, type PhaseResult, presentPhase, runPhase } from './threshold/phases.js';
import { proposeRepair } from './threshold/propose.js';

export const thresholdRepair = defineAction({
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
    lost: {
      type: 'integer',
      summary: 'number of the member whose share is lost',
      min: 1,
      max: 65_535,
      placeholder: 'I',
    },
    name: {
      type: 'string',
      summary: 'name of the key in this store, for finish',
      placeholder: 'NAME',
    },
  },
  outputs: phaseOutputs,
  options: ['passphrase', 'new-passphrase', 'identity', 'force'],
  only: 'cli',
  effect: 'repeatable',
  secrecy: 'protects',
  exits: [75],
  examples: [
    {
      command:
        'conclave threshold repair start --key treasury --lost 2 --session ann --identity ann --out-dir out',
      explains: 'Ann and one more rebuild member 2’s share',
    },
  ],
  run: async (input, context): Promise<PhaseResult> =>
    await runPhase(
      'repair',
      input,
      (placed) => start('repair', placed, () => proposeRepair(placed, context), context),
      context,
    ),
  present: presentPhase,
});
