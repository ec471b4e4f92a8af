/** How far work is: one line on a terminal, drawn anew in its place, that steps aside when something is said and goes with the work. */
import { COLUMNS, columnsOf, printable } from './screen.js';
import type { Spinner } from './spinner.js';

/** Cells of the bar. */
const CELLS = 20;

/** To the beginning of the line, and nothing on it. */
export const ERASE = '\r\u001b[K';

/** Where a gauge is drawn. */
export interface GaugeOptions {
  readonly stream: NodeJS.WritableStream & { readonly columns?: number | undefined };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A line that says how far work is. */
export interface Gauge extends Spinner, Disposable {
  /** Draws how much is done, from 0 to 1; what would look the same is not drawn again. */
  show(part: number): void;
}

/**
 * A gauge on a terminal; nothing is drawn before the first part is shown.
 * @param title - what is done, in a word
 * @param about - to what; left out where the line would be longer than the terminal is wide
 */
export function startGauge({ stream, env }: GaugeOptions, title: string, about: string): Gauge {
  const cells = cellsFor(env);
  let drawn = '';
  let part = 0;
  let shown = false;
  let paused = 0;
  const draw = (): void => {
    // In the last column some terminals begin a new line already.
    const width = Math.min(COLUMNS, stream.columns ?? COLUMNS) - 1;
    const line = gaugeLine(title, about, part, cells, width);
    if (paused > 0 || line === drawn) return;
    stream.write(`${ERASE}${line}`);
    drawn = line;
  };
  const erase = (): void => {
    if (drawn !== '') stream.write(ERASE);
    drawn = '';
  };
  const stop = (): void => {
    paused = Infinity;
    erase();
  };
  return {
    show: (now) => {
      part = Math.min(1, Math.max(0, now));
      shown = true;
      draw();
    },
    pause: () => {
      paused++;
      erase();
    },
    resume: () => {
      paused--;
      if (shown) draw();
    },
    stop,
    [Symbol.dispose]: stop,
  };
}

/** The longest way to say it that fits; the percentage says it alone where nothing else does. */
function gaugeLine(
  title: string,
  about: string,
  part: number,
  [full, empty]: readonly [string, string],
  width: number,
): string {
  const done = Math.floor(CELLS * part);
  // Rounded down: 100 % is said when it is done.
  const percent = `${String(Math.floor(100 * part)).padStart(3)} %`;
  const bar = `${printable(title)}  ${full.repeat(done)}${empty.repeat(CELLS - done)} ${percent}`;
  const ways = [`${bar}  ${printable(about)}`, bar, percent.trim()];
  return ways.find((way) => columnsOf(way) <= width) ?? '';
}

/** Blocks where the locale has them, signs of ASCII elsewhere. */
function cellsFor(env: GaugeOptions['env']): readonly [string, string] {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value);
  return /utf-?8/i.test(locale ?? '') ? ['\u2588', '\u2591'] : ['#', '.'];
}
