/**
 * A party's seat in a ceremony. The party sits at this machine, and what it keeps lies in a folder of its own under the session,
 * sealed to its identity; or it sits at a machine of its own, and what it says arrives in files or codes.
 */
import { join } from 'node:path';
import { RefusedError, UsageError } from '#formats/errors';
import type { Start } from '#protocols/threshold/start-message';
import type { ActionContext } from '../context/context.js';
import { proofsIn, saidIn } from './heard.js';
import { openSession, type Session, takeIn } from './session.js';

/** Round beside whose messages proofs lie. */
const CONFIRMING = 3;

/** File that says that a party sits here. */
const MARK = 'seat';

/** A participant of the session. */
export type Party = Start['message']['parties'][number];

/**
 * The party whom the step is for.
 * @throws UsageError `E_SEAT_WHOSE` outside of a step that is done for each party
 */
export async function ownParty(start: Start, context: ActionContext): Promise<Party> {
  const { holder } = context.ask;
  const identity = holder === undefined ? undefined : await context.identities.find(holder);
  const party = start.message.parties.find((each) => each.identity === identity?.id);
  if (party !== undefined) return party;
  throw new UsageError({
    code: 'E_SEAT_WHOSE',
    message: `${holder ?? 'nobody'} takes no part in this threshold session`,
    hint: 'the step is done for each holder of the role that was named when it was proposed',
  });
}

/** Whether a party sits at this machine: it said so when it accepted. */
export function sitsHere(start: Start, { number }: Party, { folders }: ActionContext): boolean {
  const path = seatOf(start, number);
  if (folders?.exists(path) !== true) return false;
  using folder = folders.hold(path);
  return folder.read(MARK) !== undefined;
}

/** Keeps in mind at which machine a party sits. */
export function takeSeat(
  start: Start,
  { number }: Party,
  seat: 'here' | 'elsewhere',
  { folders }: ActionContext,
): void {
  const path = seatOf(start, number);
  if (seat === 'elsewhere' && folders?.exists(path) !== true) return;
  using folder = folders?.hold(path);
  if (seat === 'here') folder?.replace(MARK, new Uint8Array(0));
  else folder?.shred(MARK);
}

/** Where a party that sits here keeps the session. */
export function seatOf({ message }: Start, number: number): string {
  return join(message.session.slice(0, 8), `party-${number}`);
}

/**
 * In production the shares of one key do not meet, and neither do the parties.
 * @throws RefusedError `E_PARTIES_TOGETHER`
 */
export function assertAlone(start: Start, own: Party, context: ActionContext): void {
  if (context.environment !== 'production') return;
  const other = start.message.parties.find(
    (party) => party.number !== own.number && sitsHere(start, party, context),
  );
  if (other === undefined) return;
  throw new RefusedError({
    code: 'E_PARTIES_TOGETHER',
    message: `${other.name} holds a share at this machine already, and two shares of one key never meet`,
    hint: `${own.name} takes part at a machine of their own, and brings what it writes`,
  });
}

/** What a party sees of the context: its own identity is the one that takes part. */
export function contextOf({ name }: Party, context: ActionContext): ActionContext {
  const { identities } = context;
  return { ...context, identities: { ...identities, open: () => identities.open(name) } };
}

/**
 * The session of a party that sits here, with everything heard that was said before a round.
 * @throws MissingInputError `E_SESSION_NOT_FOUND`; RefusedError `E_SESSION_NOT_OURS`; the errors of what was said
 */
export async function openSeat(
  start: Start,
  {
    party,
    folder,
    before,
  }: { readonly party: Party; readonly folder: string; readonly before: number },
  context: ActionContext,
): Promise<Session> {
  const session = await openSession(seatOf(start, party.number), contextOf(party, context));
  try {
    const said = saidIn(start, folder, context)
      .filter(({ round, from }) => round < before && from !== party.number)
      .filter(({ to }) => to === null || to === party.number);
    const paths = (acceptances: boolean): string[] =>
      said.filter(({ round }) => (round === 0) === acceptances).map(({ path }) => path);
    await takeIn(session, paths(true), context);
    const messages = paths(false);
    if (messages.length > 0) await takeIn(session, messages, context);
    const proofs = before > CONFIRMING ? proofsIn(start, folder, context) : [];
    if (proofs.length > 0) await takeIn(session, proofs, context);
    return session;
  } catch (error) {
    session[Symbol.dispose]();
    throw error;
  }
}

/** Where a sealed share lies; its name carries the mark of what it is good for. */
export function sharePath(folder: string, number: number, context: ActionContext): string {
  const { environment } = context;
  const mark = environment === 'production' ? '' : `${environment}-`;
  return join(folder, `${mark}share-${number}.key`);
}
