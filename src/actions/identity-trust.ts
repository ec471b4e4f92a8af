/** `identity trust`: how far an identity of somebody else is known to be theirs, recorded. */
import {
  acquaintance,
  IDENTITY_TRUSTED,
  type IdentityTrusted,
  type KnownIdentity,
} from '#custody/audit/known-identity';
import { meetsTrust, type TrustLevel } from '#custody/audit/trust';
import { fingerprint, type Identity } from '#custody/authority/identity';
import { ConclaveError, MissingInputError, RefusedError, UsageError } from '#formats/errors';
import { groupsOf, numberedGroups } from '#script/spoken';
import { defineAction } from './action.js';
import type { ActionContext } from './context/context.js';
import { findAnybody, keepPublicFile, knownIdentities } from './context/known-identities.js';
import { compareGiven, compareHeard } from './identity/compare.js';
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
    identity: {
      type: 'public-key',
      summary:
        'the public file of the identity, or somebody known here by name or beginning of the id',
      required: true,
      positional: 0,
      placeholder: 'IDENTITY',
    },
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
    changed: {
      type: 'boolean',
      summary: 'the person has a new key: this one takes the place of the one known by that name',
    },
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
    // Levels never fall because somebody asked for less than was known: only --withdraw lowers one.
    const isKnownBetter =
      before.was !== null &&
      before.was !== found.level &&
      meetsTrust(before.was, found.level) &&
      found.how !== 'withdrawal';
    keepPublicFile(identity, context);
    if (!isKnownBetter) {
      context.record({
        type: IDENTITY_TRUSTED,
        data: { id: identity.id, name: identity.name, ...found, replaces: before.replaces },
      });
    }
    return {
      id: identity.id,
      name: identity.name,
      fingerprint: fingerprint(identity),
      level: isKnownBetter ? before.was : found.level,
      was: before.was,
      recorded: !isKnownBetter,
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

async function assertNotOwn(identity: Identity, context: ActionContext): Promise<void> {
  if ((await context.identities.list()).every(({ id }) => id !== identity.id)) return;
  throw new UsageError({
    code: 'E_TRUST_OWN',
    message: `${identity.name} is an identity of this store, and needs nobody's word here`,
    hint: 'name the public file of somebody else',
  });
}

/**
 * What was known before.
 * @throws RefusedError `E_IDENTITY_CHANGED` for another key under a known name, `E_IDENTITY_RENAMED` for known keys under another
 * name, `E_IDENTITY_REPLACED` for a key that was given up
 */
function priorOf(
  identity: Identity,
  known: readonly KnownIdentity[],
  isChanged: boolean,
): { readonly was: TrustLevel | null; readonly replaces: string | null } {
  const met = acquaintance(known, identity);
  if (met.kind === 'unknown') return { was: null, replaces: null };
  const { name, id, level, replacedBy } = met.known;
  if (met.kind === 'changed') {
    if (isChanged) return { was: null, replaces: id };
    throw new RefusedError({
      code: 'E_IDENTITY_CHANGED',
      message:
        `ALARM: this is not the identity of ${name} that is ${level} here: ` +
        `its id begins with ${identity.id.slice(0, 16)}, and the known one with ${id.slice(0, 16)}`,
      hint: `ask ${name} over another channel; only if there really is a new key, say --changed`,
    });
  }
  if (name !== identity.name) {
    throw new RefusedError({
      code: 'E_IDENTITY_RENAMED',
      message: `ALARM: these are the keys of ${name}, under the name ${identity.name}`,
      hint: 'ask who they belong to; one set of keys has one name here',
    });
  }
  if (replacedBy !== null) {
    throw new RefusedError({
      code: 'E_IDENTITY_REPLACED',
      message: `this identity of ${name} was replaced here by ${replacedBy.slice(0, 16)}`,
      hint: 'ask for the present public file; a key that was given up does not come back',
    });
  }
  return { was: level, replaces: null };
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
  try {
    await compare(identity, typed, file, context);
  } catch (error) {
    if (error instanceof ConclaveError && error.code === 'E_FINGERPRINT_DIFFERS') {
      const { id, name } = identity;
      context.record({ type: 'identity.comparison-failed', data: { id, name } });
    }
    throw error;
  }
  return { level: 'verified', how: 'comparison', introduced: null };
}

async function compare(
  identity: Identity,
  typed: string | undefined,
  file: string,
  context: ActionContext,
): Promise<void> {
  if (typed !== undefined) {
    compareGiven(identity, typed, file);
    return;
  }
  const talk = await context.ask.converse?.();
  if (talk === undefined) {
    throw new UsageError({
      code: 'E_FINGERPRINT_MISSING',
      message: `the fingerprint of ${file} is to be compared, and nobody can be asked`,
      hint: 'give what its owner said by --fingerprint, or take it uncompared by --tofu',
    });
  }
  await compareHeard(identity, talk, file);
}

function notKnown({ name }: Identity, file: string): MissingInputError {
  return new MissingInputError({
    code: 'E_TRUST_UNKNOWN',
    message: `${name} (${file}) is not known here`,
    hint: 'conclave identity list says who is',
  });
}
