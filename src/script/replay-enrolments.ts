/** Who got an identity on the way: each once, at the step that is for it, and known no better than whoever compared it. */
import {
  asParticipant,
  IDENTITY_MAKING,
  isNoBetter,
  mayVouch,
  roleEnrolledBy,
} from './enrolment.js';
import type { EntryData, Participant } from './entries.js';
import { Misstep } from './misstep.js';
import { type Instance, instanceKey } from './plan.js';

/** Where an enrolment stands in the walk. */
export interface EnrolmentAt {
  readonly current: Instance;
  readonly underWay: boolean;
  readonly participants: readonly Participant[];
  readonly signoffs: readonly EntryData['signoff'][];
}

/** The enrolments of one session. */
export class ReplayedEnrolments {
  /** Ids that were told before the file was written, by instance. */
  readonly #told = new Map<string, Set<unknown>>();
  readonly #all: EntryData['participant.enrolled'][] = [];

  get all(): readonly EntryData['participant.enrolled'][] {
    return this.#all;
  }

  /** An event at an instance. */
  event({ event, data }: EntryData['event'], key: string): void {
    if (event !== IDENTITY_MAKING) return;
    this.#told.set(key, (this.#told.get(key) ?? new Set()).add(data['id']));
  }

  /**
   * One enrolment.
   * @returns the participants from then on
   */
  enrol(data: EntryData['participant.enrolled'], at: EnrolmentAt): readonly Participant[] {
    const { name, role, identity, how } = data;
    const { current, participants } = at;
    const found = participants.find((it) => it.name === name && it.role === role);
    if (found === undefined) throw new Misstep(`${name} does not take part as ${role}`);
    if (found.identity !== null) throw new Misstep(`${name} has an identity already`);
    if (mayVouch(role))
      throw new Misstep(`each ${role} has an identity before the first step, or none`);
    if (at.signoffs.some(({ person, role: as }) => person === name && as === role))
      throw new Misstep(`${name} signed off before`);
    if (!at.underWay || roleEnrolledBy(current.step) !== role || current.for !== name)
      throw new Misstep(`no step that enrols ${name} was under way`);
    const other = participants.find(
      (it) => it.name !== name && it.identity !== null && it.identity.id === identity.id,
    );
    if (other !== undefined) throw new Misstep(`it is the identity of ${other.name}`);
    assertGrounds(data, participants);
    const key = instanceKey(current);
    if (how?.origin === 'made' && this.#told.get(key)?.has(identity.id) !== true)
      throw new Misstep(`no identity with this id was made at ${key}`);
    this.#all.push(data);
    return participants.map((it) => (it === found ? asParticipant(data) : it));
  }
}

/** A step that enrols somebody ends when that person has an identity. */
export function assertEnrolled(current: Instance, participants: readonly Participant[]): void {
  const role = roleEnrolledBy(current.step);
  if (role === undefined) return;
  const person = participants.find((it) => it.name === current.for && it.role === role);
  if (person?.identity === null) throw new Misstep(`${person.name} was not enrolled by it`);
}

/** A level rests on somebody else's comparison, and is never better than that person's own. */
function assertGrounds(
  { name, level, how }: EntryData['participant.enrolled'],
  participants: readonly Participant[],
): void {
  const compared = how?.compared ?? null;
  if (compared === null) {
    if (level !== 'tofu') throw new Misstep(`nobody compared the identity of ${name}: it is tofu`);
    return;
  }
  const { by, role } = compared;
  const voucher = participants.find((it) => it.name === by && it.role === role);
  if (voucher === undefined) throw new Misstep(`${by} does not take part as ${role}`);
  if (by === name) throw new Misstep(`${name} cannot compare their own identity`);
  if (!mayVouch(role) || voucher.identity === null)
    throw new Misstep(`${by} signs nothing as ${role}, and vouches for nobody`);
  if (!isNoBetter(level, voucher.level))
    throw new Misstep(`${by} is ${voucher.level}, and cannot make ${name} ${level}`);
}
