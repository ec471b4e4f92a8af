/** What a home knew of an identity before, and what it knows afterwards: the one way in which a level comes into the log. */
import {
  acquaintance,
  IDENTITY_TRUSTED,
  type IdentityTrusted,
  type KnownIdentity,
} from '#custody/audit/known-identity';
import { meetsTrust, type TrustLevel } from '#custody/audit/trust';
import type { Identity } from '#custody/authority/identity';
import { ConclaveError, RefusedError, UsageError } from '#formats/errors';
import type { ActionContext } from '../context/context.js';
import { keepPublicFile } from '../context/known-identities.js';

/** What was known before: the level, and whose place is taken. */
export interface Prior {
  readonly was: TrustLevel | null;
  readonly replaces: string | null;
}

/** @throws UsageError `E_TRUST_OWN` for an identity of this store */
export async function assertNotOwn(identity: Identity, context: ActionContext): Promise<void> {
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
export function priorOf(
  identity: Identity,
  known: readonly KnownIdentity[],
  isChanged: boolean,
): Prior {
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

/**
 * Keeps the public file, and records the level, unless more is known already: levels never fall because somebody asked for less;
 * only a withdrawal lowers one.
 */
export function recordLevel(
  identity: Identity,
  { was, replaces }: Prior,
  found: Pick<IdentityTrusted, 'level' | 'how' | 'introduced'>,
  context: ActionContext,
): { readonly level: TrustLevel; readonly recorded: boolean } {
  keepPublicFile(identity, context);
  const knownBetter =
    was !== null &&
    was !== found.level &&
    meetsTrust(was, found.level) &&
    found.how !== 'withdrawal';
  if (knownBetter) return { level: was, recorded: false };
  context.record({
    type: IDENTITY_TRUSTED,
    data: { id: identity.id, name: identity.name, ...found, replaces },
  });
  return { level: found.level, recorded: true };
}

/** A comparison; when the answer is no, the log says that it was tried. */
export async function orRecordFailure(
  { id, name }: Identity,
  context: ActionContext,
  compare: () => Promise<void>,
): Promise<void> {
  try {
    await compare();
  } catch (error) {
    if (error instanceof ConclaveError && error.code === 'E_FINGERPRINT_DIFFERS')
      context.record({ type: 'identity.comparison-failed', data: { id, name } });
    throw error;
  }
}
