/**
 * The two little languages of a definition: references inside text, `${{ steps.generate.key }}`, and the conditions of
 * `when:`. Both are total: no loops, no calls, and every expression that parses has a value or a named error.
 * @see docs/spec/definition.md
 */
import type { Json } from '#formats/canonical-json';
import { InputError } from '#formats/errors';
import type { Expression } from './definition.js';

/** First word of a reference. */
export const ROOTS = [
  'parameters',
  'steps',
  'quorums',
  'roles',
  'materials',
  'session',
  'each',
  'branches',
] as const;

/** What a reference can start with. */
export type Root = (typeof ROOTS)[number];

/** A dotted reference, as written. */
export interface Reference {
  readonly root: Root;
  /** What follows the root, in the YAML spelling. */
  readonly names: readonly string[];
  readonly text: string;
  /** Where it starts in the text that holds it. */
  readonly offset: number;
}

/** One piece of a text: literal, or a reference. */
export type Part = { readonly literal: string } | { readonly reference: Reference };

/** A condition, parsed. */
export type Condition =
  | { readonly kind: 'literal'; readonly value: string | number | boolean; readonly offset: number }
  | { readonly kind: 'reference'; readonly reference: Reference; readonly offset: number }
  | { readonly kind: 'not'; readonly operand: Condition; readonly offset: number }
  | {
      readonly kind: 'and' | 'or' | '==' | '!=';
      readonly left: Condition;
      readonly right: Condition;
      readonly offset: number;
    };

/** What the text of an expression is wrong about, and at which character of it. */
export class ExpressionError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'ExpressionError';
    this.offset = offset;
  }
}

/** Gives the value of a reference; undefined when there is none. */
export type Resolve = (reference: Reference) => Json | undefined;

const LENGTHS: Readonly<Record<Root, number>> = {
  parameters: 1,
  steps: 2,
  quorums: 2,
  roles: 2,
  materials: 1,
  session: 1,
  each: 1,
  branches: 2,
};

const SHAPES: Readonly<Record<Root, string>> = {
  parameters: 'parameters.NAME',
  steps: 'steps.STEP.OUTPUT or steps.STEP.OUTPUT.each',
  quorums: 'quorums.NAME.threshold or quorums.NAME.shares',
  roles: 'roles.NAME.count',
  materials: 'materials.NAME',
  session: 'session.NAME',
  each: 'each.NAME',
  branches: 'branches.BRANCH.NAME or branches.BRANCH.NAME.each',
};

/**
 * A text cut into literals and references.
 * @throws {@link ExpressionError}
 */
export function parseText(text: string): readonly Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (;;) {
    const open = text.indexOf('${{', from);
    if (open < 0) break;
    const close = text.indexOf('}}', open);
    if (close < 0) throw new ExpressionError('"${{" is never closed by "}}"', open);
    if (open > from) parts.push({ literal: text.slice(from, open) });
    const inner = text.slice(open + 3, close);
    const trimmed = inner.trim();
    const offset = open + 3 + inner.indexOf(trimmed);
    parts.push({ reference: parseReference(trimmed, offset) });
    from = close + 2;
  }
  if (from < text.length) parts.push({ literal: text.slice(from) });
  return parts;
}

/**
 * A dotted reference.
 * @param offset - where `text` starts in what holds it
 * @throws {@link ExpressionError}
 */
export function parseReference(text: string, offset: number): Reference {
  const [first = '', ...names] = text.split('.');
  const root = ROOTS.find((known) => known === first);
  if (root === undefined) {
    throw new ExpressionError(
      `"${text}" is not a reference: it must start with ${ROOTS.join(', ')}`,
      offset,
    );
  }
  const length =
    LENGTHS[root] + ((root === 'steps' || root === 'branches') && names[2] === 'each' ? 1 : 0);
  if (names.length !== length || !names.every((name) => /^[a-z][a-z0-9-]*$/.test(name)))
    throw new ExpressionError(`"${text}" is not of the form ${SHAPES[root]}`, offset);
  return { root, names, text, offset };
}

