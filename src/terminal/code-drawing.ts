/**
 * QR codes in characters: two rows of modules to a row of half blocks. A full block is light here, as on the dark terminals
 * that most programs draw for; where colours are welcome, black and white are named and the terminal's own do not matter.
 */
import { QUIET_ZONE, type QrCode } from '#carriage/transport/qr-code';
import type { Raster } from '#carriage/transport/raster';

/** Light above and below, light above, light below, neither. */
const FULL = '\u2588';
const UPPER = '\u2580';
const LOWER = '\u2584';

/** White on black from the fixed part of the palette, which no theme changes. */
const WHITE_ON_BLACK = '\u001b[38;5;231;48;5;16m';
const BLACK_ON_WHITE = '\u001b[38;5;16;48;5;231m';
const RESET = '\u001b[0m';

/** Room for a code. */
export interface Room {
  readonly columns: number;
  readonly rows: number;
}

/**
 * Rows of a code with as much of the quiet zone as there is room for, at least one module on every side.
 * @param invert - dark modules as full blocks, for a light background
 * @returns `undefined` when the code does not fit
 */
export function drawCode(code: QrCode, room: Room, invert = false): readonly string[] | undefined {
  const quiet = (space: number): number =>
    Math.min(QUIET_ZONE, Math.floor((space - code.size) / 2));
  const across = quiet(room.columns);
  const down = quiet(2 * room.rows);
  if (across < 1 || down < 1) return undefined;
  const light = (row: number, column: number): boolean =>
    code.modules[row - down]?.[column - across] !== true;
  const height = code.size + 2 * down;
  const rows: string[] = [];
  for (let row = 0; row < height; row += 2) {
    let line = '';
    for (let column = 0; column < code.size + 2 * across; column++) {
      const upper = light(row, column) !== invert;
      // The row below the last is nothing: as the background is.
      const lower = row + 1 < height && light(row + 1, column) !== invert;
      line += upper ? (lower ? FULL : UPPER) : lower ? LOWER : ' ';
    }
    rows.push(line);
  }
  return rows;
}

/** A row with black and white named, so that dark modules are dark whichever way it was drawn. */
export function painted(row: string, inverted: boolean): string {
  return `${inverted ? BLACK_ON_WHITE : WHITE_ON_BLACK}${row}${RESET}`;
}

/** The modules that rows of half blocks show, as they are read on a dark background; `undefined` for other characters. */
export function modulesOfRows(rows: readonly string[]): boolean[][] | undefined {
  const modules: boolean[][] = [];
  for (const row of rows) {
    const cells = [...row];
    if (cells.some((cell) => ![FULL, UPPER, LOWER, ' '].includes(cell))) return undefined;
    modules.push(cells.map((cell) => cell !== FULL && cell !== UPPER));
    modules.push(cells.map((cell) => cell !== FULL && cell !== LOWER));
  }
  return modules;
}

/**
 * Rows as pixels, as a camera would see a terminal: `scale` pixels to the module, the terminal's background around.
 * @param lightBackground - of the terminal
 */
export function rasterOfRows(
  rows: readonly string[],
  scale: number,
  lightBackground = false,
): Raster | undefined {
  const modules = modulesOfRows(rows);
  if (modules === undefined) return undefined;
  const margin = 4;
  const columns = Math.max(0, ...modules.map((row) => row.length));
  const width = (columns + 2 * margin) * scale;
  const height = (modules.length + 2 * margin) * scale;
  const ground = lightBackground ? 0xff : 0;
  const pixels = new Uint8Array(width * height).fill(ground);
  modules.forEach((row, r) => {
    row.forEach((background, c) => {
      if (background) return;
      for (let line = 0; line < scale; line++) {
        const begin = ((r + margin) * scale + line) * width + (c + margin) * scale;
        pixels.fill(0xff - ground, begin, begin + scale);
      }
    });
  });
  return { width, height, pixels };
}
