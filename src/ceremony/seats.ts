/**
 * Before the first step: everything that was said on the command line and stands in files becomes one session, newly opened
 * or taken up again where it was interrupted.
 */
import { dirname, join } from 'node:path';
import type { Environment } from '#custody/authority/record';
import { InputError, NegativeError, RefusedError, UsageError } from '#formats/errors';
import type { Definition } from '#script/definition';
import {
  parseAnswers,
  parseBrought,
  parseDefinition,
  parseParticipants,
  parseSite,
  type Site,
} from '#script/parse';
import type { Terminal } from '#terminal/terminal';
import { digestText } from './close.js';
import type { CommandContext } from './command.js';
import { type Disturbance, injectionsOf } from './disturbance.js';
import type { OpenedJournal } from './journal.js';
import { environmentOf, openingEntry, parametersOf } from './open.js';
import { convene } from './participants.js';
import { lastHead } from './past-session.js';
import { handouts } from './people.js';
import { CEREMONY_FILES, type Place, readDefinition } from './place.js';
import { Recorder } from './recorder.js';
import { rememberedFaults, rememberFaults } from './remembered-faults.js';
import { FILES, fromSite, type Session } from './session.js';
import { checkCeremony } from './soundness.js';
import type { SessionState } from './state.js';
import type { Vault } from './vault.js';

/** Site files and answers are short. */
const MAX_YAML_BYTES = 1024 * 1024;

/** A passphrase is one line. */
const MAX_PASSPHRASE_BYTES = 4096;

/** What was said on the command line. */
export interface RunInput {
  readonly ceremony: string;
  readonly rehearse?: boolean | undefined;
  readonly resume?: boolean | undefined;
  readonly answers?: string | undefined;
  readonly site?: string | undefined;
  readonly param: readonly string[];
  readonly inject: readonly string[];
  readonly outDir?: string | undefined;
}

/** Where the session lies. */
export interface Seat {
  readonly place: Place;
  readonly folder: string;
  readonly journal: OpenedJournal;
  /** The caller wipes it. */
  readonly vault: Vault;
  /** Stands in the way of the context and of the journal already. */
  readonly disturbance: Disturbance | undefined;
}

/**
 * The session, open: its first entry, or the entry that tells of the gap, is journalled.
 * @throws InputError for files that do not parse or do not fit, UsageError for what was said differently at the start,
 * RefusedError `E_ANSWERS_PRODUCTION`, NegativeError `E_SESSION_DEFINITION`
 */
