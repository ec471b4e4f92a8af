/**
 * In the cage: custodians bring the key files of their shares of a threshold key, one medium after the other, and each opens the
 * own one. What does not belong is named at once and not taken, so that somebody can look for the right one.
 */
import { join } from 'node:path';
import { ConclaveError, InterruptedError, NegativeError, UsageError } from '#formats/errors';
import type { ActionContext, Conversation, Person } from '../context/context.js';
import { assertQuorum, partiesOf, seatMembers } from '../threshold/opening.js';
import { assertShare, type OpenedScalar } from './prove-scalars.js';
import type { ScalarKey } from './scalar-key.js';

/** Who brings what. */
export interface Bringing {
  readonly key: ScalarKey;
  /** Numbers that the request names; undefined for any quorum. */
  readonly wanted: readonly number[] | undefined;
  /** Role whose holders are members of the group. */
  readonly role: string;
  /** Folder into which each puts their medium. */
  readonly folder: string;
}

/** A custodian and the number of the share. */
interface Holder {
  readonly number: number;
  readonly person: Person;
}

/** What bringing reaches. */
type BringContext = Pick<ActionContext, 'ask' | 'files' | 'keys' | 'environment'>;

/**
 * Opens exactly the shares that sign, ascending by number, each with its custodian at the keyboard.
 * @returns the caller disposes the openings
 * @throws {@link UsageError} `E_TRACE_SHARES` where nobody can be asked, or a named share is nobody's here
 * @throws {@link NegativeError} `E_SHARE_UNREADABLE`; {@link InterruptedError} when people stop
 */
export async function bringScalars(
  bringing: Bringing,
  context: BringContext,
): Promise<OpenedScalar[]> {
  const { key, wanted } = bringing;
  const conversation = await context.ask.converse?.();
  if (conversation === undefined) {
    throw new UsageError({
      code: 'E_TRACE_SHARES',
      message: `nobody is here who could open a share of ${key.name}`,
      hint: 'run it at a terminal',
    });
  }
  const holders = holdersOf(bringing, context);
  const opened: OpenedScalar[] = [];
  try {
    while (opened.length < key.group.record.threshold) {
      const left = holders.filter(({ number }) => !opened.some((each) => each.number === number));
      const next =
        wanted === undefined
          ? await whoComes(left, conversation)
          : left.find(({ number }) => number === wanted[opened.length]);
      if (next === undefined) throw nobodys(wanted?.[opened.length], bringing);
      opened.push(await fromHolder(next, bringing, conversation, context));
    }
    return opened.sort((a, b) => a.number - b.number);
  } catch (error) {
    for (const { opening } of opened) opening.dispose();
    throw error;
  }
}

/** People in the seats of the group's members: by their identities, or, made up as in a rehearsal, in their order. */
function holdersOf({ key, role }: Bringing, context: BringContext): readonly Holder[] {
  const { record } = key.group;
  const people = context.ask.people(role);
  const parties = partiesOf(role, people.length, context);
  assertQuorum(record, parties, record.threshold);
  const { parties: seated } = seatMembers(record, parties, context);
  return seated.flatMap(({ number, name }) => {
    const person = people.find((each) => each.name === name);
    return person === undefined ? [] : [{ number, person }];
  });
}

async function whoComes(
  left: readonly Holder[],
  conversation: Conversation,
): Promise<Holder | undefined> {
  const name = await conversation.choose(
    'Who opens a share next?',
    left.map(({ number, person }) => ({
      value: person.name,
      label: `${person.name}, who has share ${number}`,
    })),
  );
  return left.find(({ person }) => person.name === name);
}

