import { tokensOf as allTokens } from '#carriage/stores/pkcs11/token';
import { OutputError, UnavailableError } from '#formats/errors';
import { defineAction } from './action.js';
import { moduleField, tokensOf } from './hsm/place.js';

/** `conclave hsm init`. */
export const hsmInit = defineAction({
  id: 'hsm.init',
  summary: 'make a fresh token ready: label and PINs',
  description:
    'Initialises a token that is still fresh: gives it a label, and its security officer and its user a PIN each. A token that ' +
    'holds anything is not touched; erase it with the tools of its maker first.',
  inputs: {
    ...moduleField,
    token: {
      type: 'string',
      summary: 'label that it gets, at most 32 bytes',
      required: true,
      placeholder: 'LABEL',
      pattern: '[^\\p{Cc}]{1,32}',
    },
    pinFile: { type: 'file', summary: 'file with the new PIN of its user' },
    soPinFile: { type: 'file', summary: 'file with the new PIN of its security officer' },
  },
  outputs: {
    token: { type: 'string', summary: 'its label' },
    serial: { type: 'string', summary: 'its serial number' },
  },
  options: ['token'],
  effect: 'irreversible',
  exits: [69, 73, 77],
  examples: [
    {
      command:
        'conclave hsm init --module softhsm2 --token Root --so-pin-file so.txt --pin-file pin.txt',
      explains: 'without a question',
    },
  ],
  async run(input, context) {
    const space = await tokensOf(context);
    using module = await space.module(input.module);
    const all = allTokens(module).map((token) => ({ token, said: token.describe() }));
    const twin = all.find(({ said }) => said.initialized && said.label === input.token);
    if (twin !== undefined) {
      throw new OutputError({
        code: 'E_TOKEN_EXISTS',
        message: `there is a token ${JSON.stringify(input.token)} already (serial ${twin.said.serial})`,
        hint: 'choose another label',
      });
    }
    const fresh = all.find(({ said }) => !said.initialized)?.token;
    if (fresh === undefined) {
      throw new UnavailableError({
        code: 'E_TOKEN_NONE_FRESH',
        message: `${module.path} shows no token that is still fresh`,
        hint: 'connect one, or erase one with the tools of its maker',
      });
    }
    using securityOfficer = await space.newPin(
      input.soPinFile,
      `the security officer of ${input.token}`,
    );
    using user = await space.newPin(input.pinFile, `the user of ${input.token}`);
    const made = fresh.initialize(input.token, { securityOfficer, user }).describe();
    const { label, serial, model, manufacturer, firmware } = made;
    context.record({
      type: 'token.initialised',
      data: { label, serial, model, manufacturer, firmware },
    });
    return { token: label, serial, model, manufacturer, firmware };
  },
  present: ({ token, serial, model }) => `token ${token} is ready (${model}, serial ${serial})`,
});
