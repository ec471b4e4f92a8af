/** `ceremony plan`: the paper script of a ceremony. */
import { utf8 } from '#formats/bytes';
import { digestText } from '../close.js';
import { defineCommand } from '../command.js';
import { findCeremony, readDefinition } from '../place.js';

/** The paper script. */
export interface Plan {
  readonly ceremony: string;
  readonly definitionDigest: string;
  readonly format: 'markdown' | 'html';
  /** What all steps are meant to take. */
  readonly minutes: number;
  /** Where it was written; null when it is only here. */
  readonly out: string | null;
  readonly plan: string;
}

export const ceremonyPlan = defineCommand({
  id: 'ceremony.plan',
  summary: 'print the paper script of a ceremony, with blanks to fill in',
  description:
    'Writes who takes part, what must lie on the table with blanks for serials, the time that each act is meant to take, every step ' +
    'with blanks for time and initials, exception sheets, and what is due afterwards. With participants.yaml the names are on it.',
  inputs: {
    ceremony: {
      type: 'path',
      summary: 'a ceremony directory, definition file, or shipped name',
      required: true,
      positional: 0,
      placeholder: 'CEREMONY',
    },
    format: {
      type: 'string',
      summary: 'form of the pages; HTML prints on A4',
      choices: ['markdown', 'html'],
      default: 'markdown',
    },
    out: { type: 'path', summary: 'write it there; otherwise to standard output' },
  },
  outputs: {},
  options: ['force'],
  effect: 'none',
  only: 'cli',
  examples: [
    {
      command: 'conclave ceremony plan acme --format html --out script.html',
      explains: 'to print for everybody in the room',
    },
  ],
  run: async ({ ceremony, format, out }, { host, files, shippedCeremonies }): Promise<Plan> => {
    const [{ parseDefinition, parseParticipants }, { budgetOf, renderPlan }] = await Promise.all([
      import('#script/parse'),
      import('#script/paper'),
    ]);
    if (out !== undefined) files.assertAbsent([out]);
    const place = findCeremony(host.files, shippedCeremonies, ceremony);
    const bytes = readDefinition(host.files, place.definition);
    const { definition } = parseDefinition(bytes, place.definition);
    const digest = digestText(bytes);
    const listed = place.participants;
    const participants =
      listed !== undefined && host.files.exists(listed)
        ? { participants: parseParticipants(host.files.read(listed), listed) }
        : {};
    const markdown = renderPlan({ definition, digest, ...participants });
    const html = format === 'html';
    const plan = html ? (await import('#script/html-page')).htmlPage(markdown) : markdown;
    if (out !== undefined) files.write(out, utf8(plan));
    return {
      ceremony: definition.id,
      definitionDigest: digest,
      format: html ? 'html' : 'markdown',
      minutes: budgetOf(definition),
      out: out ?? null,
      plan,
    };
  },
  present: ({ out, plan, minutes }) =>
    out === null ? plan.trimEnd() : `plan of ${minutes} minutes written to ${out}`,
});
