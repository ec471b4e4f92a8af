/**
 * Questions for a screen reader, or for a terminal that can do nothing but lines: every one is printed once and nothing on the screen
 * is ever drawn again. Choices have numbers, and the answer is typed.
 */
import { createInterface } from 'node:readline';

/** Where lines come from and go to. */
export interface LineStreams {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** Somebody pressed Ctrl-C, or the input ended. */
export class LineEnded extends Error {
  constructor() {
    super('no line came');
    this.name = 'ExitPromptError';
  }
}

/** One line, as typed. @throws {@link LineEnded} */
export function askLine({ input, output }: LineStreams, question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = createInterface({ input, output, terminal: true, historySize: 0 });
    let answered = false;
    reader.once('SIGINT', () => {
      reader.close();
    });
    reader.once('close', () => {
      if (!answered) reject(new LineEnded());
    });
    reader.question(`${question} `, (line) => {
      answered = true;
      reader.close();
      resolve(line);
    });
  });
}

/** Yes or no, typed; anything else is asked again. Enter alone is a no. */
export async function askYesNo(
  streams: LineStreams,
  question: string,
  say: (text: string) => void,
): Promise<boolean> {
  for (;;) {
    const typed = (await askLine(streams, `${question} Type yes or no:`)).trim().toLowerCase();
    if (typed === 'yes' || typed === 'y') return true;
    if (typed === 'no' || typed === 'n' || typed === '') return false;
    say('Please type yes or no.');
  }
}

/** One of some labels, by its number. @returns its place, from 0 */
export async function askNumber(
  streams: LineStreams,
  question: string,
  labels: readonly string[],
  say: (text: string) => void,
): Promise<number> {
  say(question);
  labels.forEach((label, i) => {
    say(`${i + 1}: ${label}`);
  });
  for (;;) {
    const typed = (await askLine(streams, `Number, 1 to ${labels.length}:`)).trim();
    const number = /^\d{1,4}$/.test(typed) ? Number(typed) : 0;
    if (number >= 1 && number <= labels.length) return number - 1;
    say(`Please type a number from 1 to ${labels.length}.`);
  }
}
