import { defineAction } from './action.js';
import { moveKey, presentState } from './context/key-state.js';

/** `conclave key disable`. */
export const keyDisable = defineAction({
  id: 'key.disable',
  summary: 'suspend a key: it signs and opens nothing until it is enabled again',
  description:
    'Moves a key to the state suspended (NIST SP 800-57). Its private part stays where it is; a sealed key asks for its ' +
    'passphrase, because its record is sealed with it.',
  inputs: {
    key: { type: 'key', summary: 'the key', required: true, positional: 0 },
    reason: { type: 'string', summary: 'why, for the history', placeholder: 'TEXT' },
  },
  outputs: { state: { type: 'string', summary: 'its state from now on' } },
  options: ['passphrase'],
  effect: 'repeatable',
  examples: [
    {
      command: 'conclave key disable release --reason "laptop lost"',
      explains: 'a key of the store',
    },
  ],
  run: async ({ key, reason }, context) =>
    await moveKey(
      { key, to: 'suspended', reason, event: 'key.disabled' },
      (reference, change) => context.keys.update(reference, change),
      context,
    ),
  present: presentState,
});
