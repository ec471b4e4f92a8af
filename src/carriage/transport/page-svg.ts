/** Pages as SVG: one drawing, pages below one another. No script, no style sheet, nothing from outside. */
import { type Face, widthOf } from './font-metrics.js';
import { darkRuns, type Mark, type Page } from './page.js';

const FAMILIES: Readonly<Record<Face, string>> = {
  sans: 'font-family="Helvetica, Arial, Liberation Sans, sans-serif"',
  'sans-bold': 'font-family="Helvetica, Arial, Liberation Sans, sans-serif" font-weight="bold"',
  mono: 'font-family="Courier, Courier New, Liberation Mono, monospace"',
  'mono-bold': 'font-family="Courier, Courier New, Liberation Mono, monospace" font-weight="bold"',
};

/** All pages as one SVG file. */
export function svgOf(pages: readonly Page[]): string {
  const width = Math.max(...pages.map((page) => page.width));
  const height = pages.reduce((sum, page) => sum + page.height, 0);
  let top = 0;
  const groups = pages.map((page) => {
    const group = `<g transform="translate(0 ${number(top)})">\n${marksOf(page)}\n</g>`;
    top += page.height;
    return group;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svg(width, height, pages[0]?.title ?? '', groups.join('\n'))}\n`;
}

/** One page as an `svg` element, for an HTML file. */
export function svgElement(page: Page): string {
  return svg(page.width, page.height, page.title, marksOf(page));
}

function svg(width: number, height: number, title: string, body: string): string {
  const size = `width="${millimetres(width)}mm" height="${millimetres(height)}mm"`;
  const box = `viewBox="0 0 ${number(width)} ${number(height)}"`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${box} role="img">\n<title>${escaped(title)}</title>\n` +
    `<rect width="${number(width)}" height="${number(height)}" fill="#fff"/>\n${body}\n</svg>`
  );
}

function marksOf(page: Page): string {
  return page.marks.map(markOf).join('\n');
}

function markOf(mark: Mark): string {
  switch (mark.kind) {
    case 'text':
    case 'reversed':
      return (
        `<text x="${number(mark.x)}" y="${number(mark.y)}" font-size="${number(mark.size)}" ${FAMILIES[mark.face]} ` +
        `fill="${mark.kind === 'text' ? '#000' : '#fff'}"${fitted(mark)} xml:space="preserve">${escaped(mark.text)}</text>`
      );
    case 'outline':
      return (
        `<text x="${number(mark.x)}" y="${number(mark.y)}" font-size="${number(mark.size)}" ${FAMILIES['sans-bold']} ` +
        `text-anchor="middle" fill="none" stroke="#000" stroke-width="0.4" stroke-dasharray="0.8 1.6" ` +
        `transform="rotate(${number(-mark.degrees)} ${number(mark.x)} ${number(mark.y)})">${escaped(mark.text)}</text>`
      );
    case 'line':
      return (
        `<path d="M${number(mark.from[0])} ${number(mark.from[1])}L${number(mark.to[0])} ${number(mark.to[1])}" ` +
        `stroke="#000" stroke-width="${number(mark.width)}"${mark.dashed ? ' stroke-dasharray="4 3"' : ''} fill="none"/>`
      );
    case 'box':
      return (
        `<rect x="${number(mark.x)}" y="${number(mark.y)}" width="${number(mark.width)}" ` +
        `height="${number(mark.height)}" fill="${mark.clears ? '#fff' : '#000'}"/>`
      );
    case 'code': {
      const scale = mark.size / mark.matrix.length;
      const path = darkRuns(mark.matrix)
        .map(([column, row, length]) => `M${column} ${row}h${length}v1h-${length}z`)
        .join('');
      return (
        `<path transform="translate(${number(mark.x)} ${number(mark.y)}) scale(${scale.toFixed(6)})" ` +
        `shape-rendering="crispEdges" fill="#000" d="${path}"/>`
      );
    }
  }
}

/**
 * The width that the layout counted on, for browsers whose machine has another font than it was measured with: a text that is
 * wider runs into its neighbour or off the paper. Letters that were not measured take what they need.
 */
function fitted({ text, face, size }: Extract<Mark, { kind: 'text' | 'reversed' }>): string {
  if (text.trim() === '' || /[^\u0020-\u00ff]/.test(text)) return '';
  return ` textLength="${number(widthOf(text, face, size))}" lengthAdjust="spacingAndGlyphs"`;
}

/** At most three decimals, so that the same card gives the same file on every machine. */
function number(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

function millimetres(points: number): string {
  return number((points * 25.4) / 72);
}

/** Text as XML. Characters that XML has no room for were removed before; what is left of them becomes a question mark. */
export function escaped(text: string): string {
  return text
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
