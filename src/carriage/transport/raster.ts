/** Pictures as grey pixels: what codes are drawn into and read from. */
import { QUIET_ZONE, type QrCode } from './qr-code.js';

/** Grey pixels, a byte each, rows from above; 0 is black. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** A code with its quiet zone, `scale` pixels to the module. */
export function rasterOf(code: QrCode, scale: number, quiet = QUIET_ZONE): Raster {
  const side = (code.size + 2 * quiet) * scale;
  const pixels = new Uint8Array(side * side).fill(0xff);
  code.modules.forEach((row, r) => {
    row.forEach((dark, c) => {
      if (!dark) return;
      for (let line = 0; line < scale; line++) {
        const start = ((r + quiet) * scale + line) * side + (c + quiet) * scale;
        pixels.fill(0, start, start + scale);
      }
    });
  });
  return { width: side, height: side, pixels };
}

/** The same with dark and light exchanged. */
export function inverted({ width, height, pixels }: Raster): Raster {
  return { width, height, pixels: pixels.map((grey) => 0xff - grey) };
}
