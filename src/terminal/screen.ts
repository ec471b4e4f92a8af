/**
 * What one screen of a ceremony looks like: a rule, where we are, then the detail, wrapped to 80 columns and cut into pages
 * that fit 24 lines together with a question below. Nothing is cleared or overwritten, so that a screen reader and a
 * session recording see the same as the room.
 */
import { plainStyle, type Style } from './colour.js';

/** Columns and lines that every screen fits, however large the terminal is. */
export const COLUMNS = 80;
export const LINES = 24;

/** Lines below a page that are left for the question, its error line and the answer. */
const QUESTION_LINES = 5;

/** Zero-width, control and escape characters must not reach the terminal from a definition or a file name. */
const UNPRINTABLE =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** Text with everything removed that could move the cursor, hide or reorder what stands there; line feeds stay. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, '\ufffd');
}

/** How many columns a text takes; East Asian wide characters and emoji take two, combining marks none. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (/\p{Mark}/u.test(character)) continue;
    columns += isWide(character.codePointAt(0) as number) ? 2 : 1;
  }
  return columns;
}

/**
 * Lines of at most `width` columns. Line feeds stay, leading spaces of a line indent its continuation too, words longer
 * than a line are cut.
 */
export function wrap(text: string, width = COLUMNS): string[] {
  return printable(text)
    .split('\n')
    .flatMap((line) => wrapLine(line.trimEnd(), width));
}

/**
 * Lines of at most `width` columns, broken at spaces only: a path or a digest that is longer stays whole, so that it can be
 * copied. Runs of spaces inside a line stay as they are.
 */
export function wrapAtSpaces(text: string, width = COLUMNS): string[] {
  return printable(text)
    .split('\n')
    .flatMap((line) => wrapLineAtSpaces(line, width));
}

/**
 * The pages of one screen. The first begins with a rule and the heading; each holds at most `lines` less the room for a
 * question.
 */
export function pages(
  heading: string,
  detail: string | undefined,
  style: Style = plainStyle,
  lines = LINES,
): string[][] {
  const head = ['-'.repeat(COLUMNS), ...wrap(heading).map((line) => style.bold(line))];
  const body = detail === undefined || detail === '' ? [] : wrap(detail);
  const room = Math.max(lines - QUESTION_LINES, head.length + 1);
  const first = [...head, ...body.slice(0, room - head.length)];
  const out = [first];
  for (let at = room - head.length; at < body.length; at += room) {
    out.push(body.slice(at, at + room));
  }
  return out;
}

function wrapLine(line: string, width: number): string[] {
  if (columnsOf(line) <= width) return [line];
  const lead = /^ */.exec(line)?.[0] ?? '';
  const indent = lead.length < width / 2 ? lead : '';
  const out: string[] = [];
  let current = indent;
  let empty = true;
  for (const word of line.slice(lead.length).split(/ +/)) {
    const candidate = empty ? current + word : `${current} ${word}`;
    if (columnsOf(candidate) <= width) {
      current = candidate;
      empty = false;
      continue;
    }
    if (!empty) out.push(current);
    const pieces = cut(word, width - indent.length);
    out.push(...pieces.slice(0, -1).map((piece) => indent + piece));
    current = indent + (pieces.at(-1) ?? '');
    empty = false;
  }
  if (!empty) out.push(current);
  return out;
}

function wrapLineAtSpaces(line: string, width: number): string[] {
  if (columnsOf(line) <= width) return [line];
  const lead = /^ */.exec(line)?.[0] ?? '';
  const indent = lead.length < width / 2 ? lead : '';
  const out: string[] = [];
  let current = '';
  for (const [, gap = '', word = ''] of line.matchAll(/( *)([^ ]+)/g)) {
    if (current !== '' && columnsOf(current + gap + word) > width) {
      out.push(current);
      current = indent + word;
    } else {
      current += gap + word;
    }
  }
  return [...out, current];
}

function cut(word: string, width: number): string[] {
  const out: string[] = [];
  let piece = '';
  let columns = 0;
  for (const character of word) {
    const wide = columnsOf(character);
    if (columns + wide > width && piece !== '') {
      out.push(piece);
      piece = '';
      columns = 0;
    }
    piece += character;
    columns += wide;
  }
  out.push(piece);
  return out;
}

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}
