/** `identity list`: the identities of the store. */
import type { Identity } from '#custody/authority/identity';
import { defineAction } from './action.js';

/** One line of the list. */
export interface ListedIdentity {
  readonly id: string;
  readonly name: string;
  readonly environment: Identity['environment'];
  readonly created: string;
}

/** The action `identity list`. */
export const identityList = defineAction({
  id: 'identity.list',
  summary: 'list the identities of the store',
  description: 'Lists the identities whose private files rest in the store, by name.',
  inputs: {},
  outputs: { identities: { type: 'report', summary: 'id, name, environment and date of each' } },
  effect: 'none',
  only: 'cli',
  examples: [{ command: 'conclave identity list', explains: 'who can sign from this machine' }],
  async run(_input, context): Promise<{ readonly identities: readonly ListedIdentity[] }> {
    const identities = (await context.identities.list())
      .map(({ id, name, environment, created }) => ({ id, name, environment, created }))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1));
    return { identities };
  },
  present: ({ identities }) =>
    identities.length === 0
      ? 'no identities: conclave identity new --name NAME makes one'
      : identities
          .map(
            ({ id, name, environment, created }) =>
              `${id.slice(0, 16)}  ${created.slice(0, 10)}  ${name}${environment === 'production' ? '' : ` (${environment})`}`,
          )
          .join('\n'),
});
