/** A room in which people are enrolled: an administrator and a witness with identities, and people who have none yet. */
import type { CommandContext } from '#ceremony/command';
import { enrol, participants } from './directory.js';
import { Disk, place } from './memory-host.js';
import type { Asked, Player } from './people.js';
import { furnish, roomContext } from './room.js';

/** In earnest: two members whom the witness compares, and a helper whom nobody does. */
export const ENROLMENT = `conclave: 1
id: comers
title: People who come in
summary: Two members and a helper come in.
classification: production
roles:
  administrator: { count: 1, identity: required, distinct-from: [member, witness], summary: drives }
  member: { count: 2, identity: required, level: introduced, distinct-from: [administrator, witness], summary: comes in }
  helper: { count: 1, identity: required, summary: helps }
  witness: { count: 1, identity: required, level: introduced, distinct-from: [administrator, member], summary: attests }
environment: { require: [clock] }
acts:
  - id: convene
    title: Convene
    steps:
      - { id: digest, title: Each witness reads the digest, by: witness, each: witness, do: read-back, value: "\${{ session.execution-digest }}" }
      - { id: script, title: Each witness reads the digest of the script, by: witness, each: witness, do: read-back, value: "\${{ session.definition-digest }}" }
  - id: enrol
    title: Enrol
    steps:
      - { id: enrol, title: Each member makes an identity, by: member, each: member, uses: identity.new, effect: repeatable, retry: 1, on-failure: retry, with: { name: "\${{ each.name }}", public-out: "people/\${{ each.number }}.pub", compared-by: witness } }
      - { id: help, title: Each helper makes an identity, by: helper, each: helper, uses: identity.new, effect: repeatable, with: { name: "\${{ each.name }}" } }
  - id: close
    title: Close
    steps:
      - { id: administrator, title: The administrator signs off, by: administrator, each: administrator, do: sign-off }
      - { id: members, title: Each member signs off, by: member, each: member, do: sign-off }
      - { id: helpers, title: Each helper signs off, by: helper, each: helper, do: sign-off }
      - { id: witness, title: The witness signs off, by: witness, each: witness, do: sign-off }
`;

/** Where the ceremony lies. */
export const COMERS = '/comers';

/** People as they are listed; those with a level have an identity. */
const PEOPLE = [
  { name: 'Ada', role: 'administrator', level: 'verified' },
  { name: 'Wim', role: 'witness', level: 'introduced' },
  { name: 'Mia', role: 'member' },
  { name: 'Mo', role: 'member' },
  { name: 'Hal', role: 'helper' },
];

/**
 * The room before anybody came in.
 * @param known - levels that are other ones; of people who have none otherwise, identities
 * @param alone - whether Mia alone comes in
 */
export async function comersRoom(
  known: Readonly<Record<string, string>> = {},
  alone = false,
): Promise<{ disk: Disk; context: CommandContext }> {
  const disk = new Disk();
  furnish(disk);
  const context = await roomContext(disk);
  const few = ENROLMENT.replace('member: { count: 2', 'member: { count: 1').replaceAll(
    /^.*helper.*\n/gm,
    (line) => (line.startsWith('summary') ? line : ''),
  );
  place(disk, `${COMERS}/definition.yaml`, alone ? few : ENROLMENT);
  const people = PEOPLE.filter(({ name }) => !alone || (name !== 'Mo' && name !== 'Hal')).map(
    (it) => ({ ...it, level: known[it.name] ?? it.level }),
  );
  const listed = people.filter(({ level }) => level !== undefined);
  for (const { name } of listed) await enrol(disk, context, name);
  let text = participants(people.map((it) => ({ ...it, identity: it.level !== undefined })));
  for (const { name, level = '' } of listed)
    text = text.replace(`${name}.pub`, `${name}.pub, level: ${level}`);
  place(disk, `${COMERS}/participants.yaml`, text);
  const bound = listed.map(({ name }) => `  ${name}: ../people/${name}.key\n`).join('');
  place(disk, `${COMERS}/site.yaml`, `site: 1\nidentities:\n${bound}`);
  for (const name of ['Mia', 'Mo', 'Hal']) disk.folders.add(`/media/${name}`);
  disk.folders.add('/media');
  return { disk, context };
}

/** The file on somebody's own medium. */
export const mediumOf = (name: string): string => `/media/${name}/${name}.key`;

/** People who put in their media, and a witness who types what is read from the paper that was copied from this screen. */
export function comers(
  shown: () => readonly string[],
  otherwise: Player = () => undefined,
): Player {
  return (asked: Asked) => {
    const given = otherwise(asked);
    if (given !== undefined) return given;
    const { key, kind, question } = asked;
    const name = key.split('/')[2] ?? '';
    if (kind !== 'text') return undefined;
    if (/is your identity, or is to be|private identity file/.test(question)) return mediumOf(name);
    const rows = /Groups (\d+) to (\d+) of/.exec(question);
    if (rows === null) return undefined;
    const paper = shown().findLast((text) => text.includes(`fingerprint of ${name}, in words`));
    const groups = (paper?.split('\n').at(-1) ?? '').split(' ');
    return groups.slice(Number(rows[1]) - 1, Number(rows[2])).join(' ');
  };
}
