/** Ceremony directories for tests: people with real identities, and small definitions. */
import { encodeIdentity, newIdentity } from '#custody/authority/identity';
import type { Environment } from '#custody/authority/record';
import { utf8 } from '#formats/bytes';
import { SecretBytes } from '#formats/secret-bytes';
import type { CommandContext } from '#ceremony/command';
import { type Disk, place } from './memory-host.js';

/** Makes an identity: `/people/<name>.key`, sealed under `passphrase of <name>`, and `/people/<name>.pub`. */
export async function enrol(
  disk: Disk,
  context: CommandContext,
  name: string,
  environment: Environment = 'production',
): Promise<void> {
  disk.folders.add('/people');
  using open = await newIdentity({
    name,
    environment,
    now: context.now(),
    random: context.random,
  });
  const passphrase = (): SecretBytes => SecretBytes.adopt(utf8(`passphrase of ${name}`), 'test');
  const { identities } = context.within({
    ask: {
      people: () => [],
      passphrase: () => Promise.resolve(passphrase()),
      newPassphrase: () => Promise.resolve(passphrase()),
    },
  });
  await identities.add(open, { out: `/people/${name}.key` });
  disk.files.set(`/people/${name}.pub`, encodeIdentity(open.identity));
}

/** A participants file; people with an identity are named with it. */
export function participants(
  people: readonly { readonly name: string; readonly role: string; readonly identity: boolean }[],
): string {
  return [
    'participants:',
    ...people.map(
      ({ name, role, identity }) =>
        `  - { name: ${name}, role: ${role}, identity: ${identity ? `../people/${name}.pub` : 'none'} }`,
    ),
    '',
  ].join('\n');
}

/** The people of root-key. */
export const ROOT_KEY_PEOPLE = [
  { name: 'Ada', role: 'administrator', identity: true },
  ...['Cara', 'Cem', 'Chris', 'Cleo', 'Cyd'].map((name) => ({
    name,
    role: 'custodian',
    identity: false,
  })),
  { name: 'Wim', role: 'witness', identity: true },
  { name: 'Wren', role: 'witness', identity: true },
];

/** The directory `/acme` for root-key, with the private identities bound by the site file. */
export async function rootKeyDirectory(
  disk: Disk,
  context: CommandContext,
  definition: Uint8Array,
): Promise<void> {
  place(disk, '/acme/definition.yaml', definition);
  place(disk, '/acme/participants.yaml', participants(ROOT_KEY_PEOPLE));
  const named = ROOT_KEY_PEOPLE.filter(({ identity }) => identity).map(({ name }) => name);
  for (const name of named) await enrol(disk, context, name);
  place(
    disk,
    '/acme/site.yaml',
    `site: 1\nidentities:\n${named.map((name) => `  ${name}: ../people/${name}.key\n`).join('')}`,
  );
}

/** A small dev ceremony: one administrator, one witness, and the given steps before they sign off. */
export function smallCeremony(steps: string): string {
  return `conclave: 1
id: small
title: Small dev ceremony
summary: A dev ceremony for tests.
classification: dev
roles:
  administrator: { count: 1, identity: required, distinct-from: [witness], summary: drives }
  witness: { count: 1, identity: required, distinct-from: [administrator], summary: attests }
acts:
  - id: work
    title: Work
    steps:
${steps.replaceAll(/^(?=.)/gm, '      ')}
  - id: close
    title: Close
    steps:
      - { id: administrator, title: The administrator signs off, by: administrator, each: administrator, do: sign-off }
      - { id: witness, title: The witness signs off, by: witness, each: witness, do: sign-off }
`;
}
