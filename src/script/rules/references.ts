/** References and conditions: each one exists, comes from an earlier step that surely ran, and has the type it is used as. */
import type { ValueType } from '#formats/action';
import type { Expression } from '../definition.js';
import {
  type Condition,
  ExpressionError,
  parseCondition,
  parseText,
  type Reference,
  referencesOf,
} from '../expression.js';
import { humanRules } from '../human.js';
import { camelCase } from '../names.js';
import { suggestion } from '../suggestion.js';
import { actionOf, type PlacedStep, type Report, type Rules, type Survey } from './survey.js';

/** The type of a value: of the shared vocabulary, or a material. */
export interface TypeOf {
  readonly type: ValueType | 'material';
  readonly repeat: boolean;
  /** The only values it can have, when they are known. */
  readonly choices?: readonly string[] | undefined;
}

const SESSION: Readonly<Record<string, ValueType>> = {
  id: 'string',
  'definition-digest': 'digest',
  'execution-digest': 'digest',
};

/** Every text of every step, and every condition. */
export const referenceRules: Rules = (survey, report) => {
  for (const placed of survey.steps) {
    const { step, path } = placed;
    if (step.when !== undefined) checkCondition(survey, placed, step.when, `${path}.when`, report);
    if (step.say !== undefined) checkText(survey, placed, step.say, `${path}.say`, report);
  }
};

/**
 * The type of an expression, or undefined when something in it is wrong, which is then reported.
 * Text with references in it is a string; a list is the repetition of its items.
 */
export function typeOfExpression(
  survey: Survey,
  placed: PlacedStep,
  expression: Expression,
  path: string,
  report: Report,
): TypeOf | undefined {
  if (isList(expression)) {
    const types = expression.map((item, i) =>
      typeOfExpression(survey, placed, item, `${path}[${i}]`, report),
    );
    const [first] = types;
    if (first === undefined || types.includes(undefined)) return undefined;
    if (types.some((type) => type?.type !== first.type)) {
      report(
        'reference-type',
        `${path}[${oddOne(types.map((type) => type?.type))}]`,
        'the items of this list are of different types',
      );
      return undefined;
    }
    return { type: first.type, repeat: true };
  }
  if (typeof expression === 'number') return { type: 'integer', repeat: false };
  if (typeof expression === 'boolean') return { type: 'boolean', repeat: false };
  return checkText(survey, placed, expression, path, report);
}

/** Place of the first item that is unlike most others: of two that differ, the second. */
function oddOne(types: readonly unknown[]): number {
  const count = (type: unknown): number => types.filter((other) => other === type).length;
  const most = Math.max(...types.map(count));
  const usual = types.find((type) => count(type) === most);
  return types.findIndex((type) => type !== usual);
}

function checkText(
  survey: Survey,
  placed: PlacedStep,
  text: string,
  path: string,
  report: Report,
): TypeOf | undefined {
  const parts = attempt('reference-malformed', path, report, () => parseText(text));
  if (parts === undefined) return undefined;
  let wrong = false;
  for (const part of parts) {
    if ('literal' in part) continue;
    const type = typeOfReference(survey, placed, part.reference, path, report);
    if (parts.length === 1) return type;
    if (type === undefined) wrong = true;
    else if (type.repeat || isOpaque(type.type)) {
      wrong = true;
      report(
        'reference-type',
        path,
        `${part.reference.text} is ${named(type)} and cannot stand inside a text`,
        part.reference.offset,
      );
    }
  }
  return wrong ? undefined : { type: 'string', repeat: false };
}

/** The type of one reference, or undefined when it is wrong, which is then reported. */
export function typeOfReference(
  survey: Survey,
  placed: PlacedStep,
  reference: Reference,
  path: string,
  report: Report,
): TypeOf | undefined {
  const { definition } = survey;
  const [name = '', member = ''] = reference.names;
  const refuse = (rule: string, problem: string): TypeOf | undefined => {
    report(rule, path, `${reference.text}: ${problem}`, reference.offset);
    return undefined;
  };
  const unknown = (what: string, typed: string, known: Iterable<string>): TypeOf | undefined =>
    refuse('reference-unknown', `there is no ${what} "${typed}"${suggestion(typed, known)}`);
  switch (reference.root) {
    case 'parameters': {
      const parameter = own(definition.parameters, name);
      if (parameter === undefined)
        return unknown('parameter', name, Object.keys(definition.parameters));
      return { type: parameter.type, repeat: false, choices: parameter.choices };
    }
    case 'quorums':
      if (own(definition.quorums, name) === undefined)
        return unknown('quorum', name, Object.keys(definition.quorums));
      if (member !== 'threshold' && member !== 'shares')
        return unknown('member', member, ['threshold', 'shares']);
      return { type: 'integer', repeat: false };
    case 'roles':
      if (own(definition.roles, name) === undefined)
        return unknown('role', name, Object.keys(definition.roles));
      if (member !== 'count') return unknown('member', member, ['count']);
      return { type: 'integer', repeat: false };
    case 'materials':
      if (own(definition.materials, name) === undefined)
        return unknown('material', name, Object.keys(definition.materials));
      return { type: 'material', repeat: false };
    case 'session': {
      const type = own(SESSION, name);
      if (type === undefined) return unknown('session value', name, Object.keys(SESSION));
      return { type, repeat: false };
    }
    case 'branches': {
      // What a branch gives was put in its place before: this one gives no such thing.
      const branch = own(definition.branches, name);
      if (branch === undefined) return unknown('branch', name, Object.keys(definition.branches));
      return unknown('member', member, Object.keys(branch.gives));
    }
    case 'each':
      if (placed.step.each === undefined)
        return refuse('reference-unknown', 'this step has no "each:"');
      if (name === 'name') return { type: 'string', repeat: false };
      if (name === 'number') return { type: 'integer', repeat: false };
      return unknown('member', name, ['name', 'number']);
    case 'steps': {
      const target = survey.byId.get(name);
      const left = survey.left.get(name);
      if (target === undefined && left !== undefined) return refuse('reference-conditional', left);
      if (target === undefined) return unknown('step', name, survey.byId.keys());
      if (target.order >= placed.order)
        return refuse('reference-later', 'that step comes later, or is this one');
      const outputs =
        target.step.kind === 'human'
          ? humanRules[target.step.human].outputs
          : actionOf(survey, target)?.outputs;
      // An unknown action is reported where it is used.
      if (outputs === undefined) return undefined;
      const output = own(outputs, camelCase(member));
      if (output === undefined) return unknown('output', member, Object.keys(outputs));
      if (target.step.when !== undefined && target.step.when !== placed.step.when)
        return refuse(
          'reference-conditional',
          'that step may be skipped; this one needs the same "when:"',
        );
      if (target.step.onFailure === 'deviate')
        return refuse('reference-conditional', 'that step may fail and be left out');
      const many = target.step.each !== undefined && target.step.each !== placed.step.each;
      const repeat = many || output.repeat === true;
      const item = reference.names[2] !== undefined;
      if (item && (placed.step.each === undefined || !repeat))
        return refuse(
          'reference-unknown',
          placed.step.each === undefined ? 'this step has no "each:"' : 'that output is no list',
        );
      return {
        type: output.type,
        repeat: repeat && !item,
        choices: target.step.kind === 'human' ? target.step.choices : undefined,
      };
    }
  }
}

