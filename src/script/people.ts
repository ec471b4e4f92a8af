/** Whether the people of a session are those that its definition asks for. */
import { type Definition, KNOWN_LEVELS, type KnownLevel } from './definition.js';
import type { TrustLevel } from './entries.js';

/** What must be known of a participant; `identity` is the id of the identity key, or null. */
export interface Attendant {
  readonly name: string;
  readonly role: string;
  readonly identity: string | null;
  /** How well it is known; not given where that is nobody's business, as in rehearsals. */
  readonly level?: TrustLevel;
}

/** The role that drives every ceremony. */
export const ADMINISTRATOR = 'administrator';

/** Whether a role attests: `witness`, or a kind of witness such as `internal-witness`. */
export function isWitnessRole(role: string): boolean {
  return role === 'witness' || role.endsWith('-witness');
}

/**
 * What is wrong with a list of participants under a definition, one clause each: counts, unknown roles, one person or one
 * identity key in two roles that must differ, missing identities.
 * @param enrols - roles whose identities are made during the session itself
 */
export function peopleProblems(
  definition: Definition,
  participants: readonly Attendant[],
  enrols: ReadonlySet<string> = new Set(),
): readonly string[] {
  const problems: string[] = [];
  for (const [role, { count, identity, level }] of Object.entries(definition.roles)) {
    const present = participants.filter((participant) => participant.role === role);
    if (present.length !== count) {
      problems.push(`the role ${role} takes ${count} and ${present.length} are listed`);
    }
    for (const person of present) {
      if (level === undefined || person.level === undefined) continue;
      // Whoever is still to be enrolled is known by nothing yet; the step that enrols demands the level.
      if (person.identity === null && enrols.has(role)) continue;
      if (reaches(person.level, level)) continue;
      problems.push(`${person.name} is ${person.level}, and the role ${role} requires ${level}`);
    }
    if (identity !== 'required' || enrols.has(role)) continue;
    for (const person of present) {
      if (person.identity === null) {
        problems.push(`${person.name} has no identity, which the role ${role} requires`);
      }
    }
  }
  for (const [i, person] of participants.entries()) {
    if (!Object.hasOwn(definition.roles, person.role)) {
      problems.push(
        `${person.name} has the role ${person.role}, which the definition does not know`,
      );
    }
    for (const other of participants.slice(i + 1)) {
      problems.push(...between(definition, person, other));
    }
  }
  return problems;
}

/** Whether an identity is known at least as well as is asked for. */
export function reaches(known: TrustLevel, wanted: KnownLevel): boolean {
  return known !== 'none' && KNOWN_LEVELS.indexOf(known) <= KNOWN_LEVELS.indexOf(wanted);
}

function between(definition: Definition, a: Attendant, b: Attendant): readonly string[] {
  const sameKey = a.identity !== null && a.identity === b.identity;
  if (a.role === b.role) {
    if (a.name === b.name) return [`${a.name} is listed twice as ${a.role}`];
    return sameKey ? [`${a.name} and ${b.name} have the same identity key`] : [];
  }
  const differ =
    definition.roles[a.role]?.distinctFrom.includes(b.role) === true ||
    definition.roles[b.role]?.distinctFrom.includes(a.role) === true;
  if (differ && a.name === b.name)
    return [`${a.name} is both ${a.role} and ${b.role}, which must be two people`];
  if (sameKey && a.name !== b.name) return [`${a.name} and ${b.name} have the same identity key`];
  return [];
}
