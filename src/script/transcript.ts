/**
 * The transcript of a session: one in-toto Statement whose predicate holds the definition and every entry of the journal.
 * Here it is built and read; whether it holds is said in `check-transcript.ts`.
 * @see docs/spec/transcript.md
 */
import { type ChainEntry, entryHash, entryJson, parseEntryJson } from '#custody/audit/chain';
import { buildStatement, type Statement, type Subject } from '#custody/audit/statement';
import { InputError } from '#formats/errors';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';
import { asParticipant } from './enrolment.js';
import { type Entry, parseEntry, type Participant } from './entries.js';
import { finalArtifacts } from './final-artifacts.js';

/** Predicate type of a transcript. A name, not a page: nothing is ever fetched from it. */
export const TRANSCRIPT_TYPE = 'https://conclave.dev/transcript/v1';

/** Name of the first subject: the hash of the last entry. */
export const HEAD_NAME = 'transcript-head';

const MAX_ENTRIES = 200_000;

const predicateSchema = s.object({
  /** Version of the program that wrote it, as it says itself. */
  conclave: s.string({ max: 64 }),
  /** The definition, as the text of its file. */
  definition: s.string({ max: 256 * 1024 }),
  entries: s.array(s.json(), { min: 1, max: MAX_ENTRIES }),
});

/** A transcript, strictly read and not yet believed. */
export interface Transcript {
  readonly subjects: readonly Subject[];
  readonly conclave: string;
  /** Text of the definition. */
  readonly definition: string;
  readonly entries: readonly Entry[];
  /** The same entries as the chain knows them. */
  readonly chain: readonly ChainEntry[];
}

/**
 * The statement over a closed session, ready to be signed. Its subjects are the head and then every artifact that still
 * counts, by path.
 */
export function buildTranscriptStatement(content: {
  readonly entries: readonly Entry[];
  /** Text of the definition file, byte for byte. */
  readonly definition: string;
  /** Version of the program. */
  readonly version: string;
}): Statement {
  const { entries, definition, version } = content;
  const last = entries.at(-1);
  if (last === undefined) {
    throw new InputError({ code: 'E_TRANSCRIPT_EMPTY', message: 'a session without entries' });
  }
  return buildStatement({
    subjects: [
      { name: HEAD_NAME, digest: { sha256: entryHash(chainEntry(last)) } },
      ...finalArtifacts(entries).map(({ path, sha256 }) => ({ name: path, digest: { sha256 } })),
    ],
    predicateType: TRANSCRIPT_TYPE,
    predicate: {
      conclave: version,
      definition,
      entries: entries.map((entry) => entryJson(chainEntry(entry))),
    },
  });
}

/**
 * The transcript in a statement.
 * @param what - how errors name it
 * @throws InputError `E_TRANSCRIPT_TYPE`, `E_SCHEMA_MISMATCH`, `E_ENTRY_UNKNOWN`
 */
export function parseTranscript(statement: Statement, what: string): Transcript {
  if (statement.predicateType !== TRANSCRIPT_TYPE) {
    throw new InputError({
      code: 'E_TRANSCRIPT_TYPE',
      message: `${what} is no transcript: its predicate type is ${JSON.stringify(statement.predicateType)}`,
    });
  }
  const predicate: Infer<typeof predicateSchema> = predicateSchema.parse(
    statement.predicate,
    `${what}: predicate`,
  );
  const chain: ChainEntry[] = [];
  const entries: Entry[] = [];
  for (const [i, value] of predicate.entries.entries()) {
    const at = `${what}: entries[${i}]`;
    const entry = parseEntryJson(value, at);
    chain.push(entry);
    entries.push(parseEntry(entry, at));
  }
  return {
    subjects: statement.subject,
    conclave: predicate.conclave,
    definition: predicate.definition,
    entries,
    chain,
  };
}

/** Everybody who took part, with the identity that each had in the end. */
export function participantsOf(entries: readonly Entry[]): readonly Participant[] {
  let participants: readonly Participant[] = [];
  for (const entry of entries) {
    if (entry.type === 'session.opened') participants = entry.data.participants;
    if (entry.type !== 'participant.enrolled') continue;
    const { name, role } = entry.data;
    participants = participants.map((it) =>
      it.name === name && it.role === role && it.identity === null ? asParticipant(entry.data) : it,
    );
  }
  return participants;
}

/** A typed entry's data is plain JSON: the same entry as the chain hashes it. */
function chainEntry(entry: Entry): ChainEntry {
  return entry;
}
