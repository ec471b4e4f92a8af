/** `audit show`: what happened on this machine, entry by entry. */
import { type ChainEntry, entryHash, parseChain } from '#custody/audit/chain';
import { canonicalJson } from '#formats/canonical-json';
import { defineAction } from './action.js';
import { readChain } from './audit/read-chain.js';

/** An entry with its hash. */
export interface ShownEntry extends ChainEntry {
  readonly hash: string;
}

/** The log, as read. */
export interface ShownAudit {
  readonly log: string;
  readonly entries: readonly ShownEntry[];
  /** Entries before those shown. */
  readonly omitted: number;
  /** Bytes after the last complete entry. */
  readonly torn: number;
}

/** The action `audit show`. */
export const auditShow = defineAction({
  id: 'audit.show',
  summary: 'show what the audit log recorded',
  description:
    'Lists the entries of the hash-chained log of this home: keys made, used, changed and destroyed, identities made. ' +
    'Showing proves nothing; audit verify tells whether the log is whole.',
  inputs: {
    log: {
      type: 'file',
      summary: 'another log; the one of this home without',
      positional: 0,
      placeholder: 'FILE',
    },
    type: {
      type: 'string',
      summary:
        'only entries of this type, e.g. key.generated, or of all types of a group, e.g. key',
      placeholder: 'TYPE',
    },
    last: { type: 'integer', summary: 'only so many, the newest', min: 1, placeholder: 'N' },
  },
  outputs: { entries: { type: 'report', summary: 'the entries, each with its hash' } },
  effect: 'none',
  only: 'cli',
  examples: [
    { command: 'conclave audit show --last 20', explains: 'the newest twenty entries' },
    { command: 'conclave audit show --type key --json', explains: 'all about keys, for programs' },
  ],
  async run({ log, type, last }, context): Promise<ShownAudit> {
    const { what, bytes } = readChain(log, context);
    const { entries, torn } = parseChain(bytes, what);
    const wanted = entries.filter((entry) => type === undefined || isOf(entry, type));
    const shown = last === undefined ? wanted : wanted.slice(-last);
    return {
      log: what,
      entries: shown.map((entry) => ({ ...entry, hash: entryHash(entry) })),
      omitted: wanted.length - shown.length,
      torn,
    };
  },
  present: ({ entries, omitted, torn }) =>
    [
      ...(omitted === 0 ? [] : [`(${omitted} earlier entries)`]),
      ...(entries.length === 0 ? ['nothing was recorded'] : entries.map(line)),
      ...(torn === 0 ? [] : [`(${torn} bytes of an entry that was not finished)`]),
    ].join('\n'),
});

function isOf(entry: ChainEntry, type: string): boolean {
  return entry.type === type || entry.type.startsWith(`${type}.`);
}

function line(entry: ShownEntry): string {
  const { seq, time, type, data } = entry;
  return `${String(seq).padStart(5)}  ${time}  ${type}  ${canonicalJson(data)}`;
}
