/** `keychain get`: a secret out of the desktop's keychain, into a file. */
import { defineAction } from './action.js';
import { keychainOf, secretName } from './keychain/secrets.js';

/** The action `keychain get`. */
export const keychainGet = defineAction({
  id: 'keychain.get',
  summary: "write a secret of the desktop's keychain to a private file",
  description:
    'Writes the secret byte for byte to a file that only its owner can read, or to standard output when that is named by -. ' +
    'For a passphrase this is seldom needed: --passphrase-file keychain:NAME reads it where it is.',
  inputs: {
    name: secretName,
    out: { type: 'path', summary: 'where the secret goes', required: true },
  },
  outputs: { file: { type: 'file', summary: 'the secret' } },
  options: ['force'],
  effect: 'repeatable',
  only: 'cli',
  exits: [66, 69, 77],
  examples: [
    { command: 'conclave keychain get backup --out backup.txt', explains: 'mode 0600' },
    { command: 'conclave keychain get backup --out - | wc -c', explains: 'into another program' },
  ],
  async run({ name, out }, context) {
    context.files.assertAbsent([out]);
    const keychain = await keychainOf(context);
    using secret = await keychain.get(name);
    secret.use((bytes) => {
      context.files.write(out, bytes, { secret: true });
    });
    return { name, file: out };
  },
  present: ({ name, file }) => `secret ${name} is written to ${file}`,
});
