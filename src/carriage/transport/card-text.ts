/**
 * A card as plain text, for a line printer and for people who cannot see: 72 columns, the lines to type between two markers.
 * The same text is read again, whole or only its lines as somebody typed them into a file.
 * @see docs/spec/share-card.md, "The text form"
 */
import { InputError, NegativeError } from '#formats/errors';
import { adviceOf, type Card } from './card.js';
import { grouped } from './card-facts.js';
import {
  joinLines,
  type LineKind,
  lineText,
  looksLikeLine,
  missingLines,
  readLine,
} from './line-code.js';

const COLUMNS = 72;
/** Facts stop where eight groups of a fingerprint end. */
const FACT_COLUMNS = 16 + 40;
const CUT = 'cut here: the strip goes into another bag';
const NEVER = 'Never keep it beside the card: both together are the share.';
const BEGIN_SHARE = '-----BEGIN CONCLAVE SHARE CARD-----';
const END_SHARE = '-----END CONCLAVE SHARE CARD-----';
const BEGIN_PACKAGE = '-----BEGIN CONCLAVE SEALED PACKAGE-----';
const END_PACKAGE = '-----END CONCLAVE SEALED PACKAGE-----';

/** Longest text that is looked at, in bytes. */
export const MAX_CARD_TEXT = 64 * 1024;

/** Cards as text, a form feed between them. */
export function cardTextOf(cards: readonly Card[]): string {
  return cards.map(oneCard).join('\f\n');
}

function oneCard(card: Card): string {
  const { mark, share, quorum, group, secret, unlock, setId } = card;
  const rule = '='.repeat(COLUMNS);
  const banner =
    mark === undefined ? [] : [`*** ${mark} ***`.padStart((COLUMNS + mark.length) / 2 + 4), rule];
  const facts: (readonly [string, string | undefined])[] = [
    ['Custodian', card.custodian ?? '_'.repeat(40)],
    ['Group', group],
    ['Sealed', card.sealed],
    ['Made', card.date],
    ['Review by', card.review],
    ['Key', card.keyId === undefined ? undefined : grouped(card.keyId)],
    ['Key, in words', card.keyWords],
    ['Set', setId === undefined ? undefined : grouped(setId)],
    ['Root', card.root === undefined ? undefined : grouped(card.root)],
    ['Ceremony', card.ceremony],
  ];
  const out = [
    rule,
    between('CONCLAVE SHARE CARD', `conclave ${card.version}, ${card.date}`),
    rule,
    ...banner,
    '',
    between(`Share ${share}`, quorum),
    ...wrapped(`of ${secret}`, 0),
    '',
    ...facts.flatMap(([label, value]) =>
      value === undefined ? [] : wrapped(value, 16, label, FACT_COLUMNS),
    ),
    '',
    BEGIN_SHARE,
    ...card.lines.map(lineText),
    END_SHARE,
    '',
  ];
  if (card.packageLines.length > 0)
    out.push(BEGIN_PACKAGE, ...card.packageLines.map(lineText), END_PACKAGE, '');
  out.push('Type a line with its number; any order. There is no O, I, L: 0, 1, 1.', '');
  out.push('FOR WHOEVER COMES BACK TO THIS, ALSO IN TEN YEARS', '');
  adviceOf(card).forEach(({ text, command }, i) => {
    out.push(...wrapped(text, 3, `${i + 1}`));
    if (command !== undefined) out.push(`       ${command}`);
  });
  out.push('', ...blanks(['Bag no.', 'Seal no.', 'Kept at']), '');
  out.push(...blanks(['Custodian', 'Witness', 'Date']), '');
  if (unlock.kind !== 'none') {
    out.push('- '.repeat(COLUMNS / 2).trimEnd(), CUT, '');
    const title = `Unlock words of share ${share}${mark === undefined ? '' : ` (${mark.split(':')[0] ?? ''})`}`;
    out.push(between(title, setId === undefined ? '' : `set ${grouped(setId.slice(0, 16))}`), '');
    if (unlock.kind === 'printed') out.push(...wrapped(unlock.words, 4), '');
    else out.push(...blanks(['1', '2', '3', '4']), '', ...blanks(['5', '6', '7', '8']), '');
    out.push(NEVER, '');
  }
  return `${out.map((line) => line.trimEnd()).join('\n')}\n`;
}

function between(left: string, right: string): string {
  return left + ' '.repeat(Math.max(2, COLUMNS - left.length - right.length)) + right;
}

function wrapped(text: string, indent: number, label = '', columns = COLUMNS): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((each, i) => (i === 0 ? label : '').padEnd(indent) + each);
}

function blanks(labels: readonly string[]): string[] {
  const width = Math.floor(COLUMNS / labels.length);
  return ['', labels.map((label) => `${label} `.padEnd(width - 2, '_')).join('  ')];
}

/** What a card's text carries. */
export interface CardContent {
  /** Bytes of the share, or the numbers of its words. */
  readonly share:
    | { readonly kind: 'share'; readonly bytes: Uint8Array }
    | { readonly kind: 'words'; readonly words: readonly number[] };
  /** Bytes of the sealed package, when the card carries it on lines of its own. */
  readonly sealedPackage: Uint8Array | undefined;
}

