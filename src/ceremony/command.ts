/**
 * Commands that drive ceremonies. They describe themselves as actions do, but reach host and terminal directly.
 * One file each in `commands/`; the file name is the command (`ceremony-check.ts` is `ceremony check`).
 */
import type { Action } from '#actions/action';
import type { ActionContext } from '#actions/context/context';
import type { ActionDescription, Fields, InputOf } from '#formats/action';
import type { Host } from '#host/host';
import type { Terminal } from '#terminal/terminal';

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
  /** SHA-256 of the running program's files, self-reported. */
  readonly toolDigest: () => string;
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
