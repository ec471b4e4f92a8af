/** `ceremony minutes`: the record of a session as a page for people and ink. */
import { utf8 } from '#formats/bytes';
import { defineCommand } from '../command.js';
import { readSession } from '../past-session.js';

/** The minutes. */
export interface Minutes {
  readonly ceremony: string;
  readonly session: string;
  /** Whether the session was closed. */
  readonly closed: boolean;
  readonly entries: number;
  /** Where they were written; null when they are only here. */
  readonly out: string | null;
  readonly format: 'markdown' | 'html';
  readonly minutes: string;
}

export const ceremonyMinutes = defineCommand({
  id: 'ceremony.minutes',
  summary: 'write the minutes of a session, in Markdown or HTML',
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
    format: {
      type: 'string',
      summary: 'form of the page; HTML prints on A4',
      choices: ['markdown', 'html'],
      default: 'markdown',
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
  run: async ({ session, format, out }, { host, files }): Promise<Minutes> => {
    const { renderMinutes } = await import('#script/minutes');
    if (out !== undefined) files.assertAbsent([out]);
    const { definition, entries } = await readSession(host.files, session);
    const markdown = renderMinutes({ definition, entries });
    const html = format === 'html';
    const minutes = html ? (await import('#script/html-page')).htmlPage(markdown) : markdown;
    if (out !== undefined) files.write(out, utf8(minutes));
    const [first] = entries;
    return {
      ceremony: definition.id,
      session: first?.type === 'session.opened' ? first.data.session : '',
      closed: entries.at(-1)?.type === 'session.closed',
      entries: entries.length,
      format: html ? 'html' : 'markdown',
      out: out ?? null,
      minutes,
    };
  },
  present: ({ out, minutes }) => (out === null ? minutes.trimEnd() : `minutes written to ${out}`),
});
