/**
 * A participant gets an identity on the way: a new one that is made on that person's own medium, or one that the person brings.
 * Its id is in the journal before its file is written. Whatever ends the program in between, the next one finds the file and takes
 * it, or hears that it is lost; it never makes a second one without a word.
 */
import type { ActionContext, Asker } from '#actions/context/context';
import { acquaintance } from '#custody/audit/known-identity';
import { knownIdentities } from '#actions/context/known-identities';
import { fingerprint, type Identity, identityJson, newIdentity } from '#custody/authority/identity';
import type { JsonObject } from '#formats/canonical-json';
import { InternalError, NegativeError, OutputError, TryAgainError } from '#formats/errors';
import { asParticipant, IDENTITY_MAKING, roleEnrolledBy } from '#script/enrolment';
import type { EntryData, Participant, PublicIdentity, Said } from '#script/entries';
import { type Instance, instanceKey } from '#script/plan';
import { groupsOf, numberedGroups } from '#script/spoken';
import { compareFingerprint, vouchersFor } from './enrolment-comparison.js';
import { type EnrolmentPlace, placeOf, publicSideAt, referenceTo } from './enrolment-place.js';
import { forPerson } from './identities.js';
import { personOf } from './people.js';
import { type Session, whereOf } from './session.js';

/** One person at the desk where people are enrolled. */
export interface EnrolmentDesk {
  readonly session: Session;
  readonly instance: Instance;
  /** Asks for passphrases. */
  readonly ask: Asker;
  readonly heard: (said: Said) => void;
}

/** How an action enrols the person whom its step is for; undefined at a step that enrols nobody. */
export function enrolmentAt(desk: EnrolmentDesk): ActionContext['enrol'] {
  const role = roleEnrolledBy(desk.instance.step);
  return role === undefined ? undefined : (comparedBy) => enrol(desk, role, comparedBy);
}

/**
 * Enrols one person, and journals it.
 * @throws NegativeError `E_ENROLMENT_LEVEL`, `E_ENROLMENT_KNOWN`, `E_FINGERPRINT_DIFFERS`; TryAgainError `E_ENROLMENT_PLACE`
 */
async function enrol(
  desk: EnrolmentDesk,
  role: string,
  comparedBy: string | undefined,
): Promise<Identity> {
  const { session, instance } = desk;
  const { recorder, terminal } = session;
  const participant = recorder.state.participants.find(
    (it) => it.name === instance.for && it.role === role,
  );
  if (participant === undefined) {
    throw new InternalError({
      code: 'E_ENROLMENT_NOBODY',
      message: `${instanceKey(instance)} enrols nobody who takes part`,
    });
  }
  const { name } = participant;
  const present = personOf(participant).identity;
  if (present !== undefined) {
    terminal.say(`${name} has an identity: ${fingerprint(present)}\nNothing is made.`);
    return present;
  }
  const vouchers = vouchersFor(session, participant, comparedBy);
  const { identity, origin } = await obtain(desk, participant);
  if (origin === 'made') await copied(desk, identity);
  const compared = await compareFingerprint(desk, identity, vouchers);
  const enrolled: EntryData['participant.enrolled'] = {
    name,
    role,
    identity: identityJson(identity) as unknown as PublicIdentity,
    // Nobody is better known than whoever compared them.
    level: compared?.voucher.level ?? 'tofu',
    how: {
      origin,
      compared:
        compared === undefined
          ? null
          : {
              by: compared.voucher.name,
              role: compared.voucher.role,
              graded: compared.graded,
            },
    },
  };
  recorder.write('participant.enrolled', enrolled);
  terminal.say(`${name} takes part by this identity from here on; it is ${enrolled.level}.`);
  return personOf(asParticipant(enrolled)).identity ?? identity;
}

interface Obtained {
  readonly identity: Identity;
  readonly origin: 'made' | 'brought';
}

/** The identity on the person's medium: what lies there already, or a new one. */
async function obtain(desk: EnrolmentDesk, participant: Participant): Promise<Obtained> {
  const { terminal } = desk.session;
  const { name } = participant;
  const told = toldIds(desk);
  for (;;) {
    const place = await placeOf(desk.session, desk.instance, name);
    if (place.files.exists(place.path)) {
      const identity = publicSideAt(place);
      const origin = told.has(identity.id) ? 'made' : 'brought';
      if (origin === 'brought' && !(await isMeant(desk, place, identity))) {
        if (place.fixed) throw elsewhere(place, 'is not the one that is meant');
        continue;
      }
      if (origin === 'made')
        terminal.say('The identity that was made before the interruption is there.');
      await openedByOwner(desk, participant, place);
      return { identity, origin };
    }
    if (told.size > 0 && !(await isGivenUp(desk, place, told))) {
      if (place.fixed) throw elsewhere(place, 'is not there');
      continue;
    }
    return { identity: await make(desk, participant, place), origin: 'made' };
  }
}

/** Ids of identities that were begun at this instance, and by which nobody takes part. */
function toldIds({ session, instance }: EnrolmentDesk): ReadonlySet<string> {
  const { act, step, for: person } = whereOf(instance);
  return new Set(
    session.recorder.entries.flatMap(({ type, data }) =>
      type === 'event' &&
      data.event === IDENTITY_MAKING &&
      data.act === act &&
      data.step === step &&
      data.for === person
        ? [idIn(data.data)]
        : [],
    ),
  );
}