export async function takeSeats(
  input: RunInput,
  context: CommandContext,
  { place, folder, vault, disturbance, journal: { journal, entries, torn } }: Seat,
): Promise<Session> {
  const { files } = context.host;
  const kept = join(folder, FILES.definition);
  const begun = entries.length > 0;
  const definitionFile = begun ? kept : place.definition;
  const definitionBytes = readDefinition(files, definitionFile);
  const { definition } = parseDefinition(definitionBytes, definitionFile);
  if (!begun) await assertSound(context, place);

  const recorder = new Recorder(journal, entries, context.now);
  const { opened } = recorder.state;
  if (opened !== undefined && digestText(definitionBytes) !== opened.definitionDigest) {
    throw new NegativeError({
      code: 'E_SESSION_DEFINITION',
      message: `${kept} is not the definition that this session opened with`,
      hint: 'put the original file back',
    });
  }
  assertSameRun(input, recorder.state, definition);
  const environment = opened?.environment ?? environmentOf(definition, input.rehearse === true);
  const rehearsal = environment === 'rehearsal';
  const earlier = rehearsal ? rememberedFaults(files, folder) : [];
  const faults = [...new Set([...earlier, ...input.inject])];
  disturbance?.plan(injectionsOf(faults, definition, rehearsal));
  if (recorder.state.closed === undefined) rememberFaults(files, folder, faults);
  const terminal = terminalFor(input, context, place, definition, environment);

  const siteFile =
    input.site ??
    [place.site, begun ? join(folder, FILES.site) : undefined].find(
      (path) => path !== undefined && files.exists(path),
    );
  const siteBytes = siteFile === undefined ? undefined : files.read(siteFile, MAX_YAML_BYTES);
  const site: Site =
    siteFile === undefined || siteBytes === undefined
      ? { identities: {}, bindings: {}, tokens: {}, previous: null }
      : parseSite(siteBytes, siteFile);
  const siteFolder = siteFile === undefined ? folder : dirname(siteFile);

  const marked = environment !== 'production';
  const slips = marked ? handouts(files, folder, context.random) : undefined;
  const parameters = opened?.parameters ?? parametersOf(definition, input.param);
  const session: Session = {
    context,
    terminal,
    folder,
    definition,
    definitionBytes,
    actions: await loadActions(definition, context),
    environment,
    site,
    siteFolder,
    slips,
    handsOut: environment === 'dev',
    outside: outsideFiles(definition, parameters, site, siteFolder, brought(input, context)),
    disturbance,
    vault,
    recorder,
  };

  if (opened === undefined) {
    const earlier = files.exists(kept);
    files.write(kept, definitionBytes, { overwrite: true });
    if (siteBytes !== undefined) {
      files.write(join(folder, FILES.site), siteBytes, { overwrite: true });
    }
    const participants = await convene(context, {
      definition,
      listed: listedParticipants(place, context),
      listedIn: place.participants ?? join(place.folder, CEREMONY_FILES.participants),
      environment,
      session: folder,
      slips,
    });
    recorder.write(
      'session.opened',
      openingEntry(context, {
        definition,
        definitionBytes,
        rehearse: input.rehearse === true,
        parameters,
        participants,
        site,
        last: place.site === undefined ? null : lastHead(files, place.folder),
        siteBytes,
      }),
    );
    if (earlier) {
      note(
        recorder,
        'start',
        'the session is opened at the first attempt',
        'an earlier start ended before the first entry; what it had made is replaced',
        'the program ended before anything was recorded',
      );
    }
  } else if (recorder.state.closed === undefined) {
    takeUp(session, torn, siteBytes);
  }
  return session;
}

/** Journals the gap, and what was found on coming back. */
function takeUp(
  { context, recorder, terminal }: Session,
  torn: OpenedJournal['torn'],
  siteBytes: Uint8Array | undefined,
): void {
  const { state } = recorder;
  const lost = [...state.keys.values()]
    .filter(({ gone, retired }) => !gone && !retired)
    .map(({ reference }) => reference);
  const last = state.lastTime ?? '';
  recorder.resume(lost, { version: context.version, digest: context.toolDigest() });
  terminal.say(`This session was interrupted after ${last} and goes on now; the gap is recorded.`);
  if (torn !== undefined) {
    note(
      recorder,
      'journal',
      'every entry of the journal is whole',
      `the last ${torn.bytes} bytes were an entry that was not written to its end, and were dropped`,
      'the program ended while it wrote them',
    );
  }
  const digest = siteBytes === undefined ? null : digestText(siteBytes);
  if (digest !== state.opened?.siteDigest) {
    note(
      recorder,
      'site',
      `the site file ${state.opened?.siteDigest ?? 'none'}`,
      `the site file ${digest ?? 'none'}`,
      'the session goes on with other bindings, or on another machine',
    );
  }
}

/** A deviation that the program itself noticed. */
function note(
  recorder: Recorder,
  about: string,
  expected: string,
  happened: string,
  reason: string,
): void {
  const by = recorder.administrator;
  recorder.write('deviation', {
    about,
    expected,
    happened,
    reason,
    by,
    initials: [],
    graded: 'recorded',
  });
}

/** What was said at the start of a session cannot be said differently later. */
function assertSameRun(
  { rehearse, param }: RunInput,
  { opened }: SessionState,
  definition: Definition,
): void {
  if (opened === undefined) return;
  if (rehearse === true && opened.mode !== 'rehearsal') {
    throw new UsageError({
      code: 'E_SESSION_MODE',
      message: '--rehearse: this session is a real one and cannot become a rehearsal',
      hint: 'leave --rehearse out, or begin a new session',
    });
  }
  if (param.length === 0) return;
  const given = parametersOf(definition, param);
  const changed = param
    .map((pair) => pair.slice(0, pair.indexOf('=')))
    .find((name) => given[name] !== opened.parameters[name]);
  if (changed !== undefined) {
    throw new UsageError({
      code: 'E_SESSION_PARAMETER',
      message: `--param ${changed}: this session opened with ${String(opened.parameters[changed])}`,
      hint: 'leave --param out, or begin a new session',
    });
  }
}

