/** What every rule of the linter looks at, and how it reports. */
import type { ActionDescription } from '#formats/action';
import type { Act, Definition, Expression, Positions, Step } from '../definition.js';

/** How far an algorithm may be relied on, as the registry says. */
export type AlgorithmStatus = 'standard' | 'draft' | 'legacy';

/** One thing that is wrong with a definition. */
export interface Finding {
  /** Path of the node, e.g. `acts[0].steps[2].with.key`. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
  /** Stable name of the rule. */
  readonly rule: string;
  /** Lower case, no full stop. */
  readonly message: string;
}

/** A step and where it stands. */
export interface PlacedStep {
  readonly act: Act;
  readonly actIndex: number;
  readonly step: Step;
  readonly path: string;
  /** Place among all steps, from 0. */
  readonly order: number;
}

/** A definition, prepared for the rules. */
export interface Survey {
  readonly definition: Definition;
  readonly positions: Positions;
  /** Actions that a ceremony may use, by id. */
  readonly actions: ReadonlyMap<string, ActionDescription>;
  /** Every algorithm of the registry by name; undefined when the linter was not told. */
  readonly algorithms: ReadonlyMap<string, AlgorithmStatus> | undefined;
  /** Every probe of the air-gap report; undefined when the linter was not told. */
  readonly probes: readonly string[] | undefined;
  readonly steps: readonly PlacedStep[];
  /** Steps that are not on the way that is looked at, by id, and why. */
  readonly left: ReadonlyMap<string, string>;
  /** The first step of each id. */
  readonly byId: ReadonlyMap<string, PlacedStep>;
}

/** Reports a finding at a node; `offset` counts characters inside its text. */
export type Report = (rule: string, path: string, message: string, offset?: number) => void;

/** A group of related rules. */
export type Rules = (survey: Survey, report: Report) => void;

/** The description of the action that a step uses, when it is one that is known. */
export function actionOf(survey: Survey, { step }: PlacedStep): ActionDescription | undefined {
  return step.kind === 'action' ? survey.actions.get(step.uses) : undefined;
}

/** Whether an expression is exactly one reference, and to what. */
export function isReferenceTo(expression: Expression | undefined, text: string): boolean {
  return typeof expression === 'string' && soleReference(expression) === text;
}

/** The dotted text of an expression that is one reference and nothing else. */
export function soleReference(expression: Expression | undefined): string | undefined {
  if (typeof expression !== 'string') return undefined;
  return /^\$\{\{\s*([a-z0-9.-]+)\s*\}\}$/.exec(expression)?.[1];
}
