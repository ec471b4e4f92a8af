/**
 * The Markdown that this room writes, as a page of HTML that prints on A4 and in which nothing is fetched or run. It knows the
 * forms that plan and minutes use, and no others: headings, paragraphs, lists, tables, code blocks, bold, and escapes.
 */

const STYLE = `
  body { font: 11pt/1.4 Georgia, serif; margin: 2em auto; max-width: 48em; color: #000; background: #fff; }
  h1, h2, h3 { font-family: Helvetica, Arial, sans-serif; line-height: 1.2; }
  table { border-collapse: collapse; width: 100%; margin: 0.6em 0; page-break-inside: auto; }
  tr { page-break-inside: avoid; }
  th, td { border: 1px solid #000; padding: 0.35em 0.5em; text-align: left; vertical-align: top; }
  td:empty { min-width: 3em; }
  pre { font: 11pt/1.5 "Courier New", monospace; white-space: pre-wrap; }
  @page { size: A4; margin: 18mm 15mm; }
  @media print { body { margin: 0; max-width: none; } h2, h2 + p { page-break-after: avoid; } }
`;

/** A whole page. `markdown` is this room's own; whatever people wrote in it is escaped already. */
export function htmlPage(markdown: string): string {
  const lines = markdown.split('\n');
  const title = /^# (.*)$/m.exec(markdown)?.[1] ?? '';
  const body: string[] = [];
  for (let i = 0; i < lines.length;) {
    const line = lines[i] ?? '';
    const heading = /^(#{1,3}) (.*)$/.exec(line);
    if (line === '') {
      i++;
    } else if (heading !== null) {
      const level = heading[1]?.length ?? 1;
      body.push(`<h${level}>${inline(heading[2] ?? '')}</h${level}>`);
      i++;
    } else if (line === '```') {
      const end = lines.indexOf('```', i + 1);
      body.push(`<pre>${escape(lines.slice(i + 1, end).join('\n'))}</pre>`);
      i = end + 1;
    } else if (line.startsWith('| ')) {
      const rows = takeWhile(lines, i, (it) => it.startsWith('|'));
      body.push(tableOf(rows));
      i += rows.length;
    } else if (line.startsWith('- ')) {
      const items = takeWhile(lines, i, (it) => it.startsWith('- '));
      body.push(`<ul>${items.map((it) => `<li>${inline(it.slice(2))}</li>`).join('')}</ul>`);
      i += items.length;
    } else {
      const paragraph = takeWhile(lines, i, (it) => it !== '' && !/^(?:#|\||- |```)/.test(it));
      body.push(`<p>${inline(paragraph.join(' '))}</p>`);
      i += paragraph.length;
    }
  }
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<title>${escape(plain(title))}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    ...body,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function takeWhile(
  lines: readonly string[],
  from: number,
  fits: (line: string) => boolean,
): readonly string[] {
  let end = from;
  while (end < lines.length && fits(lines[end] ?? '')) end++;
  return lines.slice(from, Math.max(end, from + 1));
}

function tableOf([head = '', , ...rows]: readonly string[]): string {
  const cells = (line: string): readonly string[] =>
    line
      .replace(/^\|\s?|\s?\|$/g, '')
      .split(/(?<!\\)\|/)
      .map((cell) => inline(cell.trim()));
  const row = (line: string, tag: string): string =>
    `<tr>${cells(line)
      .map((cell) => `<${tag}>${cell}</${tag}>`)
      .join('')}</tr>`;
  return `<table><thead>${row(head, 'th')}</thead><tbody>${rows.map((it) => row(it, 'td')).join('')}</tbody></table>`;
}

/** Bold and code; then escapes. A sign behind a backslash is the sign itself. */
function inline(text: string): string {
  let out = '';
  let bold = false;
  for (const match of text.matchAll(/\\([\s\S])|\*\*|`([^`]*)`|[\s\S]/g)) {
    const [whole, escaped, code] = match;
    if (escaped !== undefined) out += escape(escaped);
    else if (code !== undefined) out += `<code>${escape(code)}</code>`;
    else if (whole === '**') {
      out += bold ? '</strong>' : '<strong>';
      bold = !bold;
    } else out += escape(whole);
  }
  return bold ? `${out}</strong>` : out;
}

function plain(text: string): string {
  return text.replaceAll(/\\([\s\S])/g, '$1');
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
