/** `keychain delete`: a secret out of the desktop's keychain, for good. */
import { defineAction } from './action.js';
import { keychainOf, secretName } from './keychain/secrets.js';

/** The action `keychain delete`. */
export const keychainDelete = defineAction({
  id: 'keychain.delete',
  summary: "remove a secret from the desktop's keychain",
  description:
    'Removes what keychain set put there. Whether the keychain overwrites it on the disk is its own affair. ' +
    'A key in the keychain is ended by key destroy keychain:NAME.',
  inputs: { name: secretName },
  outputs: { location: { type: 'string', summary: 'where it was' } },
  effect: 'irreversible',
  only: 'cli',
  exits: [66, 69, 77],
  examples: [{ command: 'conclave keychain delete backup', explains: 'it does not ask' }],
  async run({ name }, context) {
    return { name, location: await (await keychainOf(context)).remove(name) };
  },
  present: ({ name, location }) => `secret ${name} is gone from ${location}`,
});
