/** Steps that call an action: its input from the definition, its context from the session, its outputs for the journal. */
import type { Action } from '#actions/action';
import type { Json } from '#formats/canonical-json';
import { InternalError, NegativeError } from '#formats/errors';
import type { ActionContext } from '#actions/context/context';
import type { ActionStep } from '#script/definition';
import type { Resolve } from '#script/expression';
import { type Instance, instanceKey } from '#script/plan';
import { stepInput } from './input.js';

/**
 * Calls an action and keeps the outputs that its description names.
 * @throws {@link NegativeError} `E_STEP_VERDICT` when its answer is no, and whatever the action throws
 */
export async function callAction(
  instance: Instance,
  step: ActionStep,
  action: Action,
  resolve: Resolve,
  context: ActionContext,
): Promise<Readonly<Record<string, Json>>> {
  const input = stepInput(step, action.inputs, resolve);
  const result = (await action.run(input as never, context)) as Readonly<Record<string, unknown>>;
  if (result['ok'] === false) {
    throw new NegativeError({
      code: 'E_STEP_VERDICT',
      message: `${instanceKey(instance)}: ${step.uses} answers no${reasonOf(result)}`,
      hint: 'find out why before anything else is done',
    });
  }
  const outputs: Record<string, Json> = {};
  for (const name of Object.keys(action.outputs)) {
    const value = result[name];
    if (value !== undefined) outputs[name] = plain(value, `${step.uses}.${name}`);
  }
  return outputs;
}

/** An output as JSON data. What is neither is a mistake of the action, and must not reach the journal half-converted. */
function plain(value: unknown, what: string): Json {
  if (
    value === null ||
    typeof value === 'boolean' ||
    typeof value === 'number' ||
    typeof value === 'string'
  ) {
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => plain(item, what));
  const prototype: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined;
  if (typeof value === 'object' && (prototype === Object.prototype || prototype === null)) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([name, member]) => [name, plain(member, what)]),
    );
  }
  throw new InternalError({
    code: 'E_STEP_OUTPUT',
    message: `the output ${what} is not plain data`,
  });
}

function reasonOf(result: Readonly<Record<string, unknown>>): string {
  const { summary, reason } = result;
  if (typeof summary === 'string') return `: ${summary}`;
  return typeof reason === 'string' ? `: ${reason}` : '';
}
