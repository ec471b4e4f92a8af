/** `threshold reshare`: the same key for other members or another threshold. */
import { defineAction } from './action.js';
import { start } from './threshold/begin.js';
import { keyField, phaseOutputs, quorumField } from './threshold/fields.js';
import { phaseFields, type PhaseResult, presentPhase, runPhase } from './threshold/phases.js';
import { proposeReshare } from './threshold/propose.js';

export const thresholdReshare = defineAction({
  id: 'threshold.reshare',
  summary: 'give a group key to other members or another threshold',
  description:
    'A threshold of the members deals what it holds to those who shall hold the key afterwards, and the key is never put together. ' +
    'Members named again keep their numbers. Shares of before still fit together: the change takes effect when they are destroyed.',
  inputs: {
    ...phaseFields,
    key: keyField,
    quorum: quorumField,
    threshold: {
      type: 'integer',
      summary: 'how many sign together afterwards; as before when not given',
      min: 2,
      max: 255,
      placeholder: 'T',
    },
    party: {
      type: 'public-key',
      summary: 'public identity file of a member afterwards',
      repeat: true,
      placeholder: 'PUB',
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
        'conclave threshold reshare start --key treasury --threshold 3 --party ann.pub --party cem.pub --party dan.pub --party eve.pub --session ann --identity ann --out-dir out',
      explains: 'from two of three to three of four, without Ben',
    },
  ],
  run: async (input, context): Promise<PhaseResult> =>
    await runPhase(
      'reshare',
      input,
      (placed) => start('reshare', placed, () => proposeReshare(placed, context), context),
      context,
    ),
  present: presentPhase,
});
