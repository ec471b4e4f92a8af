import { encodeTokenKey } from '#custody/authority/token-key';
import { recordJson } from '#custody/authority/record';
import { equal, toHex } from '#formats/bytes';
import { defineAction } from './action.js';
import { placeOf, tokenFields, tokenKeysOf, uriOf } from './hsm/place.js';
import { assertSameKey } from './hsm/same-key.js';
import { originText } from './hsm-info.js';

/** `conclave hsm attest`. */
export const hsmAttest = defineAction({
  id: 'hsm.attest',
  summary: 'tell what a token says of a key, and challenge it',
  description:
    'Enters the token, has a random message signed by the key and verifies it here, and writes down what the token says of the ' +
    "key's origin. The first proves that the token has the key now. The second is a claim of the token's library, which no " +
    'signature covers: it is called recorded, never checked.',
  inputs: {
    key: {
      type: 'string',
      summary: 'the key: its name, its label in the token, or a URI',
      required: true,
      positional: 0,
      placeholder: 'KEY',
    },
    ...tokenFields,
    sameAs: {
      type: 'key',
      summary: 'the key that it must be; compared by what both do',
      placeholder: 'KEY',
    },
    out: { type: 'path', summary: 'write it there as well, as a token-key file' },
  },
  outputs: {
    report: { type: 'report', summary: 'what the token says' },
    out: { type: 'file', summary: 'the file that was written' },
  },
  options: ['force'],
  effect: 'none',
  exits: [1, 69],
  examples: [
    {
      command: 'conclave hsm attest release --module softhsm2 --token Root --pin-file pin.txt',
      explains: 'where the key comes from, as the token says',
    },
    {
      command:
        'conclave hsm attest ca --module softhsm2 --token Root --pin-file pin.txt --same-as ./ca.pem',
      explains: 'whether it is the key of that file',
    },
  ],
  async run(input, context) {
    if (input.out !== undefined) context.files.assertAbsent([input.out]);
    const keys = await tokenKeysOf(context);
    const place = placeOf(input, context);
    const found = await keys.find(uriOf(input.key, place), place);
    using key = await keys.open(found, place);
    const message = context.random(32);
    // Opening compared the key with its record; a signature is verified by whoever opened it.
    const proof =
      key.signer !== undefined && found.record.purposes.includes('sign')
        ? { challenge: toHex(message), signature: toHex(key.signer.sign(message)) }
        : null;
    // Keys that do not sign show otherwise that they are there.
    const answered = proof === null ? key.inToken?.challenge(context.random) : undefined;
    if (input.sameAs !== undefined) await assertSameKey(key, input.sameAs, context);
    const now = { ...found, device: key.device ?? found.device };
    if (input.out !== undefined) context.files.write(input.out, encodeTokenKey(now));
    return {
      report: {
        uri: found.uri,
        origin: found.origin,
        crossing: found.crossing,
        device: now.device,
        record: recordJson(found.record),
        unchanged: equal(encodeTokenKey(now), encodeTokenKey(found)),
        proof,
        answered: answered ?? null,
        sameAs: input.sameAs ?? null,
      },
      out: input.out ?? null,
    };
  },
  present: ({ report, out }) =>
    [
      `key        ${report.uri}`,
      `token      ${report.device.label}: ${report.device.model} by ${report.device.manufacturer}, serial ${report.device.serial}, firmware ${report.device.firmware}`,
      `challenge  ${challengeText(report)}`,
      ...(report.sameAs === null ? [] : [`the same   as ${report.sameAs} (checked)`]),
      `origin     ${originText(report.device.attributes)} (recorded: the token says so)`,
      ...(report.crossing === '' ? [] : [`crossed    ${report.crossing}`]),
      ...(report.unchanged
        ? []
        : ['NOTE       the token now says something else than when the key was recorded']),
      ...(out === null ? [] : [`written    ${out}`]),
    ].join('\n'),
});

/** What the key did just now, and how far that goes. */
function challengeText({
  proof,
  answered,
}: {
  readonly proof: object | null;
  readonly answered: string | null;
}): string {
  if (proof !== null) return 'signed in the token, verified here (checked)';
  if (answered !== null) return `${answered} (checked)`;
  return 'such a key shows nothing without the key itself: see --same-as';
}
