/**
 * A ceremony definition as typed data, after strict parsing and before anything runs. Line numbers live beside it, in
 * {@link Positions}, so that the linter can point.
 * @see docs/spec/definition.md
 */
import type { Effect } from '#formats/action';

/** `production`, or `dev` for ceremonies whose keys must never be relied on. Rehearsal is a way to run, not a class. */
export type Classification = 'production' | 'dev';

/** A value given at the command line or by default; referred to as `${{ parameters.NAME }}`. */
export interface ParameterDefinition {
  readonly type: 'string' | 'integer' | 'boolean' | 'algorithm' | 'path';
  readonly summary: string;
  readonly default?: string | number | boolean;
  readonly choices?: readonly string[];
}

/** How well an identity can be known, from the best. */
export const KNOWN_LEVELS = ['verified', 'introduced', 'tofu'] as const;

/** One of {@link KNOWN_LEVELS}. */
export type KnownLevel = (typeof KNOWN_LEVELS)[number];

/** A role and how many people hold it. */
export interface RoleDefinition {
  readonly count: number;
  readonly identity: 'required' | 'optional';
  /** How well each holder's identity must be known in a real session. */
  readonly level?: KnownLevel;
  /** Roles that nobody holding this one may hold as well. */
  readonly distinctFrom: readonly string[];
  readonly summary: string;
}

/** t of n over the holders of one role. */
export interface QuorumDefinition {
  readonly of: string;
  readonly threshold: number;
  readonly shares: number;
}

/** Things that lie on the table: tokens, bags, laptops. */
export interface MaterialDefinition {
  readonly kind: string;
  readonly count: number;
  readonly serial: 'required' | 'optional' | 'none';
}

/** The two ways of a branch: `then` when its condition holds. */
export const SIDES = ['then', 'else'] as const;

/** One of {@link SIDES}. */
export type Side = (typeof SIDES)[number];

/** A choice between two ways, made once; what both of them leave has one name after it. */
export interface BranchDefinition {
  readonly summary: string;
  readonly when: string;
  /** By name, the reference that stands for it on each side; referred to as `${{ branches.BRANCH.NAME }}`. */
  readonly gives: Readonly<Record<string, Readonly<Record<Side, string>>>>;
}

/** Which way a step lies on. */
export interface OnSide {
  readonly branch: string;
  readonly side: Side;
}

/** A step, or the first step of an act, by name. */
export interface Target {
  readonly kind: 'step' | 'act';
  readonly name: string;
}

/** What people do at a human step. */
export type HumanAct = 'confirm' | 'ask' | 'read-back' | 'handover' | 'seal' | 'pause' | 'sign-off';

/** How a digest is read aloud: four hexadecimal digits at a time, words, letters of the radio alphabet, or one among decoys. */
export const READ_BACK_FORMS = ['hex', 'words', 'nato', 'choice'] as const;

/** One of {@link READ_BACK_FORMS}. */
export type ReadBackForm = (typeof READ_BACK_FORMS)[number];

/** Literal, or text with references; `with:` values and `value:` are of this form. */
export type Expression = string | number | boolean | readonly Expression[];

interface StepCommon {
  readonly id: string;
  readonly title: string;
  /** Role that acts. */
  readonly by: string;
  /** Run once per holder of this role, who is then `${{ each.name }}`. */
  readonly each?: string;
  /** Runs only when this condition holds. */
  readonly when?: string;
  /** Quorum of people that must agree before it happens. */
  readonly needs?: string;
  readonly effect: Effect;
  readonly retry: number;
  readonly onFailure: 'abort' | 'retry' | 'deviate' | 'postpone' | 'elsewhere';
  /** Where the ceremony goes when it fails: back, or on. */
  readonly elsewhere?: Target;
  /** The way that it lies on, by itself or with its act. */
  readonly branch?: OnSide;
  /** Minutes that it is meant to take, for the plan. */
  readonly minutes?: number;
  /** Minutes after which a deviation must say why it took so long. */
  readonly timeout?: number;
  /** Shown before the step, in the paper script and in the minutes. */
  readonly say?: string;
}

/** A step that calls an action. */
export interface ActionStep extends StepCommon {
  readonly kind: 'action';
  readonly uses: string;
  readonly with: Readonly<Record<string, Expression>>;
}

/** A step that people do. */
export interface HumanStep extends StepCommon {
  readonly kind: 'human';
  readonly human: HumanAct;
  /** What is read back, handed over or sealed. */
  readonly value?: Expression;
  /** Name under which an `ask` answer becomes the output `answer`; its choices when closed. */
  readonly choices?: readonly string[];
  /** How a `read-back` is spoken; `hex` when not given. */
  readonly form?: ReadBackForm;
}

/** One step. */
export type Step = ActionStep | HumanStep;

/** A group of steps with a heading. */
export interface Act {
  readonly id: string;
  readonly title: string;
  /** All its steps lie on this way. */
  readonly branch?: OnSide;
  readonly steps: readonly Step[];
}

/** Something that must happen after the session. */
export interface Duty {
  /** May hold references, which stand for what the session found. */
  readonly duty: string;
  /** ISO 8601 duration from the close of the session, e.g. `P90D`. */
  readonly within: string;
  /** The way on which it is owed; on every way where none is named. */
  readonly branch?: OnSide;
}

/** A parsed definition. */
export interface Definition {
  readonly conclave: 1;
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly classification: Classification;
  /** Whether an answers file may stand in for people outside rehearsals. */
  readonly unattended: boolean;
  readonly parameters: Readonly<Record<string, ParameterDefinition>>;
  readonly roles: Readonly<Record<string, RoleDefinition>>;
  readonly quorums: Readonly<Record<string, QuorumDefinition>>;
  readonly materials: Readonly<Record<string, MaterialDefinition>>;
  /** Names of air-gap probes that must be `ok`; the report is recorded in any case. */
  readonly environment: {
    readonly require: readonly string[];
    /** Whether the report is made anew in every act, and whenever the session goes on. */
    readonly recheck: boolean;
  };
  readonly waive: readonly string[];
  readonly branches: Readonly<Record<string, BranchDefinition>>;
  readonly acts: readonly Act[];
  readonly after: readonly Duty[];
}

/** Where a node of the definition stands: path such as `acts[0].steps[2].with.key` to line and column, from 1. */
export interface Positions {
  /** Without such a node, its nearest parent's place. `offset` counts characters inside a text that stands on one line. */
  at(path: string, offset?: number): { readonly line: number; readonly column: number };
}
