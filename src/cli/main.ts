/**
 * The composition root: the one place that knows host, stores, terminal, actions and ceremonies at once and hands each what
 * it needs. Whatever the command at hand does not need is not loaded.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ActionContext, Waiver } from '#actions/context/context';
import type { KeychainSecrets } from '#carriage/stores/keychain/secrets';
import type { StorePlace } from '#carriage/stores/store';
import type { CommandContext, ContextChanges } from '#ceremony/command';
import { UsageError } from '#formats/errors';
import type { Host } from '#host/host';
import type { Video } from '#host/video';
import { wantsMovement } from '#terminal/colour';
import { startGauge } from '#terminal/gauge';
import { countSeconds } from '#terminal/seconds';
import type { Terminal } from '#terminal/terminal';
import type { CommandAsker, PassphraseFiles } from './asker.js';
import type { IndexRow, Loaded } from './catalogue.js';
import { actionDescriptions, load, loadAction, pages } from './catalogue.js';
import type { Shared } from './input.js';
import { parseCommand } from './input.js';
import type { Streams } from './output.js';
import { Output } from './output.js';
import type { Globals } from './program.js';
import { named, splitGlobals } from './program.js';
import type { Listening } from './signals.js';
import { listen } from './signals.js';
import { readAll } from './stdin.js';

/** What tests put in the place of the process's own. */
export interface Overrides {
  readonly host?: Host;
  readonly stdin?: Streams['stdin'];
  readonly stdout?: Streams['stdout'];
  readonly stderr?: Streams['stderr'];
  readonly terminal?: Terminal;
  readonly now?: () => Date;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** All of standard input. */
  readonly readStdin?: () => Uint8Array;
  /** Cost of new passphrase seals; the real one takes a quarter of a second each. */
  readonly scryptLogN?: number;
  /** Moving pictures, instead of those that programs of the machine give. */
  readonly video?: Video;
}

/** One run: what was typed, and the world around it. */
interface Run {
  readonly globals: Globals;
  readonly streams: Streams;
  readonly output: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly signals: Listening;
  readonly overrides: Overrides;
}

/**
 * Runs one command line.
 * @param argv - the words behind the program's name
 * @returns the exit code, see `help exit-codes`; what there was to say has been printed
 */
export async function main(argv: readonly string[], overrides: Overrides = {}): Promise<number> {
  const streams: Streams = {
    stdin: overrides.stdin ?? process.stdin,
    stdout: overrides.stdout ?? process.stdout,
    stderr: overrides.stderr ?? process.stderr,
  };
  const { globals, words } = splitGlobals(argv);
  const output = new Output(streams, globals);
  const env = overrides.env ?? process.env;
  const signals = listen(streams, output, moves(streams.stderr, env, globals));
  try {
    const run = { globals, streams, output, env, signals, version: readVersion(), overrides };
    return await dispatch(words, run);
  } catch (error) {
    return output.failure(error);
  } finally {
    signals.stop();
  }
}

async function dispatch(words: readonly string[], run: Run): Promise<number> {
  const { output, version } = run;
  const it = named(words);
  switch (it.kind) {
    case 'version':
      return output.result({ version }, () => version);
    case 'help': {
      const { helpText } = await import('./help.js');
      const text = helpText(it.topic, await pages());
      return output.result({ help: text }, () => text);
    }
    case 'nothing':
      return await nothingNamed(it.group, output);
    case 'command': {
      // The command and what it runs on do not depend on each other: loaded at once, they take half the time.
      const machinery = it.row.kind === 'built-in' ? undefined : loadMachinery();
      const [loaded, parts] = await Promise.all([load(it.row), machinery]);
      return await runCommand(it.row, loaded, it.rest, run, parts);
    }
  }
}

