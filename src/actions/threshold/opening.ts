/** Start messages of the sessions that a ceremony leads: the people of a role are the parties. */
import { join } from 'node:path';
import type { GroupRecord } from '#crypto/frost/group';
import { toHex } from '#formats/bytes';
import { RefusedError, UsageError } from '#formats/errors';
import { formatTime } from '#formats/time';
import {
  encodeStart,
  openStart,
  startVersion,
  type Start,
  type StartMessage,
} from '#protocols/threshold/start-message';
import type { ActionContext } from '../context/context.js';
import type { Party } from './seat.js';

/**
 * The people of a role as parties, numbered in their order.
 * @throws UsageError `E_SEAT_IDENTITY` for somebody without an identity, `E_SEAT_COUNT`
 */
export function partiesOf(
  role: string,
  count: number,
  { ask }: Pick<ActionContext, 'ask'>,
): readonly Party[] {
  const people = ask.people(role);
  if (people.length !== count) {
    throw new UsageError({
      code: 'E_SEAT_COUNT',
      message: `${people.length} people hold the role ${role}, and ${count} parties were expected`,
    });
  }
  return people.map(({ name, identity }, i) => {
    if (identity !== undefined) return { number: i + 1, identity: identity.id, name };
    throw new UsageError({
      code: 'E_SEAT_IDENTITY',
      message: `${name} has no identity, and only identities can be parties`,
      hint: `the role ${role} needs "identity: required"`,
    });
  });
}

/**
 * People in the seats of a group's members. In a rehearsal or for development people are made up, and take the seats in their
 * order; the record says so by carrying their identities.
 * @param joins - whether people who are no members get the next numbers
 * @returns the record that the session is about, and the parties under their numbers in it
 * @throws RefusedError `E_SEAT_MEMBER`, `E_SEAT_ENVIRONMENT`
 */
export function seatMembers(
  record: GroupRecord,
  people: readonly Party[],
  { environment }: Pick<ActionContext, 'environment'>,
  joins = false,
): { readonly record: GroupRecord; readonly parties: readonly Party[] } {
  if (record.environment !== environment) {
    throw new RefusedError({
      code: 'E_SEAT_ENVIRONMENT',
      message: `the group key is a ${record.environment} key, and this is ${environment}`,
      hint: 'a rehearsal is about the key of a rehearsal',
    });
  }
  const known = new Set(record.members.map(({ identity }) => identity));
  const made = environment !== 'production' && !people.some(({ identity }) => known.has(identity));
  const members = record.members.map((member, i) => ({
    ...member,
    identity: (made ? people[i]?.identity : undefined) ?? member.identity,
  }));
  let last = Math.max(...members.map(({ number }) => number));
  const parties = people.map(({ identity, name }): Party => {
    const member = members.find((each) => each.identity === identity);
    if (member !== undefined) return { number: member.number, identity, name };
    if (joins) return { number: ++last, identity, name };
    throw new RefusedError({
      code: 'E_SEAT_MEMBER',
      message: `${name} is no member of the group with the key ${record.key.slice(0, 16)}`,
      hint: 'the group record names its members by their identities',
    });
  });
  return {
    record: { ...record, members },
    parties: [...parties].sort((a, b) => a.number - b.number),
  };
}

/** Whether as many as the group needs are here. @throws UsageError `E_SEAT_COUNT` */
export function assertQuorum(
  record: GroupRecord,
  people: readonly Party[],
  threshold: number,
): void {
  if (record.threshold === threshold && people.length >= threshold) return;
  throw new UsageError({
    code: 'E_SEAT_COUNT',
    message: `${record.threshold} members sign with this key together, and the ceremony is for ${threshold} of ${people.length}`,
  });
}

/** A new session on these words. */
export async function newStart(
  wanted: Omit<StartMessage, 'type' | 'version' | 'session' | 'created'>,
  context: ActionContext,
): Promise<Start> {
  return await openStart(
    {
      type: 'conclave/threshold-start',
      version: startVersion(wanted),
      session: toHex(context.random(32)),
      created: formatTime(context.now()),
      ...wanted,
    },
    'start message',
  );
}

/** Writes a start message under its name. @returns where it lies */
export function writeStart({ message }: Start, folder: string, context: ActionContext): string {
  const path = join(folder, `${message.session.slice(0, 8)}-start.json`);
  context.files.makeDirectory?.(folder);
  context.files.write(path, encodeStart(message));
  return path;
}
