/** Parties of a session for tests: each with a home of its own, exchanging files through one folder. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Action } from '#actions/action';
import { identityNew } from '#actions/identity-new';
import { thresholdKeygen } from '#actions/threshold-keygen';
import type { PhaseResult } from '#actions/threshold/phases';
import { type RunOptions, type Workplace, workplace } from '../support/home.js';

/** Any threshold command. */
export type Command = Action<never, PhaseResult>;

/** One person with a home. */
export interface TestParty {
  readonly name: string;
  readonly place: Workplace;
  /** Public identity file. */
  readonly pub: string;
  readonly options: RunOptions;
}

/** A folder through which files travel, and those who use it. */
export interface Room {
  readonly net: string;
  readonly people: readonly TestParty[];
  remove(): void;
}

/** People with identities; their passphrases differ. */
export async function room(names: readonly string[]): Promise<Room> {
  const net = mkdtempSync(join(tmpdir(), 'conclave-net-'));
  const people: TestParty[] = [];
  for (const name of names) {
    const place = workplace();
    const identity = join(net, `${name}.key`);
    await place.run(identityNew, { name, out: identity }, { noPassphrase: true });
    people.push({
      name,
      place,
      pub: `${identity}.pub`,
      options: { passphrases: [`secret of ${name}`], identity },
    });
  }
  return {
    net,
    people,
    remove: () => {
      for (const { place } of people) rmSync(place.folder, { recursive: true, force: true });
      rmSync(net, { recursive: true });
    },
  };
}

/** Runs one phase of a command for one person; `net/FOLDER` is where all of the session's files are. */
export async function phase(
  command: object,
  name: 'start' | 'round' | 'finish',
  person: TestParty,
  folder: string,
  input: Readonly<Record<string, unknown>> = {},
  options: RunOptions = {},
): Promise<PhaseResult> {
  const own = name === 'finish' ? person.place.at(`out-${folder.split('/').at(-1) ?? ''}`) : folder;
  return await person.place.run(
    command as Command,
    {
      phase: name,
      session: person.place.at(`session-${folder.split('/').at(-1) ?? ''}`),
      outDir: own,
      ...(name === 'start' ? {} : { in: [folder] }),
      ...input,
    },
    { ...person.options, ...options },
  );
}

/** The start message in a session's folder. */
export function startFile(folder: string): string {
  const found = readdirSync(folder).find((name) => name.endsWith('-start.json'));
  if (found === undefined) throw new Error('no start message');
  return join(folder, found);
}

/** Everybody runs `round` until all are through. */
export async function rounds(
  command: object,
  people: readonly TestParty[],
  folder: string,
): Promise<void> {
  const open = new Set(people);
  for (let turn = 0; open.size > 0 && turn < 12; turn++) {
    for (const person of [...open]) {
      try {
        if ((await phase(command, 'round', person, folder)).done) open.delete(person);
      } catch (error) {
        if ((error as { exitCode?: number }).exitCode !== 75) throw error;
      }
    }
  }
  if (open.size > 0) throw new Error('the session does not end');
}

/** A whole session: the first starts, the others join, all finish. */
export async function session(
  command: object,
  people: readonly TestParty[],
  folder: string,
  begin: Readonly<Record<string, unknown>>,
  join_: Readonly<Record<string, unknown>> = {},
  end: Readonly<Record<string, unknown>> = {},
): Promise<readonly PhaseResult[]> {
  const [first, ...others] = people as [TestParty, ...TestParty[]];
  await phase(command, 'start', first, folder, begin);
  for (const other of others) {
    await phase(command, 'start', other, folder, { in: [startFile(folder)], ...join_ });
  }
  await rounds(command, people, folder);
  const results: PhaseResult[] = [];
  for (const person of people) results.push(await phase(command, 'finish', person, folder, end));
  return results;
}

/** A group key of the first `count` people. */
export async function keyed(
  { net, people }: Room,
  count: number,
  threshold: number,
  suite = 'ed25519',
): Promise<readonly PhaseResult[]> {
  const members = people.slice(0, count);
  return await session(
    thresholdKeygen,
    members,
    join(net, `keygen-${suite}`),
    { suite, threshold, party: members.map(({ pub }) => pub) },
    {},
    { name: `key-${suite}` },
  );
}

/** A file as text. */
export function text(path: string): string {
  return readFileSync(path, 'utf8');
}
