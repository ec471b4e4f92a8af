/** Who does what in a session that changes the shares of a key, from the people who are there. */
import type { GroupRecord } from '#crypto/frost/group';
import { UsageError } from '#formats/errors';
import type { Start } from '#protocols/threshold/start-message';
import type { ActionContext } from '../context/context.js';
import { seatMembers } from './opening.js';
import type { Party } from './seat.js';

/** The changes. */
export const CHANGES = ['refresh', 'reshare', 'repair', 'enrol'] as const;

/** One of {@link CHANGES}. */
export type Change = (typeof CHANGES)[number];

/** Everybody's part. */
export interface Seats {
  /** The record that the session is about. */
  readonly record: GroupRecord;
  readonly parties: readonly Party[];
  readonly contributors: number[];
  readonly receivers: number[];
}

/**
 * The parts of people in a change. Whoever is here holds a share afterwards; where a threshold of members is enough to
 * contribute, it is the first of them.
 * @param people - in the order in which made-up people take seats, and new members get numbers
 * @throws UsageError `E_SEAT_COUNT`, `E_REPAIR_LOST`; RefusedError `E_SEAT_MEMBER`, `E_SEAT_ENVIRONMENT`
 */
export function changedSeats(
  group: GroupRecord,
  people: readonly Party[],
  wanted: {
    readonly operation: Change;
    readonly threshold: number;
    readonly lost?: number | undefined;
  },
  context: ActionContext,
): Seats {
  const { operation, threshold, lost } = wanted;
  const before = group.threshold;
  if (operation !== 'reshare' && threshold !== before) {
    throw new UsageError({
      code: 'E_SEAT_COUNT',
      message: `${before} members sign with this key together, and the ceremony is for ${threshold}`,
      hint: 'a resharing changes the threshold, and nothing else does',
    });
  }
  const joins = operation === 'reshare' || operation === 'enrol';
  const { record, parties } = seatMembers(group, people, context, joins);
  const here = parties.map(({ number }) => number);
  const members = record.members.map(({ number }) => number);
  const present = here.filter((number) => members.includes(number));
  switch (operation) {
    case 'refresh':
      assertEnough(present.length, threshold);
      return { record, parties, contributors: here, receivers: here };
    case 'repair': {
      const helpers = present.filter((number) => number !== lost);
      if (lost === undefined || !present.includes(lost) || helpers.length !== threshold) {
        throw new UsageError({
          code: 'E_REPAIR_LOST',
          message: `members ${here.join(', ')} are here, and share ${lost ?? 'that is not named'} is to be repaired`,
          hint: `the member who lost a share is here, and ${threshold} others`,
        });
      }
      return { record, parties, contributors: helpers, receivers: [lost] };
    }
    case 'enrol': {
      if (present.length !== members.length || here.length !== members.length + 1) {
        throw new UsageError({
          code: 'E_SEAT_COUNT',
          message: `${present.length} of ${members.length} members and ${here.length - present.length} others are here`,
          hint: 'a member joins in the presence of all members, one at a time',
        });
      }
      return { record, parties, contributors: present.slice(0, before), receivers: here };
    }
    case 'reshare':
      assertEnough(present.length, before);
      assertEnough(here.length, threshold);
      return { record, parties, contributors: present.slice(0, before), receivers: here };
  }
}

function assertEnough(here: number, needed: number): void {
  if (here >= needed) return;
  throw new UsageError({
    code: 'E_SEAT_COUNT',
    message: `${here} are here, and ${needed} are needed`,
  });
}

/** What changes, for people to compare: the key, who holds a share afterwards, who is out, and how many sign. */
export function changeSentence({ message, group }: Start): string {
  const { operation, threshold, contributors, receivers } = message;
  const members = group?.record.members.map(({ number }) => number) ?? [];
  const list = (numbers: readonly number[]): string => numbers.join(', ');
  const of = `of the key ${group?.record.key.slice(0, 16) ?? ''}`;
  const sign = `any ${threshold} of ${receivers.length} sign`;
  switch (operation) {
    case 'repair':
      return `repair ${of}: share ${list(receivers)} again, from members ${list(contributors)}`;
    case 'enrol': {
      const joining = receivers.filter((number) => !members.includes(number));
      return `enrol ${of}: member ${list(joining)} joins, ${sign}`;
    }
    default: {
      const out = members.filter((number) => !receivers.includes(number));
      const gone = out.length === 0 ? 'nobody is out' : `out: ${list(out)}`;
      return `${operation} ${of}: new shares for members ${list(receivers)}, ${sign}, ${gone}`;
    }
  }
}
