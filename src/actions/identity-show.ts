/** `identity show`: what is public of one identity, its fingerprint above all. */
import {
  componentKeyIds,
  encodeIdentity,
  fingerprint,
  type Identity,
} from '#custody/authority/identity';
import { fromUtf8 } from '#formats/bytes';
import { defineAction } from './action.js';

/** One identity, explained. */
export interface ShownIdentity {
  readonly id: string;
  readonly name: string;
  readonly environment: Identity['environment'];
  readonly created: string;
  readonly fingerprint: string;
  readonly keyIds: { readonly ed25519: string; readonly mlDsa65: string; readonly xWing: string };
  /** The public file, as others need it. */
  readonly publicFile: string;
}

/** The action `identity show`. */
export const identityShow = defineAction({
  id: 'identity.show',
  summary: 'show an identity and the fingerprint to compare',
  description:
    'Shows what is public of an identity of the store or of a public file. The fingerprint is the id in groups of four digits: ' +
    'read it to each other over a second channel before relying on the keys. --out writes the public file for others.',
  inputs: {
    identity: {
      type: 'public-key',
      summary: 'an identity: its public file, its name in the store, or the beginning of its id',
      required: true,
      positional: 0,
      placeholder: 'IDENTITY',
    },
    out: { type: 'path', summary: 'write the public file there', placeholder: 'FILE' },
  },
  outputs: {
    fingerprint: { type: 'string', summary: 'the id in groups of four, for reading aloud' },
  },
  options: ['force'],
  effect: 'repeatable',
  examples: [
    { command: 'conclave identity show ada.key.pub', explains: 'what Ada handed out' },
    {
      command: "conclave identity show 'Ada Lovelace' --out ada.pub",
      explains: 'the public file of an identity of the store',
    },
  ],
  async run({ identity: reference, out }, context): Promise<ShownIdentity> {
    const identity = await context.identities.find(reference);
    const bytes = encodeIdentity(identity);
    if (out !== undefined) context.files.write(out, bytes);
    return {
      id: identity.id,
      name: identity.name,
      environment: identity.environment,
      created: identity.created,
      fingerprint: fingerprint(identity),
      keyIds: componentKeyIds(identity),
      publicFile: fromUtf8(bytes).trimEnd(),
    };
  },
  present: (shown) =>
    [
      `identity of ${shown.name}${shown.environment === 'production' ? '' : ` (${shown.environment})`}`,
      `created: ${shown.created}`,
      'fingerprint:',
      shown.fingerprint,
      'key ids:',
      `  ed25519    ${shown.keyIds.ed25519}`,
      `  ml-dsa-65  ${shown.keyIds.mlDsa65}`,
      `  x-wing     ${shown.keyIds.xWing}`,
    ].join('\n'),
});
