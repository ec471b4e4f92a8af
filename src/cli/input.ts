/**
 * One command's words as its typed input. Commander splits them; what is allowed follows from the command's description.
 */
import { Command as Commander, CommanderError, Option } from 'commander';
import type { ActionDescription, Field } from '#formats/action';
import { UsageError } from '#formats/errors';
import { nearest } from '#formats/nearest';
import type { CommandPage, OptionPage } from './page.js';
import { pageOf, spelled } from './page.js';

/** Answers of the shared options that a command asked for. */
export interface Shared {
  readonly passphraseFiles: readonly string[];
  readonly noPassphrase: boolean;
  readonly identities: readonly string[];
  readonly identityPassphraseFiles: readonly string[];
  readonly attestation: string | undefined;
  readonly module: string | undefined;
  readonly pinFile: string | undefined;
  readonly waive: readonly string[];
  readonly allowEnvironment: readonly string[];
  readonly force: boolean;
}

/**
 * A command's input and shared options from the words behind its name.
 * @throws UsageError for anything that the description does not allow
 */
export function parseCommand(
  description: ActionDescription,
  words: readonly string[],
  rest: readonly string[],
): {
  readonly input: Readonly<Record<string, unknown>>;
  readonly shared: Shared;
  readonly page: CommandPage;
} {
  const page = pageOf(description, words);
  const commander = new Commander(`conclave ${words.join(' ')}`)
    .exitOverride()
    .helpOption(false)
    .helpCommand(false)
    .allowExcessArguments(false)
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  for (const { placeholder, repeat } of page.positionals) {
    commander.argument(repeat ? `[${placeholder}...]` : `[${placeholder}]`);
  }
  for (const option of page.options) commander.addOption(commanderOption(option));

  try {
    commander.parse(spread(page, rest), { from: 'user' });
  } catch (error) {
    throw error instanceof CommanderError ? usage(error, page) : error;
  }
  const options = commander.opts<Record<string, unknown>>();
  const field = (member: string): Field => description.inputs[member] as Field;
  const input: Record<string, unknown> = {};

  page.positionals.forEach((positional, i) => {
    const given = commander.processedArgs[i] as string | string[] | undefined;
    const value = valueOf(given, field(positional.member), positional.placeholder, page);
    if (value !== undefined) input[positional.member] = value;
    if (positional.required && (value === undefined || (Array.isArray(value) && !value.length))) {
      throw missing(positional.placeholder, page);
    }
  });
  for (const option of page.options) {
    if (option.member === undefined) continue;
    const given = options[keyOf(option)] as string | string[] | boolean | undefined;
    const value = valueOf(given, field(option.member), option.flag, page);
    if (value !== undefined) input[option.member] = value;
    if (
      option.required === true &&
      (value === undefined || (Array.isArray(value) && !value.length))
    )
      throw missing(spelled(option), page);
  }
  for (const [member, it] of Object.entries(description.inputs)) {
    if (it.only === 'ceremony' && it.repeat === true) input[member] = [];
  }
  return { input, shared: sharedOf(options, page), page };
}

function commanderOption(option: OptionPage): Option {
  const out = new Option(option.value === undefined ? option.flag : `${option.flag} <value>`);
  if (option.repeat === true) {
    return out.argParser((value: string, before: readonly string[] | undefined) => [
      ...(before ?? []),
      value,
    ]);
  }
  if (option.value !== undefined) {
    // The last of two contradicting values would win silently; a key ceremony should not guess.
    return out.argParser((value: string, before: string | undefined) => {
      if (before !== undefined) {
        throw new UsageError({
          code: 'E_OPTION_TWICE',
          message: `${option.flag} is given twice`,
          hint: 'leave one of them out',
        });
      }
      return value;
    });
  }
  return out;
}

