/** What is listed of participants against what this home knows of them: nobody is better known because a file says so. */
import { knownIdentities } from '#actions/context/known-identities';
import { acquaintance } from '#custody/audit/known-identity';
import { meetsTrust } from '#custody/audit/trust';
import type { TrustLevel } from '#script/entries';
import type { CommandContext } from './command.js';

/** A person with an identity, as listed. */
export interface ListedIdentity {
  /** As the participants file has it. */
  readonly name: string;
  readonly level: TrustLevel;
  readonly identity: { readonly id: string; readonly name: string };
}

/**
 * What is wrong with the levels of a list, one clause each. Of people whom this home does not know it says nothing: the list may
 * have been made on another machine.
 * @throws NegativeError `E_TRUST_LOG`
 */
export function levelProblems(
  context: Pick<CommandContext, 'audit'>,
  people: readonly ListedIdentity[],
): readonly string[] {
  if (people.length === 0) return [];
  const known = knownIdentities(context);
  return people.flatMap(({ name, level, identity }) => {
    const met = acquaintance(known, identity);
    if (met.kind === 'unknown') return [];
    const { level: home, id, replacedBy } = met.known;
    if (met.kind === 'changed') {
      return [
        `${name}: ALARM, this home knows another identity of ${identity.name}, ${id.slice(0, 16)}, ` +
          `and not ${identity.id.slice(0, 16)}`,
      ];
    }
    if (replacedBy !== null) {
      return [`${name}: this identity was replaced here by ${replacedBy.slice(0, 16)}`];
    }
    return level === 'none' || meetsTrust(home, level)
      ? []
      : [`${name} is listed as ${level}, and this home knows the identity as ${home}`];
  });
}
