/** Sessions that were held: read from their folders or transcripts, by commands that look back. */
import { join } from 'node:path';
import { entryHash } from '#custody/audit/chain';
import { parseStatement } from '#custody/audit/statement';
import { utf8 } from '#formats/bytes';
import { decodeDsse } from '#formats/dsse';
import { ConclaveError, MissingInputError } from '#formats/errors';
import type { HostFiles } from '#host/host';
import type { Definition } from '#script/definition';
import type { Entry, EntryData } from '#script/entries';
import { Journal } from './journal.js';
import { CEREMONY_FILES, readDefinition } from './place.js';
import { FILES } from './session.js';

const MAX_TRANSCRIPT_BYTES = 256 * 1024 * 1024;

/** One session. */
export interface PastSession {
  readonly definition: Definition;
  readonly entries: readonly Entry[];
}

/**
 * Folders of the sessions of a ceremony directory, the oldest first; for anything else the path itself, which is a session.
 */
export function sessionsIn(files: HostFiles, path: string): readonly string[] {
  const sessions = join(path, CEREMONY_FILES.sessions);
  if (!files.isDirectory(sessions)) return [path];
  return files
    .list(sessions)
    .map((name) => join(sessions, name))
    .filter((folder) => files.exists(join(folder, FILES.journal)))
    .sort();
}

/** How a session opened, and its last entry when it is closed. */
export function boundsOf(entries: readonly Entry[]): {
  readonly opened: EntryData['session.opened'] | undefined;
  readonly closed: Extract<Entry, { readonly type: 'session.closed' }> | undefined;
} {
  const [first] = entries;
  const last = entries.at(-1);
  return {
    opened: first?.type === 'session.opened' ? first.data : undefined,
    closed: last?.type === 'session.closed' ? last : undefined,
  };
}

/** The entries of a session; none of one that was altered, which must not keep the next ceremony from being held. */
function readable(files: HostFiles, session: string): readonly Entry[] {
  try {
    return Journal.read(files, join(session, FILES.journal));
  } catch (error) {
    if (error instanceof ConclaveError) return [];
    throw error;
  }
}

/** The head of the last real session that was closed in a ceremony directory: what the next one opens with. */
export function lastHead(
  files: HostFiles,
  folder: string,
): EntryData['session.opened']['previous'] {
  const sessions = join(folder, CEREMONY_FILES.sessions);
  if (!files.isDirectory(sessions)) return null;
  for (const session of sessionsIn(files, folder).toReversed()) {
    const { opened, closed } = boundsOf(readable(files, session));
    if (opened === undefined || closed === undefined || opened.mode !== 'run') continue;
    return { ceremony: opened.ceremony, head: entryHash(closed) };
  }
  return null;
}

/**
 * A session from its folder, closed or not, or from its transcript.
 * @throws MissingInputError `E_SESSION_MISSING`, InputError for what does not parse
 */
export async function readSession(files: HostFiles, path: string): Promise<PastSession> {
  const { parseDefinition } = await import('#script/parse');
  const journal = join(path, FILES.journal);
  if (files.isDirectory(path) && files.exists(journal)) {
    const kept = join(path, FILES.definition);
    const { definition } = parseDefinition(readDefinition(files, kept), kept);
    return { definition, entries: Journal.read(files, journal) };
  }
  if (files.isDirectory(path) || !files.exists(path)) {
    throw new MissingInputError({
      code: 'E_SESSION_MISSING',
      message: `there is no session ${path}`,
      hint: 'name the folder of a session, or its transcript.json',
    });
  }
  const { parseTranscript } = await import('#script/transcript');
  const envelope = decodeDsse(files.read(path, MAX_TRANSCRIPT_BYTES), path, {
    maxBytes: MAX_TRANSCRIPT_BYTES,
  });
  const transcript = parseTranscript(parseStatement(envelope, path), path);
  const { definition } = parseDefinition(utf8(transcript.definition), `${path}: definition`);
  return { definition, entries: transcript.entries };
}
