/**
 * The linter: what can be proven of a definition without running it. It receives the descriptions of the actions and never
 * sees their code.
 * @see docs/spec/definition.md, which lists every rule
 */
import type { ActionDescription } from '#formats/action';
import type { Definition, Positions } from './definition.js';
import { actionRules } from './rules/actions.js';
import { branchRules } from './rules/branches.js';
import { changeRules } from './rules/changes.js';
import { codeRules } from './rules/codes.js';
import { closingRules } from './rules/closing.js';
import { drillRules } from './rules/drills.js';
import { dutyRules } from './rules/duties.js';
import { enrolmentRules } from './rules/enrolments.js';
import { handoverRules } from './rules/handovers.js';
import { humanStepRules } from './rules/humans.js';
import { waysThrough } from './rules/projection.js';
import { referenceRules } from './rules/references.js';
import { runningRules } from './rules/running.js';
import { secretRules } from './rules/secrets.js';
import { materialRules, structureRules } from './rules/structure.js';
import { thresholdRules } from './rules/thresholds.js';
import { tokenRules } from './rules/tokens.js';
import { traceRules } from './rules/traces.js';
import type {
  AlgorithmStatus,
  Finding,
  PlacedStep,
  Report,
  Rules,
  Survey,
} from './rules/survey.js';

export type { AlgorithmStatus, Finding } from './rules/survey.js';

/** What the linter may be told of the program around it; rules about what it was not told are left out. */
export interface Surroundings {
  /** Every algorithm of the registry. */
  readonly algorithms?: readonly { readonly name: string; readonly status: AlgorithmStatus }[];
  /** Names of the probes of the air-gap report. */
  readonly probes?: readonly string[];
}

/** What the definition says as a whole. */
const WHOLE: readonly Rules[] = [structureRules, branchRules, dutyRules];

/** What must hold on every way through it. */
const EVERY_WAY: readonly Rules[] = [
  materialRules,
  referenceRules,
  actionRules,
  humanStepRules,
  secretRules,
  handoverRules,
  tokenRules,
  thresholdRules,
  changeRules,
  drillRules,
  codeRules,
  traceRules,
  runningRules,
  enrolmentRules,
  closingRules,
];

/**
 * Everything that is wrong with a definition, in the order of the file; empty when nothing is.
 * @param catalogue - descriptions of all actions; those that are only subcommands are unknown to a ceremony
 */
export function lint(
  definition: Definition,
  positions: Positions,
  catalogue: readonly ActionDescription[],
  surroundings: Surroundings = {},
): readonly Finding[] {
  const survey = surveyOf(definition, positions, catalogue, surroundings);
  const findings = new Map<string, Finding>();
  const report: Report = (rule, path, message, offset) => {
    const { line, column } = positions.at(path, offset);
    // Two groups of rules, or two ways, may look at the same text: one finding is enough.
    findings.set(`${rule} ${path} ${message}`, { path, line, column, rule, message });
  };
  for (const rules of WHOLE) rules(survey, report);
  for (const way of waysThrough(survey)) for (const rules of EVERY_WAY) rules(way.survey, report);
  return [...findings.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}

function surveyOf(
  definition: Definition,
  positions: Positions,
  catalogue: readonly ActionDescription[],
  surroundings: Surroundings,
): Survey {
  const steps: PlacedStep[] = [];
  definition.acts.forEach((act, actIndex) =>
    act.steps.forEach((step, s) =>
      steps.push({
        act,
        actIndex,
        step,
        path: `acts[${actIndex}].steps[${s}]`,
        order: steps.length,
      }),
    ),
  );
  const byId = new Map<string, PlacedStep>();
  for (const placed of steps) if (!byId.has(placed.step.id)) byId.set(placed.step.id, placed);
  return {
    definition,
    positions,
    actions: new Map(
      catalogue.filter(({ only }) => only !== 'cli').map((action) => [action.id, action]),
    ),
    algorithms:
      surroundings.algorithms && new Map(surroundings.algorithms.map((a) => [a.name, a.status])),
    probes: surroundings.probes,
    steps,
    left: new Map(),
    byId,
  };
}
