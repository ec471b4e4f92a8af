/**
 * The identities of others that this home knows. What is known of them is in the log; their public files are kept once, so that
 * who was compared can be named later without the file.
 */
import { parseChain, verifyChain } from '#custody/audit/chain';
import { type KnownIdentity, knownFrom } from '#custody/audit/known-identity';
import { decodeIdentity, encodeIdentity, type Identity } from '#custody/authority/identity';
import { MissingInputError, NegativeError, RefusedError } from '#formats/errors';
import type { ActionContext, OnceSpace } from './context.js';
import { pick } from './references.js';

const MAX_PUBLIC_BYTES = 16 * 1024;

/**
 * The identities that the log of this home speaks of; none where there is no log.
 * @throws NegativeError `E_TRUST_LOG` for a log that was touched: what it says of people is then worth nothing
 */
export function knownIdentities({ audit }: Pick<ActionContext, 'audit'>): readonly KnownIdentity[] {
  const bytes = audit?.read();
  if (audit === undefined || bytes === undefined) return [];
  const { entries } = parseChain(bytes, audit.location);
  const verdict = verifyChain(entries);
  if (!verdict.ok) {
    throw new NegativeError({
      code: 'E_TRUST_LOG',
      message: `${audit.location}: ${verdict.reason}; it cannot say whom this home knows`,
      hint: 'conclave audit verify says more; restore the log, or begin a new home and compare again',
    });
  }
  return knownFrom(entries);
}

/** Keeps a public file; a home is made where there is none. */
export function keepPublicFile(identity: Identity, context: Pick<ActionContext, 'people'>): void {
  const once = keeping(context);
  if (once.read(nameOf(identity.id), MAX_PUBLIC_BYTES) !== undefined) return;
  once.write(nameOf(identity.id), encodeIdentity(identity));
}

/**
 * The public side of a known identity.
 * @throws MissingInputError `E_IDENTITY_FILE_GONE`; those of `decodeIdentity` when the file was altered
 */
export function publicSide(id: string, context: Pick<ActionContext, 'people'>): Identity {
  const once = keeping(context);
  const what = `${once.location}/${nameOf(id)}`;
  const bytes = once.read(nameOf(id), MAX_PUBLIC_BYTES);
  const identity = bytes === undefined ? undefined : decodeIdentity(bytes, what);
  if (identity?.id === id) return identity;
  throw new MissingInputError({
    code: 'E_IDENTITY_FILE_GONE',
    message: `${what} is not the public file of the identity ${id.slice(0, 16)}`,
    hint: 'remove it if it is there; conclave identity trust FILE puts it back',
  });
}

/**
 * An identity of the store or of a file, or one of somebody whom this home knows.
 * @throws as `identities.find`
 */
export async function findAnybody(reference: string, context: ActionContext): Promise<Identity> {
  try {
    return await context.identities.find(reference);
  } catch (error) {
    if (!(error instanceof MissingInputError) || error.code !== 'E_IDENTITY_NOT_FOUND') throw error;
    const current = knownIdentities(context).filter(({ replacedBy }) => replacedBy === null);
    const known = pick(current, reference, 'identity');
    if (known === undefined) throw error;
    return publicSide(known.id, context);
  }
}

function nameOf(id: string): string {
  return `identity/${id}`;
}

function keeping({ people }: Pick<ActionContext, 'people'>): OnceSpace {
  if (people !== undefined) return people;
  throw new RefusedError({
    code: 'E_TRUST_NOWHERE',
    message: 'nothing can be kept here about identities',
    hint: 'use the command line, with --home',
  });
}
