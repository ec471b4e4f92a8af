/** `ceremony list`: the ceremonies that come with the program. */
import { join } from 'node:path';
import { defineCommand } from '../command.js';
import { readDefinition, shippedNames } from '../place.js';

/** One shipped ceremony. */
export interface ListedCeremony {
  readonly name: string;
  readonly title: string;
  readonly classification: 'production' | 'dev';
  readonly unattended: boolean;
}

export const ceremonyList = defineCommand({
  id: 'ceremony.list',
  summary: 'list the ceremonies that come with conclave',
  description: 'Each of them is a template: ceremony new makes a ceremony of your own from it.',
  inputs: {},
  outputs: {},
  effect: 'none',
  only: 'cli',
  examples: [{ command: 'conclave ceremony list', explains: 'names, titles and classes' }],
  run: async (_input, { host, shippedCeremonies }) => {
    const { parseDefinition } = await import('#script/parse');
    const ceremonies = shippedNames(host.files, shippedCeremonies).map((name): ListedCeremony => {
      const path = join(shippedCeremonies, `${name}.yaml`);
      const { definition } = parseDefinition(readDefinition(host.files, path), path);
      const { title, classification, unattended } = definition;
      return { name, title, classification, unattended };
    });
    return { ceremonies };
  },
  present: ({ ceremonies }) => {
    const width = Math.max(0, ...ceremonies.map(({ name }) => name.length));
    return ceremonies
      .map(({ name, title, classification }) =>
        `${name.padEnd(width)}  ${classification === 'dev' ? 'dev         ' : 'production  '}${title}`.trimEnd(),
      )
      .join('\n');
  },
});
