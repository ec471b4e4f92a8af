import { tokensOf as allTokens } from '#carriage/stores/pkcs11/token';
import { defineAction } from './action.js';
import { table } from './context/table.js';
import { leftText } from './context/token-space.js';
import { moduleField, tokensOf } from './hsm/place.js';

/** `conclave hsm list`. */
export const hsmList = defineAction({
  id: 'hsm.list',
  summary: 'list the tokens of a PKCS#11 module',
  description:
    'Lists what is connected, by label and serial number; nobody logs in. Slots are not numbered here: their numbers change.',
  inputs: moduleField,
  outputs: { tokens: { type: 'report', summary: 'the tokens' } },
  options: ['token'],
  effect: 'none',
  exits: [69],
  examples: [
    { command: 'conclave hsm list --module softhsm2', explains: 'a module by name' },
    {
      command: 'conclave hsm list --module /usr/lib/opensc-pkcs11.so --json',
      explains: 'a module by path, for scripts',
    },
  ],
  async run(input, context) {
    using module = await (await tokensOf(context)).module(input.module);
    const { path, library, manufacturer, interfaceVersion } = module;
    return {
      module: { path, library, manufacturer, interfaceVersion },
      tokens: allTokens(module).map((token) => token.describe()),
    };
  },
  present: ({ module, tokens }) => {
    const heading = `${module.library} (${module.manufacturer}), PKCS#11 ${module.interfaceVersion}`;
    const there = tokens.filter(({ initialized }) => initialized);
    const empty = tokens.length - there.length;
    return [
      heading,
      there.length === 0
        ? 'no token'
        : table(
            ['LABEL', 'SERIAL', 'MODEL', 'FIRMWARE', 'STATE'],
            there.map((token) => [
              token.label,
              token.serial,
              token.model,
              token.firmware,
              [
                token.pinSet ? '' : 'no PIN set',
                token.writeProtected ? 'write-protected' : '',
                token.protectedPath ? 'PIN pad' : '',
                leftText(token.attempts),
              ]
                .filter((part) => part !== '')
                .join(', ') || 'ready',
            ]),
          ),
      ...(empty === 0 ? [] : [`and ${empty} not initialised: conclave hsm init`]),
    ].join('\n');
  },
});
