/** An action: its description and the code behind it. One file each in this folder; the file name is the command. */
import type { ActionDescription, Fields, InputOf } from '#formats/action';
import type { ActionContext } from './context/context.js';

/** One capability, called by subcommands and ceremony steps alike. */
export interface Action<
  F extends Fields = Fields,
  O extends object = object,
> extends ActionDescription {
  readonly inputs: F;
  /**
   * Does the work. People, files, clock, keys and devices are reached only through `context`.
   * @returns plain JSON data; named outputs of the description are members of it. A verdict carries `ok`.
   */
  run(input: InputOf<F>, context: ActionContext): Promise<O>;
  /** The result as lines for a person; without it the members are listed. */
  present?(output: O): string;
}

/** Keeps the literal types of `inputs` while checking the rest. */
export function defineAction<const F extends Fields, O extends object>(
  action: Action<F, O>,
): Action<F, O> {
  return action;
}