/** The rooms that only this file brings together. */
async function loadMachinery() {
  const [host, home, store, files, build, asker] = await Promise.all([
    import('#host/node-host'),
    import('#carriage/stores/home'),
    import('#carriage/stores/file-store'),
    import('#actions/context/file-space'),
    import('#actions/context/build'),
    import('./asker.js'),
  ]);
  return { ...host, ...home, ...store, ...files, ...build, ...asker };
}

type Machinery = Awaited<ReturnType<typeof loadMachinery>>;

/** Nothing was asked for: say what there is, and that this was no command. */
async function nothingNamed(group: string | undefined, output: Output): Promise<number> {
  const { helpText } = await import('./help.js');
  if (!output.json) output.say(`${helpText(group === undefined ? [] : [group], await pages())}\n`);
  return output.failure(
    new UsageError({
      code: 'E_COMMAND_MISSING',
      message: group === undefined ? 'no command was named' : `${group} needs one of its commands`,
      hint: group === undefined ? 'conclave help lists them' : `conclave help ${group} lists them`,
    }),
  );
}

async function runCommand(
  row: IndexRow,
  { kind, it }: Loaded,
  rest: readonly string[],
  run: Run,
  machinery: Machinery | undefined,
): Promise<number> {
  const { output, version } = run;
  if (it.only === 'ceremony') {
    throw new UsageError({
      code: 'E_COMMAND_CEREMONY_ONLY',
      message: `${row.words.join(' ')} exists only as a step of a ceremony`,
      hint: 'conclave help ceremony lists what drives ceremonies',
    });
  }
  const { input, shared } = parseCommand(it, row.words, rest);
  refuseArtifactInJson(rest, run);
  if (kind === 'built-in') {
    return output.result(await it.run(input as never, { pages, version }), it.present?.bind(it));
  }
  using world = await compose(shared, run, machinery ?? (await loadMachinery()));
  const { context } = world;
  if (kind === 'action') {
    return output.result(await it.run(input as never, context), it.present?.bind(it));
  }
  const commandContext = await withCeremony(world, run);
  return output.result(await it.run(input as never, commandContext), it.present?.bind(it));
}

/** An action's context, and what a ceremony needs besides. */
interface World extends Disposable {
  readonly host: Host;
  readonly context: ActionContext;
  readonly within: (changes: ContextChanges) => ActionContext;
}

