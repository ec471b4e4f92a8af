/** `ceremony show`: what a ceremony asks for and does, before anybody runs it. */
import { digestText } from '../close.js';
import { defineCommand } from '../command.js';
import { findCeremony, readDefinition } from '../place.js';
import type { Definition } from '#script/definition';

/** A definition as plain data for people and scripts. */
export interface ShownCeremony {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly classification: 'production' | 'dev';
  readonly unattended: boolean;
  readonly definition: string;
  readonly definitionDigest: string;
  readonly parameters: Definition['parameters'];
  readonly roles: Definition['roles'];
  readonly quorums: Definition['quorums'];
  readonly materials: Definition['materials'];
  readonly requires: readonly string[];
  readonly acts: readonly {
    readonly id: string;
    readonly title: string;
    readonly steps: readonly {
      readonly id: string;
      readonly title: string;
      readonly by: string;
      readonly each: string | null;
      /** The action, or what people do. */
      readonly does: string;
      readonly effect: string;
    }[];
  }[];
  readonly after: Definition['after'];
}

export const ceremonyShow = defineCommand({
  id: 'ceremony.show',
  summary: 'show who takes part in a ceremony and what happens in it',
  description:
    'Reads a definition and prints its people, quorums, parameters, acts and steps. Nothing is run and nothing is checked beyond ' +
    'the form: that is what ceremony check does.',
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
  examples: [{ command: 'conclave ceremony show root-key', explains: 'roles, acts and steps' }],
  run: async ({ ceremony }, { host, shippedCeremonies }): Promise<ShownCeremony> => {
    const { parseDefinition } = await import('#script/parse');
    const place = findCeremony(host.files, shippedCeremonies, ceremony);
    const bytes = readDefinition(host.files, place.definition);
    const { definition } = parseDefinition(bytes, place.definition);
    return {
      id: definition.id,
      title: definition.title,
      summary: definition.summary,
      classification: definition.classification,
      unattended: definition.unattended,
      definition: place.definition,
      definitionDigest: digestText(bytes),
      parameters: definition.parameters,
      roles: definition.roles,
      quorums: definition.quorums,
      materials: definition.materials,
      requires: definition.environment.require,
      acts: definition.acts.map(({ id, title, steps }) => ({
        id,
        title,
        steps: steps.map((step) => ({
          id: step.id,
          title: step.title,
          by: step.by,
          each: step.each ?? null,
          does: step.kind === 'action' ? step.uses : step.human,
          effect: step.effect,
        })),
      })),
      after: definition.after,
    };
  },
  present: (it) =>
    [
      `${it.title} (${it.id}, ${it.classification}${it.unattended ? ', unattended' : ''})`,
      it.definitionDigest,
      '',
      it.summary,
      '',
      'People',
      ...Object.entries(it.roles).map(
        ([name, { count, identity, summary }]) =>
          `  ${count} ${name}: ${summary}${identity === 'required' ? ' (identity required)' : ''}`,
      ),
      ...Object.entries(it.quorums).map(
        ([name, { of, threshold, shares }]) =>
          `  quorum ${name}: ${threshold} of ${shares} (${of})`,
      ),
      ...section(
        'Parameters',
        Object.entries(it.parameters).map(
          ([name, { summary, default: initial }]) =>
            `${name}: ${summary}${initial === undefined ? ' (required)' : `, default ${String(initial)}`}`,
        ),
      ),
      ...section(
        'Materials',
        Object.entries(it.materials).map(([name, { kind, count }]) => `${count} ${name}: ${kind}`),
      ),
      ...it.acts.flatMap(({ title, steps }, i) =>
        section(
          `Act ${i + 1}: ${title}`,
          steps.map(
            (step, j) =>
              `${j + 1}. ${step.title}${step.effect === 'irreversible' ? '  (cannot be undone)' : ''}`,
          ),
        ),
      ),
      ...section(
        'Afterwards',
        it.after.map(
          ({ duty, within, branch }) =>
            `${duty} (within ${within}${branch === undefined ? '' : `, way ${branch.branch}.${branch.side}`})`,
        ),
      ),
    ].join('\n'),
});

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}
