/**
 * Widths of the standard PDF fonts, so that text is measured the same for every form of page. Helvetica and Courier are drawn
 * as such in a PDF; elsewhere a font of the same widths, or nearly, stands in.
 */

/** Fonts of a page. */
export type Face = 'sans' | 'sans-bold' | 'mono' | 'mono-bold';

/** Thousandths of the size, from the space to the tilde (Adobe's metrics of Helvetica and Helvetica-Bold). */
const SANS = (
  '278 278 355 556 556 889 667 222 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 584 584 556 ' +
  '1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 ' +
  '222 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584'
)
  .split(' ')
  .map(Number);
const SANS_BOLD = (
  '278 333 474 556 556 889 722 278 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 333 333 584 584 584 611 ' +
  '975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 ' +
  '278 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584'
)
  .split(' ')
  .map(Number);
const MONO = 600;
/** For characters whose width is not known: wide enough for most. */
const UNKNOWN = 780;

/** Width of a text in points. */
export function widthOf(text: string, face: Face, size: number): number {
  let thousandths = 0;
  for (const character of text) {
    if (face === 'mono' || face === 'mono-bold') {
      thousandths += MONO;
      continue;
    }
    // An accented letter is as wide as its letter.
    const code = (character.normalize('NFD').codePointAt(0) ?? 32) - 32;
    thousandths += (face === 'sans' ? SANS : SANS_BOLD)[code] ?? UNKNOWN;
  }
  return (thousandths * size) / 1000;
}

/** A text in lines of at most `width` points; a word that is longer is cut. */
export function wrapText(text: string, face: Face, size: number, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => pieces(each, face, size, width))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && widthOf(longer, face, size) > width) {
      lines.push(line.trimEnd());
      line = word;
    } else {
      line = longer;
    }
  }
  if (line !== '') lines.push(line.trimEnd());
  return lines;
}

function pieces(word: string, face: Face, size: number, width: number): string[] {
  const out: string[] = [];
  let piece = '';
  for (const character of word) {
    if (piece !== '' && widthOf(piece + character, face, size) > width) {
      out.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...out, piece];
}

/** A text cut to a width, with three dots at the end when something was cut. */
export function fit(text: string, face: Face, size: number, width: number): string {
  if (widthOf(text, face, size) <= width) return text;
  let kept = [...text];
  while (kept.length > 0 && widthOf(`${kept.join('')}...`, face, size) > width)
    kept = kept.slice(0, -1);
  return `${kept.join('').trimEnd()}...`;
}