/** Every reference of an expression, with the path of the text that holds it below the expression's own. */
export function referencesIn(
  expression: Expression,
): readonly { readonly reference: Reference; readonly index: number | undefined }[] {
  if (typeof expression === 'string') {
    return parseText(expression).flatMap((part) =>
      'reference' in part ? [{ reference: part.reference, index: undefined }] : [],
    );
  }
  if (!isList(expression)) return [];
  return expression.flatMap((item, index) =>
    referencesIn(item).map(({ reference }) => ({ reference, index })),
  );
}

/**
 * The value of an expression. A text that is one reference has that value and type; in longer text references are spelled
 * out; lists inside lists are joined to one.
 * @throws InputError `E_REFERENCE_UNRESOLVED`
 */
export function evaluate(expression: Expression, resolve: Resolve): Json {
  if (isList(expression)) {
    return expression.flatMap((item) => {
      const value = evaluate(item, resolve);
      return Array.isArray(value) ? (value as readonly Json[]) : [value];
    });
  }
  if (typeof expression !== 'string') return expression;
  const parts = parseText(expression);
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && 'reference' in only)
    return resolved(only.reference, resolve);
  return parts
    .map((part) => ('literal' in part ? part.literal : spelled(part.reference, resolve)))
    .join('');
}

/**
 * A condition, parsed: `==`, `!=`, `and`, `or`, `not`, parentheses, 'text', integers, true, false and references.
 * @throws {@link ExpressionError}
 */
export function parseCondition(text: string): Condition {
  return new ConditionReader(text).whole();
}

/** Every reference of a condition. */
export function referencesOf(condition: Condition): readonly Reference[] {
  switch (condition.kind) {
    case 'literal':
      return [];
    case 'reference':
      return [condition.reference];
    case 'not':
      return referencesOf(condition.operand);
    case 'and':
    case 'or':
    case '==':
    case '!=':
      return [...referencesOf(condition.left), ...referencesOf(condition.right)];
  }
}

/**
 * Whether a condition holds. Both sides of `and` and `or` are always evaluated: a condition that can fail, fails always.
 * @throws InputError `E_REFERENCE_UNRESOLVED`, `E_CONDITION_NOT_BOOLEAN`
 */
export function holds(condition: Condition, resolve: Resolve): boolean {
  const value = conditionValue(condition, resolve);
  if (typeof value !== 'boolean') {
    throw new InputError({
      code: 'E_CONDITION_NOT_BOOLEAN',
      message: 'a condition has a value that is neither true nor false',
    });
  }
  return value;
}

function conditionValue(condition: Condition, resolve: Resolve): Json {
  switch (condition.kind) {
    case 'literal':
      return condition.value;
    case 'reference':
      return resolved(condition.reference, resolve);
    case 'not':
      return !holds(condition.operand, resolve);
    case 'and':
    case 'or': {
      const left = holds(condition.left, resolve);
      const right = holds(condition.right, resolve);
      return condition.kind === 'and' ? left && right : left || right;
    }
    case '==':
    case '!=': {
      const same =
        conditionValue(condition.left, resolve) === conditionValue(condition.right, resolve);
      return condition.kind === '==' ? same : !same;
    }
  }
}

function resolved(reference: Reference, resolve: Resolve): Json {
  const value = resolve(reference);
  if (value === undefined) {
    throw new InputError({
      code: 'E_REFERENCE_UNRESOLVED',
      message: `${reference.text} has no value here`,
    });
  }
  return value;
}

function spelled(reference: Reference, resolve: Resolve): string {
  const value = resolved(reference, resolve);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  throw new InputError({
    code: 'E_REFERENCE_UNRESOLVED',
    message: `${reference.text} cannot be written inside a text: it is not a single value`,
  });
}

function isList(expression: Expression): expression is readonly Expression[] {
  return Array.isArray(expression);
}

interface Token {
  readonly kind: 'word' | 'text' | 'integer' | '==' | '!=' | '(' | ')' | 'end';
  readonly value: string;
  readonly offset: number;
}

