/** How much of a message goes into one code of an animation, for the screen that shows it. */
import { alphanumericCapacity, largestVersion } from './qr-code.js';

/** A size of frame. */
export interface FrameSize {
  /** Version of every frame, so that the picture does not jump. */
  readonly version: number;
  /** Longest fragment, in bytes. */
  readonly fragmentBytes: number;
}

/** Numbers of parts go to here, then begin again: five digits, and CBOR of three bytes. */
export const LAST_PART = 65_535;

/** Rows below a code that say what it is. */
export const CAPTION_ROWS = 2;

/** Larger codes need a better camera than they save time. */
const MAX_VERSION = 20;

/** Modules that a screen has room for, in half-block rows, with `quiet` modules of light above and below. */
export function modulesThatFit(columns: number, rows: number, quiet = 1): number {
  const high = 2 * (rows - CAPTION_ROWS) - 2 * quiet;
  // A code has an odd number of rows, and the last half row of the caption's neighbour may stay empty.
  return Math.min(columns - 2 * quiet, high);
}

/**
 * The largest frame for a screen.
 * @returns `undefined` when not even a small code fits
 */
export function frameSizeFor(columns: number, rows: number, type: string): FrameSize | undefined {
  const version = Math.min(MAX_VERSION, largestVersion(modulesThatFit(columns, rows)));
  return version < 1 ? undefined : frameSizeOf(version, type);
}

/** The largest frame of a version, level L; `undefined` when none of use fits it. */
export function frameSizeOf(version: number, type: string): FrameSize | undefined {
  const characters = alphanumericCapacity(version, 'L') - `UR:${type}/65535-4096/`.length;
  // CBOR around the data: array, number, fragments, message length, checksum, length of the data; then its own CRC-32.
  const fragmentBytes = Math.floor(characters / 2) - (1 + 3 + 3 + 5 + 5 + 3) - 4;
  return fragmentBytes < 10 ? undefined : { version, fragmentBytes };
}
