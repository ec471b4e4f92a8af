/** Manual pages in man(7), made from the same pages as help. Written into `man/` by scripts/man.mjs; nothing in them by hand. */
import { exitCodes } from './exit.js';
import { GLOBAL_OPTIONS } from './help.js';
import { GROUP_SUMMARIES } from './catalogue.js';
import type { CommandPage, OptionPage } from './page.js';
import { remarksOf } from './page.js';

/** One file of `man/`. */
export interface ManualPage {
  /** E.g. `conclave-key-generate.1`. */
  readonly file: string;
  readonly text: string;
}

/** All manual pages: `conclave.1` and one for every command. */
export function manualPages(pages: readonly CommandPage[], version: string): readonly ManualPage[] {
  return [
    { file: 'conclave.1', text: overview(pages, version) },
    ...pages.map((page) => ({ file: `${nameOf(page)}.1`, text: commandPage(page, version) })),
  ];
}

function overview(pages: readonly CommandPage[], version: string): string {
  const groups = [...new Set(pages.filter(inGroup).map(({ words }) => words[0] as string))].sort();
  return lines([
    head('conclave', version),
    ...section('NAME', 'conclave \\- scripted, witnessed, verifiable key ceremonies'),
    '.SH SYNOPSIS',
    '.B conclave',
    '.I command',
    '[options]',
    '.SH DESCRIPTION',
    ...paragraphs(
      'conclave runs key ceremonies on an offline machine: a script that all can read, shares that custodians take home, ' +
        'and a signed transcript that anyone can verify afterwards. The same capabilities are plain commands for scripts and for ' +
        'developers.\n' +
        'Results go to standard output, everything else to standard error. Nothing is ever asked without a terminal or with --no-input. ' +
        'Secrets are never taken from arguments or from the environment: they come from a prompt or from a file (--passphrase-file).',
    ),
    '.SH COMMANDS',
    ...groups.flatMap((group) => [
      `.SS ${escape(`${group}: ${GROUP_SUMMARIES[group] ?? ''}`)}`,
      ...pages.filter((page) => inGroup(page) && page.words[0] === group).flatMap(listed),
    ]),
    '.SS Plain commands',
    ...pages.filter((page) => !inGroup(page)).flatMap(listed),
    '.SH OPTIONS',
    '.PP',
    'Every command knows these.',
    ...globalOptions(),
    '.TP',
    '.B \\-\\-version',
    'Show the version.',
    '.SH KEYS AND PUBLIC KEYS',
    ...paragraphs(
      'KEY is resolved thus: behind a store prefix (file:) the rest names a key of that store; an argument with a slash or a dot is a path of ' +
        'any private key format that key import reads; anything else is the name of a key in the store, then a prefix of its id. ' +
        'PUB is a public key in any format, or the public file of an identity. A path of - is standard input or output.',
    ),
    ...exitSection(exitCodes.map(({ code }) => code)),
    '.SH ENVIRONMENT',
    '.TP',
    '.B CONCLAVE_HOME',
    'Where keys and settings rest when \\-\\-home is not given.',
    '.TP',
    '.B XDG_DATA_HOME',
    'Otherwise they rest in the folder conclave below this one (default: ~/.local/share).',
    '.TP',
    '.BR NO_COLOR ", " CI ", " TERM=dumb',
    'No colour; no movement.',
    '.SH SEE ALSO',
    pages.map((page) => `.BR ${escape(nameOf(page))} (1)`).join(' ,\n'),
  ]);
}

function commandPage(page: CommandPage, version: string): string {
  const name = nameOf(page);
  return lines([
    head(name, version),
    ...section('NAME', `${escape(name)} \\- ${escape(page.summary)}`),
    '.SH SYNOPSIS',
    ...synopsis(page),
    '.SH DESCRIPTION',
    ...paragraphs(page.description),
    ...(page.positionals.length === 0
      ? []
      : [
          '.SH ARGUMENTS',
          ...page.positionals.flatMap((it) => [
            '.TP',
            `.I ${escape(it.repeat ? `${it.placeholder}...` : it.placeholder)}`,
            sentence(it.summary),
          ]),
        ]),
    '.SH OPTIONS',
    ...page.options.flatMap((option) => [
      '.TP',
      option.value === undefined
        ? `.B ${escape(option.flag)}`
        : `.BI ${escape(option.flag)} " ${escape(option.value)}"`,
      sentence(`${option.summary}${remarksOf(option)}`),
    ]),
    ...globalOptions(),
    ...exitSection(page.exits),
    '.SH EXAMPLES',
    ...page.examples.flatMap(({ command, explains }) => [
      '.PP',
      sentence(explains).replace(/\.$/, ':'),
      '.PP',
      '.nf',
      '.RS 4',
      guard(escape(command)),
      '.RE',
      '.fi',
    ]),
    '.SH SEE ALSO',
    '.BR conclave (1)',
  ]);
}

function synopsis(page: CommandPage): readonly string[] {
  return [
    '.nh',
    `.B conclave ${escape(page.words.join(' '))}`,
    ...page.positionals.map(({ placeholder, required, repeat }) => {
      const shown = `\\fI${escape(placeholder)}\\fR${repeat ? '...' : ''}`;
      return required ? shown : `[${shown}]`;
    }),
    ...page.options.map(synopsisOption),
    '.hy',
  ];
}

function synopsisOption(option: OptionPage): string {
  const value = option.value === undefined ? '' : `\\ \\fI${escape(option.value)}\\fR`;
  const shown = `\\fB${escape(option.flag)}\\fR${value}`;
  return `${option.required === true ? shown : `[${shown}]`}${option.repeat === true ? '...' : ''}`;
}

function globalOptions(): readonly string[] {
  return GLOBAL_OPTIONS.flatMap(({ flag, summary }) => [
    '.TP',
    `.B ${escape(flag)}`,
    sentence(summary),
  ]);
}

function exitSection(codes: readonly number[]): readonly string[] {
  return [
    '.SH EXIT STATUS',
    ...exitCodes
      .filter(({ code }) => codes.includes(code))
      .flatMap(({ code, meaning }) => ['.TP', `.B ${code}`, sentence(meaning)]),
  ];
}

function listed(page: CommandPage): readonly string[] {
  return ['.TP', `.BR ${escape(nameOf(page))} (1)`, sentence(page.summary)];
}

function inGroup(page: CommandPage): boolean {
  return page.words.length > 1;
}

function nameOf(page: CommandPage): string {
  return `conclave-${page.words.join('-')}`;
}

function head(name: string, version: string): string {
  return (
    `.\\" Generated from the descriptions of the commands by scripts/man.mjs.\n` +
    `.TH ${escape(name.toUpperCase())} 1 "" "conclave ${escape(version)}" "conclave manual"`
  );
}

function section(title: string, body: string): readonly string[] {
  return [`.SH ${title}`, body];
}

function paragraphs(text: string): readonly string[] {
  return text.split('\n').flatMap((paragraph) => ['.PP', guard(escape(paragraph.trim()))]);
}

/** First letter large, a full stop at the end. */
function sentence(text: string): string {
  const first = text.slice(0, 1).toUpperCase() + text.slice(1);
  return guard(escape(/[.?!]$/.test(first) ? first : `${first}.`));
}

function escape(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replace(/[^\u0000-\u007e]/gu, (character) => {
      const code = character.codePointAt(0) as number;
      return `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`;
    });
}

/** A text line that begins like a request would be taken for one. */
function guard(text: string): string {
  return /^[.']/.test(text) ? `\\&${text}` : text;
}

function lines(parts: readonly string[]): string {
  return `${parts.join('\n')}\n`;
}
