/** `ceremony check`: what can be proven of a ceremony without running it. */
import { digestText } from '../close.js';
import { defineCommand } from '../command.js';
import { findCeremony } from '../place.js';
import { checkCeremony, type PlacedFinding } from '../soundness.js';

/** The verdict on a ceremony. */
export interface CheckResult {
  readonly ok: boolean;
  readonly ceremony: string;
  /** `sha256:HEX` of the definition: what reviewers compare. */
  readonly definitionDigest: string;
  readonly files: readonly string[];
  readonly findings: readonly PlacedFinding[];
  /** Identity files that are named and not there yet. */
  readonly awaited: readonly string[];
}

export const ceremonyCheck = defineCommand({
  id: 'ceremony.check',
  summary: 'prove what can be proven of a ceremony without running it',
  description:
    'Reads definition, site and participants strictly and checks them against each other: references and their types, roles and ' +
    'quorums, what becomes of every secret, how every branch ends. Prints file:line:column for each finding. The digest that it ' +
    'prints is the one that the transcript will open with.',
  inputs: {
    ceremony: {
      type: 'path',
      summary: 'a ceremony directory, definition file, or shipped name',
      required: true,
      positional: 0,
      placeholder: 'CEREMONY',
    },
  },
  outputs: {},
  effect: 'none',
  only: 'cli',
  examples: [
    { command: 'conclave ceremony check acme', explains: 'exit 1 when there are findings' },
    { command: 'conclave ceremony check root-key --json', explains: 'findings as data' },
  ],
  run: async ({ ceremony }, context): Promise<CheckResult> => {
    const place = findCeremony(context.host.files, context.shippedCeremonies, ceremony);
    const { definition, digestOf, files, findings, awaited } = await checkCeremony(context, place);
    return {
      ok: findings.length === 0,
      ceremony: definition.id,
      definitionDigest: digestText(digestOf),
      files,
      findings,
      awaited,
    };
  },
  present: ({ ceremony, definitionDigest, files, findings, awaited }) =>
    [
      ...(findings.length === 0 ? [`${ceremony}: no finding in ${files.join(', ')}`] : []),
      ...findings.map(
        ({ file, line, column, message, rule }) =>
          `${file}:${line}:${column}: ${message} [${rule}]`,
      ),
      ...awaited.map((what) => `still to come, ${what}`),
      ...(findings.length === 0 ? [definitionDigest] : []),
    ].join('\n'),
});
