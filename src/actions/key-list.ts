import type { KeyRecord } from '#custody/authority/record';
import { utf8 } from '#formats/bytes';
import { defineAction } from './action.js';
import { csvRow } from './audit/csv.js';
import { parseStore } from './context/references.js';
import { table } from './context/table.js';

/** One line of the list. */
interface Listed {
  readonly id: string;
  readonly name: string | null;
  readonly algorithm: string;
  readonly profile: string;
  /** Key specification of AWS KMS, where it has one. */
  readonly awsKeySpec: string | null;
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
    'Lists every key of the store with its state, destroyed keys too: their public side is kept. Nothing is opened. --format csv ' +
    'is an inventory for spreadsheets, with AWS KMS key specifications; a cell that a spreadsheet would take for a formula is ' +
    'prefixed by an apostrophe. --tag leaves the keys that carry all the tags named.',
  inputs: {
    store: {
      type: 'string',
      summary: 'which store: file, keychain, or pkcs11:LABEL',
      default: 'file',
      placeholder: 'STORE',
    },
    tag: {
      type: 'string',
      summary: 'only keys with this tag: a name, or name and value',
      placeholder: 'K[=V]',
      repeat: true,
    },
    format: {
      type: 'string',
      summary: 'a table for people, or an inventory as CSV',
      choices: ['table', 'csv'],
      default: 'table',
    },
    out: { type: 'path', summary: 'where the inventory goes', default: '-' },
  },
  outputs: { keys: { type: 'report', summary: 'the keys, by name' } },
  options: ['force'],
  effect: 'none',
  only: 'cli',
  examples: [
    { command: 'conclave key list', explains: 'a table' },
    {
      command: 'conclave key list --tag team=payments --format csv --out keys.csv',
      explains: 'an inventory of one team’s keys',
    },
    { command: 'conclave key list --json', explains: 'the same for scripts, ids in full' },
  ],
  async run({ store, tag, format, out }, context) {
    const wanted = tag.map(tagFilter);
    const found = await context.keys.list(parseStore(store));
    const keys = found
      .filter(({ record }) => wanted.every((fits) => fits(record.tags)))
      .map(({ record, descriptor, location }): Listed => {
        const { id, name, algorithm, profile, state, environment, custody, purposes } = record;
        const rest = { purposes, created: record.created, tags: record.tags, location };
        const awsKeySpec = descriptor.awsKeySpec ?? null;
        return { id, name, algorithm, profile, awsKeySpec, state, environment, custody, ...rest };
      });
    if (format === 'csv') context.files.write(out, utf8(csvOf(keys)));
    return { keys, format, out: format === 'csv' ? out : null };
  },
  present: ({ keys, out }) =>
    out !== null
      ? `${keys.length} keys written to ${out}`
      : keys.length === 0
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

/** Whether a record carries a tag, `K` or `K=V`. */
function tagFilter(text: string): (tags: KeyRecord['tags']) => boolean {
  const at = text.indexOf('=');
  if (at < 0) return (tags) => Object.hasOwn(tags, text);
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  return (tags) => Object.hasOwn(tags, name) && tags[name] === value;
}

const COLUMNS = [
  'id',
  'name',
  'algorithm',
  'profile',
  'awsKeySpec',
  'state',
  'environment',
  'custody',
  'purposes',
  'created',
  'tags',
  'location',
] as const satisfies readonly (keyof Listed)[];

function csvOf(keys: readonly Listed[]): string {
  const rows = keys.map((key) =>
    COLUMNS.map((column) => {
      const value = key[column];
      if (value === null) return '';
      if (typeof value === 'string') return value;
      if (Array.isArray(value)) return value.join(' ');
      return Object.entries(value)
        .map(([name, text]) => `${name}=${text}`)
        .join(' ');
    }),
  );
  return [COLUMNS, ...rows].map((row) => csvRow(row)).join('');
}
