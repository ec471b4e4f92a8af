/** `run`: drives a ceremony from its definition to a signed transcript, or takes up one that was interrupted. */
import { join } from 'node:path';
import type { Environment } from '#custody/authority/record';
import { InterruptedError, MissingInputError, OutputError, UsageError } from '#formats/errors';
import type { AnswersTerminal } from '#terminal/answers';
import type { Terminal } from '#terminal/terminal';
import { type Published, publish } from '../close.js';
import { type CommandContext, defineCommand } from '../command.js';
import { proceed } from '../engine.js';
import { Journal } from '../journal.js';
import { clearUnopened, missingFolders, removeEmpty, sweepSession } from '../leftovers.js';
import { Disturbance } from '../disturbance.js';
import { passGate } from '../gate.js';
import { stampOf } from '../open.js';
import { CEREMONY_FILES, findCeremony, type Place } from '../place.js';
import { type RunInput, takeSeats } from '../seats.js';
import { FILES, type Session } from '../session.js';
import { Vault } from '../vault.js';

/** What a run came to. */
export interface RunResult {
  /** Whether the ceremony was completed; what the transcript is worth, `verify` says. */
  readonly ok: boolean;
  readonly outcome: 'completed' | 'aborted';
  readonly reason: string | null;
  readonly ceremony: string;
  readonly environment: Environment;
  readonly mode: 'run' | 'rehearsal';
  /** The session's folder. */
  readonly session: string;
  readonly sessionId: string;
  readonly transcript: string;
  readonly minutes: string;
  /** Hash of the last entry. */
  readonly head: string;
  readonly entries: number;
  /** How often the session was taken up again. */
  readonly resumed: number;
  readonly signers: readonly string[];
  /** Who signed off and disagreed. */
  readonly dissent: readonly string[];
  /** Relative to the session's folder. */
  readonly artifacts: readonly string[];
  /** Keys of the answers file that nothing asked for. */
  readonly unusedAnswers: readonly string[];
}

/** A question that nobody answered, or not in a way that fits. */
const UNANSWERED: ReadonlySet<string> = new Set(['E_ANSWER_MISSING', 'E_ANSWER_UNFIT']);

export const run = defineCommand({
  id: 'run',
  summary: 'run a ceremony, or go on with one that was interrupted',
  description:
    'Takes a ceremony directory, a definition file, or the name of a shipped ceremony, leads the people through its steps, and ends ' +
    'with a signed transcript that conclave verify checks offline. Every step is journalled before and after; after a power cut or ' +
    'Ctrl-C the session goes on with --resume, on this or another machine, from its folder alone. --rehearse runs the same script ' +
    'with throw-away keys and marks everything that it makes, and --inject disturbs it on purpose, at the step that it names; faults ' +
    'that are still to come are remembered when it goes on.',
  inputs: {
    ceremony: {
      type: 'path',
      summary: 'a ceremony directory, definition file, session folder, or shipped name',
      required: true,
      positional: 0,
      placeholder: 'CEREMONY',
    },
    rehearse: { type: 'boolean', summary: 'rehearse: throw-away keys, everything marked' },
    inject: {
      type: 'string',
      summary:
        'disturb a rehearsal: power-cut wrong-pin token-pulled garbled-print bad-clock full-disk',
      repeat: true,
      placeholder: 'FAULT@STEP',
    },
    resume: { type: 'boolean', summary: 'go on with the last interrupted session' },
    answers: {
      type: 'file',
      summary: 'answers in the place of people; not in production',
      placeholder: 'FILE',
    },
    site: {
      type: 'file',
      summary: 'where files and identities lie here; default site.yaml of the ceremony',
      placeholder: 'FILE',
    },
    param: {
      type: 'string',
      summary: 'the value of a parameter',
      repeat: true,
      placeholder: 'NAME=VALUE',
    },
    outDir: {
      type: 'path',
      summary: 'folder of the session; default sessions/TIME in the ceremony directory',
      placeholder: 'DIR',
    },
  },
  outputs: {},
  effect: 'irreversible',
  only: 'cli',
  examples: [
    { command: 'conclave run quickstart', explains: 'the first ceremony, with dev keys' },
    {
      command: 'conclave run acme --rehearse',
      explains: 'the ceremony in the directory acme, for practice',
    },
    {
      command: 'conclave run acme --rehearse --inject power-cut@split',
      explains: 'practise that too',
    },
    { command: 'conclave run acme --resume', explains: 'go on after a power cut' },
  ],
  run: async (input: RunInput, undisturbed): Promise<RunResult> => {
    const real = undisturbed.host.files;
    const place = findCeremony(real, undisturbed.shippedCeremonies, input.ceremony);
    const folder = sessionFolder(input, place, undisturbed);
    const disturbed = input.inject.length > 0 || real.exists(join(folder, FILES.faults));
    const disturbance = disturbed ? new Disturbance() : undefined;
    const context = disturbance?.context(undisturbed) ?? undisturbed;
    const { files } = context.host;
    const made = missingFolders(files, folder);
    files.makeDirectory(folder, { secret: true });
    const lock = files.lock(join(folder, FILES.lock));
    try {
      sweepSession(files, folder);
      const opened = Journal.open(files, join(folder, FILES.journal));
      const begun = opened.entries.length > 0;
      if (begun && input.resume !== true && place.session === undefined) throw inUse(folder);
      if (begun && input.resume !== true) throw notResumed(folder);
      using vault = new Vault();
      const session = await takeSeats(input, context, {
        place,
        folder,
        vault,
        disturbance,
        journal: opened,
      });
      await passGate(session);
      await proceed(session);
      return result(session, await publish(session));
    } catch (error) {
      throw files.exists(join(folder, FILES.journal)) ? resumable(error) : error;
    } finally {
      // Under the lock, so that nothing of somebody is swept away who begins in the same moment.
      clearUnopened(files, folder, made);
      lock.release();
      removeEmpty(files, folder, made);
    }
  },
  present: (result) =>
    [
      ...(result.environment === 'production'
        ? []
        : [`${result.environment.toUpperCase()}: nothing of this may be relied on`]),
      result.outcome === 'completed'
        ? `completed, ${result.entries} entries`
        : `ABORTED: ${result.reason ?? 'without a reason'}`,
      ...result.dissent.map((name) => `${name} DISAGREES; the transcript says why`),
      `session     ${result.session}`,
      `transcript  ${result.transcript}`,
      `minutes     ${result.minutes}`,
      `head        ${result.head}`,
      `verify it   conclave verify ${result.transcript}${result.environment === 'production' ? '' : ' --allow-unpinned'}`,
    ].join('\n'),
});

