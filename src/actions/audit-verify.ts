/** `audit verify`: whether the log is whole, and if not, which entry was touched. */
import { type ChainHead, parseChain, verifyChain } from '#custody/audit/chain';
import { UsageError } from '#formats/errors';
import { defineAction } from './action.js';
import { checkAttestations } from './audit/kept-attestations.js';
import { readChain } from './audit/read-chain.js';

/** The answer. */
export interface AuditVerdict {
  readonly ok: boolean;
  readonly log: string;
  readonly entries: number;
  /** The last entry, to be written down and given to the next verification. */
  readonly head: string | null;
  /** The entry that was touched, or the place where one is missing. */
  readonly at: number | null;
  readonly reason: string | null;
  /** Attestations that the log names and that are as they were. */
  readonly attestations: number;
  /** What is worth knowing and proves nothing, one clause each. */
  readonly notes: readonly string[];
}

/** The action `audit verify`. */
export const auditVerify = defineAction({
  id: 'audit.verify',
  summary: 'check that the audit log is whole, or find the entry that was touched',
  description:
    'Recomputes the hash chain of the log. An entry that was changed, removed, added or moved is found and named. ' +
    'Entries cut off at the end cannot show in the log itself: give --head, the head that an earlier verification printed and ' +
    'that was kept elsewhere, and the log must still lead to it. The attestations that the log names are compared with it too.',
  inputs: {
    log: {
      type: 'file',
      summary: 'another log; the one of this home without',
      positional: 0,
      placeholder: 'FILE',
    },
    head: {
      type: 'string',
      summary: 'a head that was kept elsewhere; the log may have grown since',
      pattern: '[0-9]+:[0-9a-f]{64}',
      placeholder: 'SEQ:HASH',
    },
    attestations: {
      type: 'path',
      summary: 'folder of the attestations that the log names; that of this home without',
      placeholder: 'DIR',
    },
  },
  outputs: {
    verdict: { type: 'verdict', summary: 'whether the log is whole' },
    head: { type: 'string', summary: 'the last entry, as --head takes it' },
  },
  effect: 'none',
  examples: [
    { command: 'conclave audit verify', explains: 'check the log of this home and print its head' },
    {
      command: 'conclave audit verify --head 41:9f86d081884c7d659a2feaa0c55ad015…',
      explains: 'check as well that nothing was cut off since that head was written down',
    },
  ],
  async run({ log, head, attestations }, context): Promise<AuditVerdict> {
    const { what, bytes } = readChain(log, context);
    const { entries, torn } = parseChain(bytes, what);
    const verdict = verifyChain(
      entries,
      head === undefined ? undefined : { head: parseHead(head), mayHaveGrown: true },
    );
    const notes: string[] = [];
    if (torn > 0) notes.push(`${torn} bytes at the end are of an entry that was not finished`);
    for (const [i, entry] of entries.entries()) {
      const before = entries[i - 1];
      if (before !== undefined && Date.parse(entry.time) < Date.parse(before.time)) {
        notes.push(
          `the clock went backwards before entry ${entry.seq}: ${before.time} to ${entry.time}`,
        );
      }
    }
    const found = verdict.ok
      ? {
          head: verdict.head === undefined ? null : `${verdict.head.seq}:${verdict.head.hash}`,
          at: null,
          reason: null,
        }
      : { head: null, at: verdict.seq, reason: verdict.reason };
    const kept = verdict.ok
      ? await checkAttestations(entries, attestations, log === undefined, context)
      : { held: 0, problem: undefined, notes: [] };
    return {
      ok: verdict.ok && kept.problem === undefined,
      log: what,
      entries: entries.length,
      ...found,
      ...(kept.problem === undefined ? {} : { at: kept.problem.seq, reason: kept.problem.reason }),
      attestations: kept.held,
      notes: [...notes, ...kept.notes],
    };
  },
  present: ({ ok, log, entries, head, reason, attestations, notes }) =>
    [
      ok
        ? `OK: ${log}: ${entries} ${entries === 1 ? 'entry' : 'entries'}, each names its predecessor`
        : `NOT OK: ${log}: ${reason ?? ''}`,
      ...(attestations === 0
        ? []
        : [
            `${attestations} ${attestations === 1 ? 'attestation' : 'attestations'} as the log has them`,
          ]),
      ...(head === null ? [] : ['head:', head]),
      ...notes.map((note) => `note: ${note}`),
    ].join('\n'),
});

function parseHead(text: string): ChainHead {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  if (match === null) {
    throw new UsageError({
      code: 'E_AUDIT_HEAD',
      message: `${JSON.stringify(text)} is no head`,
      hint: 'give the number of the last entry, a colon and its hash, as audit verify prints them',
    });
  }
  return { seq: Number(match[1]), hash: match[2] as string };
}
