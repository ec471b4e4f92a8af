/** `identity new`: the keys with which one person signs statements and receives sealed things. */
import {
  componentKeyIds,
  encodeIdentity,
  fingerprint,
  type Identity,
  newIdentity,
} from '#custody/authority/identity';
import type { Environment } from '#custody/authority/record';
import { UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import { parseStore } from './context/references.js';

/** A new identity. */
export interface NewIdentity {
  readonly id: string;
  readonly name: string;
  readonly environment: Environment;
  readonly fingerprint: string;
  readonly keyIds: { readonly ed25519: string; readonly mlDsa65: string; readonly xWing: string };
  /** Where the private file rests; what lies on somebody's own medium is no business of a ceremony's record. */
  readonly location?: string;
  /** The public file, when one was written beside `--out`. */
  readonly public: string | null;
}

/** The action `identity new`. */
export const identityNew = defineAction({
  id: 'identity.new',
  summary: 'make an identity: the keys with which a person signs and receives',
  description:
    'Makes three keys of one person, Ed25519 and ML-DSA-65 to sign statements and X-Wing to open what is sealed to that person, ' +
    'used for nothing else. The private file is sealed under a passphrase; the public file may be given to anybody. ' +
    'Others should compare the fingerprint with its owner over a second channel before they rely on it.',
  inputs: {
    name: {
      type: 'string',
      summary: 'the name of the person, as transcripts show it',
      required: true,
      placeholder: 'NAME',
    },
    out: {
      type: 'path',
      summary: 'write the private file there, and FILE.pub beside it, and not into the store',
      only: 'cli',
      placeholder: 'FILE',
    },
    publicOut: { type: 'path', summary: 'write the public file there', only: 'ceremony' },
    comparedBy: {
      type: 'role',
      summary: 'the role of which one types the fingerprint, as its owner reads it',
      only: 'ceremony',
    },
    store: {
      type: 'string',
      summary: 'where it rests: file (the default), or keychain',
      pattern: 'file|keychain(?::keytar|:keyring)?',
      only: 'cli',
      placeholder: 'STORE',
    },
  },
  outputs: {
    public: { type: 'public-key', summary: 'the public file' },
    fingerprint: { type: 'string', summary: 'the id in groups of four, for reading aloud' },
    id: { type: 'string', summary: 'the id' },
  },
  options: ['new-passphrase', 'force'],
  effect: 'repeatable',
  examples: [
    {
      command: "conclave identity new --name 'Ada Lovelace'",
      explains: 'an identity in the store; the passphrase is asked for twice',
    },
    {
      command: "conclave identity new --name 'Ada Lovelace' --out ada.key",
      explains: 'ada.key for Ada alone, ada.key.pub for everybody',
    },
  ],
  async run({ name, out, store, publicOut, comparedBy }, context): Promise<NewIdentity> {
    if (context.inCeremony === true) return await enrolled(publicOut, comparedBy, context);
    if (out !== undefined && (store ?? 'file') !== 'file') {
      throw new UsageError({
        code: 'E_STORE_AND_OUT',
        message: `an identity rests in ${out} or in the ${store}, not in both`,
        hint: 'leave out --out or --store',
      });
    }
    const publicFile = out === undefined || out === '-' ? undefined : `${out}.pub`;
    if (out !== undefined && publicFile !== undefined) {
      context.files.assertAbsent([out, publicFile]);
    }
    using open = await newIdentity({
      name,
      environment: context.environment,
      now: context.now(),
      random: context.random,
    });
    const { identity } = open;
    const location = await context.identities.add(open, {
      out,
      store: parseStore(store ?? 'file'),
    });
    if (publicFile !== undefined) context.files.write(publicFile, encodeIdentity(identity));
    context.record({
      type: 'identity.created',
      data: { id: identity.id, name: identity.name, environment: identity.environment },
    });
    return { ...told(identity), location, public: publicFile ?? null };
  },
  present: (made) =>
    [
      `identity of ${made.name}${made.environment === 'production' ? '' : ` (${made.environment})`}`,
      ...(made.location === undefined ? [] : [`private file: ${made.location}`]),
      ...(made.public === null ? [] : [`public file: ${made.public}`]),
      'fingerprint:',
      made.fingerprint,
    ].join('\n'),
});

/** In a ceremony a step enrols each of a role; whether an identity is made or brought is for the person to say. */
async function enrolled(
  publicOut: string | undefined,
  comparedBy: string | undefined,
  { enrol, files }: ActionContext,
): Promise<NewIdentity> {
  if (enrol === undefined) {
    throw new UsageError({
      code: 'E_IDENTITY_NOBODY',
      message: 'in a ceremony an identity is made for each of a role, and this step is for nobody',
      hint: 'give the step "each:"',
    });
  }
  if (publicOut !== undefined) files.assertAbsent([publicOut]);
  const identity = await enrol(comparedBy);
  if (publicOut !== undefined) files.write(publicOut, encodeIdentity(identity));
  return { ...told(identity), public: publicOut ?? null };
}

function told(identity: Identity): Omit<NewIdentity, 'location' | 'public'> {
  return {
    id: identity.id,
    name: identity.name,
    environment: identity.environment,
    fingerprint: fingerprint(identity),
    keyIds: componentKeyIds(identity),
  };
}
