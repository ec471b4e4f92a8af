/** Identities that people get on the way: which steps give them, and what one of them says. */
import type { Definition, Step } from './definition.js';
import type { EntryData, Participant, TrustLevel } from './entries.js';
import { ADMINISTRATOR, isWitnessRole, reaches } from './people.js';

/** The action by which people get an identity on the way. */
export const NEW_IDENTITY = 'identity.new';

/** The role whose holders get their identities by a step; undefined for every other step. */
export function roleEnrolledBy(step: Step): string | undefined {
  return step.kind === 'action' && step.uses === NEW_IDENTITY ? step.each : undefined;
}

/** Roles whose holders get their identities by a step of the ceremony itself. */
export function enrolledRoles(definition: Definition): ReadonlySet<string> {
  const steps = definition.acts.flatMap((act) => act.steps);
  return new Set(steps.flatMap((step) => roleEnrolledBy(step) ?? []));
}

/**
 * Whether a role can vouch for others: it has its identity before the first step, and signs the record in which it stands whom it
 * compared. Nobody of it is enrolled on the way.
 */
export function mayVouch(role: string): boolean {
  return role === ADMINISTRATOR || isWitnessRole(role);
}

/** Name of the event that tells the id of an identity before its file is written, so that no kill can hide one. */
export const IDENTITY_MAKING = 'identity.making';

/** The person of an entry, as people are listed. */
export function asParticipant(data: EntryData['participant.enrolled']): Participant {
  const { name, role, identity, level } = data;
  return { name, role, identity, level };
}

/** Whether a level is one, and at most another. */
export function isNoBetter(level: TrustLevel, than: TrustLevel): boolean {
  return level !== 'none' && reaches(than, level);
}
