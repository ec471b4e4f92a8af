import type { Purpose } from '#crypto/descriptor';
import { resolve } from '#crypto/registry';
import { defineAction } from './action.js';
import { openAttestor } from './attest/attestor.js';
import { parseTags } from './context/tags.js';
import { placeOf, tokenFields, tokenKeysOf } from './hsm/place.js';
import { presentPlaced, settled } from './hsm/result.js';

/** `conclave hsm generate`. */
export const hsmGenerate = defineAction({
  id: 'hsm.generate',
  summary: 'make a key inside a token',
  description:
    'The token makes the key, and it never leaves it. A random message is signed there and verified here before the key counts as ' +
    'made. The record in this home finds it again by name; the token can do no more with it than its mechanisms allow.',
  inputs: {
    ...tokenFields,
    algorithm: { type: 'algorithm', summary: 'what kind of key', required: true },
    name: {
      type: 'string',
      summary: 'name in the home, and label in the token',
      pattern: '[A-Za-z0-9][A-Za-z0-9_-]{0,63}',
    },
    dev: { type: 'boolean', summary: 'mark the key as a development key' },
    purpose: {
      type: 'string',
      summary: 'what the key is for',
      choices: ['sign', 'encrypt', 'encapsulate', 'agree', 'mac'],
      repeat: true,
    },
    tag: { type: 'string', summary: 'a label for the record', placeholder: 'K=V', repeat: true },
  },
  outputs: {
    key: { type: 'key', summary: 'the key, as a PKCS#11 URI' },
    id: { type: 'digest', summary: 'its id' },
  },
  options: ['identity', 'attestation'],
  effect: 'irreversible',
  exits: [1, 69, 73, 77],
  examples: [
    {
      command:
        'conclave hsm generate --module softhsm2 --token Root --pin-file pin.txt --algorithm p256 --name release',
      explains: 'then conclave sign --key release --pin-file pin.txt --in app.tar',
    },
  ],
  async run(input, context) {
    const descriptor = await resolve(input.algorithm);
    using attestor = await openAttestor(context, { makesHome: true });
    const keys = await tokenKeysOf(context);
    context.progress(`the token makes a key of ${descriptor.name}`);
    const placed = await keys.generate(placeOf(input, context), {
      descriptor,
      name: input.name ?? null,
      environment: input.dev === true ? 'dev' : context.environment,
      purposes: input.purpose.length === 0 ? undefined : (input.purpose as readonly Purpose[]),
      tags: parseTags(input.tag),
    });
    return await settled(placed, 'generate', context, attestor);
  },
  present: presentPlaced,
});
