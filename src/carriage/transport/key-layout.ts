/**
 * Scanners that type. A scanner presses the keys of the keyboard it believes in; the computer reads them by the keyboard it
 * believes in. Where the two differ, letters change places and signs become others. A test code tells exactly how; without
 * one, the commonest difference (a scanner set to US, a German keyboard) is recognised by the checksum.
 */
import { InputError } from '#formats/errors';

/** What the test code carries: every character that our codes use, each once, behind a word that no layout changes. */
export const LAYOUT_TEST = 'TEST0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ:/-$%*+.';

const MARK = 'TEST';

/** How many characters of a test code may be missing for it still to be one: accents that wait for a letter swallow some. */
const LOSABLE = 6;

const SAME_LAYOUT =
  'set scanner and computer to the same keyboard layout (US), and scan the test code again';

/** Characters that URs need. */
const NEEDED = /[A-Z0-9:/-]/;

/** How a keyboard changes what a scanner types: from what arrives, in upper case, to what was meant. */
export type KeyMap = ReadonlyMap<string, string>;

/** Nothing is changed. */
export const PLAIN_KEYS: KeyMap = new Map();

/** A scanner set to US, a computer set to German. */
export const GERMAN_KEYS: KeyMap = new Map([
  ['Z', 'Y'],
  ['Y', 'Z'],
  ['Ö', ':'],
  ['-', '/'],
  ['ß', '-'],
  ['ẞ', '-'],
]);

/** Whether a typed line is the test code, on whatever keyboard. */
export function isLayoutTest(line: string): boolean {
  const lost = LAYOUT_TEST.length - [...line].length;
  return upper(line).startsWith(MARK) && lost >= 0 && lost <= LOSABLE;
}

/** What a test found. */
export interface LayoutTest {
  readonly keys: KeyMap;
  /** `Z for Y`, as the computer reads it for what was sent; empty when nothing is changed. */
  readonly changed: readonly string[];
}

/**
 * Learns from the typed test code.
 * @throws {@link InputError} `E_SCANNER_LAYOUT` when characters of our codes were lost or made the same
 */
export function learnLayout(line: string): LayoutTest {
  const typed = [...upper(line)];
  if (typed.length !== LAYOUT_TEST.length) {
    throw new InputError({
      code: 'E_SCANNER_LAYOUT',
      message: `${LAYOUT_TEST.length - typed.length} characters of the test code did not arrive`,
      hint: SAME_LAYOUT,
    });
  }
  const keys = new Map<string, string>();
  const changed: string[] = [];
  [...LAYOUT_TEST].slice(MARK.length).forEach((meant, i) => {
    const read = typed[MARK.length + i] as string;
    const before = keys.get(read);
    if (before !== undefined && (NEEDED.test(meant) || NEEDED.test(before))) {
      throw new InputError({
        code: 'E_SCANNER_LAYOUT',
        message: `the scanner's ${before} and ${meant} arrive as the same character`,
        hint: SAME_LAYOUT,
      });
    }
    keys.set(read, meant);
    if (read !== meant && NEEDED.test(meant)) changed.push(`${read} for ${meant}`);
  });
  return { keys, changed };
}

/** A typed line as it was meant, in upper case. */
export function mapKeys(line: string, keys: KeyMap): string {
  return [...upper(line)].map((character) => keys.get(character) ?? character).join('');
}

/** Upper case letter by letter; `ß` stays one character. */
function upper(line: string): string {
  return [...line].map((c) => (c.toUpperCase().length === c.length ? c.toUpperCase() : c)).join('');
}
