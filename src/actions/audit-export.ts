/** `audit export`: the log for other programs, with the attestations that it names. */
import { posix } from 'node:path';
import {
  type ChainEntry,
  encodeChainLine,
  entryHash,
  parseChain,
  verifyChain,
} from '#custody/audit/chain';
import { concat, utf8 } from '#formats/bytes';
import { canonicalJson } from '#formats/canonical-json';
import { MissingInputError, NegativeError, UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import { cefLine } from './audit/cef.js';
import { csvRow } from './audit/csv.js';
import { namedAttestations } from './audit/kept-attestations.js';
import { readChain } from './audit/read-chain.js';
import type { ActionContext } from './context/context.js';

/** What was exported. */
export interface ExportedAudit {
  readonly out: string;
  readonly format: string;
  readonly entries: number;
  /** Head of the whole log, to be kept and given to `audit verify --head`. */
  readonly head: string | null;
  readonly attestations: readonly string[];
}

/** The action `audit export`. */
export const auditExport = defineAction({
  id: 'audit.export',
  summary: 'write the audit log for other programs',
  description:
    'Checks the log, then writes it: as JSON Lines, which are the chain itself and can be verified by anyone; as CSV for a ' +
    'spreadsheet; or as CEF for a log collector. CSV and CEF carry the hash of every entry, so that a line can be traced back to ' +
    'the chain. The attestations that the exported entries name go along with --attestations-dir. A log that does not hold is not exported.',
  inputs: {
    log: {
      type: 'file',
      summary: 'another log; the one of this home without',
      positional: 0,
      placeholder: 'FILE',
    },
    out: { type: 'path', summary: 'where the export goes', required: true },
    format: {
      type: 'string',
      summary: 'form of the export',
      choices: ['jsonl', 'csv', 'cef'],
      default: 'jsonl',
    },
    from: {
      type: 'integer',
      summary: 'first entry, for an export that goes on where the last one ended',
      min: 0,
      placeholder: 'SEQ',
    },
    attestationsDir: {
      type: 'path',
      summary: 'folder that the attestations of these entries are copied to',
      placeholder: 'DIR',
    },
  },
  outputs: {
    export: { type: 'file', summary: 'the export' },
    head: { type: 'string', summary: 'the last entry, as audit verify --head takes it' },
  },
  options: ['force'],
  effect: 'repeatable',
  only: 'cli',
  exits: [1],
  examples: [
    {
      command: 'conclave audit export --out audit.jsonl --attestations-dir attestations',
      explains: 'all that an auditor needs: audit verify reads both',
    },
    {
      command: 'conclave audit export --format csv --from 120 --out november.csv',
      explains: 'what happened since entry 120, for a spreadsheet',
    },
  ],
  async run({ log, out, format, from = 0, attestationsDir }, context): Promise<ExportedAudit> {
    const { what, bytes } = readChain(log, context);
    const { entries } = parseChain(bytes, what);
    const verdict = verifyChain(entries);
    if (!verdict.ok) {
      throw new NegativeError({
        code: 'E_AUDIT_BROKEN',
        message: `${what} does not hold: ${verdict.reason}`,
        hint: 'see conclave audit verify; keep the file as it is',
      });
    }
    if (from > entries.length) {
      throw new UsageError({
        code: 'E_AUDIT_FROM',
        message: `there is no entry ${from}: ${what} has ${entries.length}`,
        hint: 'see conclave audit show',
      });
    }
    const wanted = entries.slice(from);
    const copies =
      attestationsDir === undefined ? [] : attestationsOf(wanted, attestationsDir, log, context);
    context.files.assertAbsent([out, ...copies.map(({ to }) => to)]);
    if (attestationsDir !== undefined) context.files.makeDirectory?.(attestationsDir);
    for (const { from: source, to } of copies) context.files.write(to, context.files.read(source));
    context.files.write(out, write(format, wanted, context.version));
    return {
      out,
      format,
      entries: wanted.length,
      head: verdict.head === undefined ? null : `${verdict.head.seq}:${verdict.head.hash}`,
      attestations: copies.map(({ to }) => to),
    };
  },
  present: ({ out, entries, head, attestations }) =>
    [
      `${entries} ${entries === 1 ? 'entry' : 'entries'} written to ${out}`,
      ...(attestations.length === 0 ? [] : [`${attestations.length} attestations beside them`]),
      ...(head === null ? [] : ['head:', head]),
    ].join('\n'),
});

function write(format: string, entries: readonly ChainEntry[], version: string): Uint8Array {
  if (format === 'csv') return utf8(csvOf(entries));
  if (format === 'cef') return utf8(entries.map((entry) => cefLine(entry, version)).join(''));
  return concat(...entries.map(encodeChainLine));
}

function csvOf(entries: readonly ChainEntry[]): string {
  const rows = entries.map((entry) => [
    String(entry.seq),
    entry.time,
    entry.type,
    canonicalJson(entry.data),
    entry.prev,
    entryHash(entry),
  ]);
  return [['seq', 'time', 'type', 'data', 'prev', 'hash'], ...rows].map(csvRow).join('');
}

function attestationsOf(
  entries: readonly ChainEntry[],
  folder: string,
  log: string | undefined,
  { attestations, files }: ActionContext,
): readonly { readonly from: string; readonly to: string }[] {
  const shelf = log === undefined ? attestations?.location : undefined;
  if (shelf === undefined) {
    throw new UsageError({
      code: 'E_AUDIT_ATTESTATIONS',
      message: 'attestations are kept beside the log of a home only',
      hint: 'leave --attestations-dir out, or export the log of this home',
    });
  }
  return namedAttestations(entries).map(({ file, entry }) => {
    const from = posix.join(shelf, file);
    if (files.exists(from)) return { from, to: posix.join(folder, file) };
    throw new MissingInputError({
      code: 'E_ATTESTATION_MISSING',
      message: `the attestation ${from}, which entry ${entry.seq} of the log names, is missing`,
      hint: 'see conclave audit verify',
    });
  });
}
