import { selfCheck } from '#crypto/self-check';
import { addHistory } from '#custody/authority/states';
import { encodeTokenKey } from '#custody/authority/token-key';
import { formatTime } from '#formats/time';
import { defineAction } from './action.js';
import { openAttestor } from './attest/attestor.js';
import { inTokenOnly } from './context/token-places.js';
import { assertEnvironment, placeOf, tokenFields, tokenKeysOf } from './hsm/place.js';
import { presentPlaced, settled } from './hsm/result.js';
import { keyInToken } from './wrapping/into-token.js';

/** `conclave hsm import`. */
export const hsmImport = defineAction({
  id: 'hsm.import',
  summary: 'bring a key into a token',
  description:
    'The key crosses to the token wrapped: under an AES key, which crosses under an RSA key of the token. Only where the token ' +
    'cannot unwrap such keys it goes in clear, and the answer says so. Then a random message is signed (or authenticated, or ' +
    'encrypted) in the token and checked here; a token that fails has the key removed again. The token itself marks the key as ' +
    'brought in from outside, and that is recorded. Doing it again with the same key changes nothing.',
  inputs: {
    key: { type: 'key', summary: 'the key', required: true, positional: 0 },
    ...tokenFields,
    name: {
      type: 'string',
      summary: 'name from now on; its present one when not given',
      pattern: '[A-Za-z0-9][A-Za-z0-9_-]{0,63}',
    },
    way: {
      type: 'string',
      summary: 'how it may cross; auto goes in clear only where the token cannot unwrap',
      choices: ['auto', 'wrapped', 'clear'],
      default: 'auto',
    },
    under: {
      type: 'string',
      summary: 'the RSA key of the token to wrap under; one for this import when not given',
      placeholder: 'LABEL',
    },
    out: { type: 'path', summary: 'write the record of the key in the token there as well' },
  },
  outputs: {
    imported: { type: 'key', summary: 'the key in the token, as a PKCS#11 URI' },
    id: { type: 'digest', summary: 'its id' },
    uri: { type: 'string', summary: 'the same, as text' },
    crossing: { type: 'string', summary: 'how it crossed' },
    out: { type: 'file', summary: 'its record, as a token-key file' },
  },
  options: ['passphrase', 'identity', 'attestation', 'force', 'allow-environment'],
  effect: 'repeatable',
  secrecy: 'protects',
  exits: [69, 73],
  examples: [
    {
      command: 'conclave hsm import release --module softhsm2 --token Root --pin-file pin.txt',
      explains: 'a key of the store',
    },
    {
      command:
        'conclave hsm import ./ca.pem --module softhsm2 --token Root --name ca --way wrapped',
      explains: 'never in clear, or not at all',
    },
  ],
  async run(input, context) {
    if (input.out !== undefined) context.files.assertAbsent([input.out]);
    using attestor = await openAttestor(context, { makesHome: true });
    const elsewhere = await keyInToken(input.key, context);
    if (elsewhere !== undefined) throw inTokenOnly(elsewhere);
    using open = await context.keys.open(input.key);
    assertEnvironment(open.record, context);
    const raw = open.secret.use((bytes) => bytes.slice());
    try {
      await selfCheck(open.descriptor, raw, context.random);
    } finally {
      raw.fill(0);
    }
    const named = { ...open.record, name: input.name ?? open.record.name };
    const record = addHistory(named, 'imported', { time: formatTime(context.now()) });
    const keys = await tokenKeysOf(context);
    context.progress(`bringing the key into the token ${input.token}`);
    const placed = await keys.bring(placeOf(input, context), {
      record,
      descriptor: open.descriptor,
      secret: open.secret,
      way: input.way as 'auto' | 'wrapped' | 'clear',
      under: input.under === undefined ? undefined : { object: input.under },
    });
    const result = await settled(placed, 'import', context, attestor);
    if (input.out !== undefined) context.files.write(input.out, encodeTokenKey(placed.key));
    return { ...result, imported: result.key, uri: result.key, out: input.out ?? null };
  },
  present: presentPlaced,
});
