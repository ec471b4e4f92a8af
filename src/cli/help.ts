/** `conclave help`: what the pages say, laid out for a terminal of 80 columns. */
import { UsageError } from '#formats/errors';
import { nearest } from '#formats/nearest';
import { wrap } from '#terminal/screen';
import { table } from '#terminal/table';
import { defineBuiltIn } from './built-in.js';
import { GROUP_SUMMARIES } from './catalogue.js';
import { exitCodes } from './exit.js';
import type { CommandPage } from './page.js';
import { remarksOf, spelled, usageOf } from './page.js';

const WIDTH = 80;

/** The options of every command. */
export const GLOBAL_OPTIONS: readonly { readonly flag: string; readonly summary: string }[] = [
  { flag: '--json', summary: 'print exactly one JSON object on standard output' },
  { flag: '--home DIR', summary: 'where keys and settings rest (or CONCLAVE_HOME)' },
  { flag: '--no-input', summary: 'never ask; a missing answer is a usage error' },
  { flag: '--plain', summary: 'ask line by line, for screen readers; nothing moves or is painted' },
  { flag: '--debug', summary: 'show where an error happened' },
  { flag: '--help', summary: 'show this' },
];

/** The command `help`. */
export const help = defineBuiltIn({
  id: 'help',
  summary: 'explain a command, a group of commands or the exit codes',
  description:
    'Without a topic, lists every command. A topic is a command, a group of commands, or exit-codes. ' +
    'The same text is shown by --help after a command, and as a manual page by man conclave-COMMAND.',
  inputs: {
    topic: {
      type: 'string',
      summary: 'words of a command, or exit-codes',
      repeat: true,
      positional: 0,
      placeholder: 'TOPIC',
    },
  },
  outputs: { help: { type: 'string', summary: 'the text' } },
  effect: 'none',
  only: 'cli',
  examples: [
    { command: 'conclave help share split', explains: 'everything about one command' },
    { command: 'conclave help exit-codes', explains: 'what scripts can rely on' },
  ],
  async run({ topic }, { pages }) {
    return { help: helpText(topic, await pages()) };
  },
  present: (output) => output.help,
});

/**
 * Help on a topic.
 * @throws UsageError `E_HELP_UNKNOWN` when there is no such topic
 */
export function helpText(topic: readonly string[], pages: readonly CommandPage[]): string {
  if (topic.length === 0) return rootText(pages);
  if (topic.length === 1 && topic[0] === 'exit-codes') return exitCodesText();
  const typed = topic.join(' ');
  const page = pages.find(({ words }) => words.join(' ') === typed);
  if (page !== undefined) return pageText(page);
  const inGroup = pages.filter(({ words }) => words.length > 1 && words[0] === typed);
  if (inGroup.length > 0) return groupText(typed, inGroup);
  const near = nearest(typed, [
    'exit-codes',
    ...pages.map(({ words }) => words.join(' ')),
    ...pages.map(({ words }) => words[0] as string),
  ]);
  throw new UsageError({
    code: 'E_HELP_UNKNOWN',
    message: `there is no help on "${typed}"`,
    hint: near === undefined ? 'conclave help lists every command' : `did you mean "${near}"?`,
  });
}

function exitCodesText(): string {
  const rows = exitCodes.map(({ code, name, meaning }) => [
    String(code).padStart(3),
    name,
    meaning,
  ]);
  return table(rows, undefined, WIDTH).join('\n');
}

function rootText(pages: readonly CommandPage[]): string {
  const plain = pages.filter(({ words }) => words.length === 1);
  const groups = [...new Set(pages.filter(({ words }) => words.length > 1).map(groupOf))].sort();
  return [
    'conclave: scripted, witnessed, verifiable key ceremonies',
    '',
    'Usage: conclave COMMAND [options]',
    ...groups.flatMap((group) => [
      '',
      `${group}: ${GROUP_SUMMARIES[group] ?? ''}`,
      ...columns(pages.filter((page) => page.words.length > 1 && groupOf(page) === group).map(row)),
    ]),
    '',
    'plain commands:',
    ...columns(plain.map(row)),
    '',
    'Every command:',
    ...columns([
      ...GLOBAL_OPTIONS.map(({ flag, summary }) => [flag, summary] as const),
      ['--version', 'show the version'],
    ]),
    '',
    'conclave help COMMAND explains one, conclave help exit-codes their exit codes.',
  ].join('\n');
}

function groupText(group: string, pages: readonly CommandPage[]): string {
  return [
    `conclave ${group}: ${GROUP_SUMMARIES[group] ?? ''}`,
    '',
    `Usage: conclave ${group} COMMAND [options]`,
    '',
    ...columns(pages.map(row)),
    '',
    `conclave help ${group} COMMAND explains one.`,
  ].join('\n');
}

/** Help on one command. */
export function pageText(page: CommandPage): string {
  const name = `conclave ${page.words.join(' ')}`;
  return [
    ...hang(`${name}: ${page.summary}`, '  '),
    '',
    ...hang(`Usage: conclave ${usageOf(page)}`, ' '.repeat(`Usage: ${name} `.length)),
    '',
    ...wrap(page.description),
    ...section(
      'Arguments',
      page.positionals.map((it) => [
        it.repeat ? `${it.placeholder}...` : it.placeholder,
        it.summary,
      ]),
    ),
    ...section(
      'Options',
      page.options.map((option) => [spelled(option), `${option.summary}${remarksOf(option)}`]),
    ),
    ...section(
      'Every command',
      GLOBAL_OPTIONS.map(({ flag, summary }) => [flag, summary]),
    ),
    '',
    page.examples.length === 1 ? 'Example:' : 'Examples:',
    ...page.examples.flatMap(({ command, explains }) => [
      ...hang(`  # ${explains}`, '  # '),
      ...hang(`  $ ${command}`, '      ', ' \\'),
    ]),
    '',
    `Exit codes: ${page.exits.join(', ')} (conclave help exit-codes)`,
  ].join('\n');
}

function groupOf(page: CommandPage): string {
  return page.words[0] as string;
}

function row(page: CommandPage): readonly [string, string] {
  return [page.words.join(' '), page.summary];
}

function section(title: string, rows: readonly (readonly [string, string])[]): readonly string[] {
  return rows.length === 0 ? [] : ['', `${title}:`, ...columns(rows)];
}

/** Two columns behind a margin. */
function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  return table(rows, undefined, WIDTH - 2).map((line) => `  ${line}`);
}

/** One paragraph broken at spaces, but not inside brackets nor between an option and its value; later lines stand behind `indent`. */
function hang(text: string, indent: string, lineEnd = ''): readonly string[] {
  const lead = /^ */.exec(text)?.[0] ?? '';
  const pieces = text.trim().match(/\[[^\]]*\]\S*|--\S+ [^-\s[]\S*|\S+/g) ?? [];
  const lines: string[] = [];
  let line = lead;
  let empty = true;
  for (const piece of pieces) {
    if (!empty && line.length + 1 + piece.length > WIDTH - lineEnd.length) {
      lines.push(line + lineEnd);
      line = indent;
      empty = true;
    }
    line += empty ? piece : ` ${piece}`;
    empty = false;
  }
  return [...lines, line];
}