/** People at the terminal, or the file that stands in for them. */
function terminalFor(
  input: RunInput,
  context: CommandContext,
  place: Place,
  definition: Definition,
  environment: Environment,
): Terminal {
  const { files } = context.host;
  const shipped =
    definition.unattended &&
    !context.terminal.interactive &&
    place.answers !== undefined &&
    files.exists(place.answers)
      ? place.answers
      : undefined;
  const name = input.answers ?? shipped;
  if (name === undefined) return context.terminal;
  if (environment === 'production' && !definition.unattended) {
    throw new RefusedError({
      code: 'E_ANSWERS_PRODUCTION',
      message: `${name} cannot stand in for people in a real ceremony`,
      hint: 'add --rehearse, or answer at a terminal; only a definition that says "unattended: true" may be answered by a file',
    });
  }
  const answers = parseAnswers(files.read(name, MAX_YAML_BYTES), name);
  return context.answering({
    answers,
    name,
    readFile: (path) => files.read(join(dirname(name), path), MAX_PASSPHRASE_BYTES),
  });
}

function listedParticipants(
  place: Place,
  { host: { files } }: CommandContext,
): Parameters<typeof convene>[1]['listed'] {
  const { participants } = place;
  if (participants === undefined || !files.exists(participants)) return undefined;
  return parseParticipants(files.read(participants, MAX_YAML_BYTES), participants);
}

async function loadActions(
  definition: Definition,
  context: CommandContext,
): Promise<Session['actions']> {
  const actions = new Map<string, NonNullable<Awaited<ReturnType<CommandContext['loadAction']>>>>();
  for (const step of definition.acts.flatMap((act) => act.steps)) {
    if (step.kind !== 'action' || actions.has(step.uses)) continue;
    const action = await context.loadAction(step.uses);
    if (action === undefined) {
      throw new InputError({
        code: 'E_ACTION_UNKNOWN',
        message: `step ${step.id}: there is no action ${step.uses}`,
        hint: 'ceremony check shows where',
      });
    }
    actions.set(step.uses, action);
  }
  return actions;
}

/** What the people of an answers file bring. That a file may answer at all was decided before. */
function brought(
  { answers }: RunInput,
  { host: { files } }: CommandContext,
): Readonly<Record<string, string>> {
  if (answers === undefined) return {};
  const given = parseBrought(files.read(answers, MAX_YAML_BYTES), answers);
  return Object.fromEntries(
    Object.entries(given).map(([name, path]) => [name, join(dirname(answers), path)]),
  );
}

/**
 * Files from outside by the names that steps use: values of path parameters, and what the site file, or in a rehearsal the
 * answers file, binds them to.
 */
function outsideFiles(
  definition: Definition,
  parameters: Readonly<Record<string, string | number | boolean>>,
  site: Site,
  siteFolder: string,
  brought: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> {
  const outside = new Map<string, string>();
  for (const [name, { type }] of Object.entries(definition.parameters)) {
    const value = parameters[name];
    if (type !== 'path' || typeof value !== 'string') continue;
    const bound = site.bindings[name];
    outside.set(
      value,
      bound === undefined ? (brought[name] ?? value) : fromSite(siteFolder, bound),
    );
  }
  return outside;
}

/** A definition with findings is not run: what the linter proves is what the ceremony relies on. */
async function assertSound(context: CommandContext, place: Place): Promise<void> {
  const { findings } = await checkCeremony(context, { ...place, participants: undefined });
  const [finding, ...more] = findings;
  if (finding === undefined) return;
  throw new InputError({
    code: 'E_DEFINITION_UNSOUND',
    message: `${finding.file}:${finding.line}:${finding.column}: ${finding.message}`,
    hint:
      more.length === 0
        ? 'correct it, and have it reviewed again'
        : `and ${more.length} more; ceremony check lists them`,
    details: { findings: more.length + 1 },
  });
}
