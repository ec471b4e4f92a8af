/**
 * Who takes part: the people that a participants file lists, or made-up ones. In dev ceremonies and rehearsals their
 * identities are made here and now, at trust level `tofu`, sealed under passphrases that are handed out.
 */
import { dirname, join } from 'node:path';
import { newIdentity, decodeIdentity, identityJson } from '#custody/authority/identity';
import type { Environment } from '#custody/authority/record';
import { InputError, MissingInputError, RefusedError } from '#formats/errors';
import type { HostFiles } from '#host/host';
import type { Definition } from '#script/definition';
import { enrolledRoles } from '#script/enrolment';
import type { Participant, PublicIdentity } from '#script/entries';
import type { ListedParticipant } from '#script/parse';
import { peopleProblems } from '#script/people';
import type { CommandContext } from './command.js';
import { folderFiles } from './files.js';
import { levelProblems, type ListedIdentity } from './known-people.js';
import { fileName, type Handouts } from './people.js';

/** Folder of the sealed private identities that the program made, relative to the session. */
const IDENTITIES = 'identities';

/** What decides who takes part. */
export interface Convocation {
  readonly definition: Definition;
  /** From `participants.yaml`; undefined without one. */
  readonly listed: readonly ListedParticipant[] | undefined;
  /** The participants file, as typed; relative paths in it start at its folder. */
  readonly listedIn: string;
  readonly environment: Environment;
  readonly session: string;
  readonly slips: Handouts | undefined;
}

/** Where the engine keeps the private identity that it made for a person, relative to the session. */
export function identityFile(name: string): string {
  return `${IDENTITIES}/${fileName(name)}.key`;
}

/**
 * The participants of a new session.
 * @throws InputError `E_PARTICIPANTS_UNFIT` when they are not those that the definition asks for; MissingInputError
 * `E_PARTICIPANTS_MISSING` when a real ceremony lists nobody; RefusedError `E_IDENTITY_ENVIRONMENT`
 */
export async function convene(
  context: CommandContext,
  convocation: Convocation,
): Promise<readonly Participant[]> {
  const { definition, environment, slips } = convocation;
  const people = convocation.listed ?? strangers(convocation);
  const enrols = enrolledRoles(definition);
  const participants: Participant[] = [];
  const brought: ListedIdentity[] = [];
  for (const person of people) {
    const { name, role } = person;
    const named = person.identity !== null || definition.roles[role]?.identity === 'required';
    if (slips !== undefined && named && !enrols.has(role)) {
      const identity = await makeIdentity(context, convocation, name, slips);
      participants.push({ name, role, identity, level: 'tofu' });
    } else if (person.identity !== null && slips === undefined) {
      const identity = readIdentity(context.host.files, convocation, name, person.identity);
      if (environment === 'production' && identity.environment !== 'production') {
        throw new RefusedError({
          code: 'E_IDENTITY_ENVIRONMENT',
          message: `${name} has a ${identity.environment} identity (${person.identity})`,
          hint: 'a real ceremony needs identities made with identity new',
        });
      }
      participants.push({ name, role, identity, level: person.level });
      brought.push({ name, level: person.level, identity });
    } else {
      participants.push({ name, role, identity: null, level: 'none' });
    }
  }
  const unfit = peopleProblems(
    definition,
    participants.map(({ name, role, identity, level }) => ({
      name,
      role,
      identity: identity?.id ?? null,
      ...(environment === 'production' ? { level } : {}),
    })),
    enrols,
  );
  const problems = [...unfit, ...levelProblems(context, brought)];
  if (problems.length > 0) {
    throw new InputError({
      code: 'E_PARTICIPANTS_UNFIT',
      message: `${convocation.listedIn}: ${problems.join('; ')}`,
      hint: `the ceremony ${definition.id} says who is needed; correct the participants`,
      details: { problems },
    });
  }
  return participants;
}

/** One made-up person per place: `administrator`, `custodian-1`, `custodian-2` … */
function strangers({ definition, slips, listedIn }: Convocation): readonly ListedParticipant[] {
  if (slips === undefined) {
    throw new MissingInputError({
      code: 'E_PARTICIPANTS_MISSING',
      message: `a real ceremony needs its people listed in ${listedIn}`,
      hint: `start from "conclave ceremony new ${definition.id} DIR", or add --rehearse`,
    });
  }
  return Object.entries(definition.roles).flatMap(([role, { count }]) =>
    Array.from({ length: count }, (_, i) => ({
      name: count === 1 ? role : `${role}-${i + 1}`,
      role,
      identity: null,
      level: 'none' as const,
    })),
  );
}

function readIdentity(
  files: HostFiles,
  { listedIn }: Convocation,
  name: string,
  path: string,
): PublicIdentity {
  const at = join(dirname(listedIn), path);
  if (!files.exists(at)) {
    throw new MissingInputError({
      code: 'E_FILE_MISSING',
      message: `${at}, the public identity of ${name}, does not exist`,
      hint: `each person makes one by "conclave identity new" and brings the .pub file; ceremony readiness lists all that is missing`,
    });
  }
  const bytes = files.read(at, 64 * 1024);
  return identityJson(decodeIdentity(bytes, path)) as unknown as PublicIdentity;
}

async function makeIdentity(
  context: CommandContext,
  { environment, session }: Convocation,
  name: string,
  slips: Handouts,
): Promise<PublicIdentity> {
  using identity = await newIdentity({
    name,
    environment,
    now: context.now(),
    random: context.random,
  });
  // The slip first: a sealed identity without its passphrase would be lost for a session that goes on after a power cut.
  const place = context.within({
    environment,
    files: folderFiles(context.host.files, session),
    ask: {
      people: () => [],
      passphrase: ({ attempt }) => Promise.resolve(attempt === 0 ? slips.read(name) : undefined),
      newPassphrase: () => Promise.resolve(slips.issue(name)),
    },
  });
  await place.identities.add(identity, { out: identityFile(name) });
  return identityJson(identity.identity) as unknown as PublicIdentity;
}
