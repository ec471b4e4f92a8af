/**
 * QR codes on a terminal: single ones that stay, and animations that a person stops, steps and slows by keys. Every code is
 * read back from the very characters before it is shown, and the terminal is left as it was found.
 */
import { CAPTION_ROWS } from '#carriage/transport/frame-size';
import { encodeQr, type QrCode } from '#carriage/transport/qr-code';
import { plainReader, type QrReader } from '#carriage/transport/qr-reader';
import { InternalError, UsageError } from '#formats/errors';
import { drawCode, painted, rasterOfRows, type Room } from './code-drawing.js';
import { singleCode } from './single-code.js';
import { styleFor } from './colour.js';
import { printable, wrap } from './screen.js';

/** The terminal, and what is known of it. */
export interface CodeScreenOptions {
  /** Where nobody watches, `isTTY` is not true. */
  readonly output: NodeJS.WritableStream & {
    readonly isTTY?: boolean;
    readonly columns?: number;
    readonly rows?: number;
  };
  /** The keyboard; absent where nobody may be asked. */
  readonly input: NodeJS.ReadStream | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One code in characters. */
export interface Drawn {
  readonly rows: readonly string[];
  readonly version: number;
}

/** Frames to show; see the interface that actions know. */
export interface Frames {
  readonly text: (number: number) => string;
  readonly last: number;
  readonly fragments: number;
  readonly version: number;
  readonly framesPerSecond: number;
  readonly caption: string;
  readonly invert: boolean;
}

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[2J';
const LEAVE = '\u001b[0m\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_REST = '\u001b[J';
const CLEAR_LINE = '\u001b[K';

const SLOWEST = 1;
const FASTEST = 12;
/** One key: a control sequence is one, whichever it is. ECMA-48 §5.4. */
const KEY = /\u001b\[[0-?]*[ -/]*[@-~]|[^]/g;

/** Where nobody watches, a code may be as large as it likes. */
const ANY: Room = { columns: 1000, rows: 1000 };

/** A screen for codes over a terminal. */
export function codeScreen({ output, input, env }: CodeScreenOptions) {
  const watched = output.isTTY === true;
  const { colour } = styleFor({ isTTY: watched, env });
  let reader: Promise<QrReader> | undefined;
  const size = (): Room | undefined =>
    watched ? { columns: output.columns ?? 80, rows: output.rows ?? 24 } : undefined;
  const room = (): Room => {
    const screen = size();
    return screen === undefined
      ? ANY
      : { columns: screen.columns, rows: screen.rows - CAPTION_ROWS };
  };
  /** Colours make the background ours; without them it is the terminal's, which may be light. */
  const inverted = (asked: boolean): boolean =>
    asked !== (watched && !colour && hasLightBackground(env));

  /** Draws and reads back. @returns `undefined` when it does not fit */
  const checked = async (
    code: QrCode,
    text: string,
    invert: boolean,
  ): Promise<Drawn | undefined> => {
    const rows = drawCode(code, room(), invert);
    if (rows === undefined) return undefined;
    const raster = rasterOfRows(rows, 4, invert);
    const read = raster === undefined ? [] : await (await (reader ??= plainReader())).read(raster);
    if (read[0]?.text !== text) {
      throw new InternalError({
        code: 'E_QR_SELF_CHECK',
        message: 'the code that was drawn does not read as what it should say',
      });
    }
    return { rows: colour ? rows.map((row) => painted(row, invert)) : rows, version: code.version };
  };

  return {
    size,
    draw: async (text: string, { invert }: { readonly invert: boolean }): Promise<Drawn> => {
      const turned = inverted(invert);
      // In bytes first; what is too large for the screen so may fit in alphanumeric mode, which that package has not.
      const candidates = [await singleCode(text, 'L'), encodeQr(text, { level: 'L' })];
      for (const code of candidates) {
        const drawn = code === undefined ? undefined : await checked(code, text, turned);
        if (drawn !== undefined) return drawn;
      }
      const needed = encodeQr(text, { level: 'L' }).size + 2;
      throw new UsageError({
        code: 'E_QR_SCREEN',
        message: `one code with all of it takes ${needed} columns and ${Math.ceil(needed / 2) + CAPTION_ROWS} rows, more than this terminal has`,
        hint: 'say --animate, or --png FILE, or enlarge the terminal',
      });
    },
    // The caption stands above: whatever came below, a prompt at least, would push the code's first rows off the screen.
    show: ({ rows }: Drawn, caption: string): void => {
      for (const line of wrap(caption, size()?.columns ?? 80)) output.write(`${line}\n`);
      for (const row of rows) output.write(`${row}\n`);
    },
    animate: async (frames: Frames): Promise<number> => {
      if (!watched || input === undefined) {
        throw new UsageError({
          code: 'E_ANSWER_MISSING',
          message: 'an animation needs a terminal with a person at it',
          hint: 'write its frames as pictures: --animate --png PREFIX',
        });
      }
      const keyboard = input;
      const turned = inverted(frames.invert);
      const state = {
        ...{ number: 1, paused: false, fps: frames.framesPerSecond, done: false },
        // Whether a key came since this frame was begun.
        pressed: false,
      };
      let wake: (() => void) | undefined;
      let shown = 0;
      const step = (by: number): void => {
        state.number = ((state.number - 1 + by + frames.last) % frames.last) + 1;
      };
      const onKey = (key: string): void => {
        if (key === ' ') state.paused = !state.paused;
        else if (key === 'n' || key === '\u001b[C') act(1);
        else if (key === 'p' || key === '\u001b[D') act(-1);
        else if (key === '+') state.fps = Math.min(FASTEST, state.fps + 1);
        else if (key === '-') state.fps = Math.max(SLOWEST, state.fps - 1);
        else if (key === 'r') state.number = 1;
        else if (/[q\u0003\u0004]/.test(key)) state.done = true;
      };
      // Keys that were pressed while a frame was drawn come together.
      const onKeys = (keys: Buffer | string): void => {
        for (const key of keys.toString().match(KEY) ?? []) onKey(key);
        state.pressed = true;
        wake?.();
      };
      const act = (by: number): void => {
        state.paused = true;
        step(by);
      };
      const leave = (): void => {
        output.write(LEAVE);
        if (keyboard.isTTY) keyboard.setRawMode(false);
      };
      // What ends the process from outside must not leave the other screen behind.
      const onExit = (): void => {
        leave();
      };
      const onTerminate = (): void => {
        leave();
        process.exit(143);
      };
      process.once('exit', onExit);
      process.once('SIGTERM', onTerminate);
      keyboard.setRawMode(true);
      keyboard.resume();
      keyboard.on('data', onKeys);
      output.write(ENTER);
      try {
        let last = '';
        while (!isDone(state)) {
          const begin = Date.now();
          state.pressed = false;
          const text = frames.text(state.number);
          const code = encodeQr(text, { level: 'L', version: frames.version });
          const drawn = await checked(code, text, turned);
          const { columns, rows } = size() ?? { columns: 80, rows: 24 };
          const lines =
            drawn === undefined ? ['the terminal has become too small for this code'] : drawn.rows;
          const counter = `frame ${state.number} of ${frames.fragments}${state.number > frames.fragments ? ' (again, mixed)' : ''}`;
          const keys = `${state.paused ? 'paused' : `${state.fps}/s`} · space stop/go · n p step · + - speed · r restart · q end`;
          const below = [`${counter} · ${frames.caption}`, keys].map((line) =>
            cut(line, columns - 1),
          );
          const screen = [...lines, ...below];
          const picture = `${HOME}${screen
            .slice(0, rows)
            .map((line) => `${line}${CLEAR_LINE}`)
            .join('\r\n')}${CLEAR_REST}`;
          if (picture !== last) output.write(picture);
          last = picture;
          shown++;
          const spent = Date.now() - begin;
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (hasKey(state)) resolve();
            else if (!state.paused) setTimeout(resolve, Math.max(0, 1000 / state.fps - spent));
          });
          wake = undefined;
          if (!state.paused) step(1);
        }
      } finally {
        keyboard.off('data', onKeys);
        keyboard.pause();
        process.off('exit', onExit);
        process.off('SIGTERM', onTerminate);
        leave();
      }
      return shown;
    },
  };
}

/** Read anew each time: keys change it while nobody looks. */
function isDone(state: { readonly done: boolean }): boolean {
  return state.done;
}

/** The same. */
function hasKey(state: { readonly pressed: boolean }): boolean {
  return state.pressed;
}

/** `COLORFGBG` is `foreground;background`, 7 and 15 being white; few terminals set it, none lies. */
function hasLightBackground(env: Readonly<Record<string, string | undefined>>): boolean {
  const background = env['COLORFGBG']?.split(';').at(-1);
  return background === '7' || background === '15';
}

function cut(text: string, columns: number): string {
  const clean = printable(text).replaceAll('\n', ' ');
  return clean.length <= columns ? clean : `${clean.slice(0, Math.max(0, columns - 1))}…`;
}
