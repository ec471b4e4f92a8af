/** A page as a list of what is drawn on it, in points from the upper left corner: what every painter paints. */
import type { CodeMatrix } from './card.js';
import type { Face } from './font-metrics.js';

/** One thing on a page. Everything is black. */
export type Mark =
  | {
      readonly kind: 'text';
      readonly x: number;
      /** Baseline. */
      readonly y: number;
      readonly text: string;
      readonly face: Face;
      readonly size: number;
    }
  /** Large letters of which only the outline is drawn, in dots, across the page, turned anticlockwise about their middle. */
  | {
      readonly kind: 'outline';
      readonly x: number;
      readonly y: number;
      readonly text: string;
      readonly size: number;
      readonly degrees: number;
    }
  | {
      readonly kind: 'line';
      readonly from: readonly [number, number];
      readonly to: readonly [number, number];
      readonly width: number;
      readonly dashed?: true;
    }
  /** A filled rectangle; black unless it clears what lies below. */
  | {
      readonly kind: 'box';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly clears?: true;
    }
  /** White letters, for a black box. */
  | {
      readonly kind: 'reversed';
      readonly x: number;
      readonly y: number;
      readonly text: string;
      readonly face: Face;
      readonly size: number;
    }
  /** A QR code; its quiet zone is the caller's. */
  | {
      readonly kind: 'code';
      readonly x: number;
      readonly y: number;
      readonly size: number;
      readonly matrix: CodeMatrix;
    };

/** One side of paper. */
export interface Page {
  /** Points. */
  readonly width: number;
  readonly height: number;
  /** Read aloud by a screen reader, and the title of the file. */
  readonly title: string;
  readonly marks: readonly Mark[];
}

/** Runs of dark modules as rectangles [column, row, length], in module units: fewer and without seams. */
export function darkRuns(matrix: CodeMatrix): readonly (readonly [number, number, number])[] {
  const runs: [number, number, number][] = [];
  matrix.forEach((cells, row) => {
    for (let column = 0; column < cells.length; column++) {
      if (cells[column] !== true) continue;
      const start = column;
      while (cells[column + 1] === true) column++;
      runs.push([start, row, column - start + 1]);
    }
  });
  return runs;
}