function idIn({ id }: JsonObject): string {
  return typeof id === 'string' ? id : '';
}

async function isMeant(
  { session, instance }: EnrolmentDesk,
  { path }: EnrolmentPlace,
  identity: Identity,
): Promise<boolean> {
  assertNotAnother(session, identity);
  const since = identity.created.slice(0, 10);
  const answer = await session.terminal.confirm(
    `${instance.for ?? ''}: ${path} is an identity of ${identity.name}, made on ${since}. Is it the one by which you take part?`,
    { key: instanceKey(instance) },
  );
  return answer.value;
}

/** An identity was begun, and is not where it is looked for: only its owner can say that it does not lie elsewhere. */
async function isGivenUp(
  { session, instance }: EnrolmentDesk,
  { path, own }: EnrolmentPlace,
  told: ReadonlySet<string>,
): Promise<boolean> {
  const { terminal } = session;
  const ids = [...told].map((id) => id.slice(0, 16)).join(', ');
  if (own) {
    // The session's own folder has one such place: what is not there was never written.
    terminal.say(
      `The identity ${ids} was begun, and its file was never written. A new one is made.`,
    );
    return true;
  }
  const answer = await terminal.choose(
    `${instance.for ?? ''}: the identity ${ids} was begun before the interruption, and is not ${path}. What now?`,
    [
      { value: 'elsewhere', label: 'It lies under another name: look there' },
      { value: 'lost', label: 'It is nowhere: give it up, and make another one' },
    ],
    { key: instanceKey(instance) },
  );
  return answer.value === 'lost';
}

/** That it opens shows that it is the person's own, and that the record can be signed by it in the end. */
async function openedByOwner(
  { session, ask }: EnrolmentDesk,
  participant: Participant,
  place: EnrolmentPlace,
): Promise<void> {
  const { identities } = session.context.within({
    files: place.files,
    ask: forPerson(ask, participant),
  });
  const open = await identities.open(referenceTo(place));
  open?.[Symbol.dispose]();
}

async function make(
  { session, instance, ask }: EnrolmentDesk,
  participant: Participant,
  place: EnrolmentPlace,
): Promise<Identity> {
  const { context, environment, recorder } = session;
  const { name } = participant;
  assertNotAnother(session, { id: '', name });
  using open = await newIdentity({
    name,
    environment,
    now: context.now(),
    random: context.random,
  });
  const { identity } = open;
  const { identities } = context.within({
    environment,
    files: {
      ...place.files,
      write: (path, bytes, options) => {
        const data = { id: identity.id, name };
        recorder.write('event', { ...whereOf(instance), event: IDENTITY_MAKING, data });
        place.files.write(path, bytes, options);
      },
    },
    ask: forPerson(ask, participant),
  });
  await identities.add(open, { out: referenceTo(place) });
  if (publicSideAt(place).id !== identity.id) {
    throw new OutputError({
      code: 'E_ENROLMENT_UNWRITTEN',
      message: `${place.path} does not hold what was written there`,
      hint: 'take another medium',
    });
  }
  return identity;
}

/** Its owner has the fingerprint on paper: the copy from which it is read to others, here and later. */
async function copied({ session, instance }: EnrolmentDesk, identity: Identity): Promise<void> {
  const { terminal } = session;
  const { name, id } = identity;
  terminal.say(
    `This is the fingerprint of ${name}, in words and in digits:\n${numberedGroups(groupsOf(id), 'words')}\n${fingerprint(identity)}`,
  );
  const answer = await terminal.confirm(
    `${name}: is the whole of it on a paper that you keep, in words or in digits?`,
    { key: instanceKey(instance) },
  );
  if (!answer.value) {
    throw new NegativeError({
      code: 'E_STEP_DENIED',
      message: `${instanceKey(instance)}: ${name} has no copy of the fingerprint`,
      hint: 'the identity is made and stays where it is; copy its fingerprint when the step is done again',
    });
  }
}

/**
 * Whom this machine knows by another identity is not enrolled by this one.
 * @throws NegativeError `E_ENROLMENT_KNOWN`
 */
function assertNotAnother(session: Session, identity: Pick<Identity, 'id' | 'name'>): void {
  if (session.slips !== undefined) return;
  const met = acquaintance(knownIdentities(session.context), identity);
  const replaced = met.kind === 'known' && met.known.replacedBy !== null;
  if (met.kind !== 'changed' && !replaced) return;
  throw new NegativeError({
    code: 'E_ENROLMENT_KNOWN',
    message: `ALARM: this home knows ${identity.name} by another identity, ${met.known.id.slice(0, 16)}`,
    hint: `find out why; if there really is a new one, say so first: conclave identity trust FILE --changed`,
  });
}

function elsewhere({ path }: EnrolmentPlace, problem: string): TryAgainError {
  return new TryAgainError({
    code: 'E_ENROLMENT_PLACE',
    message: `${path}, which the site file names, ${problem}`,
    hint: 'bring the medium, or correct the site file, and go on with --resume',
  });
}