/** How messages name a type. */
export function named({ type, repeat }: TypeOf): string {
  return repeat ? `a list of ${type}` : `of type ${type}`;
}

type Scalar = 'string' | 'integer' | 'boolean';

/** A condition that stands at a path: it parses, refers to something, and is true or false. */
export function checkCondition(
  survey: Survey,
  placed: PlacedStep,
  text: string,
  path: string,
  report: Report,
): void {
  const condition = attempt('condition-malformed', path, report, () => parseCondition(text));
  if (condition === undefined) return;
  const type = typeOfCondition(survey, placed, condition, path, report);
  if (type !== undefined && type.scalar !== 'boolean') {
    report('condition-type', path, `the condition is ${type.scalar}, not true or false`);
  } else if (referencesOf(condition).length === 0) {
    report('condition-constant', path, 'the condition refers to nothing, so it never changes');
  }
}

interface ConditionType {
  readonly scalar: Scalar;
  readonly choices?: readonly string[] | undefined;
}

function typeOfCondition(
  survey: Survey,
  placed: PlacedStep,
  condition: Condition,
  path: string,
  report: Report,
): ConditionType | undefined {
  const inner = (operand: Condition): ConditionType | undefined =>
    typeOfCondition(survey, placed, operand, path, report);
  const demand = (operand: Condition): void => {
    const type = inner(operand);
    if (type !== undefined && type.scalar !== 'boolean')
      report('condition-type', path, 'true or false was expected here', operand.offset);
  };
  switch (condition.kind) {
    case 'literal':
      return {
        scalar:
          typeof condition.value === 'number' ? 'integer' : (typeof condition.value as Scalar),
      };
    case 'reference': {
      const type = typeOfReference(survey, placed, condition.reference, path, report);
      if (type === undefined) return undefined;
      if (type.repeat || isOpaque(type.type)) {
        report(
          'condition-type',
          path,
          `${condition.reference.text} is ${named(type)} and cannot be compared`,
          condition.offset,
        );
        return undefined;
      }
      const scalar = type.type === 'integer' || type.type === 'boolean' ? type.type : 'string';
      return { scalar, choices: type.choices };
    }
    case 'not':
      demand(condition.operand);
      return { scalar: 'boolean' };
    case 'and':
    case 'or':
      demand(condition.left);
      demand(condition.right);
      return { scalar: 'boolean' };
    case '==':
    case '!=': {
      const [left, right] = [inner(condition.left), inner(condition.right)];
      if (left === undefined || right === undefined) return { scalar: 'boolean' };
      if (left.scalar !== right.scalar) {
        report(
          'condition-type',
          path,
          `${left.scalar} is compared with ${right.scalar}`,
          condition.offset,
        );
      }
      neverEqual(condition.left, right.choices, path, report);
      neverEqual(condition.right, left.choices, path, report);
      return { scalar: 'boolean' };
    }
  }
}

function neverEqual(
  operand: Condition,
  choices: readonly string[] | undefined,
  path: string,
  report: Report,
): void {
  if (choices === undefined || operand.kind !== 'literal') return;
  const value = String(operand.value);
  if (!choices.includes(value)) {
    report(
      'condition-never',
      path,
      `'${value}' is none of ${choices.join(', ')}${suggestion(value, choices)}`,
      operand.offset,
    );
  }
}

/** Types whose value means nothing to a reader, or is no single word. */
function isOpaque(type: TypeOf['type']): boolean {
  return ['key', 'share-set', 'shares', 'verdict', 'report'].includes(type);
}

function attempt<T>(rule: string, path: string, report: Report, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    report(rule, path, error.message, error.offset);
    return undefined;
  }
}

function isList(expression: Expression): expression is readonly Expression[] {
  return Array.isArray(expression);
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
