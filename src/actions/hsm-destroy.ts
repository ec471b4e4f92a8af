import { InterruptedError, UsageError } from '#formats/errors';
import { changeState } from '#custody/authority/states';
import { formatTime } from '#formats/time';
import { defineAction } from './action.js';
import { attested, attestedKey, openAttestor } from './attest/attestor.js';
import type { ActionContext } from './context/context.js';
import { placeOf, tokenFields, tokenKeysOf, uriOf } from './hsm/place.js';

/** `conclave hsm destroy`. */
export const hsmDestroy = defineAction({
  id: 'hsm.destroy',
  summary: 'destroy a key inside a token',
  description:
    'Removes a key and the public key beside it from a token; its record stays in this home, with the state destroyed. What the ' +
    'token does with the memory is its own affair, and copies in other tokens or in shares are not touched.',
  inputs: {
    key: {
      type: 'string',
      summary: 'the key: its name, its label in the token, or a URI',
      required: true,
      positional: 0,
      placeholder: 'KEY',
    },
    ...tokenFields,
    yes: { type: 'boolean', summary: 'do it without asking' },
    reason: { type: 'string', summary: 'why, for the history', placeholder: 'TEXT' },
  },
  outputs: { state: { type: 'string', summary: 'its state from now on' } },
  options: ['identity', 'attestation'],
  effect: 'irreversible',
  secrecy: 'destroys',
  exits: [69, 73],
  examples: [
    {
      command: 'conclave hsm destroy old --module softhsm2 --token Root --pin-file pin.txt',
      explains: 'asks before it does',
    },
  ],
  async run(input, context) {
    using attestor = await openAttestor(context);
    const keys = await tokenKeysOf(context);
    const place = placeOf(input, context);
    const found = await keys.find(uriOf(input.key, place), place);
    const { id, name } = found.record;
    if (input.yes !== true) await assertMeant(name ?? id.slice(0, 16), input.token, context);
    const time = formatTime(context.now());
    const change = { time, reason: input.reason };
    const { record, device } = await keys.destroy(
      found,
      (before) => changeState(before, 'destroyed', change),
      place,
    );
    const { label: token, serial } = device;
    context.record({
      type: 'token.key-destroyed',
      data: { id, name, token, serial, reason: input.reason ?? null },
    });
    const attestation = await attestor?.attest({
      operation: 'destroy',
      key: attestedKey(record),
      device,
      note: input.reason ?? '',
    });
    return { id, name, token, state: record.state, attestation: attestation ?? null };
  },
  present: ({ id, name, token, state, attestation }) =>
    `key ${name ?? id.slice(0, 16)} in the token ${token} is ${state}${attested(attestation)}`,
});

async function assertMeant(name: string, token: string, { ask }: ActionContext): Promise<void> {
  const answer = await ask.confirm?.(
    `Destroy the key ${name} in the token ${token}? Nothing brings it back.`,
  );
  if (answer === true) return;
  if (answer === false) {
    throw new InterruptedError({
      code: 'E_KEY_DESTROY_DECLINED',
      message: `key ${name} was not destroyed`,
    });
  }
  throw new UsageError({
    code: 'E_KEY_DESTROY_UNCONFIRMED',
    message: `destroying the key ${name} needs a yes, and nobody can be asked`,
    hint: 'say --yes',
  });
}