/** Commander's name for an option's value: camelCase, a leading `no-` cut off. */
function keyOf(option: OptionPage): string {
  return option.flag
    .replace(/^--(?:no-)?/, '')
    .replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * A repeatable option takes all values that follow it (`--seal-to a b c`), unless they may be arguments of the command:
 * it then does so only when it is given once, behind the arguments.
 */
function spread(page: CommandPage, rest: readonly string[]): readonly string[] {
  const repeatable = new Set(page.options.filter(({ repeat }) => repeat).map(({ flag }) => flag));
  const valued = new Set(page.options.filter(({ value }) => value).map(({ flag }) => flag));
  const end = rest.includes('--') ? rest.indexOf('--') : rest.length;
  const times = (flag: string): number =>
    rest.slice(0, end).filter((word) => word === flag || word.startsWith(`${flag}=`)).length;
  const out: string[] = [];
  let argumentsSeen = false;
  for (let i = 0; i < end; i++) {
    const word = rest[i] as string;
    out.push(word);
    if (!isOption(word)) {
      argumentsSeen = true;
      continue;
    }
    if (!valued.has(word) || i + 1 >= end) continue;
    out.push(rest[++i] as string);
    const greedy =
      repeatable.has(word) &&
      (page.positionals.length === 0 || (argumentsSeen && times(word) === 1));
    while (greedy && i + 1 < end && !isOption(rest[i + 1] as string)) {
      out.push(word, rest[++i] as string);
    }
  }
  return [...out, ...rest.slice(end)];
}

function isOption(word: string): boolean {
  return word.startsWith('-') && word !== '-';
}

function sharedOf(options: Readonly<Record<string, unknown>>, page: CommandPage): Shared {
  const list = (key: string): readonly string[] => (options[key] as string[] | undefined) ?? [];
  const isShared = (flag: string): boolean =>
    page.options.some((option) => option.flag === flag && option.shared !== undefined);
  for (const option of page.options) {
    if (option.shared === undefined || option.choices === undefined) continue;
    for (const value of list(keyOf(option))) checkChoice(value, option.choices, option.flag, page);
  }
  const noPassphrase = isShared('--no-passphrase') && options['passphrase'] === false;
  const passphraseFiles = isShared('--passphrase-file') ? list('passphraseFile') : [];
  return {
    passphraseFiles,
    noPassphrase,
    identities: isShared('--identity') ? list('identity') : [],
    identityPassphraseFiles: isShared('--identity-passphrase-file')
      ? list('identityPassphraseFile')
      : [],
    attestation: isShared('--attestation')
      ? (options['attestation'] as string | undefined)
      : undefined,
    module: isShared('--module') ? (options['module'] as string | undefined) : undefined,
    pinFile: isShared('--pin-file') ? (options['pinFile'] as string | undefined) : undefined,
    waive: isShared('--waive') ? list('waive') : [],
    allowEnvironment: isShared('--allow-environment') ? list('allowEnvironment') : [],
    force: isShared('--force') && options['force'] === true,
  };
}

/** A typed value from text. Repeated fields are always arrays. */
function valueOf(
  given: string | readonly string[] | boolean | undefined,
  field: Field,
  name: string,
  page: CommandPage,
): unknown {
  if (field.repeat === true) {
    const list = (given ?? []) as readonly string[];
    return list.map((item) => scalarOf(item, field, name, page));
  }
  if (given === undefined) return field.default;
  return scalarOf(given as string | boolean, field, name, page);
}

function scalarOf(
  given: string | boolean,
  field: Field,
  name: string,
  page: CommandPage,
): string | number | boolean {
  if (typeof given === 'boolean') return given;
  if (field.type === 'integer') return integerOf(given, field, name, page);
  if (field.choices !== undefined) checkChoice(given, field.choices, name, page);
  if (field.pattern !== undefined && !new RegExp(`^(?:${field.pattern})$`, 'u').test(given)) {
    throw unfit(name, given, field.summary, page);
  }
  return given;
}

function integerOf(given: string, field: Field, name: string, page: CommandPage): number {
  const value = /^-?(?:0|[1-9][0-9]{0,14})$/.test(given) ? Number(given) : NaN;
  const { min = -Infinity, max = Infinity } = field;
  if (value >= min && value <= max) return value;
  const from = field.min === undefined ? '' : ` from ${field.min}`;
  const to = field.max === undefined ? '' : ` up to ${field.max}`;
  throw unfit(name, given, `a whole number${from}${to}`, page);
}

function checkChoice(
  given: string,
  choices: readonly string[],
  name: string,
  page: CommandPage,
): void {
  if (!choices.includes(given)) throw unfit(name, given, `one of ${choices.join(', ')}`, page);
}

function unfit(name: string, given: string, expected: string, page: CommandPage): UsageError {
  return new UsageError({
    code: 'E_OPTION_VALUE',
    message: `${page.words.join(' ')}: ${name} does not take "${given}"`,
    hint: `expected: ${expected}`,
  });
}

function missing(what: string, page: CommandPage): UsageError {
  return new UsageError({
    code: 'E_OPTION_MISSING',
    message: `${page.words.join(' ')}: ${what} is missing`,
    hint: helpHint(page),
  });
}

function helpHint(page: CommandPage): string {
  return `see conclave ${page.words.join(' ')} --help`;
}

/** Commander's complaints in the words of the house. */
function usage(error: CommanderError, page: CommandPage): UsageError {
  const command = page.words.join(' ');
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  if (error.code === 'commander.unknownOption') {
    const flags = [
      ...page.options.map(({ flag }) => flag),
      '--json',
      '--home',
      '--no-input',
      '--plain',
      '--debug',
      '--help',
    ];
    const near = nearest(quoted, flags);
    return new UsageError({
      code: 'E_OPTION_UNKNOWN',
      message: `${command} has no option ${quoted}`,
      hint: near === undefined ? helpHint(page) : `did you mean ${near}?`,
    });
  }
  if (error.code === 'commander.optionMissingArgument') {
    return new UsageError({
      code: 'E_OPTION_MISSING',
      message: `${command}: ${quoted.split(' ')[0] ?? quoted} needs a value`,
      hint: helpHint(page),
    });
  }
  if (error.code === 'commander.excessArguments') {
    const takes = page.positionals.map(({ placeholder }) => placeholder).join(' ');
    return new UsageError({
      code: 'E_ARGUMENT_EXCESS',
      message: `${command}: more arguments than it takes`,
      hint: takes === '' ? 'it takes none, only options' : `it takes ${takes}`,
    });
  }
  return new UsageError({
    code: 'E_USAGE',
    message: `${command}: ${error.message.replace(/^error: /, '')}`,
    hint: helpHint(page),
  });
}
