/** `ceremony minutes`: the record of a session as a page for people and ink. */
import { join } from 'node:path';
import { parseStatement } from '#custody/audit/statement';
import { utf8 } from '#formats/bytes';
import { decodeDsse } from '#formats/dsse';
import { MissingInputError } from '#formats/errors';
import type { HostFiles } from '#host/host';
import type { Definition } from '#script/definition';
import type { Entry } from '#script/entries';
import { defineCommand } from '../command.js';
import { Journal } from '../journal.js';
import { readDefinition } from '../place.js';
import { FILES } from '../session.js';

const MAX_TRANSCRIPT_BYTES = 256 * 1024 * 1024;

/** The minutes. */
export interface Minutes {
  readonly ceremony: string;
  readonly session: string;
  /** Whether the session was closed. */
  readonly closed: boolean;
  readonly entries: number;
  /** Where they were written; null when they are only here. */
  readonly out: string | null;
  /** Markdown. */
  readonly minutes: string;
}

export const ceremonyMinutes = defineCommand({
  id: 'ceremony.minutes',
  summary: 'write the minutes of a session, in Markdown',
  description:
    'Renders a transcript, or the journal of a session that is not closed yet, as a page to print, initial and sign with ink. ' +
    'Minutes are a rendering and prove nothing: what is proven says conclave verify.',
  inputs: {
    session: {
      type: 'path',
      summary: 'a session folder or a transcript.json',
      required: true,
      positional: 0,
      placeholder: 'SESSION',
    },
    out: { type: 'path', summary: 'write them there; otherwise to standard output' },
  },
  outputs: {},
  options: ['force'],
  effect: 'none',
  only: 'cli',
  examples: [
    {
      command: 'conclave ceremony minutes acme/sessions/2026-11-23T093000Z --out minutes.md',
      explains: 'from the folder of a session',
    },
  ],
  run: async ({ session, out }, { host, files }): Promise<Minutes> => {
    const { renderMinutes } = await import('#script/minutes');
    if (out !== undefined) files.assertAbsent([out]);
    const { definition, entries } = await readSession(host.files, session);
    const minutes = renderMinutes({ definition, entries });
    if (out !== undefined) files.write(out, utf8(minutes));
    const [first] = entries;
    return {
      ceremony: definition.id,
      session: first?.type === 'session.opened' ? first.data.session : '',
      closed: entries.at(-1)?.type === 'session.closed',
      entries: entries.length,
      out: out ?? null,
      minutes,
    };
  },
  present: ({ out, minutes }) => (out === null ? minutes.trimEnd() : `minutes written to ${out}`),
});

async function readSession(
  files: HostFiles,
  path: string,
): Promise<{ readonly definition: Definition; readonly entries: readonly Entry[] }> {
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
