/** Plain aligned tables: no frames, no colour, within 80 columns. Readable by people, by screen readers and by `awk`. */
import { COLUMNS, columnsOf, wrap } from './screen.js';

/** Space between two columns. */
const GAP = '  ';

/**
 * Lines of a table. Columns are as wide as their widest cell; when that is too much together, the widest columns are
 * narrowed and their cells wrapped.
 * @param rows - cells; a short row is filled with empty ones
 * @param header - one more row at the top, in capitals as conventional for command output
 */
export function table(
  rows: readonly (readonly string[])[],
  header?: readonly string[],
  width = COLUMNS,
): string[] {
  const all = header === undefined ? rows : [header.map((cell) => cell.toUpperCase()), ...rows];
  const count = Math.max(0, ...all.map((row) => row.length));
  if (count === 0) return [];
  const widths = fit(
    Array.from({ length: count }, (_, i) => Math.max(1, ...all.map((row) => widest(row[i] ?? '')))),
    width - GAP.length * (count - 1),
  );
  return all.flatMap((row) => lay(row, widths));
}

function lay(row: readonly string[], widths: readonly number[]): string[] {
  const cells = widths.map((width, i) => wrap(row[i] ?? '', width));
  const height = Math.max(...cells.map((cell) => cell.length));
  return Array.from({ length: height }, (_, line) =>
    widths
      .map((width, i) => pad(cells[i]?.[line] ?? '', width))
      .join(GAP)
      .trimEnd(),
  );
}

/** Narrows the widest columns, one column of text at a time, until everything fits. */
function fit(natural: readonly number[], room: number): number[] {
  const widths = [...natural];
  let total = widths.reduce((sum, width) => sum + width, 0);
  while (total > room) {
    const most = Math.max(...widths);
    if (most <= 1) break;
    widths[widths.lastIndexOf(most)] = most - 1;
    total--;
  }
  return widths;
}

function widest(cell: string): number {
  return Math.max(...cell.split('\n').map(columnsOf));
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columnsOf(text)));
}
