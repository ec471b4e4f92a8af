/**
 * How a capability describes itself, as plain data: its subcommand, ceremony step, man page, completion and JSON Schema all
 * follow from this. The linter of `script/` receives these descriptions; it never sees the code behind them.
 */

/** The vocabulary of types shared by options, step inputs and step outputs. */
export type ValueType =
  | 'string'
  | 'integer'
  | 'boolean'
  /** A file or folder to write or read, as typed. */
  | 'path'
  /** A file that exists: an input, or an earlier step's output. */
  | 'file'
  /** KEY: a private key, by path, store name, id prefix, or a live key of the ceremony. */
  | 'key'
  /** PUB: a public key in any format, or an identity's public file. */
  | 'public-key'
  /** A name of the algorithm registry. */
  | 'algorithm'
  /** A public set description, `set.json`. */
  | 'share-set'
  /** The share files of one set. */
  | 'shares'
  /** `sha256:` and 64 hexadecimal digits. */
  | 'digest'
  /** A role of the ceremony. */
  | 'role'
  /** A verdict with its reasons. */
  | 'verdict'
  /** Structured data that is only recorded. */
  | 'report';

/** One input of an action. The camelCase member name becomes `--kebab-case` and the step's `kebab-case:`. */
export interface Field {
  readonly type: ValueType;
  /** One line, lower case, no full stop. */
  readonly summary: string;
  readonly required?: true;
  /** May be given several times; the value is then an array. */
  readonly repeat?: true;
  readonly choices?: readonly string[];
  readonly default?: string | number | boolean;
  readonly min?: number;
  readonly max?: number;
  /** Source text of a regular expression that the whole value must match. */
  readonly pattern?: string;
  /** Taken from the command line by position: its place, counted from 0 (a repeated field takes the rest). */
  readonly positional?: number;
  /** What help shows for the value, e.g. `FILE`. */
  readonly placeholder?: string;
  /** Exists only in one of the two ways to call an action. */
  readonly only?: 'ceremony' | 'cli';
}

/** The inputs of an action, in the order in which help shows them. */
export type Fields = Readonly<Record<string, Field>>;

type ScalarOf<F extends Field> = F['type'] extends 'integer'
  ? number
  : F['type'] extends 'boolean'
    ? boolean
    : string;
type ValueOf<F extends Field> = F extends { readonly repeat: true }
  ? readonly ScalarOf<F>[]
  : ScalarOf<F>;
type Given<F extends Field> = F extends
  { readonly required: true } | { readonly default: unknown } | { readonly repeat: true }
  ? true
  : false;

/** The typed input that a set of fields yields: repeated fields are always arrays (empty when not given). */
export type InputOf<F extends Fields> = {
  readonly [K in keyof F as Given<F[K]> extends true ? K : never]: ValueOf<F[K]>;
} & {
  readonly [K in keyof F as Given<F[K]> extends true ? never : K]?: ValueOf<F[K]> | undefined;
};

/** One named output that later ceremony steps can refer to. */
export interface OutputField {
  readonly type: ValueType;
  readonly summary: string;
  readonly repeat?: true;
}

/**
 * What doing a step twice would mean: `none` changes nothing, `repeatable` makes the same or an equivalent thing again,
 * `irreversible` must never be done twice silently.
 */
export type Effect = 'none' | 'repeatable' | 'irreversible';

/** Shared options that an action asks for by name; the command line adds them, a ceremony answers them by people. */
export type SharedOption =
  /** Opens sealed input: `--passphrase-file` (each tried), a prompt otherwise. */
  | 'passphrase'
  /** Seals new output: `--passphrase-file` or `--no-passphrase`, a prompt with repetition otherwise. */
  | 'new-passphrase'
  /** Signs a statement: `--identity`, `--identity-passphrase-file`. */
  | 'identity'
  /** Has the `--identity` attest what was done, and writes the statement to `--attestation` too. */
  | 'attestation'
  | 'waive'
  | 'allow-environment'
  /** Reaches tokens: `--module`, `--pin-file`. Every command that names a key or a store has it without asking. */
  | 'token'
  /** Overwrites existing output only with `--force`. */
  | 'force';

/** An example for help and man page. */
export interface Example {
  readonly command: string;
  readonly explains: string;
}

/** The description of an action; plain data. */
export interface ActionDescription {
  /** E.g. `key.generate`; the file is `key-generate.ts`, the command `key generate`. */
  readonly id: string;
  /** One line for lists: lower case, no full stop. */
  readonly summary: string;
  /** A few sentences for help and man page. */
  readonly description: string;
  readonly inputs: Fields;
  readonly outputs: Readonly<Record<string, OutputField>>;
  readonly options?: readonly SharedOption[];
  readonly effect: Effect;
  /** What a ceremony must know of secrets: this action makes, protects, seals or destroys the key it names. */
  readonly secrecy?: 'creates' | 'protects' | 'destroys';
  /** In a ceremony the administrator's identity signs what it writes. */
  readonly signs?: true;
  readonly examples: readonly Example[];
  /** Exit codes to document besides those that follow from inputs and outputs, e.g. 75 where a quorum can be incomplete. */
  readonly exits?: readonly number[];
  /** Only a subcommand, never a ceremony step; or only a step. */
  readonly only?: 'cli' | 'ceremony';
}