/** Whether bytes are the text of a card, or lines typed from one; cheap, never throws. */
export function looksLikeCard(bytes: Uint8Array): boolean {
  if (bytes.length > MAX_CARD_TEXT) return false;
  const text = Buffer.from(bytes).toString('latin1');
  if (text.includes(BEGIN_SHARE)) return true;
  const first = text.split('\n').find((line) => line.trim() !== '' && !line.startsWith('#'));
  // The DER of a short key begins with the digits 000 and a vertical tab.
  return first !== undefined && looksLikeLine(first) && !CONTROL.test(first);
}

/** What nobody types: control characters but a tab, and the end of a line of another system. */
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/**
 * Reads the text of one card, or its lines alone.
 * @param what - how errors name the input
 * @param list - the 1,024 words of SLIP-39
 * @returns what is secret in it is the receiver's to wipe
 * @throws {@link InputError} `E_CARD_MALFORMED`, `E_CARD_SEVERAL`, `E_CARD_LINE_MISSING`
 * @throws {@link NegativeError} `E_CARD_LINE` naming the lines that do not fit
 */
export function readCard(text: string, what: string, list: readonly string[]): CardContent {
  const lines = text.split(/\r?\n/);
  const marked = lines.some((line) => line.trim() === BEGIN_SHARE);
  const own = marked ? block(lines, BEGIN_SHARE, END_SHARE, what) : lines.filter(isTyped);
  const further = lines.some((line) => line.trim() === BEGIN_PACKAGE)
    ? block(lines, BEGIN_PACKAGE, END_PACKAGE, what)
    : [];
  const read = readAll([...own, ...further], what, list);
  const words = read.get('words');
  const bytes = read.get('share');
  if ((words === undefined) === (bytes === undefined)) {
    throw malformed(
      what,
      words === undefined ? 'it has no lines of a share' : 'it mixes words and groups',
    );
  }
  const carried = read.get('package');
  return {
    share:
      words === undefined
        ? { kind: 'share', bytes: joinLines(bytes as Map<number, Uint8Array>, what) }
        : { kind: 'words', words: joinWords(words as Map<number, readonly number[]>, what) },
    sealedPackage:
      carried === undefined ? undefined : joinLines(carried as Map<number, Uint8Array>, what),
  };
}

type Read = Map<LineKind, Map<number, Uint8Array | readonly number[]>>;

function readAll(lines: readonly string[], what: string, list: readonly string[]): Read {
  const read: Read = new Map();
  const problems: string[] = [];
  for (const line of lines) {
    const typed = readLine(line, list);
    if (!typed.ok) {
      problems.push(typed.problem);
      continue;
    }
    const same = read.get(typed.kind) ?? new Map<number, Uint8Array | readonly number[]>();
    if (same.has(typed.number)) problems.push(`line ${typed.number} stands there twice`);
    same.set(typed.number, typed.data);
    read.set(typed.kind, same);
  }
  if (problems.length > 0) {
    throw new NegativeError({
      code: 'E_CARD_LINE',
      message: `${what}: ${problems.slice(0, 4).join('; ')}${problems.length > 4 ? ` (and ${problems.length - 4} more)` : ''}`,
      hint: 'compare with the card and correct it',
      details: { lines: problems.length },
    });
  }
  return read;
}

function joinWords(lines: ReadonlyMap<number, readonly number[]>, what: string): readonly number[] {
  const missing = missingLines(lines);
  // The same complaint as for bytes.
  if (missing.length > 0) joinLines(lines as never, what);
  return [...lines.keys()].sort((a, b) => a - b).flatMap((number) => lines.get(number) ?? []);
}

function isTyped(line: string): boolean {
  return line.trim() !== '' && !line.startsWith('#');
}

function block(lines: readonly string[], begin: string, end: string, what: string): string[] {
  const starts = lines.flatMap((line, i) => (line.trim() === begin ? [i] : []));
  const [start = 0] = starts;
  if (starts.length > 1) {
    throw new InputError({
      code: 'E_CARD_SEVERAL',
      message: `${what} holds ${starts.length} cards`,
      hint: 'give each card as a file of its own',
    });
  }
  const stop = lines.findIndex((line, i) => i > start && line.trim() === end);
  if (stop < 0) throw malformed(what, 'its last marker is missing: it was cut off');
  return lines.slice(start + 1, stop).filter((line) => line.trim() !== '');
}

function malformed(what: string, why: string): InputError {
  return new InputError({ code: 'E_CARD_MALFORMED', message: `${what} is no card: ${why}` });
}

/** Where a line stands in the text of a card that is pasted whole. */
export type CardPlace = 'heading' | 'begin' | 'end' | 'foot';

/** Which of the lines that divide the text of a card this is; undefined for all others. */
export function cardPlaceOf(line: string): CardPlace | undefined {
  const text = line.trim();
  if (/^CONCLAVE SHARE CARD\b/.test(text)) return 'heading';
  if (text === BEGIN_SHARE || text === BEGIN_PACKAGE) return 'begin';
  if (text === END_SHARE || text === END_PACKAGE || text === CUT) return 'end';
  return text === NEVER || /^Custodian +_+ +Witness +_+ +Date +_+$/.test(text) ? 'foot' : undefined;
}
