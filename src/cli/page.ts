/**
 * One command as help, man page, completion and parser see it: plain data that follows from its description alone.
 * `dist/commands.json` holds these pages, so that help needs no command's code.
 */
import type { ActionDescription, Example, Field, SharedOption } from '#formats/action';

/** An argument taken by its place. */
export interface PositionalPage {
  /** Member of the action's input. */
  readonly member: string;
  readonly placeholder: string;
  readonly summary: string;
  readonly required: boolean;
  readonly repeat: boolean;
  readonly type: string;
}

/** An option; exactly one of `member` (of the action's input) and `shared` (handled by the command line) is set. */
export interface OptionPage {
  /** `--kebab-case`, or `--no-kebab-case` for a switch that is on by default. */
  readonly flag: string;
  readonly member?: string;
  readonly shared?: SharedOption;
  /** What help shows for the value; absent for a switch. */
  readonly value?: string;
  readonly summary: string;
  readonly required?: true;
  readonly repeat?: true;
  readonly choices?: readonly string[];
  readonly default?: string | number;
  readonly type: string;
}

/** A command. */
export interface CommandPage {
  readonly id: string;
  readonly words: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly positionals: readonly PositionalPage[];
  readonly options: readonly OptionPage[];
  readonly examples: readonly Example[];
  /** Exit codes a script should expect; the table that explains them is `help exit-codes`. */
  readonly exits: readonly number[];
}

/** The page of a description. */
export function pageOf(description: ActionDescription, words: readonly string[]): CommandPage {
  const fields = Object.entries(description.inputs).filter(
    ([, field]) => field.only !== 'ceremony',
  );
  const positionals = fields
    .filter(([, field]) => field.positional !== undefined)
    .sort(([, a], [, b]) => (a.positional as number) - (b.positional as number))
    .map(([member, field]) => positionalPage(member, field));
  const own = fields
    .filter(([, field]) => field.positional === undefined)
    .map(([member, field]) => optionPage(member, field));
  const taken = new Set(own.map((option) => option.flag));
  const shared = sharedPages(sharedNames(description)).filter((option) => !taken.has(option.flag));
  return {
    id: description.id,
    words,
    summary: description.summary,
    description: description.description,
    positionals,
    options: [...own, ...shared],
    examples: description.examples,
    exits: exitsOf(description),
  };
}

/** The shared options that a command asked for, and those that go with its inputs: a key, or a store, may be in a token. */
function sharedNames(description: ActionDescription): readonly SharedOption[] {
  const asked = description.options ?? [];
  const reachesKeys = Object.entries(description.inputs).some(
    ([member, { type }]) => type === 'key' || (member === 'store' && type === 'string'),
  );
  return reachesKeys && !asked.includes('token') ? [...asked, 'token'] : asked;
}

