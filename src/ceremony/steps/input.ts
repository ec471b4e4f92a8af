/** From what a definition says under `with:` to the typed input of an action. */
import type { Field, Fields } from '#formats/action';
import type { Json } from '#formats/canonical-json';
import { InputError, InternalError } from '#formats/errors';
import type { ActionStep } from '#script/definition';
import { evaluate, type Resolve } from '#script/expression';

/** An action's input; repeated fields are always arrays. */
export type StepInput = Readonly<Record<string, unknown>>;

/**
 * The evaluated and checked input of a step.
 * @throws {@link InputError} `E_REFERENCE_UNRESOLVED`, `E_STEP_INPUT` for a value that the action does not take
 */
export function stepInput(step: ActionStep, fields: Fields, resolve: Resolve): StepInput {
  const unknown = Object.keys(step.with).find((member) => !Object.hasOwn(fields, member));
  if (unknown !== undefined) throw unfit(step, unknown, `${step.uses} has no such input`);
  const input: Record<string, unknown> = {};
  for (const [member, field] of Object.entries(fields)) {
    const expression = step.with[member];
    if (expression === undefined) {
      if (field.repeat === true) input[member] = [];
      else if (field.default !== undefined) input[member] = field.default;
      else if (field.required === true) throw unfit(step, member, 'it is missing');
      continue;
    }
    const value = evaluate(expression, resolve);
    input[member] =
      field.repeat === true
        ? listOf(value).map((item) => scalar(step, member, field, item))
        : scalar(step, member, field, value);
  }
  return input;
}

/**
 * The values that a step gives to its inputs of one type, as far as they can be known already.
 * @returns nothing for inputs whose references have no value yet
 */
export function valuesOfType(
  step: ActionStep,
  fields: Fields,
  type: Field['type'],
  resolve: Resolve,
): readonly string[] {
  return Object.entries(fields).flatMap(([member, field]) => {
    const expression = step.with[member];
    if (field.type !== type || expression === undefined) return [];
    try {
      return listOf(evaluate(expression, resolve)).filter((value) => typeof value === 'string');
    } catch (error) {
      if (error instanceof InputError && error.code === 'E_REFERENCE_UNRESOLVED') return [];
      throw error;
    }
  });
}

function scalar(step: ActionStep, member: string, field: Field, value: Json): unknown {
  const refuse = (expected: string): InputError => unfit(step, member, `${expected} was expected`);
  switch (field.type) {
    case 'integer': {
      if (typeof value !== 'number') throw refuse('an integer');
      const { min = -Infinity, max = Infinity } = field;
      if (value < min || value > max) throw refuse(`an integer from ${min} to ${max}`);
      return value;
    }
    case 'boolean':
      if (typeof value !== 'boolean') throw refuse('true or false');
      return value;
    case 'string':
    case 'path':
    case 'file':
    case 'key':
    case 'public-key':
    case 'algorithm':
    case 'share-set':
    case 'shares':
    case 'digest':
    case 'role':
      if (typeof value !== 'string') throw refuse('text');
      if (field.choices !== undefined && !field.choices.includes(value))
        throw refuse(`one of ${field.choices.join(', ')}`);
      if (field.pattern !== undefined && !new RegExp(`^(?:${field.pattern})$`, 'u').test(value))
        throw refuse(field.summary);
      return value;
    case 'verdict':
    case 'report':
      throw new InternalError({
        code: 'E_STEP_INPUT_TYPE',
        message: `${step.uses} declares an input of type ${field.type}`,
      });
  }
}

function listOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}

function unfit(step: ActionStep, member: string, problem: string): InputError {
  return new InputError({
    code: 'E_STEP_INPUT',
    message: `step ${step.id}: the input ${member} does not fit: ${problem}`,
    hint: 'correct the definition or the parameter; ceremony check shows where',
  });
}
