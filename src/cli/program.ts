/** The words of a command line: options that every command knows, and which command is named. */
import { UsageError } from '#formats/errors';
import { nearest } from '#formats/nearest';
import type { IndexRow } from './catalogue.js';
import { GROUP_SUMMARIES, rows } from './catalogue.js';

/** Options of every command. */
export interface Globals {
  readonly json: boolean;
  readonly debug: boolean;
  readonly noInput: boolean;
  readonly plain: boolean;
  readonly home?: string;
}

/** What was named. */
export type Named =
  | { readonly kind: 'version' }
  | { readonly kind: 'help'; readonly topic: readonly string[] }
  | { readonly kind: 'nothing'; readonly group?: string }
  | { readonly kind: 'command'; readonly row: IndexRow; readonly rest: readonly string[] };

const GLOBAL_SWITCHES = new Set(['--json', '--debug', '--no-input', '--plain']);

/** Takes the global options out of the words; everything behind `--` is left alone. */
export function splitGlobals(argv: readonly string[]): {
  readonly globals: Globals;
  readonly words: readonly string[];
} {
  const words: string[] = [];
  const seen = new Set<string>();
  let home: string | undefined;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string;
    if (word === '--') {
      words.push(...argv.slice(i));
      break;
    }
    if (GLOBAL_SWITCHES.has(word)) seen.add(word);
    else if (word.startsWith('--home=')) home = word.slice('--home='.length);
    else if (word === '--home') {
      home = argv[++i] ?? '';
    } else words.push(word);
  }
  const globals = {
    json: seen.has('--json'),
    debug: seen.has('--debug'),
    noInput: seen.has('--no-input'),
    plain: seen.has('--plain'),
    ...(home === undefined ? {} : { home }),
  };
  return { globals, words };
}

/**
 * Which command the words name.
 * @throws UsageError `E_COMMAND_UNKNOWN` with the nearest one
 */
export function named(words: readonly string[]): Named {
  const dashes = words.indexOf('--');
  const before = dashes === -1 ? words : words.slice(0, dashes);
  const asksHelp = before.some((word) => word === '--help' || word === '-h');
  const first = words[0];
  if (first === undefined) return { kind: 'nothing' };
  if (first === '--version' || first === '-V') return { kind: 'version' };
  if (first === '--help' || first === '-h') return { kind: 'help', topic: [] };
  if (first.startsWith('-')) {
    throw new UsageError({
      code: 'E_COMMAND_UNKNOWN',
      message: `the option ${first} stands before any command`,
      hint: 'conclave help lists the commands',
    });
  }
  const second = words[1];
  const row =
    rows.find((it) => it.words.length === 2 && it.words[0] === first && it.words[1] === second) ??
    rows.find((it) => it.words.length === 1 && it.words[0] === first);
  if (row !== undefined) {
    if (asksHelp) return { kind: 'help', topic: row.words };
    return { kind: 'command', row, rest: words.slice(row.words.length) };
  }
  if (isGroup(first)) {
    if (asksHelp) return { kind: 'help', topic: [first] };
    if (second === undefined) return { kind: 'nothing', group: first };
    const verbs = rows.filter((it) => it.words.length === 2 && it.words[0] === first);
    throw unknownCommand(
      `${first} ${second}`,
      first,
      nearestVerb(
        second,
        verbs.map(({ words: w }) => w[1] as string),
        first,
      ),
    );
  }
  const firsts = new Set(rows.map((it) => it.words[0] as string));
  const near = nearest(first, firsts);
  const joined = second === undefined ? [] : rows.map((it) => it.words.join(' '));
  throw unknownCommand(
    first,
    undefined,
    near === undefined
      ? nearest(`${first} ${second ?? ''}`, joined)
      : isGroup(near) && second !== undefined
        ? `${near} ${second}`
        : near,
  );
}

function isGroup(word: string): boolean {
  return (
    Object.hasOwn(GROUP_SUMMARIES, word) &&
    rows.some(({ words }) => words.length > 1 && words[0] === word)
  );
}

function nearestVerb(verb: string, verbs: readonly string[], group: string): string | undefined {
  const near = nearest(verb, verbs);
  return near === undefined ? undefined : `${group} ${near}`;
}

function unknownCommand(
  typed: string,
  group: string | undefined,
  near: string | undefined,
): UsageError {
  const list = group === undefined ? 'conclave help' : `conclave help ${group}`;
  return new UsageError({
    code: 'E_COMMAND_UNKNOWN',
    message: `there is no command "${typed}"`,
    hint: near === undefined ? `${list} lists the commands` : `did you mean "conclave ${near}"?`,
  });
}
