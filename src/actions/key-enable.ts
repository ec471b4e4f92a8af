import { defineAction } from './action.js';
import { moveKey, presentState } from './context/key-state.js';

/** `conclave key enable`. */
export const keyEnable = defineAction({
  id: 'key.enable',
  summary: 'make a suspended or not yet active key active',
  description:
    'Moves a key to the state active (NIST SP 800-57). A deactivated, compromised or destroyed key never becomes active again.',
  inputs: {
    key: { type: 'key', summary: 'the key', required: true, positional: 0 },
    reason: { type: 'string', summary: 'why, for the history', placeholder: 'TEXT' },
  },
  outputs: { state: { type: 'string', summary: 'its state from now on' } },
  options: ['passphrase'],
  effect: 'repeatable',
  examples: [{ command: 'conclave key enable release', explains: 'a key of the store' }],
  run: async ({ key, reason }, context) =>
    await moveKey(
      { key, to: 'active', reason, event: 'key.enabled' },
      (reference, change) => context.keys.update(reference, change),
      context,
    ),
  present: presentState,
});