/** `publicOut` as `public-out`. */
export function kebabCase(member: string): string {
  return member.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** One usage line without the program's name: `key public KEY [--format F] [--out FILE]`. */
export function usageOf(page: CommandPage): string {
  const positionals = page.positionals.map(({ placeholder, required, repeat }) => {
    const shown = repeat ? `${placeholder}...` : placeholder;
    return required ? shown : `[${shown}]`;
  });
  const options = page.options.map((option) => {
    const shown = spelled(option);
    const bare = option.required === true ? shown : `[${shown}]`;
    return option.repeat === true ? `${bare}...` : bare;
  });
  return [...page.words, ...positionals, ...options].join(' ');
}

/** An option with its value, as typed: `--out FILE`. */
export function spelled(option: OptionPage): string {
  return option.value === undefined ? option.flag : `${option.flag} ${option.value}`;
}

/** The remarks after an option's summary: choices, default, repetition. */
export function remarksOf(option: OptionPage): string {
  const remarks = [
    ...(option.choices === undefined ? [] : [option.choices.join(', ')]),
    ...(option.default === undefined ? [] : [`default: ${option.default}`]),
    ...(option.required === true ? ['required'] : []),
    ...(option.repeat === true ? ['may be repeated'] : []),
  ];
  return remarks.length === 0 ? '' : ` (${remarks.join('; ')})`;
}

function positionalPage(member: string, field: Field): PositionalPage {
  return {
    member,
    placeholder: field.placeholder ?? placeholderFor(member, field),
    summary: field.summary,
    required: field.required === true,
    repeat: field.repeat === true,
    type: field.type,
  };
}

function optionPage(member: string, field: Field): OptionPage {
  const kebab = kebabCase(member);
  if (field.type === 'boolean') {
    return {
      flag: field.default === true ? `--no-${kebab}` : `--${kebab}`,
      member,
      summary: field.summary,
      type: field.type,
    };
  }
  return {
    flag: `--${kebab}`,
    member,
    value: field.placeholder ?? placeholderFor(member, field),
    summary: field.summary,
    ...(field.required === true ? { required: true as const } : {}),
    ...(field.repeat === true ? { repeat: true as const } : {}),
    ...(field.choices === undefined ? {} : { choices: field.choices }),
    ...(field.default === undefined || typeof field.default === 'boolean'
      ? {}
      : { default: field.default }),
    type: field.type,
  };
}

const PLACEHOLDERS: Readonly<Partial<Record<Field['type'], string>>> = {
  integer: 'N',
  path: 'FILE',
  file: 'FILE',
  key: 'KEY',
  'public-key': 'PUB',
  algorithm: 'ALG',
  'share-set': 'FILE',
  shares: 'FILE',
  digest: 'sha256:HEX',
};

function placeholderFor(member: string, field: Field): string {
  return PLACEHOLDERS[field.type] ?? kebabCase(member).toUpperCase();
}

const PASSPHRASE_FILE = { flag: '--passphrase-file', value: 'FILE', type: 'file' } as const;

/** The options behind the shared names; a command that both opens and seals uses the same passphrase option for both. */
function sharedPages(names: readonly SharedOption[]): readonly OptionPage[] {
  const pages: OptionPage[] = [];
  const opens = names.includes('passphrase');
  const seals = names.includes('new-passphrase');
  if (opens || seals) {
    pages.push({
      ...PASSPHRASE_FILE,
      shared: opens ? 'passphrase' : 'new-passphrase',
      summary: opens
        ? seals
          ? 'file with a passphrase that opens the input and seals the output'
          : 'file with a passphrase that opens the input; each is tried'
        : 'file with the passphrase that seals the output',
      repeat: true,
    });
  }
  if (seals) {
    pages.push({
      flag: '--no-passphrase',
      shared: 'new-passphrase',
      summary: 'leave the private output unencrypted',
      type: 'boolean',
    });
  }
  for (const name of names) {
    if (name === 'identity') {
      pages.push(
        {
          flag: '--identity',
          shared: 'identity',
          value: 'KEY',
          summary: 'identity that signs (the first), or opens what is sealed to it',
          repeat: true,
          type: 'key',
        },
        {
          flag: '--identity-passphrase-file',
          shared: 'identity',
          value: 'FILE',
          summary: 'file with the passphrase of that identity; each is tried',
          repeat: true,
          type: 'file',
        },
      );
    } else if (name === 'attestation') {
      pages.push({
        flag: '--attestation',
        shared: 'attestation',
        value: 'FILE',
        summary: 'write what the identity attests of this here as well',
        type: 'path',
      });
    } else if (name === 'waive') {
      pages.push({
        flag: '--waive',
        shared: 'waive',
        value: 'RULE',
        summary: 'go against this rule; the waiver is recorded',
        repeat: true,
        choices: ['n-of-n', 'threshold-1', 'draft'],
        type: 'string',
      });
    } else if (name === 'allow-environment') {
      pages.push({
        flag: '--allow-environment',
        shared: 'allow-environment',
        value: 'ENV',
        summary: 'accept keys that carry this mark; recorded',
        repeat: true,
        choices: ['dev', 'rehearsal'],
        type: 'string',
      });
    } else if (name === 'token') {
      pages.push(
        {
          flag: '--module',
          shared: 'token',
          value: 'LIB',
          summary: 'library of PKCS#11 for a token: a path, a name, or sandbox',
          type: 'string',
        },
        {
          flag: '--pin-file',
          shared: 'token',
          value: 'FILE',
          summary: 'file with the PIN of a token',
          type: 'file',
        },
      );
    } else if (name === 'force') {
      pages.push({
        flag: '--force',
        shared: 'force',
        summary: 'overwrite existing output',
        type: 'boolean',
      });
    }
  }
  return pages;
}

/** Follows from the types: who reads files can find them missing or malformed, who writes can find the way barred. */
function exitsOf(description: ActionDescription): readonly number[] {
  const fields = Object.values(description.inputs);
  const shared = description.options ?? [];
  const reads = fields.some(({ type }) =>
    ['file', 'path', 'key', 'public-key', 'share-set', 'shares'].includes(type),
  );
  const writes = fields.some(({ type }) => type === 'path') || shared.includes('force');
  const refuses = shared.some((name) => name !== 'force');
  const judges = Object.values(description.outputs).some(({ type }) => type === 'verdict');
  const codes = [
    ...[0, 2, 70, 130],
    ...(judges || reads ? [1] : []),
    ...(reads ? [65, 66] : []),
    ...(writes ? [73] : []),
    ...(refuses || reads ? [77] : []),
    ...(description.exits ?? []),
  ];
  return [...new Set(codes)].sort((a, b) => a - b);
}