/** What ends the program and not the session says how the session goes on: every entry until then is on the disk. */
function resumable(error: unknown): unknown {
  if (error instanceof InterruptedError && error.hint === undefined) {
    const { code, message } = error;
    const hint = 'nothing is lost: the ceremony goes on with --resume';
    return new InterruptedError({ code, message, hint, cause: error });
  }
  if (error instanceof UsageError && UNANSWERED.has(error.code) && error.hint !== undefined) {
    const { code, message, details = {} } = error;
    const hint = `${error.hint}; then go on with --resume, nothing is lost`;
    return new UsageError({ code, message, hint, details, cause: error });
  }
  return error;
}

function sessionFolder(
  { outDir, resume }: RunInput,
  place: Place,
  { host: { files }, now }: CommandContext,
): string {
  if (outDir !== undefined) return outDir;
  if (place.session !== undefined) return place.session;
  const sessions = join(place.folder, CEREMONY_FILES.sessions);
  if (resume !== true) return join(sessions, stampOf(now()));
  const open = files
    .list(sessions)
    .map((name) => join(sessions, name))
    .filter((path) => files.isDirectory(path) && !files.exists(join(path, FILES.transcript)))
    .sort()
    .at(-1);
  if (open !== undefined) return open;
  throw new MissingInputError({
    code: 'E_SESSION_NONE',
    message: `there is no interrupted session in ${sessions}`,
    hint: 'name the folder of the session, or leave --resume out to begin one',
  });
}

function result(session: Session, published: Published): RunResult {
  const { recorder, terminal } = session;
  const { opened } = recorder.state;
  const { outcome } = published;
  const unused = isAnswers(terminal) ? terminal.unused() : [];
  return {
    ok: outcome === 'completed',
    ...published,
    ceremony: session.definition.id,
    environment: session.environment,
    mode: opened?.mode ?? 'run',
    session: session.folder,
    sessionId: opened?.session ?? '',
    entries: recorder.entries.length,
    resumed: recorder.entries.filter(({ type }) => type === 'session.resumed').length,
    unusedAnswers: unused,
  };
}

function isAnswers(terminal: Terminal): terminal is AnswersTerminal {
  return 'unused' in terminal;
}

function inUse(folder: string): OutputError {
  return new OutputError({
    code: 'E_SESSION_EXISTS',
    message: `${folder} holds a session already`,
    hint: 'go on with it by --resume, or choose another --out-dir',
  });
}

function notResumed(folder: string): UsageError {
  return new UsageError({
    code: 'E_SESSION_NOT_RESUMED',
    message: `${folder} is a session that was begun`,
    hint: 'say --resume to go on with it',
  });
}
