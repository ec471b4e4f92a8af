/**
 * Many short lines from a keyboard, one after another, as somebody types them from paper, pastes them, or a scanner types
 * them. What is typed is shown: whoever asks for something that must not be seen uses a secret question instead.
 */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { InterruptedError } from '#formats/errors';

/** A keyboard and a screen. */
export interface LineEntryOptions {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** Longest line that is looked at; the rest of it is dropped. */
const MAX_LINE = 8192;

/** Controls beyond ASCII, which some terminals obey like escape sequences, and what hides or reorders text. */
const COMMANDS = /[\u0080-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/**
 * The screen as lines are echoed on it. Escape sequences of ASCII never get so far, since readline takes them for keys; what
 * somebody pastes, or a scanner reads out of a hostile code, may have others.
 */
function echo(output: NodeJS.WritableStream): NodeJS.WritableStream {
  const filtered = new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => {
      output.write(chunk.toString().replaceAll(COMMANDS, '\ufffd'));
      done();
    },
  });
  const { columns } = output as { readonly columns?: number };
  return Object.assign(filtered, columns === undefined ? {} : { columns });
}

/**
 * Lines until the reader stops asking or Ctrl-D is typed. Lines that arrive faster than they are asked for wait.
 * @param prompt - what stands before the next line, without its colon
 * @throws {@link InterruptedError} on Ctrl-C, with the terminal as it was
 */
export async function* enteredLines(
  { input, output }: LineEntryOptions,
  prompt: () => string,
): AsyncGenerator<string> {
  const reader = createInterface({ input, output: echo(output), terminal: true, historySize: 0 });
  const waiting: string[] = [];
  let over: 'closed' | 'interrupted' | undefined;
  let wake: (() => void) | undefined;
  const arrived = (): void => {
    wake?.();
    wake = undefined;
  };
  reader.on('line', (line) => {
    waiting.push(line.slice(0, MAX_LINE));
    arrived();
  });
  reader.on('SIGINT', () => {
    over = 'interrupted';
    reader.close();
  });
  reader.on('close', () => {
    over ??= 'closed';
    arrived();
  });
  try {
    for (;;) {
      const line = waiting.shift();
      if (line !== undefined) {
        yield line;
        continue;
      }
      if (over !== undefined) break;
      reader.setPrompt(`${prompt()}: `);
      // What arrived of the next line already stays in front of the cursor: a long paste comes in pieces.
      reader.prompt(true);
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    reader.close();
  }
  // A handler sets it while the loop waits.
  if ((over as string) !== 'interrupted') return;
  output.write('\n');
  throw new InterruptedError({
    code: 'E_INTERRUPTED',
    message: 'interrupted while a card was entered',
    hint: 'nothing was written',
  });
}
