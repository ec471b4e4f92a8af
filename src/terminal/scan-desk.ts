/** The desk at which codes come in: the keyboard that a scanner types on, a line that shows how far it is, remarks. */
import { UsageError } from '#formats/errors';
import { printable, wrap } from './screen.js';
import { scannerLines } from './scanner.js';

/** The terminal. */
export interface ScanDeskOptions {
  /** The keyboard; absent where nobody may be asked. */
  readonly input: NodeJS.ReadStream | undefined;
  /** Standard error. */
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

const ERASE_LINE = '\r\u001b[K';

/** A desk; without a keyboard it still says things. */
export function scanDesk({ input, output }: ScanDeskOptions) {
  const watched = output.isTTY === true;
  let shown = '';
  const status = (text: string): void => {
    if (!watched || text === shown) return;
    output.write(`${ERASE_LINE}${printable(text)}`);
    shown = text;
  };
  return {
    /** Lines as they are typed. @throws UsageError `E_ANSWER_MISSING` where there is no keyboard */
    lines: (): AsyncIterable<string> => {
      if (input === undefined) {
        throw new UsageError({
          code: 'E_ANSWER_MISSING',
          message: 'nobody can type or scan: there is no terminal, or --no-input was given',
          hint: 'run it in a terminal, or give the lines in a file by --text, pictures by --image',
        });
      }
      output.write('Scan or paste now. Nothing is shown. Ctrl-D ends, Ctrl-C leaves.\n');
      return scannerLines({ input, output });
    },
    status,
    say: (text: string): void => {
      const before = shown;
      status('');
      for (const line of wrap(text)) output.write(`${line}\n`);
      if (before !== '') status(before);
    },
  };
}
