/** `threshold enrol`: one more member, at the same threshold. */
import { defineAction } from './action.js';
import { start } from './threshold/begin.js';
import { keyField, phaseOutputs, quorumField } from './threshold/fields.js';
import { phaseFields, type PhaseResult, presentPhase, runPhase } from './threshold/phases.js';
import { proposeEnrol } from './threshold/propose.js';

export const thresholdEnrol = defineAction({
  id: 'threshold.enrol',
  summary: 'add a member to a group key',
  description:
    'A threshold of the members computes the new share together, and none of them learns it. All members take part in the end, because ' +
    'every commitment to a share names all members; their shares stay as they are.',
  inputs: {
    ...phaseFields,
    key: keyField,
    quorum: quorumField,
    party: {
      type: 'public-key',
      summary: 'public identity file of the new member',
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
        'conclave threshold enrol start --key treasury --party dan.pub --session ann --identity ann --out-dir out',
      explains: 'Dan becomes member 4',
    },
  ],
  run: async (input, context): Promise<PhaseResult> =>
    await runPhase(
      'enrol',
      input,
      (placed) => start('enrol', placed, () => proposeEnrol(placed, context), context),
      context,
    ),
  present: presentPhase,
});
