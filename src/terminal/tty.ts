/**
 * A real terminal. Conversation and prompts go to stderr, so that stdout stays the result's; the prompt library is loaded
 * only when the first question is asked. Ctrl-C at a question restores the terminal and is {@link InterruptedError}.
 */
import { utf8 } from '#formats/bytes';
import { ConclaveError, InterruptedError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';
import { plainStyle, styleFor, wantsMovement } from './colour.js';
import { startGauge } from './gauge.js';
import { askLine, askNumber, askYesNo } from './line-questions.js';
import { pages, wrap, wrapAtSpaces } from './screen.js';
import { type Spinner, startSpinner } from './spinner.js';
import type { Answer, Terminal } from './terminal.js';

/** The tty as the command line hands it down. */
export interface TtyOptions {
  readonly input: NodeJS.ReadableStream;
  /** Standard error. */
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Nothing is drawn twice, nothing moves, nothing is painted: for screen readers. */
  readonly plain?: boolean;
}

type Prompts = typeof import('@inquirer/prompts');

/** Makes the cursor visible again; prompts hide it. */
const SHOW_CURSOR = '\u001b[?25h';

/** Screen and scrollback are wiped: what one custodian saw is not for the next one. */
const CLEAR = '\u001b[H\u001b[2J\u001b[3J';

/** A terminal with a person at it. */
export function ttyTerminal({ input, output, env, plain = false }: TtyOptions): Terminal {
  const surroundings = { isTTY: output.isTTY === true, env };
  const style = plain ? plainStyle : styleFor(surroundings);
  /** The spinner of the work under way, which may itself speak and ask. */
  let turning: Spinner | undefined;
  const line = (text: string): void => {
    turning?.pause();
    output.write(`${text}\n`);
    turning?.resume();
  };
  /** Pages of the last heading that are still to be read. */
  let unread: string[][] = [];

  /** Asks with the prompt library, after the pages that stand before the question were read. */
  const ask = async <T>(question: (prompts: Prompts, context: PromptContext) => Promise<T>) => {
    const prompts = await import('@inquirer/prompts');
    const context: PromptContext = { input, output, clearPromptOnDone: false };
    const spinner = turning;
    spinner?.pause();
    try {
      while (unread.length > 0) {
        // Who reads line by line is in nobody's way, and has a scrollback of their own.
        if (!plain) await prompts.input({ message: 'Press Enter for the rest.' }, context);
        const [page, ...rest] = unread;
        unread = rest;
        for (const part of page ?? []) line(part);
      }
      return await question(prompts, context);
    } catch (cause) {
      throw interruption(cause, output);
    } finally {
      spinner?.resume();
    }
  };
  const person = <T>(value: T): Answer<T> => ({ value, source: 'person' });
  /** The same questions, for whoever wants them line by line. */
  const lineByLine: Pick<Terminal, 'confirm' | 'text' | 'choose'> = {
    confirm: async (question) =>
      person(await ask((_, streams) => askYesNo(streams, question, line))),
    text: async (question, _at, check) =>
      person(
        await ask(async (_, streams) => {
          for (;;) {
            const typed = (await askLine(streams, question)).trim();
            const problem = problemWith(check, typed);
            if (problem === undefined) return typed;
            line(problem);
          }
        }),
      ),
    choose: async (question, choices) => {
      const labels = choices.map(({ label }) => label);
      const at = await ask((_, streams) => askNumber(streams, question, labels, line));
      return person(choices[at]?.value ?? '');
    },
  };

  return {
    interactive: true,
    say: (text) => {
      for (const part of wrap(text)) line(part);
    },
    heading: (text, detail) => {
      const [first, ...rest] = pages(text, detail, style);
      line('');
      for (const part of first ?? []) line(part);
      unread = rest;
    },
    confirm: async (question, _at) =>
      person(
        await ask((prompts, context) =>
          prompts.confirm({ message: message(question), default: false }, context),
        ),
      ),
    text: async (question, _at, check) =>
      person(
        await ask((prompts, context) =>
          prompts.input(
            {
              message: message(question),
              validate: (value) => problemWith(check, value.trim()) ?? true,
            },
            context,
          ),
        ).then((value) => value.trim()),
      ),
    choose: async (question, choices, _at) =>
      person(
        await ask((prompts, context) =>
          prompts.select(
            {
              message: message(question),
              choices: choices.map(({ value, label }) => ({ value, name: label })),
              loop: false,
              pageSize: 10,
            },
            context,
          ),
        ),
      ),
    secret: async (question, _at) => {
      const typed = await ask((prompts, context) =>
        prompts.password(
          // The room can see the screen: what is typed here must not be shown by any key.
          { message: message(question), mask: false, toggleMask: false },
          context,
        ),
      );
      if (typed === '') return undefined;
      return person(SecretBytes.adopt(utf8(typed.normalize('NFKC')), 'passphrase'));
    },
    ...(plain ? lineByLine : {}),
    lines: async function* (prompt) {
      const { enteredLines } = await import('./line-entry.js');
      turning?.pause();
      yield* enteredLines({ input, output }, prompt);
    },
    clear: () => {
      if (output.isTTY !== true || env['TERM'] === 'dumb') return;
      turning?.pause();
      output.write(CLEAR);
      turning?.resume();
    },
    ...(plain || !wantsMovement(surroundings)
      ? {}
      : {
          gauge: (title: string, about: string) => {
            const outer = turning;
            outer?.pause();
            const gauge = startGauge({ stream: output, env }, title, about);
            turning = gauge;
            return {
              show: gauge.show,
              [Symbol.dispose]: () => {
                gauge.stop();
                turning = outer;
                outer?.resume();
              },
            };
          },
        }),
    progress: async (text, work) => {
      if (plain || !wantsMovement(surroundings)) return await work();
      const outer = turning;
      outer?.pause();
      const spinner = await startSpinner(text, { stream: output, colour: style.colour });
      turning = spinner;
      try {
        return await work();
      } finally {
        spinner.stop();
        turning = outer;
        outer?.resume();
      }
    },
  };
}

/** What an answer lacks. The prompt library ends the program when a check throws: what it says is said to the person instead. */
function problemWith(
  check: ((text: string) => string | undefined) | undefined,
  typed: string,
): string | undefined {
  try {
    return check?.(typed);
  } catch (error) {
    if (error instanceof ConclaveError) return `${error.message}.`;
    throw error;
  }
}

interface PromptContext {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
  clearPromptOnDone: boolean;
}

/** A question as the prompt shows it: wrapped by ourselves, since the library breaks words. Digests stay whole. */
function message(question: string): string {
  return wrapAtSpaces(question, 70).join('\n  ');
}

/** Ctrl-C and a closed input as the house's error; the terminal is left as it was. */
function interruption(cause: unknown, output: NodeJS.WritableStream): unknown {
  const name = cause instanceof Error ? cause.name : '';
  if (name !== 'ExitPromptError' && name !== 'AbortPromptError' && name !== 'CancelPromptError')
    return cause;
  output.write(`${SHOW_CURSOR}\n`);
  return new InterruptedError({
    code: 'E_INTERRUPTED',
    message: 'interrupted at a question',
    cause,
  });
}