/** One custodian's share, or the reason why there is none. */
async function fromHolder(
  holder: Holder,
  { key, folder }: Bringing,
  conversation: Conversation,
  context: BringContext,
): Promise<OpenedScalar> {
  const { number, person } = holder;
  for (let attempt = 1; ; attempt++) {
    const way = await conversation.choose(`${person.name}, how does share ${number} come in?`, [
      { value: 'medium', label: `its key file is on my medium, now in ${folder}` },
      { value: 'unreadable', label: 'not at all: it cannot be read, and the record says so' },
      { value: 'stop', label: 'stop here' },
    ]);
    if (way === 'stop') throw stopped();
    if (way === 'unreadable') throw unreadable(holder);
    const path = await keyFile(holder, folder, conversation, context);
    if (path === undefined) {
      if (attempt >= ATTEMPTS) throw unreadable(holder);
      continue;
    }
    try {
      return await openFile(path, holder, key, context);
    } catch (error) {
      // Somebody else's share, an old one, a file that is none, the wrong words: the right one may be in the next pocket.
      if (!isOfTheFile(error) || attempt >= ATTEMPTS) throw error;
      const hint = error.hint === undefined ? '' : ` ${sentence(error.hint)}`;
      conversation.say(`${sentence(error.message)}${hint} It was not taken.`);
    }
  }
}

/** How often a custodian may look for the right file. */
const ATTEMPTS = 5;

/** Whether another file may put it right. Whatever else goes wrong is for the ceremony to hear. */
function isOfTheFile(error: unknown): error is ConclaveError {
  if (!(error instanceof ConclaveError)) return false;
  return [1, 65, 77].includes(error.exitCode) || error.code === 'E_KEY_NOT_SHARED';
}

/** The file on the medium: the only one, the one that carries the number, or the one that its holder points at. */
async function keyFile(
  { number, person }: Holder,
  folder: string,
  conversation: Conversation,
  { files }: BringContext,
): Promise<string | undefined> {
  const names = files.isDirectory(folder)
    ? files.list(folder).filter((name) => name.endsWith('.key'))
    : [];
  const numbered = names.filter((name) => name.endsWith(`share-${number}.key`));
  const [only, ...more] = numbered.length > 0 ? numbered : names;
  if (only === undefined) {
    conversation.say(`There is no key file in ${folder}: its name ends with ".key".`);
    return undefined;
  }
  if (more.length === 0) return join(folder, only);
  const chosen = await conversation.choose(
    `${person.name}, which file is it?`,
    [only, ...more].map((name) => ({ value: name, label: name })),
  );
  return join(folder, chosen);
}

async function openFile(
  path: string,
  { number, person }: Holder,
  key: ScalarKey,
  { keys }: BringContext,
): Promise<OpenedScalar> {
  if (keys.openShare === undefined) {
    throw new UsageError({
      code: 'E_TRACE_SHARES',
      message: `shares of ${key.name} cannot be opened here`,
      hint: 'run it where keys rest in files',
    });
  }
  using held = await keys.openShare(path, person);
  const { share } = held;
  if (held.record.id !== key.group.record.key) {
    throw new NegativeError({
      code: 'E_TRACE_SHARE',
      message: `${path} is a share of another key than ${key.name}`,
    });
  }
  if (share.number !== number) {
    throw new NegativeError({
      code: 'E_TRACE_SHARE',
      message: `${path} is share ${share.number}, and ${person.name} has share ${number}`,
    });
  }
  const opened = { name: `${path} of ${person.name}`, number, opening: share.opening.clone() };
  try {
    assertShare(opened, key);
    return opened;
  } catch (error) {
    opened.opening.dispose();
    throw error;
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function nobodys(number: number | undefined, { key, role }: Bringing): UsageError {
  return new UsageError({
    code: 'E_TRACE_SHARES',
    message:
      number === undefined
        ? `fewer holders of the role ${role} are listed than sign with ${key.name}`
        : `share ${number} of ${key.name} signs, and no ${role} who is listed has it`,
    hint: 'list the custodians whom the request names',
  });
}

function stopped(): InterruptedError {
  return new InterruptedError({
    code: 'E_INTERRUPTED',
    message: 'stopped before all shares were there',
    hint: 'nothing was written',
  });
}

function unreadable({ number, person }: Holder): NegativeError {
  return new NegativeError({
    code: 'E_SHARE_UNREADABLE',
    message: `share ${number} of ${person.name} could not be read`,
    hint: 'another quorum can sign another request; the share can be repaired by the others',
  });
}
