/** `identity trust`: how far an identity of somebody else is known to be theirs, recorded. */
import type { IdentityTrusted, KnownIdentity } from '#custody/audit/known-identity';
import type { TrustLevel } from '#custody/audit/trust';
import { fingerprint, type Identity } from '#custody/authority/identity';
import { MissingInputError, UsageError } from '#formats/errors';
import { groupsOf, numberedGroups } from '#script/spoken';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import { findAnybody, knownIdentities } from './context/known-identities.js';
import { compareSpoken } from './identity/compare.js';
import { changedField, somebodyField } from './identity/fields.js';
import { assertNotOwn, orRecordFailure, priorOf, recordLevel } from './identity/level.js';
import { vouchedFor } from './identity/vouched.js';

/** What this home knows afterwards. */
export interface TrustedIdentity {
  readonly id: string;
  readonly name: string;
  readonly fingerprint: string;
  readonly level: TrustLevel;
  /** Before; null for somebody new. */
  readonly was: TrustLevel | null;
  /** Whether anything was recorded: what is known better already is left as it is. */
  readonly recorded: boolean;
  /** The identity of the same name that this one takes the place of. */
  readonly replaces: string | null;
  readonly introducer: { readonly id: string; readonly name: string } | null;
}

type Ways = Readonly<{
  fingerprint?: string | undefined;
  introduction?: string | undefined;
  tofu?: boolean | undefined;
  withdraw?: boolean | undefined;
}>;

/** The action `identity trust`. */
export const identityTrust = defineAction({
  id: 'identity.trust',
  summary: 'compare a fingerprint with its owner, and record how well the identity is known',
  description:
    'Records in the log of this home how well the identity of somebody else is known. At a terminal the fingerprint is typed as its ' +
    'owner reads it aloud, in words, digits or letters of the radio alphabet, and the level is verified when it is that of the ' +
    'file; after three wrong answers nothing has changed. --introduction takes the signed word of somebody verified: introduced. ' +
    '--tofu takes the file as it came. Levels rise by one of these only. Another key under a name that is known here is refused ' +
    'until --changed says that the person has a new one; it begins anew, and the old one counts as replaced.',
  inputs: {
    identity: somebodyField,
    fingerprint: {
      type: 'string',
      summary: 'the whole fingerprint as its owner said it, digits or words: verified',
      placeholder: 'TEXT',
    },
    introduction: {
      type: 'file',
      summary: 'a statement by somebody who is verified here: introduced',
      placeholder: 'FILE',
    },
    tofu: { type: 'boolean', summary: 'take it as it came, compared by nobody' },
    withdraw: { type: 'boolean', summary: 'do not rely on it any more: back to tofu' },
    changed: changedField,
  },
  outputs: {
    level: { type: 'string', summary: 'verified, introduced or tofu' },
    fingerprint: { type: 'string', summary: 'the id in groups of four' },
  },
  effect: 'repeatable',
  only: 'cli',
  exits: [1, 77],
  examples: [
    {
      command: 'conclave identity trust bob.pub',
      explains: 'Bob reads his fingerprint aloud on the telephone; you type it',
    },
    {
      command: 'conclave identity trust carol.pub --introduction carol-by-bob.json',
      explains: 'Bob, who is verified here, compared it with Carol and signed that he did',
    },
  ],
  async run(input, context): Promise<TrustedIdentity> {
    const { identity: reference, changed } = input;
    assertOneWay(input);
    const identity = await findAnybody(reference, context);
    await assertNotOwn(identity, context);
    const known = knownIdentities(context);
    const before = priorOf(identity, known, changed === true);
    const found = await groundsFor(identity, input, known, context);
    const settled = recordLevel(identity, before, found, context);
    return {
      id: identity.id,
      name: identity.name,
      fingerprint: fingerprint(identity),
      level: settled.level,
      was: before.was,
      recorded: settled.recorded,
      replaces: before.replaces,
      introducer:
        found.introduced === null ? null : { id: found.introduced.by, name: found.introduced.name },
    };
  },
  present: ({ id, name, level, was, recorded, replaces, introducer }) =>
    [
      recorded
        ? `${name}: ${level}${introducer === null ? '' : `, by ${introducer.name}`}${was === null || was === level ? '' : ` (was ${was})`}`
        : `${name}: stays ${level}; nothing was recorded`,
      ...(replaces === null
        ? []
        : [`ALARM: the key of ${name} changed; ${replaces.slice(0, 16)} counts no more`]),
      numberedGroups(groupsOf(id), 'words'),
      ...(level === 'tofu'
        ? ['nobody compared this fingerprint: good enough to rehearse with']
        : []),
    ].join('\n'),
});

/** @throws UsageError `E_TRUST_WAYS` when more than one way to a level is named */
function assertOneWay({ fingerprint: typed, introduction, tofu, withdraw }: Ways): void {
  const named = [
    ...(typed === undefined ? [] : ['--fingerprint']),
    ...(introduction === undefined ? [] : ['--introduction']),
    ...(tofu === true ? ['--tofu'] : []),
    ...(withdraw === true ? ['--withdraw'] : []),
  ];
  if (named.length <= 1) return;
  throw new UsageError({
    code: 'E_TRUST_WAYS',
    message: `${named.join(' and ')} cannot go together`,
    hint: 'say one of them',
  });
}

/** What the level is going to rest on. */
async function groundsFor(
  identity: Identity,
  input: Ways & { readonly identity: string },
  known: readonly KnownIdentity[],
  context: ActionContext,
): Promise<Pick<IdentityTrusted, 'level' | 'how' | 'introduced'>> {
  const { identity: file, fingerprint: typed, introduction, tofu, withdraw } = input;
  if (withdraw === true) {
    if (known.every(({ id }) => id !== identity.id)) throw notKnown(identity, file);
    return { level: 'tofu', how: 'withdrawal', introduced: null };
  }
  if (tofu === true) return { level: 'tofu', how: 'first-sight', introduced: null };
  if (introduction !== undefined) {
    const introduced = await vouchedFor(identity, introduction, known, context);
    return { level: 'introduced', how: 'introduction', introduced };
  }
  await orRecordFailure(identity, context, () => compareSpoken(identity, typed, file, context));
  return { level: 'verified', how: 'comparison', introduced: null };
}

function notKnown({ name }: Identity, file: string): MissingInputError {
  return new MissingInputError({
    code: 'E_TRUST_UNKNOWN',
    message: `${name} (${file}) is not known here`,
    hint: 'conclave identity list says who is',
  });
}
