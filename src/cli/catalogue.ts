/**
 * All commands by name: the generated index of actions and ceremony commands, and the few that live in the command line
 * itself. Loading one loads nothing of the others.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { Action } from '#actions/action';
import type { Command } from '#ceremony/command';
import type { ActionDescription } from '#formats/action';
import { InternalError } from '#formats/errors';
import type { BuiltIn } from './built-in.js';
import { index } from './commands.generated.js';
import type { CommandPage } from './page.js';
import { pageOf } from './page.js';

/** How a command is run. */
export type CommandKind = 'action' | 'command' | 'built-in';

/** One row of the index. */
export interface IndexRow {
  readonly id: string;
  /** What the operator types. */
  readonly words: readonly string[];
  readonly kind: CommandKind;
  /** The module that holds it. */
  readonly load: () => Promise<object>;
}

/** A loaded command. */
export type Loaded =
  | { readonly kind: 'action'; readonly it: Action }
  | { readonly kind: 'command'; readonly it: Command }
  | { readonly kind: 'built-in'; readonly it: BuiltIn };

/** What one word of the first level stands for in lists. */
export const GROUP_SUMMARIES: Readonly<Record<string, string>> = {
  ceremony: 'write, check and report scripted ceremonies',
  key: 'make keys and look after them',
  share: 'split secrets among custodians and bring them together',
  threshold: 'keys that no single party ever holds',
  trace: 'prove that a quorum made a signature',
  handover: 'receive wrapped keys and prove it',
  hsm: 'keys in hardware tokens',
  keychain: "secrets in the operating system's keychain",
  qr: 'carry artifacts across the gap as pictures',
  identity: 'the keys of people',
  policy: 'what keys may be used for',
  audit: 'the log of this home',
  log: 'public transparency logs',
  airgap: 'is this machine really offline',
};

const builtIns: readonly IndexRow[] = [
  {
    id: 'completion',
    words: ['completion'],
    kind: 'built-in',
    load: () => import('./completion.js'),
  },
  { id: 'help', words: ['help'], kind: 'built-in', load: () => import('./help.js') },
];

/** Every command, in the order of their words; actions that exist only as ceremony steps included. */
export const rows: readonly IndexRow[] = [...index, ...builtIns].sort((a, b) =>
  a.id < b.id ? -1 : 1,
);

/** The code of one command. */
export async function load(row: IndexRow): Promise<Loaded> {
  const module = await row.load();
  for (const exported of Object.values(module) as unknown[]) {
    if (isCommand(exported) && exported.id === row.id) {
      return { kind: row.kind, it: exported } as Loaded;
    }
  }
  throw new InternalError({
    code: 'E_CLI_NO_COMMAND',
    message: `the file of ${row.words.join(' ')} exports no command with the id ${row.id}`,
  });
}

/** The action of that id, or `undefined`. */
export async function loadAction(id: string): Promise<Action | undefined> {
  const row = rows.find((candidate) => candidate.id === id && candidate.kind === 'action');
  if (row === undefined) return undefined;
  const loaded = await load(row);
  return loaded.kind === 'action' ? loaded.it : undefined;
}

/** Descriptions of all actions, for the linter of ceremony definitions. */
export async function actionDescriptions(): Promise<readonly ActionDescription[]> {
  const actions = rows.filter(({ kind }) => kind === 'action');
  return await Promise.all(actions.map(async (row) => (await load(row)).it));
}

/** The pages of all commands: read from what the build wrote, or made from the code where nothing was built. */
export async function pages(): Promise<readonly CommandPage[]> {
  const written = new URL('../commands.json', import.meta.url);
  if (!existsSync(written)) return await pagesFromCode();
  return (JSON.parse(readFileSync(written, 'utf8')) as { commands: CommandPage[] }).commands;
}

/** The pages of all commands that can be typed, from their code. */
export async function pagesFromCode(): Promise<readonly CommandPage[]> {
  const loaded = await Promise.all(
    rows.map(async (row) => ({ row, description: (await load(row)).it })),
  );
  return loaded
    .filter(({ description }) => description.only !== 'ceremony')
    .map(({ row, description }) => pageOf(description, row.words));
}

function isCommand(value: unknown): value is ActionDescription {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    'run' in value &&
    typeof value.run === 'function'
  );
}
