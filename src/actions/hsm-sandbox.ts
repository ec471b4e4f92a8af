import { SANDBOX } from '#carriage/stores/pkcs11/library';
import { defineAction } from './action.js';
import { tokensOf } from './hsm/place.js';

/** `conclave hsm sandbox`. */
export const hsmSandbox = defineAction({
  id: 'hsm.sandbox',
  summary: 'set up a software token of your own, to try things with',
  description:
    "Makes a SoftHSM token in this home, apart from the system's own, and writes its PINs into files beside it. It is for trying, " +
    'for tests and for rehearsals: keys in it are as safe as any file in your home, and no safer. SoftHSM itself comes from the ' +
    'package manager of your system.',
  inputs: {
    token: {
      type: 'string',
      summary: 'label of the token',
      default: 'sandbox',
      placeholder: 'LABEL',
      pattern: '[A-Za-z0-9][A-Za-z0-9 _-]{0,31}',
    },
  },
  outputs: {
    token: { type: 'string', summary: 'its label' },
    pinFile: { type: 'file', summary: 'file with its PIN' },
  },
  effect: 'repeatable',
  exits: [69, 73],
  examples: [
    { command: 'conclave hsm sandbox', explains: 'prints the options that reach it' },
    {
      command: 'conclave hsm sandbox --token second',
      explains: 'another one, for a ceremony with two',
    },
  ],
  async run({ token }, context) {
    const { pinFile, serial, configuration, library, made } = await (
      await tokensOf(context)
    ).sandbox(token);
    if (made) context.record({ type: 'token.sandbox', data: { label: token, serial } });
    return { token, serial, module: SANDBOX, library, pinFile, configuration, made };
  },
  present: ({ token, pinFile, made, configuration, library }) =>
    [
      `token ${token} ${made ? 'is ready' : 'was there already'}; reach it by`,
      `  --module sandbox --token ${shellWord(token)} --pin-file ${shellWord(pinFile)}`,
      'and from other programs by',
      `  SOFTHSM2_CONF=${shellWord(configuration)} pkcs11-tool --module ${library} --token-label ${shellWord(token)} --list-objects`,
    ].join('\n'),
});

function shellWord(word: string): string {
  return /^[A-Za-z0-9._/-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;
}
