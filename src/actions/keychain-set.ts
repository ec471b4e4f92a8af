/** `keychain set`: a passphrase or another small secret into the desktop's keychain. */
import { OutputError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { defineAction } from './action.js';
import { keychainOf, MAX_SECRET_BYTES, secretName } from './keychain/secrets.js';

/** The action `keychain set`. */
export const keychainSet = defineAction({
  id: 'keychain.set',
  summary: "put a passphrase or another small secret into the desktop's keychain",
  description:
    'Keeps up to 4096 bytes under a name in the keychain of whoever is logged in, and reads them back before it reports success. ' +
    'Without --in the secret is asked for twice. --passphrase-file keychain:NAME reads it wherever a passphrase file is taken. ' +
    'Every program of the same person can read a keychain that is unlocked: it is a place for passphrases of daily work, not of ceremonies.',
  inputs: {
    name: secretName,
    in: {
      type: 'file',
      summary: 'file with the secret, taken byte for byte; asked for without',
      placeholder: 'FILE',
    },
    replace: { type: 'boolean', summary: 'replace the secret that is there under this name' },
  },
  outputs: { location: { type: 'string', summary: 'where it rests' } },
  effect: 'irreversible',
  only: 'cli',
  exits: [69, 73, 77],
  examples: [
    {
      command: 'conclave keychain set backup',
      explains: 'asks for the secret, twice',
    },
    {
      command: 'conclave keychain set backup --in ./passphrase.txt --json',
      explains: 'for scripts; a final line feed in the file is part of the secret',
    },
  ],
  async run({ name, in: file, replace }, context) {
    const keychain = await keychainOf(context);
    using secret = await secretFrom(file, name, context);
    return { name, location: await keychain.set(name, secret, replace === true) };
  },
  present: ({ name, location }) => `secret ${name} is kept: ${location}`,
});

async function secretFrom(
  file: string | undefined,
  name: string,
  { files, ask }: Parameters<typeof keychainSet.run>[1],
): Promise<SecretBytes> {
  if (file !== undefined) {
    return SecretBytes.adopt(files.read(file, MAX_SECRET_BYTES), `secret ${name}`);
  }
  const typed = await ask.newPassphrase({ seals: `the keychain entry ${name}` });
  if (typed !== undefined) return typed;
  throw new OutputError({ code: 'E_SECRET_EMPTY', message: 'there is no secret to keep' });
}
