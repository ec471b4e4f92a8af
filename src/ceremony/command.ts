/**
 * Commands that drive ceremonies. They describe themselves as actions do, but reach host and terminal directly.
 * One file each in `commands/`; the file name is the command (`ceremony-check.ts` is `ceremony check`).
 */
import type { Action } from '#actions/action';
import type { ActionContext } from '#actions/context/context';
import type { ActionDescription, Fields, InputOf } from '#formats/action';
import type { Host } from '#host/host';
import type { AnswersOptions, AnswersTerminal } from '#terminal/answers';
import type { Terminal } from '#terminal/terminal';

/** What a session replaces in the context that its actions get. */
export type ContextChanges = Partial<
  Pick<
    ActionContext,
    | 'ask'
    | 'files'
    | 'environment'
    | 'waivers'
    | 'allowedEnvironments'
    | 'record'
    | 'progress'
    | 'random'
    | 'boundToken'
  >
>;

/** What a ceremony command reaches besides an action's context. */
export interface CommandContext extends ActionContext {
  readonly host: Host;
  readonly terminal: Terminal;
  /** Descriptions of all actions, for the linter. */
  readonly catalogue: () => Promise<readonly ActionDescription[]>;
  /** The code of one action, loaded on demand. */
  readonly loadAction: (id: string) => Promise<Action | undefined>;
  /** Folder of the shipped ceremonies. */
  readonly shippedCeremonies: string;
  /** `sha256:` and the SHA-256 of the running program's files, self-reported. */
  readonly toolDigest: () => string;
  /**
   * This context over other people, files and marks: its keys and identities are the same store's, but ask, read, write and
   * mark through what is given here; `ask` answers for identities too. Called once per step; nothing of it is shared
   * between two calls but the store.
   */
  readonly within: (changes: ContextChanges) => ActionContext;
  /** A terminal that speaks as the one here, and whose answers are a file's. */
  readonly answering: (
    given: Pick<AnswersOptions, 'answers' | 'name' | 'readFile'>,
  ) => AnswersTerminal;
}

/** One ceremony command. */
export interface Command<
  F extends Fields = Fields,
  O extends object = object,
> extends ActionDescription {
  readonly inputs: F;
  run(input: InputOf<F>, context: CommandContext): Promise<O>;
  present?(output: O): string;
}

/** Keeps the literal types of `inputs` while checking the rest. */
export function defineCommand<const F extends Fields, O extends object>(
  command: Command<F, O>,
): Command<F, O> {
  return command;
}
