/** `ceremony new`: a ceremony directory of one's own, from a shipped definition. */
import { join } from 'node:path';
import { utf8 } from '#formats/bytes';
import { OutputError } from '#formats/errors';
import type { Definition } from '#script/definition';
import { enrolledRoles } from '#script/enrolment';
import { digestText } from '../close.js';
import { defineCommand } from '../command.js';
import { CEREMONY_FILES, findCeremony, readDefinition } from '../place.js';

/** What was written. */
export interface NewCeremony {
  readonly ceremony: string;
  readonly folder: string;
  readonly files: readonly string[];
  readonly definitionDigest: string;
}

export const ceremonyNew = defineCommand({
  id: 'ceremony.new',
  summary: 'make a ceremony directory from a shipped ceremony',
  description:
    'Writes definition.yaml (what is reviewed), participants.yaml (who takes part) and site.yaml (where things lie here), to be ' +
    'filled in. Nothing is ever overwritten.',
  inputs: {
    template: {
      type: 'path',
      summary: 'a shipped ceremony, or a definition file',
      required: true,
      positional: 0,
      placeholder: 'CEREMONY',
    },
    folder: {
      type: 'path',
      summary: 'the new directory',
      required: true,
      positional: 1,
      placeholder: 'DIR',
    },
  },
  outputs: {},
  effect: 'repeatable',
  only: 'cli',
  examples: [
    {
      command: 'conclave ceremony new root-key acme',
      explains: 'then edit acme/participants.yaml, and try it: conclave run acme --rehearse',
    },
  ],
  run: async ({ template, folder }, { host, shippedCeremonies }): Promise<NewCeremony> => {
    const { files } = host;
    const { parseDefinition } = await import('#script/parse');
    const place = findCeremony(files, shippedCeremonies, template);
    const definitionBytes = readDefinition(files, place.definition);
    const { definition } = parseDefinition(definitionBytes, place.definition);
    const written: readonly (readonly [string, Uint8Array])[] = [
      [CEREMONY_FILES.definition, definitionBytes],
      [CEREMONY_FILES.participants, utf8(participantsText(definition))],
      [CEREMONY_FILES.site, utf8(siteText(definition))],
    ];
    for (const [name] of written) {
      const path = join(folder, name);
      if (!files.exists(path)) continue;
      throw new OutputError({
        code: 'E_FILE_EXISTS',
        message: `${path} exists already`,
        hint: 'choose another directory: a ceremony is never overwritten',
      });
    }
    files.makeDirectory(folder);
    for (const [name, bytes] of written) files.write(join(folder, name), bytes);
    return {
      ceremony: definition.id,
      folder,
      files: written.map(([name]) => join(folder, name)),
      definitionDigest: digestText(definitionBytes),
    };
  },
  present: ({ folder, files, definitionDigest }) =>
    [
      ...files,
      definitionDigest,
      '',
      `Fill in ${join(folder, CEREMONY_FILES.participants)}; whoever signs makes an identity (conclave identity new). Then:`,
      `  conclave ceremony check ${folder}`,
      `  conclave ceremony plan ${folder} --out script.md`,
      `  conclave run ${folder} --rehearse`,
      `  conclave ceremony readiness ${folder}`,
      `  conclave run ${folder}`,
    ].join('\n'),
});

/** One line for each place that the definition has, to be filled in. */
function participantsText(definition: Definition): string {
  const enrols = enrolledRoles(definition);
  const people = Object.entries(definition.roles).flatMap(([role, { count, identity }]) =>
    Array.from({ length: count }, (_, i) => {
      const name = count === 1 ? role : `${role}-${i + 1}`;
      return [
        `  - name: ${name}`,
        `    role: ${role}`,
        `    identity: ${identity === 'required' && !enrols.has(role) ? `people/${name}.pub` : 'none'}`,
      ].join('\n');
    }),
  );
  return [
    '# Who takes part. Put the real names in.',
    '# identity: the public file of the person (conclave identity new), relative to this file, or none.',
    ...(enrols.size === 0
      ? []
      : [`# Whoever gets one on the day has none here: each ${[...enrols].join(', each ')}.`]),
    '# level: verified when its fingerprint was compared out of band; tofu when it is not given.',
    'participants:',
    ...people,
    '',
  ].join('\n');
}

function siteText(definition: Definition): string {
  const paths = Object.entries(definition.parameters).filter(([, { type }]) => type === 'path');
  return [
    '# Where things lie in this place; apart from the definition, so that what was reviewed is what runs.',
    'site: 1',
    '# Private identity files, by person, relative to this file; who is not here is asked at sign-off.',
    '# identities:',
    '#   administrator: /media/administrator/administrator.key',
    ...(paths.length === 0
      ? []
      : [
          '# bindings:',
          ...paths.map(([name, { summary }]) => `#   ${name}: PATH    # ${summary}`),
        ]),
    '# The ceremony that this one continues, and the head of its transcript:',
    '# previous:',
    '#   ceremony: root-key',
    `#   head: ${'0'.repeat(64)}`,
    '',
  ].join('\n');
}
