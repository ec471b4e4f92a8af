/**
 * Where things are said: the result on standard output, conversation on standard error. With `--json`, standard output
 * carries exactly one object and nothing else.
 */
import { ConclaveError, InternalError } from '#formats/errors';
import { printable, wrapAtSpaces } from '#terminal/screen';
import { exitCodeOf } from './exit.js';
import { presentPlain } from './present.js';

/** The streams of a process, or a test's. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: Written;
  readonly stderr: Written;
}

/** A stream that is written to; a terminal knows its width. */
type Written = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** How a run talks. */
export interface Style {
  readonly json: boolean;
  readonly debug: boolean;
}

/** A terminal narrower than this breaks words whatever is done. */
const NARROW = 20;

/** The voice of one run. */
export class Output {
  /** Whether standard output is to carry one JSON object. */
  readonly json: boolean;
  readonly #streams: Streams;
  readonly #style: Style;
  /** Set once an artifact went to standard output: what else there is to say then goes to standard error. */
  #carriesArtifact = false;
  #embedded: object = {};

  constructor(streams: Streams, style: Style) {
    this.#streams = streams;
    this.#style = style;
    this.json = style.json;
  }

  /** Bytes of an artifact that goes to standard output; with `--json` it becomes part of the one object. */
  artifact(bytes: Uint8Array): void {
    if (this.json) {
      this.#embedded = embedded(bytes);
      return;
    }
    this.#carriesArtifact = true;
    this.#streams.stdout.write(bytes);
  }

  /** A line of conversation. */
  say(line: string): void {
    this.#streams.stderr.write(`${line}\n`);
  }

  /** A line of progress, where a person is watching. */
  progress(message: string): void {
    const { stderr } = this.#streams;
    if (stderr.isTTY === true) this.say(fitted(message, stderr));
  }

  /**
   * The result of a command.
   * @param present - lays it out for people; members are listed otherwise
   * @returns the exit code: 1 for a verdict that says no
   */
  result(output: object, present?: (output: object) => string): number {
    const ok = !('ok' in output) || output.ok !== false;
    if (this.#style.json) {
      const object = { ok: true, ...output, ...this.#embedded };
      this.#streams.stdout.write(`${JSON.stringify(object)}\n`);
    } else {
      const text = (present ?? presentPlain)(output);
      const stream = this.#carriesArtifact ? this.#streams.stderr : this.#streams.stdout;
      if (text !== '')
        stream.write(
          `${text
            .split('\n')
            .map((line) => fitted(line, stream))
            .join('\n')}\n`,
        );
    }
    return ok ? 0 : 1;
  }

  /**
   * What went wrong, as one sentence and what to do.
   * @returns the exit code
   */
  failure(error: unknown): number {
    const { code, message, hint, details } = described(error);
    if (this.#style.json) {
      const body = { code, message, hint: hint ?? null, ...(details ? { details } : {}) };
      this.#streams.stdout.write(`${JSON.stringify({ ok: false, error: body })}\n`);
    } else {
      const { stderr } = this.#streams;
      this.say(fitted(`conclave: ${message}`, stderr));
      if (hint !== undefined) this.say(fitted(`hint: ${hint}`, stderr));
    }
    if (this.#style.debug) this.say(trace(error));
    return exitCodeOf(error);
  }
}

/**
 * A line for where it goes: at a terminal broken between words, so that the terminal does not break it within one; anywhere
 * else it stays one line, which scripts read.
 */
function fitted(line: string, { isTTY, columns }: Written): string {
  const clean = printable(line);
  if (isTTY !== true || columns === undefined || columns < NARROW) return clean;
  return wrapAtSpaces(clean, columns).join('\n');
}

/** Text as `content`, anything else as `contentBase64`. */
function embedded(bytes: Uint8Array): object {
  const text = Buffer.from(bytes).toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(bytes) && printable(text) === text;
  return isText ? { content: text } : { contentBase64: Buffer.from(bytes).toString('base64') };
}

interface Described {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

const REPORT =
  'this is a fault of conclave; please report it with the command as typed and what --debug adds';

/** Messages of foreign errors can quote what they were given, secrets too: only `--debug` shows them. */
function described(error: unknown): Described {
  if (error instanceof InternalError)
    return { code: error.code, message: error.message, hint: REPORT };
  if (error instanceof ConclaveError) return error;
  const name = error instanceof Error ? error.name : typeof error;
  return { code: 'E_INTERNAL', message: `unexpected fault (${name})`, hint: REPORT };
}

function trace(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by: ${trace(error.cause)}`;
}
