/** `identity list`: the identities of the store, and those of others that this home knows. */
import type { TrustLevel } from '#custody/audit/trust';
import type { Identity } from '#custody/authority/identity';
import { defineAction } from './action.js';
import { knownIdentities, publicSide } from './context/known-identities.js';

/** One line of the list. */
export interface ListedIdentity {
  readonly id: string;
  readonly name: string;
  readonly environment: Identity['environment'];
  readonly created: string;
  /** How far it is known to be that person's; `own` for those that can sign from here. */
  readonly level: TrustLevel | 'own';
  /** The identity of the same name that took its place. */
  readonly replacedBy: string | null;
}

/** The action `identity list`. */
export const identityList = defineAction({
  id: 'identity.list',
  summary: 'list your identities and those of others, and how well these are known',
  description:
    'Lists the identities whose private files rest in the store (own), and those of others that this home knows, each with its ' +
    'level: verified when its fingerprint was compared, introduced when somebody verified vouched for it, tofu when it was taken as it came.',
  inputs: {},
  outputs: {
    identities: { type: 'report', summary: 'id, name, environment, date and level of each' },
  },
  effect: 'none',
  only: 'cli',
  examples: [
    {
      command: 'conclave identity list',
      explains: 'who can sign from this machine, and who is known here',
    },
  ],
  async run(_input, context): Promise<{ readonly identities: readonly ListedIdentity[] }> {
    const own = await context.identities.list();
    const others = knownIdentities(context).filter(({ id }) => own.every((each) => each.id !== id));
    const identities: readonly ListedIdentity[] = [
      ...own.map((each) => ({ ...each, level: 'own' as const, replacedBy: null })),
      ...others.map(({ id, level, replacedBy }) => ({
        ...publicSide(id, context),
        level,
        replacedBy,
      })),
    ]
      .map(({ id, name, environment, created, level, replacedBy }) => ({
        id,
        name,
        environment,
        created,
        level,
        replacedBy,
      }))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1));
    return { identities };
  },
  present: ({ identities }) =>
    identities.length === 0
      ? 'no identities: conclave identity new --name NAME makes one'
      : identities
          .map(
            ({ id, name, environment, created, level, replacedBy }) =>
              `${id.slice(0, 16)}  ${created.slice(0, 10)}  ${level.padEnd(10)}  ${name}` +
              (environment === 'production' ? '' : ` (${environment})`) +
              (replacedBy === null ? '' : `, REPLACED by ${replacedBy.slice(0, 16)}`),
          )
          .join('\n'),
});
