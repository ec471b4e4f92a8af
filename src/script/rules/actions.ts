/** Action steps: the action exists, its inputs are known, complete and of the right type, and it is declared for what it is. */
import type { ActionDescription, Field, ValueType } from '#formats/action';
import type { Expression } from '../definition.js';
import { camelCase, kebabCase } from '../names.js';
import { ADMINISTRATOR } from '../people.js';
import { suggestion } from '../suggestion.js';
import { named, type TypeOf, typeOfExpression } from './references.js';
import {
  actionOf,
  type PlacedStep,
  type Report,
  type Rules,
  soleReference,
  type Survey,
} from './survey.js';

/** Besides the type itself: what a field takes without loss of meaning. Files and public keys are passed by their paths. */
const ACCEPTED: Readonly<Partial<Record<ValueType, readonly TypeOf['type'][]>>> = {
  string: ['integer', 'boolean', 'algorithm', 'digest', 'path', 'file'],
  path: ['string'],
  file: ['path', 'public-key', 'share-set', 'shares'],
  'public-key': ['file', 'path', 'key'],
  // What people type from another channel; its form is checked when it is there.
  digest: ['string'],
  // What people bring is a parameter; a file that another step made is something else.
  'share-set': ['path'],
  shares: ['path'],
  report: ['verdict'],
};

const PUBLIC_SIDE: readonly TypeOf['type'][] = ['file', 'path', 'public-key'];

/** Fields that only an earlier step can fill: a literal would name something that this ceremony did not make. */
const MADE: readonly ValueType[] = ['key', 'file', 'public-key', 'share-set', 'shares', 'verdict'];

/** What belongs to one set of shares. */
const OF_A_SET: readonly ValueType[] = ['share-set', 'shares'];

/** All action steps. */
export const actionRules: Rules = (survey, report) => {
  for (const placed of survey.steps) {
    const { step, path } = placed;
    if (step.kind !== 'action') continue;
    const action = actionOf(survey, placed);
    if (action === undefined) {
      const hint = suggestion(step.uses, survey.actions.keys());
      report('action-unknown', `${path}.uses`, `there is no action "${step.uses}"${hint}`);
      continue;
    }
    if (action.effect !== step.effect) {
      report(
        'effect-mismatch',
        `${path}.effect`,
        `${step.uses} is ${action.effect}, and the step declares ${step.effect}`,
      );
    }
    if (step.by !== ADMINISTRATOR && step.by !== step.each) {
      report(
        'action-by',
        `${path}.by`,
        `an action is run by the ${ADMINISTRATOR}, or by each holder of "each:"`,
      );
    }
    const known = Object.entries(action.inputs).filter(([, field]) => field.only !== 'cli');
    const names = known.map(([name]) => kebabCase(name));
    for (const [name, value] of Object.entries(step.with)) {
      const at = `${path}.with.${kebabCase(name)}`;
      const field = known.find(([input]) => input === name)?.[1];
      if (field === undefined) {
        const hint = suggestion(kebabCase(name), names);
        report('input-unknown', at, `${step.uses} has no input "${kebabCase(name)}"${hint}`);
        continue;
      }
      checkInput(survey, placed, field, value, at, report);
    }
    for (const [name, field] of known) {
      if (field.required === true && !Object.hasOwn(step.with, name)) {
        report('input-missing', `${path}.uses`, `${step.uses} needs "${kebabCase(name)}"`);
      }
    }
    checkQuorum(survey, placed, report);
    givenOnce(placed, action, report);
  }
};

/**
 * Nothing is given twice where each is to be another: not in a list, where two who typed the same are still two, and not among
 * the files of a set that people bring, its description and every share.
 */
function givenOnce(placed: PlacedStep, action: ActionDescription, report: Report): void {
  const { step, path } = placed;
  if (step.kind !== 'action') return;
  const given = Object.entries(action.inputs).flatMap(([name, { type }]) => {
    const value = step.with[name];
    const at = `${path}.with.${kebabCase(name)}`;
    const items = Array.isArray(value) ? (value as readonly Expression[]) : undefined;
    return (items ?? [value]).map((item, i) => {
      const reference = soleReference(item);
      const brought = OF_A_SET.includes(type) && reference?.startsWith('parameters.') === true;
      return {
        reference,
        among: brought ? 'set' : items === undefined ? undefined : name,
        at: items === undefined ? at : `${at}[${i}]`,
      };
    });
  });
  for (const { reference, among, at } of given) {
    if (reference === undefined || among === undefined) continue;
    const times = given.filter((it) => it.reference === reference && it.among === among).length;
    if (times > 1) report('input-type', at, `${reference} is given to this step more than once`);
  }
}

