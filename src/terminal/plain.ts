/** The terminal where nothing may prompt: no tty, or `--no-input`. It can speak; every question is a usage error. */
import { UsageError } from '#formats/errors';
import { pages, wrap } from './screen.js';
import type { QuestionAt, Terminal } from './terminal.js';

/** What stands behind a terminal that only speaks. */
export interface PlainOptions {
  /** Writes one line of conversation, without its line feed. */
  readonly line: (text: string) => void;
}

/**
 * A terminal that answers nothing.
 * @returns one whose every question throws {@link UsageError} `E_ANSWER_MISSING`, naming `--answers` and the key in a
 * ceremony, the missing option otherwise
 */
export function plainTerminal({ line }: PlainOptions): Terminal {
  return {
    interactive: false,
    ...speech(line),
    confirm: (question, at) => Promise.reject(unasked(question, at)),
    text: (question, at) => Promise.reject(unasked(question, at)),
    choose: (question, _choices, at) => Promise.reject(unasked(question, at)),
    secret: (question, at) => Promise.reject(unasked(question, at)),
    progress: (_message, work) => work(),
  };
}

/** The speaking half of a terminal, over a sink of lines. */
export function speech(line: (text: string) => void): Pick<Terminal, 'say' | 'heading'> {
  return {
    say: (text) => {
      for (const part of wrap(text)) line(part);
    },
    heading: (text, detail) => {
      for (const page of pages(text, detail)) for (const part of page) line(part);
    },
  };
}

function unasked(question: string, at: QuestionAt): UsageError {
  return new UsageError({
    code: 'E_ANSWER_MISSING',
    message: `nobody can be asked ${JSON.stringify(question)}: there is no terminal, or --no-input was given`,
    hint:
      at.key === ''
        ? 'run it in a terminal, or give the answer by an option (see --help)'
        : `run it in a terminal, or answer ${JSON.stringify(at.key)} in a file given by --answers`,
    details: { key: at.key },
  });
}
