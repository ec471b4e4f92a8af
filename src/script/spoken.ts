/**
 * Digests as people speak them: groups of four hexadecimal digits, each group also as two words or as the letters and figures of
 * the radio alphabet. Whoever listens has the same value on paper and follows along.
 */
import { BYTEWORDS } from '#carriage/transport/bytewords';
import type { ReadBackForm } from './definition.js';

const RADIO: Readonly<Record<string, string>> = {
  '0': 'zero',
  '1': 'one',
  '2': 'two',
  '3': 'three',
  '4': 'four',
  '5': 'five',
  '6': 'six',
  '7': 'seven',
  '8': 'eight',
  '9': 'nine',
  a: 'alfa',
  b: 'bravo',
  c: 'charlie',
  d: 'delta',
  e: 'echo',
  f: 'foxtrot',
};

/** A digest or an id in groups of four hexadecimal digits; anything else as it is, in one group. */
export function groupsOf(value: string): readonly string[] {
  const hex = /^(?:sha256:)?([0-9a-f]{16,})$/.exec(value)?.[1];
  return hex === undefined ? [value] : (hex.match(/.{1,4}/g) ?? []);
}

/** One group of four hexadecimal digits in a form; what is no such group stays as it is. */
export function spoken(group: string, form: ReadBackForm): string {
  if (!/^[0-9a-f]{4}$/.test(group)) return group;
  if (form === 'nato') return [...group].map((digit) => RADIO[digit] ?? digit).join(' ');
  if (form !== 'words') return group;
  return (group.match(/../g) ?? []).map((byte) => BYTEWORDS[Number.parseInt(byte, 16)]).join(' ');
}

/** Numbered groups, in rows that fit a terminal of 80 columns. */
export function numberedGroups(groups: readonly string[], form: ReadBackForm): string {
  if (groups.length === 1) return `  ${groups[0] ?? ''}`;
  const cells = groups.map((group, i) => `${String(i + 1).padStart(2)} ${spoken(group, form)}`);
  const width = Math.max(...cells.map(({ length }) => length)) + 4;
  const columns = Math.min(4, Math.max(1, Math.floor(76 / width)));
  const rows: string[] = [];
  for (let i = 0; i < cells.length; i += columns) {
    const row = cells.slice(i, i + columns).map((cell) => cell.padEnd(width));
    rows.push(`  ${row.join('').trimEnd()}`);
  }
  return rows.join('\n');
}

/** What was typed, without anything that only separates. */
export function bare(text: string): string {
  return text.replaceAll(/[\s:-]/g, '').toLowerCase();
}

/** Whether what was typed is a group, in the form on the screen or as its digits. */
export function isGroups(typed: string, groups: readonly string[], form: ReadBackForm): boolean {
  const said = bare(typed);
  return (
    said === bare(groups.join('')) || said === bare(groups.map((it) => spoken(it, form)).join(''))
  );
}

/**
 * The value among decoys that differ from it in two groups, in an order that chance decides.
 * @param pick - different numbers below a bound, ascending
 */
export function amongDecoys(
  value: string,
  pick: (count: number, below: number) => readonly number[],
): readonly string[] {
  const groups = groupsOf(value);
  const decoys = new Set<string>();
  while (decoys.size < 3) {
    const places = pick(Math.min(2, groups.length), groups.length);
    const other = groups.map((group, i) => (places.includes(i) ? changed(group, pick) : group));
    if (other.join('') !== groups.join('')) decoys.add(other.join(' '));
  }
  const all = [...decoys];
  const [at = 0] = pick(1, 4);
  all.splice(at, 0, groups.join(' '));
  return all;
}

/** A group with one of its characters exchanged for another of the same kind. */
function changed(group: string, pick: (count: number, below: number) => readonly number[]): string {
  const [at = 0] = pick(1, group.length);
  const [by = 0] = pick(1, 16);
  return `${group.slice(0, at)}${by.toString(16)}${group.slice(at + 1)}`;
}