async function compose(shared: Shared, run: Run, machinery: Machinery): Promise<World> {
  const { overrides, output, env, globals, version } = run;
  const { createHost, openHome, createFileStore, createFileSpace, buildContext } = machinery;
  const machine = overrides.host ?? createHost();
  const host: Host = overrides.now === undefined ? machine : { ...machine, now: overrides.now };
  const home = openHome(host.files, homePath(globals, env));
  const files = createFileSpace({
    files: host.files,
    force: shared.force,
    stdin: overrides.readStdin ?? (() => run.signals.blocking(readAll)),
    stdout: (bytes) => {
      output.artifact(bytes);
    },
    exposed: globals.json
      ? 'a JSON object, which ends up in logs'
      : run.streams.stdout.isTTY === true
        ? 'a terminal'
        : undefined,
  });
  const keychain = async (): Promise<KeychainSecrets> =>
    (await import('#carriage/stores/keychain/secrets')).openSecrets();
  const passphrases = machinery.createPassphraseFiles(async (path, maxBytes) => {
    const name = /^keychain:(?:(?:keytar|keyring)\/)?([^]+)$/.exec(path)?.[1];
    if (name === undefined) return files.read(path, maxBytes);
    using secret = await (await keychain()).get(name);
    return secret.use((bytes) => bytes.slice());
  });
  const { ask, askIdentity } = askers(shared, run, passphrases, machinery);
  const parts = {
    host,
    home,
    store: createFileStore(host.files, home),
    openStore: async (place: StorePlace) =>
      (await import('#carriage/stores/open-store')).openStore(place),
    files,
    ask,
    askIdentity,
    identity: shared.identities[0],
    token: { module: shared.module, pinFile: shared.pinFile },
    attestation: shared.attestation,
    environment: 'production',
    waivers: new Set(shared.waive as readonly Waiver[]),
    allowedEnvironments: new Set(
      shared.allowEnvironment as readonly ActionContext['environment'][],
    ),
    progress: (message: string) => {
      output.progress(message);
    },
    version,
    scryptLogN: overrides.scryptLogN,
  } as const;
  const diagnose = async (): ReturnType<NonNullable<ActionContext['diagnose']>> => {
    const { optionalModules } = await import('#carriage/stores/optional-modules');
    const { diagnose: look } = await import('./diagnosis.js');
    const modules = await optionalModules();
    return look({
      streams: run.streams,
      env,
      home: home.path,
      files: host.files,
      modules,
      version,
    });
  };
  const { identities } = shared;
  const named =
    identities.length === 0 ? undefined : await import('#actions/context/named-identities');
  let machineryOfCodes: ReturnType<typeof codeMachinery> | undefined;
  const codes = (): ReturnType<typeof codeMachinery> => (machineryOfCodes ??= codeMachinery(run));
  const complete = (context: ActionContext): ActionContext => ({
    ...context,
    identities: named?.withNamedIdentities(context.identities, identities) ?? context.identities,
    catalogue: actionDescriptions,
    keychainClaims: async (backend) =>
      (await import('#carriage/stores/keychain/claims')).openKeychainClaims(backend),
    scan: async () => (await codes()).scan,
    screen: async () => (await codes()).screen,
  });
  return {
    host,
    context: {
      ...complete(buildContext(parts)),
      diagnose,
      keychain,
      counting: secondsOn(run),
      gauge: gaugeOn(run),
    },
    within: (changes) =>
      complete(buildContext({ ...parts, ...changes, askIdentity: changes.ask ?? askIdentity })),
    [Symbol.dispose]: () => {
      passphrases[Symbol.dispose]();
    },
  };
}

/** Seconds that count on the terminal of the conversation; a ceremony has a line of its own that moves. */
function secondsOn({ streams: { stderr }, env, globals }: Run): ActionContext['counting'] {
  const { fd } = stderr as { fd?: number };
  if (fd === undefined || !moves(stderr, env, globals)) return undefined;
  return () => countSeconds(fd);
}

/** How far work is, on the terminal of the conversation. */
function gaugeOn({ streams: { stderr }, env, globals }: Run): ActionContext['gauge'] {
  if (!moves(stderr, env, globals)) return undefined;
  return (title, about) => startGauge({ stream: stderr, env }, title, about);
}

/** Whether lines may be drawn anew on the terminal of the conversation. */
function moves(
  { isTTY = false }: Streams['stderr'],
  env: Run['env'],
  { plain }: Pick<Globals, 'plain'>,
): boolean {
  return !plain && wantsMovement({ isTTY, env });
}

/** What brings codes in and shows them; nothing of it is opened before it is used. */
async function codeMachinery(run: Run) {
  const { streams, env, overrides } = run;
  const [{ createScanSpace }, { createVideo }, { codeScreen }, { scanDesk }, { zxingWasm }] =
    await Promise.all([
      import('#actions/context/scan-space'),
      import('#host/video'),
      import('#terminal/code-screen'),
      import('#terminal/scan-desk'),
      import('./zxing-wasm.js'),
    ]);
  const keyboard =
    isInteractive(run) && streams.stdin.isTTY === true
      ? (streams.stdin as NodeJS.ReadStream)
      : undefined;
  const output = streams.stderr.isTTY === true ? streams.stderr : streams.stdout;
  return {
    scan: createScanSpace({
      video: overrides.video ?? createVideo(),
      wasm: zxingWasm,
      desk: scanDesk({ input: keyboard, output: streams.stderr }),
    }),
    screen: codeScreen({ output, input: keyboard, env }),
  };
}

