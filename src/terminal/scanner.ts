/**
 * A scanner that types, or a person who pastes: lines from the keyboard in raw mode, since a terminal in its usual mode gives
 * at most 4096 characters of a line. Nothing is echoed, since what comes in may be a share and may be an attack on the
 * terminal; escape sequences and control characters are dropped.
 */
import { InterruptedError } from '#formats/errors';

/** The keyboard. */
export interface ScannerOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WritableStream;
}

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x7f;
const ESCAPE = 0x1b;

/** What ends a line: Enter, a line feed, or the tabulator that some scanners send. */
const TERMINATORS = new Set([0x0d, 0x0a, 0x09]);

/** Longer lines nobody sends; the rest of one is thrown away. */
const MAX_LINE_BYTES = 16 * 1024;

/** Pastes come as they are, not wrapped in signs; reset to what the terminal had is not possible, off is what programs expect. */
const BRACKETED_PASTE_OFF = '\u001b[?2004l';

/**
 * Lines as they come, without terminators, empty ones left out, until Ctrl-D. The terminal's mode is restored whatever
 * happens, also when the reader stops early.
 * @throws {@link InterruptedError} on Ctrl-C
 */
export async function* scannerLines({ input, output }: ScannerOptions): AsyncGenerator<string> {
  const wasRaw = input.isRaw;
  input.setRawMode(true);
  input.resume();
  output.write(BRACKETED_PASTE_OFF);
  const splitter = new LineSplitter();
  try {
    for await (const chunk of chunksOf(input)) {
      for (const event of splitter.take(chunk)) {
        if (event === 'interrupt') {
          throw new InterruptedError({
            code: 'E_INTERRUPTED',
            message: 'interrupted while scanning',
          });
        }
        if (event === 'end') return;
        yield event.line;
      }
    }
  } finally {
    input.setRawMode(wasRaw);
    input.pause();
  }
}

/** Chunks of a stream that stays open when the reader stops: the iterator of the stream itself would destroy it. */
async function* chunksOf(input: NodeJS.ReadableStream): AsyncGenerator<Uint8Array> {
  const waiting: Uint8Array[] = [];
  let wake: (() => void) | undefined;
  const state = { ended: false };
  const onData = (chunk: Buffer | string): void => {
    waiting.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    wake?.();
  };
  const onEnd = (): void => {
    state.ended = true;
    wake?.();
  };
  input.on('data', onData);
  input.on('end', onEnd);
  try {
    for (;;) {
      const next = waiting.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      if (state.ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    input.off('data', onData);
    input.off('end', onEnd);
  }
}

type KeyEvent = { readonly line: string } | 'end' | 'interrupt';

/** Bytes from the keyboard to lines. */
export class LineSplitter {
  #line: number[] = [];
  /** Within an escape sequence: after ESC, or inside what ESC [ began. */
  #escape: 'no' | 'begun' | 'inside' = 'no';
  #tooLong = false;

  /** What became complete with this chunk. */
  take(chunk: Uint8Array): KeyEvent[] {
    const events: KeyEvent[] = [];
    for (const byte of chunk) {
      if (byte === CTRL_C) return [...events, 'interrupt'];
      if (this.#inEscape(byte)) continue;
      if (byte === CTRL_D) {
        const last = this.#end();
        return [...events, ...(last === '' ? [] : [{ line: last }]), 'end'];
      }
      if (TERMINATORS.has(byte)) {
        const line = this.#end();
        if (line !== '') events.push({ line });
      } else if (byte === BACKSPACE || byte === 0x08) this.#line.pop();
      else if (byte >= 0x20) this.#push(byte);
    }
    return events;
  }

  #push(byte: number): void {
    if (this.#line.length >= MAX_LINE_BYTES) this.#tooLong = true;
    else this.#line.push(byte);
  }

  #end(): string {
    const line = this.#tooLong ? '' : Buffer.from(this.#line).toString('utf8');
    // What was typed can be a share: not kept longer than needed.
    this.#line.fill(0);
    this.#line = [];
    this.#tooLong = false;
    return line;
  }

  /** Arrow keys, paste signs and whatever else begins with ESC: from there to the letter that ends it. */
  #inEscape(byte: number): boolean {
    if (this.#escape === 'no') {
      if (byte !== ESCAPE) return false;
      this.#escape = 'begun';
      return true;
    }
    if (this.#escape === 'begun') {
      this.#escape = byte === 0x5b || byte === 0x4f ? 'inside' : 'no';
      return true;
    }
    if (byte >= 0x40 && byte <= 0x7e) this.#escape = 'no';
    return true;
  }
}
