/**
 * CSV for spreadsheets. A cell that begins like a formula gets an apostrophe before it: names come from files that others
 * made, and a spreadsheet would compute what they say.
 * @see RFC 4180
 */

/** One row, ended by CRLF. */
export function csvRow(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