const TOKEN =
  /\s*(?:(==|!=|\(|\))|'([^']*)'|(-?(?:0|[1-9][0-9]{0,14}))(?![\w.-])|([a-z][a-z0-9.-]*))/y;
const MAX_NESTING = 16;

/** Recursive descent: or, and, not, comparison, operand. */
class ConditionReader {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  whole(): Condition {
    const condition = this.#or();
    const rest = this.#peek();
    if (rest.kind !== 'end')
      throw new ExpressionError(`"${rest.value}" was not expected here`, rest.offset);
    return condition;
  }

  #or(): Condition {
    let left = this.#and();
    for (let token = this.#word('or'); token !== undefined; token = this.#word('or'))
      left = { kind: 'or', left, right: this.#and(), offset: token.offset };
    return left;
  }

  #and(): Condition {
    let left = this.#not();
    for (let token = this.#word('and'); token !== undefined; token = this.#word('and'))
      left = { kind: 'and', left, right: this.#not(), offset: token.offset };
    return left;
  }

  #not(): Condition {
    const token = this.#word('not');
    if (token === undefined) return this.#comparison();
    return this.#nested(token.offset, () => ({
      kind: 'not',
      operand: this.#not(),
      offset: token.offset,
    }));
  }

  #comparison(): Condition {
    const left = this.#operand();
    const token = this.#peek();
    if (token.kind !== '==' && token.kind !== '!=') return left;
    this.#next++;
    return { kind: token.kind, left, right: this.#operand(), offset: token.offset };
  }

  #operand(): Condition {
    const token = this.#peek();
    const { offset, value } = token;
    this.#next++;
    switch (token.kind) {
      case '(': {
        const inner = this.#nested(offset, () => this.#or());
        const close = this.#peek();
        if (close.kind !== ')') throw new ExpressionError('")" was expected', close.offset);
        this.#next++;
        return inner;
      }
      case 'text':
        return { kind: 'literal', value, offset };
      case 'integer':
        return { kind: 'literal', value: Number(value), offset };
      case 'word':
        if (value === 'true' || value === 'false')
          return { kind: 'literal', value: value === 'true', offset };
        if (value === 'and' || value === 'or' || value === 'not') break;
        return { kind: 'reference', reference: parseReference(value, offset), offset };
      case 'end':
        throw new ExpressionError('the condition ends too early', offset);
      case '==':
      case '!=':
      case ')':
        break;
    }
    throw new ExpressionError(`"${value}" was not expected here`, offset);
  }

  #nested<T>(offset: number, read: () => T): T {
    if (++this.#depth > MAX_NESTING)
      throw new ExpressionError(`nesting is deeper than ${MAX_NESTING} levels`, offset);
    const value = read();
    this.#depth--;
    return value;
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)] as Token;
  }

  #word(word: string): Token | undefined {
    const token = this.#peek();
    if (token.kind !== 'word' || token.value !== word) return undefined;
    this.#next++;
    return token;
  }
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  let from = 0;
  while (from < end) {
    TOKEN.lastIndex = from;
    const match = TOKEN.exec(text);
    if (match === null) {
      const at = from + (/\S/.exec(text.slice(from))?.index ?? 0);
      throw new ExpressionError(
        text.startsWith('${{', at)
          ? 'a condition names references without "${{" and "}}"'
          : `"${text.charAt(at)}" was not expected here; text stands in single quotes`,
        at,
      );
    }
    const [whole, sign, quoted, integer, word] = match;
    const offset = from + whole.length - whole.trimStart().length;
    if (sign !== undefined) tokens.push({ kind: sign as Token['kind'], value: sign, offset });
    else if (quoted !== undefined) tokens.push({ kind: 'text', value: quoted, offset });
    else if (integer !== undefined) tokens.push({ kind: 'integer', value: integer, offset });
    else tokens.push({ kind: 'word', value: word ?? '', offset });
    from += whole.length;
  }
  tokens.push({ kind: 'end', value: 'end', offset: end });
  return tokens;
}