async function withCeremony(world: World, run: Run): Promise<CommandContext> {
  const [{ programDigest }, { answersTerminal }] = await Promise.all([
    import('#host/program-digest'),
    import('#terminal/answers'),
  ]);
  const line = (text: string): void => {
    run.output.say(text);
  };
  return {
    ...world.context,
    host: world.host,
    terminal: await terminalOf(run),
    catalogue: actionDescriptions,
    loadAction,
    shippedCeremonies: fileURLToPath(new URL('../../ceremonies/', import.meta.url)),
    toolDigest: () => programDigest(fileURLToPath(new URL('../', import.meta.url))),
    within: world.within,
    answering: (given) => answersTerminal({ ...given, line }),
  };
}

/** Who answers questions about keys, and who about the identities that `--identity` named. */
function askers(
  shared: Shared,
  run: Run,
  files: PassphraseFiles,
  { createAsker }: Machinery,
): { readonly ask: CommandAsker; readonly askIdentity: CommandAsker } {
  const terminal = isInteractive(run) ? (): Promise<Terminal> => terminalOf(run) : undefined;
  const { passphraseFiles, identityPassphraseFiles } = shared;
  return {
    ask: createAsker({
      passphraseFiles,
      noPassphrase: shared.noPassphrase,
      optionNames: {
        opening: '--passphrase-file',
        sealing: '--passphrase-file, or say --no-passphrase',
      },
      files,
      terminal,
    }),
    askIdentity: createAsker({
      passphraseFiles:
        identityPassphraseFiles.length === 0 ? passphraseFiles : identityPassphraseFiles,
      noPassphrase: false,
      optionNames: {
        opening: '--identity-passphrase-file',
        sealing: '--identity-passphrase-file',
      },
      files,
      terminal,
    }),
  };
}

function isInteractive({ globals, streams, overrides }: Run): boolean {
  if (globals.noInput) return false;
  if (overrides.terminal !== undefined) return overrides.terminal.interactive;
  return streams.stdin.isTTY === true && streams.stderr.isTTY === true;
}

async function terminalOf(run: Run): Promise<Terminal> {
  const { overrides, streams, env, output } = run;
  if (overrides.terminal !== undefined && !run.globals.noInput) return overrides.terminal;
  if (isInteractive(run)) {
    const { ttyTerminal } = await import('#terminal/tty');
    const { plain } = run.globals;
    return ttyTerminal({ input: streams.stdin, output: streams.stderr, env, plain });
  }
  const { plainTerminal } = await import('#terminal/plain');
  return plainTerminal({
    line: (text) => {
      output.say(text);
    },
  });
}

/** `--home`, `CONCLAVE_HOME`, or the folder for programs' data. */
function homePath(globals: Globals, env: Run['env']): string {
  const chosen = globals.home ?? env['CONCLAVE_HOME'];
  if (chosen === '') {
    throw new UsageError({
      code: 'E_HOME_EMPTY',
      message: `${globals.home === undefined ? 'CONCLAVE_HOME' : '--home'} is empty`,
      hint: 'name a folder',
    });
  }
  if (chosen !== undefined) return chosen;
  const data = env['XDG_DATA_HOME'];
  // The XDG specification has relative paths ignored.
  const base = data !== undefined && isAbsolute(data) ? data : join(homedir(), '.local/share');
  return join(base, 'conclave');
}

/** An artifact and a JSON object cannot both be all of standard output; where `-` is only the default, the object holds it. */
function refuseArtifactInJson(rest: readonly string[], { globals }: Run): void {
  const claimed = rest.some(
    (word, i) =>
      /^--(?:[a-z-]+-)?out(?:-sig)?(?:=-)?$/.test(word) &&
      (word.endsWith('=-') || rest[i + 1] === '-'),
  );
  if (!globals.json || !claimed) return;
  throw new UsageError({
    code: 'E_OUTPUT_TWICE',
    message: '--json and an output to - both claim standard output',
    hint: 'write the output to a file',
  });
}

/** Version of conclave, from its package file. */
function readVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
