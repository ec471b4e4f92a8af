/** QR codes as drawing instructions: one path for all dark modules, in units of a module. */
import { QUIET_ZONE, type QrCode } from './qr-code.js';

/**
 * The dark modules as SVG path data, one unit a module, the code's upper left corner (without quiet zone) at `x`, `y`.
 * Neighbours in a row are one rectangle, so that no light hairline shows between them.
 */
export function qrSvgPath({ modules }: QrCode, x = 0, y = 0): string {
  const parts: string[] = [];
  modules.forEach((row, r) => {
    for (let c = 0; c < row.length; c++) {
      if (row[c] !== true) continue;
      const begin = c;
      while (row[c + 1] === true) c++;
      parts.push(`M${x + begin} ${y + r}h${c + 1 - begin}v1h-${c + 1 - begin}z`);
    }
  });
  return parts.join('');
}

/**
 * A code with its quiet zone as an SVG file that says its size in millimetres.
 * @param millimetres - width of one module on paper
 */
export function qrSvg(code: QrCode, millimetres = 0.6): string {
  const side = code.size + 2 * QUIET_ZONE;
  const length = `${Number((side * millimetres).toFixed(3))}mm`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${length}" height="${length}" viewBox="0 0 ${side} ${side}">\n` +
    `<rect width="${side}" height="${side}" fill="#fff"/>\n` +
    `<path d="${qrSvgPath(code, QUIET_ZONE, QUIET_ZONE)}" fill="#000" shape-rendering="crispEdges"/>\n` +
    `</svg>\n`
  );
}
