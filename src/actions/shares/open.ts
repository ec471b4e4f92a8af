/** Opening shares with what this run has: passphrases that are asked for, identities that can be opened. */
import type { OpenIdentity } from '#custody/authority/identity';
import { SEED_BYTES } from '#custody/audit/component-keys';
import { RefusedError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import type { ShareFile } from '#protocols/sharing/envelope';
import { indexName } from '#protocols/sharing/structure';
import type { ActionContext, Person } from '../context/context.js';
import { isSealedTo, notOpened, openByIdentity, openByPassphrase, takeUnsealed } from './seal.js';

/** Opens one share file: share(32) ‖ r(23), owned by the receiver. */
export type ShareOpener = (share: ShareFile, name: string) => Promise<SecretBytes>;

/** What an opener may use of a context. */
export type OpenerContext = Pick<ActionContext, 'ask' | 'identities'>;

/**
 * An opener over a context. A passphrase is asked for share by share; identities are the one that `--identity` named, those
 * of the people given, and those that this home keeps.
 * @param people - custodians in the order of their shares, where a ceremony knows them
 * @returns throws {@link RefusedError} `E_SHARE_SEALED`, `E_PASSPHRASE_WRONG`; what the asker throws where nobody can be asked
 */
export function contextOpener(context: OpenerContext, people: readonly Person[] = []): ShareOpener {
  return async (share, name) => {
    switch (share.seal.kind) {
      case 'unsealed':
        return takeUnsealed(share, name);
      case 'passphrase':
      case 'argon2id': {
        const holder =
          share.structure.groups.length === 1 ? people[share.index.member - 1] : undefined;
        return await askPassphrase(share, name, context, holder);
      }
      case 'identity': {
        using identity = await findIdentity(share, name, context, people);
        const seed = identity.seeds.use((seeds) => seeds.slice(2 * SEED_BYTES, 3 * SEED_BYTES));
        try {
          return await openByIdentity(share, seed, name);
        } finally {
          seed.fill(0);
        }
      }
    }
  };
}

async function askPassphrase(
  share: ShareFile,
  name: string,
  { ask }: OpenerContext,
  person: Person | undefined,
): Promise<SecretBytes> {
  let refusal: RefusedError | undefined;
  const opens = `share ${indexName(share.index, share.structure)} (${name})`;
  for (let attempt = 0; ; attempt++) {
    const question = { opens, attempt, ...(person === undefined ? {} : { person }) };
    const passphrase = await ask.passphrase(question);
    if (passphrase === undefined) {
      throw refusal ?? notOpened(name, 'is sealed, and no passphrase was given', GIVE_PASSPHRASE);
    }
    try {
      return await openByPassphrase(share, passphrase, name);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      refusal = error;
    } finally {
      passphrase.dispose();
    }
  }
}

async function findIdentity(
  share: ShareFile,
  name: string,
  { identities }: OpenerContext,
  people: readonly Person[],
): Promise<OpenIdentity> {
  const known = [
    ...people.flatMap(({ identity }) => (identity === undefined ? [] : [identity])),
    ...(await identities.list()),
  ];
  const recipient = known.find(({ xWing }) => isSealedTo(share, xWing));
  const named = await identities.open();
  if (named !== undefined) {
    if (isSealedTo(share, named.identity.xWing)) return named;
    named[Symbol.dispose]();
  }
  if (recipient !== undefined) {
    const opened = await identities.open(recipient.id);
    if (opened !== undefined) return opened;
  }
  throw notOpened(
    name,
    recipient === undefined
      ? 'is sealed to an identity that is not here'
      : `is sealed to the identity of ${recipient.name}`,
    'name the identity with --identity',
  );
}

const GIVE_PASSPHRASE = 'give it by --passphrase-file';
