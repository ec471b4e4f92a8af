/** Where references get their values from while a session runs, and again when its transcript is checked. */
import type { Json } from '#formats/canonical-json';
import type { Definition } from './definition.js';
import type { Participant } from './entries.js';
import type { Ways } from './branch.js';
import { parseText, type Reference, type Resolve } from './expression.js';
import { camelCase } from './names.js';
import { holders, type Instance } from './plan.js';

/** Outputs of the finished instances of a step: one under the empty name, or one per holder under `each:`. */
export type StepOutputs = ReadonlyMap<string, Readonly<Record<string, Json>>>;

/** What a session knows when an instance is about to run. */
export interface ScopeSource {
  readonly definition: Definition;
  readonly participants: readonly Participant[];
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  readonly session: {
    readonly id: string;
    readonly definitionDigest: string;
    readonly executionDigest: string;
  };
  /** By step id; a step that was skipped or has not finished is absent. */
  readonly outputs: ReadonlyMap<string, StepOutputs>;
  /** Sides taken; nothing where no branch was come to. */
  readonly ways?: Ways;
}

/**
 * Resolves references for one instance. The output of a step that ran once per holder is, for a step of the same `each:`,
 * that holder's own; for any other step the list over all holders. `steps.STEP.OUTPUT.each` is, of an output that is a list
 * over the holders, the item of the holder for whom this instance runs.
 */
export function resolverFor(source: ScopeSource, instance: Instance): Resolve {
  const { definition, participants } = source;
  const eachRole = instance.step.each;
  const number = (): number =>
    eachRole === undefined
      ? 0
      : holders(participants, eachRole).findIndex((p) => p.name === instance.for) + 1;
  const resolve = (reference: Reference): Json | undefined => {
    const [name = '', member = ''] = reference.names;
    switch (reference.root) {
      case 'parameters':
        return own(source.parameters, name);
      case 'quorums': {
        const quorum = own(definition.quorums, name);
        return member === 'threshold' || member === 'shares' ? quorum?.[member] : undefined;
      }
      case 'roles':
        return member === 'count' ? own(definition.roles, name)?.count : undefined;
      case 'materials':
        return own(definition.materials, name)?.kind;
      case 'session':
        return own<string>({ ...source.session }, camelCase(name));
      case 'each': {
        if (eachRole === undefined || instance.for === undefined) return undefined;
        if (name === 'name') return instance.for;
        if (name !== 'number') return undefined;
        return number();
      }
      case 'steps': {
        const value = outputOf(source, name, camelCase(member), instance);
        if (reference.names[2] === undefined) return value;
        return Array.isArray(value) ? (value as readonly Json[])[number() - 1] : undefined;
      }
      case 'branches': {
        const given = givenBy(source, name, member);
        if (given === undefined) return undefined;
        return resolve({ ...given, names: [...given.names, ...reference.names.slice(2)] });
      }
    }
  };
  return resolve;
}

/** The reference to a step's output that a branch gives on the side that was taken. */
function givenBy(
  { definition, ways }: ScopeSource,
  branch: string,
  name: string,
): Reference | undefined {
  const side = ways?.get(branch);
  const gives = own(definition.branches, branch)?.gives ?? {};
  const text = side === undefined ? undefined : own(gives, name)?.[side];
  const [part] = text === undefined ? [] : parseText(text);
  return part !== undefined && 'reference' in part && part.reference.root === 'steps'
    ? part.reference
    : undefined;
}

function outputOf(
  source: ScopeSource,
  stepId: string,
  output: string,
  instance: Instance,
): Json | undefined {
  const outputs = source.outputs.get(stepId);
  const step = source.definition.acts.flatMap((act) => act.steps).find(({ id }) => id === stepId);
  if (outputs === undefined || step === undefined) return undefined;
  if (step.each === undefined) return own(outputs.get('') ?? {}, output);
  if (step.each === instance.step.each) return own(outputs.get(instance.for ?? '') ?? {}, output);
  const all = holders(source.participants, step.each).map((holder) =>
    own(outputs.get(holder.name) ?? {}, output),
  );
  return all.every((value) => value !== undefined) ? all : undefined;
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
