/** `keychain list`: what conclave keeps in the desktop's keychain. */
import { defineAction } from './action.js';
import { table } from './context/table.js';
import { keychainOf } from './keychain/secrets.js';

/** The action `keychain list`. */
export const keychainList = defineAction({
  id: 'keychain.list',
  summary: "list the secrets that conclave keeps in the desktop's keychain",
  description:
    'Names and places of the secrets that keychain set put there, never the secrets. ' +
    'Keys in the keychain are listed by key list --store keychain.',
  inputs: {},
  outputs: { secrets: { type: 'report', summary: 'the secrets, by name' } },
  effect: 'none',
  only: 'cli',
  exits: [69, 77],
  examples: [{ command: 'conclave keychain list', explains: 'names and places' }],
  async run(_, context) {
    return { secrets: await (await keychainOf(context)).list() };
  },
  present: ({ secrets }) =>
    secrets.length === 0
      ? 'the keychain holds no secrets of conclave'
      : table(
          ['NAME', 'LOCATION'],
          secrets.map(({ name, location }) => [name, location]),
        ),
});
