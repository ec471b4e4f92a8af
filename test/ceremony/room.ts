/** A ceremony room in memory: machine, home, people, and the context that a ceremony command runs in. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Action } from '#actions/action';
import { buildContext } from '#actions/context/build';
import type { ActionContext, Asker } from '#actions/context/context';
import { createFileSpace } from '#actions/context/file-space';
import { createFileStore } from '#carriage/stores/file-store';
import { openHome } from '#carriage/stores/home';
import type { CommandContext } from '#ceremony/command';
import { run, type RunResult } from '#ceremony/commands/run';
import { UsageError } from '#formats/errors';
import { answersTerminal } from '#terminal/answers';
import { plainTerminal } from '#terminal/plain';
import type { Terminal } from '#terminal/terminal';
import { root } from '../support/require.js';
import { type Disk, memoryHost, place } from './memory-host.js';

const folder = join(root, 'src/actions');
const actions = new Map<string, Action>();

/** All actions of the program, loaded once. */
async function allActions(): Promise<ReadonlyMap<string, Action>> {
  if (actions.size > 0) return actions;
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.ts') || name === 'action.ts') continue;
    const module = (await import(join(folder, name))) as Readonly<Record<string, unknown>>;
    for (const exported of Object.values(module)) {
      if (
        typeof exported === 'object' &&
        exported !== null &&
        'id' in exported &&
        'run' in exported
      )
        actions.set(String(exported.id), exported as Action);
    }
  }
  return actions;
}

/** What a room is furnished with. */
export interface RoomOptions {
  readonly host?: Parameters<typeof memoryHost>[1];
  /** People at the keyboard; nobody by default. */
  readonly terminal?: Terminal;
  /** Sees every key that goes into memory. */
  readonly onSecret?: (bytes: Uint8Array) => void;
  /** Collects what was said. */
  readonly said?: string[];
}

/** Puts the shipped ceremonies onto a disk. */
export function furnish(disk: Disk): void {
  const shipped = join(root, 'ceremonies');
  for (const entry of readdirSync(shipped, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    place(disk, join('/shipped', path.slice(shipped.length)), readFileSync(path));
  }
  disk.folders.add('/shipped');
}

/** The context of one process in the room. */
export async function roomContext(disk: Disk, options: RoomOptions = {}): Promise<CommandContext> {
  const host = memoryHost(disk, options.host);
  const home = openHome(host.files, '/home');
  const line = (text: string): void => void options.said?.push(text);
  const terminal = options.terminal ?? plainTerminal({ line });
  const nobody: Asker = {
    passphrase: () => Promise.reject(new UsageError({ code: 'E_PASSPHRASE_MISSING', message: '' })),
    newPassphrase: () =>
      Promise.reject(new UsageError({ code: 'E_PASSPHRASE_MISSING', message: '' })),
    people: () => [],
  };
  const parts = {
    host,
    home,
    store: createFileStore(host.files, home),
    files: createFileSpace({
      files: host.files,
      force: false,
      stdin: () => new Uint8Array(0),
      stdout: () => undefined,
    }),
    ask: nobody,
    environment: 'production',
    waivers: new Set<never>(),
    allowedEnvironments: new Set<never>(),
    progress: () => undefined,
    version: '0.1.0',
    scryptLogN: 10,
  } as const;
  const known = await allActions();
  return {
    ...buildContext(parts),
    host,
    terminal,
    catalogue: () => Promise.resolve([...known.values()]),
    loadAction: (id) => Promise.resolve(watched(known.get(id), options.onSecret)),
    shippedCeremonies: '/shipped',
    toolDigest: () => `sha256:${'0'.repeat(64)}`,
    within: (changes): ActionContext =>
      buildContext({ ...parts, ...changes, askIdentity: changes.ask ?? nobody }),
    answering: (given) => answersTerminal({ ...given, line }),
  };
}

/** An action that shows the test every secret it puts into the ceremony's memory. */
function watched(
  action: Action | undefined,
  onSecret: ((bytes: Uint8Array) => void) | undefined,
): Action | undefined {
  if (action === undefined || onSecret === undefined) return action;
  return {
    ...action,
    run: (input, context) =>
      action.run(input, {
        ...context,
        keys: {
          ...context.keys,
          add: (record, secret, placement) => {
            secret.use((bytes) => {
              onSecret(bytes.slice());
            });
            return context.keys.add(record, secret, placement);
          },
        },
      }),
  };
}

/** Runs a ceremony in a context. */
export function runIn(
  context: CommandContext,
  input: Partial<Parameters<typeof run.run>[0]> & { readonly ceremony: string },
): Promise<RunResult> {
  return run.run({ param: [], inject: [], ...input }, context);
}
