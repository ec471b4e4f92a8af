/** `identity show`: what is public of one identity, its fingerprint above all. */
import {
  componentKeyIds,
  encodeIdentity,
  fingerprint,
  type Identity,
} from '#custody/authority/identity';
import { acquaintance } from '#custody/audit/known-identity';
import type { TrustLevel } from '#custody/audit/trust';
import { fromUtf8 } from '#formats/bytes';
import { groupsOf, numberedGroups } from '#script/spoken';
import { defineAction } from './action.js';
import { findAnybody, knownIdentities } from './context/known-identities.js';

/** One identity, explained. */
export interface ShownIdentity {
  readonly id: string;
  readonly name: string;
  readonly environment: Identity['environment'];
  readonly created: string;
  readonly fingerprint: string;
  /** How well this home knows it: `own`, a level, `changed` when another identity has its name, null when it is new here. */
  readonly level: TrustLevel | 'own' | 'changed' | null;
  /** The identity of the same name that took its place here. */
  readonly replacedBy: string | null;
  readonly keyIds: { readonly ed25519: string; readonly mlDsa65: string; readonly xWing: string };
  /** The public file, as others need it. */
  readonly publicFile: string;
}

/** The action `identity show`. */
export const identityShow = defineAction({
  id: 'identity.show',
  summary: 'show an identity and the fingerprint to compare',
  description:
    'Shows what is public of an identity of the store or of a public file. The fingerprint is the id in groups of four digits, ' +
    'and in words: read it to each other over a second channel before relying on the keys, and let conclave identity trust record it. --out writes the public file for others.',
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
    level: { type: 'string', summary: 'how well this home knows it' },
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
    const identity = await findAnybody(reference, context);
    const bytes = encodeIdentity(identity);
    const own = (await context.identities.list()).some(({ id }) => id === identity.id);
    const met = acquaintance(knownIdentities(context), identity);
    if (out !== undefined) context.files.write(out, bytes);
    return {
      id: identity.id,
      name: identity.name,
      environment: identity.environment,
      created: identity.created,
      fingerprint: fingerprint(identity),
      level: own
        ? 'own'
        : met.kind === 'known'
          ? met.known.level
          : met.kind === 'changed'
            ? 'changed'
            : null,
      replacedBy: met.kind === 'known' ? met.known.replacedBy : null,
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
      numberedGroups(groupsOf(shown.id), 'words'),
      `level: ${levelText(shown)}`,
      'key ids:',
      `  ed25519    ${shown.keyIds.ed25519}`,
      `  ml-dsa-65  ${shown.keyIds.mlDsa65}`,
      `  x-wing     ${shown.keyIds.xWing}`,
    ].join('\n'),
});

function levelText({ level, replacedBy }: ShownIdentity): string {
  if (replacedBy !== null) return `${level ?? ''}, REPLACED here by ${replacedBy.slice(0, 16)}`;
  if (level === null) return 'not known here: conclave identity trust records a comparison';
  return level === 'changed' ? 'ALARM: this home knows another identity by this name' : level;
}
