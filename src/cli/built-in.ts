/** Commands of the command line about itself. They describe themselves as actions do, but see only the catalogue. */
import type { ActionDescription, Fields, InputOf } from '#formats/action';
import type { CommandPage } from './page.js';

/** What a built-in command reaches. */
export interface BuiltInContext {
  readonly pages: () => Promise<readonly CommandPage[]>;
  readonly version: string;
}

/** One built-in command. */
export interface BuiltIn<
  F extends Fields = Fields,
  O extends object = object,
> extends ActionDescription {
  readonly inputs: F;
  run(input: InputOf<F>, context: BuiltInContext): Promise<O>;
  present?(output: O): string;
}

/** Keeps the literal types of `inputs` while checking the rest. */
export function defineBuiltIn<const F extends Fields, O extends object>(
  command: BuiltIn<F, O>,
): BuiltIn<F, O> {
  return command;
}
