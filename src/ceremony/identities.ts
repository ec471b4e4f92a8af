/** The identities of a session's people, as its steps and its closing reach their private sides. */
import { join } from 'node:path';
import type { Asker, IdentitySpace } from '#actions/context/context';
import type { OpenIdentity } from '#custody/authority/identity';
import { MissingInputError } from '#formats/errors';
import type { Participant } from '#script/entries';
import { folderFiles } from './files.js';
import { identityFile } from './participants.js';
import { personOf } from './people.js';
import { fromSite, type Session } from './session.js';

/** How often a person may name a file before the session waits for another day. */
const ATTEMPTS = 3;

/**
 * Opens a participant's private identity: the one that the program made, the one that the site file binds, or the one whose
 * path the person gives now.
 * @param ask - asks for that person's passphrase
 * @param key - under which an answers file says where it lies
 * @returns owned: the caller disposes it
 * @throws MissingInputError `E_IDENTITY_PRIVATE_MISSING`, RefusedError `E_PASSPHRASE_WRONG`
 */
export async function openParticipant(
  session: Session,
  participant: Participant,
  ask: Asker,
  key: string,
): Promise<OpenIdentity> {
  const { context, folder, site, siteFolder, terminal } = session;
  const { name } = participant;
  const own = identityFile(name);
  const made = context.host.files.exists(join(folder, own));
  const bound = site.identities[name];
  const asked = !made && bound === undefined;
  const files = made ? { files: folderFiles(context.host.files, folder) } : {};
  const place = context.within({ ...files, ask: forPerson(ask, participant) });
  for (let attempt = 1; ; attempt++) {
    const path = made
      ? own
      : bound !== undefined
        ? fromSite(siteFolder, bound)
        : (
            await terminal.text(
              `${name}: where is your private identity file?`,
              { key },
              (typed) =>
                context.host.files.exists(typed) ? undefined : `There is no file ${typed}.`,
            )
          ).value;
    const reference = /[/.]/.test(path) ? path : `./${path}`;
    const identity = await place.identities.open(reference);
    if (identity !== undefined && identity.identity.id === participant.identity?.id)
      return identity;
    identity?.[Symbol.dispose]();
    const other = `${path} is not the identity with which ${name} takes part`;
    if (!asked || !terminal.interactive || attempt === ATTEMPTS) {
      throw new MissingInputError({
        code: 'E_IDENTITY_PRIVATE_MISSING',
        message: other,
        hint: 'bring the file that belongs to the public one in the participants file, and go on with --resume',
      });
    }
    terminal.say(`${other}. Once more.`);
  }
}

/** How a step reaches identities. */
export interface IdentityAccess {
  readonly ask: Asker;
  /** Key of the step under way: `act/step`. */
  readonly step: string;
  /** Who signs what the step signs; nobody when undefined, or when that person's private identity is not at hand. */
  readonly signer: string | undefined;
}

/** The identities as one step sees them: the participants' by id or name, all others as usual. */
export function sessionIdentities(
  session: Session,
  elsewhere: IdentitySpace,
  { ask, step, signer }: IdentityAccess,
): IdentitySpace {
  const { recorder } = session;
  const named = (reference: string): Participant | undefined =>
    recorder.state.participants.find(
      ({ name, identity }) =>
        identity !== null && (identity.id === reference || name === reference),
    );
  return {
    ...elsewhere,
    list: async () => [
      ...recorder.state.participants.flatMap((it) => personOf(it).identity ?? []),
      ...(await elsewhere.list()),
    ],
    find: async (reference) => {
      const participant = named(reference);
      const identity = participant && personOf(participant).identity;
      return identity ?? (await elsewhere.find(reference));
    },
    open: async (reference) => {
      if (reference === undefined) {
        const participant = signer === undefined ? undefined : named(signer);
        return participant === undefined || !isAtHand(session, participant.name)
          ? undefined
          : await openParticipant(session, participant, ask, `${step}/${participant.name}`);
      }
      const participant = named(reference);
      return participant === undefined
        ? await elsewhere.open(reference)
        : await openParticipant(session, participant, ask, `${step}/${participant.name}`);
    },
  };
}

function isAtHand({ context, folder, site }: Session, name: string): boolean {
  return (
    context.host.files.exists(join(folder, identityFile(name))) ||
    site.identities[name] !== undefined
  );
}

/** An asker whose questions about passphrases are for one person. */
export function forPerson(ask: Asker, participant: Participant): Asker {
  const person = personOf(participant);
  return {
    ...ask,
    passphrase: (question) => ask.passphrase({ ...question, person }),
    newPassphrase: (question) => ask.newPassphrase({ ...question, person }),
  };
}
