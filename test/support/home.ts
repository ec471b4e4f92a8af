/** A temporary home and the context of one run over it, for tests of actions. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildContext } from '#actions/context/build';
import type { Action } from '#actions/action';
import type { ActionContext, Asker, Waiver } from '#actions/context/context';
import { createFileSpace } from '#actions/context/file-space';
import { createFileStore } from '#carriage/stores/file-store';
import type { OpenStore } from '#carriage/stores/store';
import { openHome } from '#carriage/stores/home';
import { normalisePassphrase } from '#crypto/passphrase-box';
import type { Environment } from '#custody/authority/record';
import type { Fields } from '#formats/action';
import { UsageError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { createFiles } from '#host/files';
import { type FsPort, nodeFs } from '#host/fs-port';

/** What a run is given. */
export interface RunOptions {
  /** Tried one after another; the first also seals. */
  readonly passphrases?: readonly string[];
  readonly noPassphrase?: boolean;
  readonly force?: boolean;
  readonly environment?: Environment;
  readonly waivers?: readonly Waiver[];
  readonly allowedEnvironments?: readonly Environment[];
  readonly identity?: string;
  readonly stdin?: Uint8Array;
  readonly confirms?: boolean;
  readonly fs?: FsPort;
  readonly openStore?: OpenStore;
  readonly keychainClaims?: ActionContext['keychainClaims'];
  readonly token?: { readonly module: string; readonly pinFile?: string };
}

/** A folder of its own, removed by `remove`. */
export interface Workplace {
  readonly folder: string;
  /** A path in it. */
  at(name: string): string;
  /** A context; `written` collects what went to standard output. */
  context(options?: RunOptions): ActionContext & { readonly written: Uint8Array[] };
  /** Runs an action on a context of its own. */
  run<F extends Fields, O extends object>(
    action: Action<F, O>,
    input: Readonly<Record<string, unknown>>,
    options?: RunOptions,
  ): Promise<O>;
  remove(): void;
}

/** A new workplace; the home is `home` in it. */
export function workplace(): Workplace {
  const folder = mkdtempSync(join(tmpdir(), 'conclave-actions-'));
  const at = (name: string): string => join(folder, name);
  const context: Workplace['context'] = (options = {}) => contextIn(at('home'), options);
  return {
    folder,
    at,
    context,
    run: async (action, input, options) => {
      const filled: Record<string, unknown> = {};
      for (const [name, field] of Object.entries(action.inputs)) {
        filled[name] = input[name] ?? (field.repeat === true ? [] : field.default);
      }
      const unknown = Object.keys(input).find((name) => !(name in action.inputs));
      if (unknown !== undefined) throw new Error(`${action.id} has no input ${unknown}`);
      return await action.run(filled as never, context(options));
    },
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}

function contextIn(
  homePath: string,
  options: RunOptions,
): ActionContext & { readonly written: Uint8Array[] } {
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
  const files = createFiles(options.fs ?? nodeFs, random);
  const home = openHome(files, homePath);
  const written: Uint8Array[] = [];
  const context = buildContext({
    host: { files, now: () => new Date('2026-11-23T09:30:00Z'), random, airGap: () => [] },
    home,
    store: createFileStore(files, home),
    files: createFileSpace({
      files,
      force: options.force === true,
      stdin: () => options.stdin?.slice() ?? new Uint8Array(0),
      stdout: (bytes) => {
        written.push(bytes.slice());
      },
    }),
    ask: asker(options),
    openStore: options.openStore,
    token: options.token ?? {},
    identity: options.identity,
    environment: options.environment ?? 'production',
    waivers: new Set(options.waivers ?? []),
    allowedEnvironments: new Set(options.allowedEnvironments ?? []),
    progress: () => undefined,
    version: '0.0.0',
    scryptLogN: 10,
  });
  return { ...context, keychainClaims: options.keychainClaims, written };
}

function asker({ passphrases = [], noPassphrase, confirms }: RunOptions): Asker {
  const secret = (text: string): SecretBytes =>
    SecretBytes.adopt(normalisePassphrase(text), 'test passphrase');
  const missing = (option: string): UsageError =>
    new UsageError({ code: 'E_PASSPHRASE_MISSING', message: 'no passphrase', hint: option });
  return {
    passphrase: async ({ attempt }) => {
      if (passphrases.length === 0) throw missing('--passphrase-file');
      const text = passphrases[attempt];
      return text === undefined ? undefined : secret(text);
    },
    newPassphrase: async () => {
      if (noPassphrase === true) return undefined;
      if (passphrases[0] === undefined) throw missing('--passphrase-file or --no-passphrase');
      return secret(passphrases[0]);
    },
    ...(confirms === undefined ? {} : { confirm: async () => confirms }),
    people: () => [],
  };
}
