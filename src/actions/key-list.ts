import type { KeyRecord } from '#custody/authority/record';
import { defineAction } from './action.js';
import { parseStore } from './context/references.js';
import { table } from './context/table.js';

/** One line of the list. */
interface Listed {
  readonly id: string;
  readonly name: string | null;
  readonly algorithm: string;
  readonly profile: string;
  readonly state: KeyRecord['state'];
  readonly environment: KeyRecord['environment'];
  readonly custody: KeyRecord['custody'];
  readonly purposes: readonly string[];
  readonly created: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly location: string;
}

/** `conclave key list`. */
export const keyList = defineAction({
  id: 'key.list',
  summary: 'list the keys of the store',
  description:
    'Lists every key of the store with its state, destroyed keys too: their public side is kept. Nothing is opened.',
  inputs: {
    store: {
      type: 'string',
      summary: 'which store: file, keychain, or pkcs11:LABEL',
      default: 'file',
      placeholder: 'STORE',
    },
  },
  outputs: { keys: { type: 'report', summary: 'the keys, by name' } },
  effect: 'none',
  only: 'cli',
  examples: [
    { command: 'conclave key list', explains: 'a table' },
    { command: 'conclave key list --json', explains: 'the same for scripts, ids in full' },
  ],
  async run({ store }, context) {
    const found = await context.keys.list(parseStore(store));
    return {
      keys: found.map(({ record, location }): Listed => {
        const { id, name, algorithm, profile, state, environment, custody, purposes } = record;
        const rest = { purposes, created: record.created, tags: record.tags, location };
        return { id, name, algorithm, profile, state, environment, custody, ...rest };
      }),
    };
  },
  present: ({ keys }) =>
    keys.length === 0
      ? 'no keys; make one with conclave key generate'
      : table(
          ['NAME', 'ID', 'ALGORITHM', 'STATE', 'MARK', 'CREATED'],
          keys.map((key) => [
            key.name ?? '-',
            key.id.slice(0, 16),
            key.profile === '' || key.profile === 'composite'
              ? key.algorithm
              : `${key.algorithm} (${key.profile})`,
            key.state,
            key.environment === 'production' ? '' : key.environment,
            key.created.slice(0, 10),
          ]),
        ),
});
