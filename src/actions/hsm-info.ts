import {
  attributesOf,
  descriptorFor,
  type KeyAttributes,
  keysIn,
  type KeyShape,
  shapeOf,
} from '#carriage/stores/pkcs11/object';
import { familyOf, mechanismsFor } from '#carriage/stores/pkcs11/family';
import { parseTokenUri } from '#carriage/stores/pkcs11/uri';
import { allDescriptors } from '#crypto/registry';
import { toHex } from '#formats/bytes';
import { OutputError } from '#formats/errors';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import { table } from './context/table.js';
import { leftText, type OpenToken } from './context/token-space.js';
import { placeOf, tokenFields, tokenKeysOf, tokensOf } from './hsm/place.js';

/** A key of the token. */
interface ListedKey {
  readonly label: string;
  readonly id: string;
  /** Null for kinds that conclave does not know. */
  readonly algorithm: string | null;
  readonly attributes: KeyAttributes;
}

/** `conclave hsm info`. */
export const hsmInfo = defineAction({
  id: 'hsm.info',
  summary: 'show a token, what it can do, and its keys',
  description:
    'Shows what a token says of itself and for which algorithms it has the mechanisms; with --keys it is entered, and its keys are ' +
    'listed with where they come from. What a token says is a claim of its library, not evidence. --free says beforehand whether a ' +
    'key can have a name there: a ceremony finds out before it makes the key.',
  inputs: {
    ...tokenFields,
    keys: { type: 'boolean', summary: 'enter the token and list its keys' },
    free: {
      type: 'string',
      summary: 'refuse when a key there, or one that this home knows in a token, is named so',
      pattern: '[A-Za-z0-9][A-Za-z0-9_-]{0,63}',
      placeholder: 'NAME',
    },
  },
  outputs: { token: { type: 'report', summary: 'what the token says of itself' } },
  effect: 'none',
  exits: [69, 73],
  examples: [
    {
      command: 'conclave hsm info --module softhsm2 --token Root',
      explains: 'without entering it',
    },
    {
      command: 'conclave hsm info --module softhsm2 --token Root --keys --pin-file pin.txt',
      explains: 'with its keys',
    },
  ],
  async run(input, context) {
    const space = await tokensOf(context);
    const enters = input.keys === true || input.free !== undefined;
    using open = await space.open(placeOf(input, context), enters ? 'user' : 'never');
    if (input.free !== undefined) await assertFreeName(input.free, open, context);
    const mechanisms = open.token.mechanisms();
    const algorithms: string[] = [];
    for (const descriptor of await allDescriptors()) {
      const family = familyOf(descriptor);
      if (family !== undefined && mechanismsFor(family).every((each) => mechanisms.has(each))) {
        algorithms.push(descriptor.name);
      }
    }
    return {
      token: open.description,
      module: open.module.path,
      library: open.module.library,
      algorithms,
      mechanisms: [...mechanisms].map((each) => `0x${each.toString(16)}`),
      keys: input.keys === true ? await keysOf(open, context) : null,
    };
  },
  present: ({ token, module, library, algorithms, mechanisms, keys }) => {
    const pairs: readonly (readonly [string, string])[] = [
      ['token', token.label],
      ['serial', token.serial],
      ['model', `${token.model} by ${token.manufacturer}`],
      ['firmware', `${token.firmware}, hardware ${token.hardware}`],
      ['module', `${module} (${library})`],
      [
        'PIN',
        [token.pinSet ? 'set' : 'not set', leftText(token.attempts)].filter(Boolean).join(', '),
      ],
      ['can use', algorithms.join(', ')],
      ['mechanisms', `${mechanisms.length}; --json lists them`],
    ];
    const lines = pairs.map(([name, value]) => `${name.padEnd(11)} ${value}`);
    if (keys === null) return lines.join('\n');
    if (keys.length === 0) return [...lines, 'no keys'].join('\n');
    const rows = keys.map(({ label, id, algorithm, attributes }) => [
      label,
      algorithm ?? 'unknown',
      id,
      originText(attributes),
    ]);
    return [
      ...lines,
      '',
      table(['KEY', 'ALGORITHM', 'ID', 'ORIGIN, AS THE TOKEN SAYS'], rows),
    ].join('\n');
  },
});

async function keysOf(
  { token, description }: OpenToken,
  context: ActionContext,
): Promise<readonly ListedKey[]> {
  const known = (await (await tokenKeysOf(context)).list()).filter(
    ({ device }) => device.serial === description.serial,
  );
  // SoftHSM forgets the length of a secret key that it unwrapped; whoever brought it in knows.
  const recorded = (id: string): string | null =>
    known.find(({ uri }) => toHex(parseTokenUri(uri).id ?? new Uint8Array(0)) === id)?.record
      .algorithm ?? null;
  const found = token.session({ write: false }, (session) =>
    keysIn(session).map((key): Omit<ListedKey, 'algorithm'> & { shape: KeyShape } => ({
      label: key.label,
      id: toHex(key.id),
      attributes: attributesOf(session, key),
      shape: shapeOf(session, key),
    })),
  );
  return await Promise.all(
    found.map(async ({ shape, ...key }) => ({
      ...key,
      algorithm: (await descriptorFor(shape))?.name ?? recorded(key.id),
    })),
  );
}

/** What an import would say of a name at its end, said before the key is made. @throws OutputError `E_KEY_NAME_TAKEN` */
async function assertFreeName(
  name: string,
  { token, description }: OpenToken,
  context: ActionContext,
): Promise<void> {
  const inToken = token.session({ write: false }, (session) =>
    keysIn(session, { object: name }).some(({ label }) => label === name),
  );
  const known = (await (await tokenKeysOf(context)).list()).find(
    ({ record }) => record.name === name && record.state !== 'destroyed',
  );
  if (!inToken && known === undefined) return;
  throw new OutputError({
    code: 'E_KEY_NAME_TAKEN',
    message: `a key in ${inToken ? `the token ${description.label}` : `the token ${known?.device.label ?? ''}, as this home knows,`} is named ${name} already`,
    hint: 'choose another name, or destroy that key first (conclave hsm destroy)',
  });
}

/** Where a key comes from, in words. */
export function originText({ local, alwaysSensitive, neverExtractable }: KeyAttributes): string {
  if (local === null) return 'it does not say';
  if (!local) return 'brought in from outside';
  return alwaysSensitive === true && neverExtractable === true
    ? 'made in the token, never outside'
    : 'made in the token';
}