function checkInput(
  survey: Survey,
  placed: PlacedStep,
  field: Field,
  value: Expression,
  path: string,
  report: Report,
): void {
  const type = typeOfExpression(survey, placed, value, path, report);
  if (type === undefined) return;
  if (type.repeat && field.repeat !== true) {
    report('input-type', path, `${named(type)} was given where one ${field.type} is expected`);
    return;
  }
  if (!isLiteral(value)) {
    // An action without any effect only looks at a key, and its public side is enough.
    const looks = field.type === 'key' && actionOf(survey, placed)?.effect === 'none';
    const accepted = [field.type, ...(looks ? PUBLIC_SIDE : []), ...(ACCEPTED[field.type] ?? [])];
    if (!accepted.includes(type.type)) {
      report('input-type', path, `it is ${named(type)}, and ${field.type} is expected`);
    } else if (type.type === 'path' && OF_A_SET.includes(field.type)) {
      insteadOfMade(survey, placed, field, path, report);
    }
    return;
  }
  for (const item of Array.isArray(value) ? (value as readonly Expression[]) : [value]) {
    const problem = literalProblem(survey, field, item);
    if (problem !== undefined) report('input-type', path, problem);
  }
}

/** Who looks at shares in a ceremony that made some looks at those, and not at others that happen to be there. */
function insteadOfMade(
  survey: Survey,
  placed: PlacedStep,
  field: Field,
  path: string,
  report: Report,
): void {
  if (actionOf(survey, placed)?.secrecy !== undefined) return;
  const maker = survey.steps.find(
    (other) =>
      other.order < placed.order &&
      Object.values(actionOf(survey, other)?.outputs ?? {}).some(
        ({ type }) => type === 'share-set',
      ),
  );
  if (maker === undefined) return;
  report(
    'input-type',
    path,
    `it is brought from outside, and ${maker.step.id} made a ${field.type} here`,
  );
}

/** Whether an expression holds no reference at all. Text around references counts as a reference. */
function isLiteral(value: Expression): boolean {
  return Array.isArray(value)
    ? (value as readonly Expression[]).every(isLiteral)
    : typeof value !== 'string' || !value.includes('${{');
}

function literalProblem(survey: Survey, field: Field, value: Expression): string | undefined {
  if (field.type === 'integer') {
    if (typeof value !== 'number') return 'an integer is expected';
    if (field.min !== undefined && value < field.min) return `at least ${field.min} is expected`;
    if (field.max !== undefined && value > field.max) return `at most ${field.max} is expected`;
    return undefined;
  }
  if (field.type === 'boolean')
    return typeof value === 'boolean' ? undefined : 'true or false is expected';
  if (MADE.includes(field.type))
    return `${field.type} must refer to what an earlier step made, or to a parameter`;
  if (typeof value !== 'string') return 'text is expected; put it in quotes';
  if (field.choices !== undefined && !field.choices.includes(value))
    return `"${value}" is none of ${field.choices.join(', ')}${suggestion(value, field.choices)}`;
  if (field.pattern !== undefined && !new RegExp(`^(?:${field.pattern})$`, 'u').test(value))
    return `"${value}" is not of the expected form`;
  switch (field.type) {
    case 'algorithm':
      return survey.algorithms?.has(value) !== false
        ? undefined
        : `there is no algorithm "${value}"${suggestion(value, survey.algorithms.keys())}`;
    case 'role': {
      const roles = Object.keys(survey.definition.roles);
      return roles.includes(value)
        ? undefined
        : `there is no role "${value}"${suggestion(value, roles)}`;
    }
    case 'digest':
      return /^sha256:[0-9a-f]{64}$/.test(value) ? undefined : 'a digest is expected';
    case 'path':
      return /^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[^\\]+$/.test(value)
        ? undefined
        : `"${value}" leaves the session folder: paths outside are bindings of the site file`;
    default:
      return undefined;
  }
}

/**
 * An action that takes a threshold, a number of shares and the role of their holders must take all three from one quorum:
 * what people were told and what happens are then the same numbers.
 */
function checkQuorum(survey: Survey, placed: PlacedStep, report: Report): void {
  const { step, path } = placed;
  const action = actionOf(survey, placed);
  if (step.kind !== 'action' || action === undefined) return;
  if (action.inputs['threshold']?.type !== 'integer') return;
  if (action.inputs['shares']?.type !== 'integer') return;
  const match = /^quorums\.([a-z0-9-]+)\.threshold$/.exec(
    soleReference(step.with['threshold']) ?? '',
  );
  const name = match?.[1];
  if (name === undefined) {
    report(
      'quorum-use',
      `${path}.with.threshold`,
      'the threshold must be that of a quorum: ${{ quorums.NAME.threshold }}',
    );
    return;
  }
  if (soleReference(step.with['shares']) !== `quorums.${name}.shares`) {
    report(
      'quorum-use',
      `${path}.with.shares`,
      `the number of shares must be that of the same quorum: \${{ quorums.${name}.shares }}`,
    );
  }
  const quorum = survey.definition.quorums[name];
  for (const [input, field] of Object.entries(action.inputs)) {
    if (field.type !== 'role' || quorum === undefined) continue;
    const role = step.with[input];
    if (role === undefined) {
      report('quorum-use', `${path}.uses`, `"${kebabCase(input)}" must name the role ${quorum.of}`);
    } else if (role !== quorum.of) {
      report(
        'quorum-use',
        `${path}.with.${kebabCase(input)}`,
        `the quorum ${name} is of the role ${quorum.of}, and the shares would go to "${String(role)}"`,
      );
    }
  }
}

/** The input under its YAML name. */
export function inputOf(placed: PlacedStep, kebab: string): Expression | undefined {
  return placed.step.kind === 'action' ? placed.step.with[camelCase(kebab)] : undefined;
}
