/** Whose signatures count: the identities that the operator pinned, or, without a pin, those that this store knows. */
import { dirname, join } from 'node:path';
import { decodeIdentity, type Identity } from '#custody/authority/identity';
import type { ActionContext } from '../context/context.js';
import type { VerifyOptions } from './artifact.js';

/** Longest accepted public file. */
const MAX_PUBLIC_BYTES = 64 * 1024;

/** Identities to verify against. */
export interface Pinned {
  readonly identities: readonly Identity[];
  /** Whether the operator named them; otherwise a signature by one of them is only recorded. */
  readonly pinned: boolean;
}

/**
 * The identities of `--signer` and `--participants`; without either those of this store, unpinned.
 * @throws the errors of reading the files named
 */
export async function pinnedIdentities(
  options: VerifyOptions,
  context: ActionContext,
): Promise<Pinned> {
  const { signers, participants } = options;
  if (signers.length === 0 && participants === undefined) {
    return { identities: await context.identities.list(), pinned: false };
  }
  const identities: Identity[] = [];
  for (const signer of signers) identities.push(await context.identities.find(signer));
  if (participants !== undefined) {
    // YAML is loaded only where there is some to read.
    const { parseParticipants } = await import('#script/parse');
    const listed = parseParticipants(context.files.read(participants), participants);
    for (const { identity } of listed) {
      if (identity === null) continue;
      const path = join(dirname(participants), identity);
      identities.push(decodeIdentity(context.files.read(path, MAX_PUBLIC_BYTES), path));
    }
  }
  return { identities: unique(identities), pinned: true };
}

function unique(identities: readonly Identity[]): readonly Identity[] {
  return [...new Map(identities.map((identity) => [identity.id, identity])).values()];
}
