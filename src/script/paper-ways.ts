/** Branches as the paper script names them: by the numbers of acts and steps that stand on the same paper. */
import type { Definition, OnSide, Side, Step, Target } from './definition.js';

/** `4.1`, as the table of an act has it; nothing of a step that is not there. */
function numberOf({ acts }: Definition, id: string): string | undefined {
  for (const [a, { steps }] of acts.entries()) {
    const at = steps.findIndex((step) => step.id === id);
    if (at >= 0) return `${a + 1}.${at + 1}`;
  }
  return undefined;
}

/**
 * A condition as it is read aloud: `steps.count.answer == 'here'` is "the answer of step 4.1 is 'here'". What stands in quotes
 * stays as it is.
 */
export function spokenCondition(definition: Definition, condition: string): string {
  const spoken = (part: string): string =>
    part
      .replaceAll(/\bsteps\.([a-z0-9-]+)\.([a-z0-9-]+)/g, (whole, id: string, output: string) => {
        const number = numberOf(definition, id);
        return number === undefined
          ? whole
          : `the ${output.replaceAll('-', ' ')} of step ${number}`;
      })
      .replaceAll(/\bparameters\.([a-z0-9-]+)/g, 'the parameter $1')
      .replaceAll('==', 'is')
      .replaceAll('!=', 'is not');
  return condition
    .split(/('[^']*')/)
    .map((part, i) => (i % 2 === 1 ? part : spoken(part)))
    .join('');
}

/** Which acts, or which steps, one way of a branch has: `act 5`, or `steps 4.2 to 4.4`. */
export function placesOf({ acts }: Definition, branch: string, side: Side): string {
  const on = (step: Step): boolean => step.branch?.branch === branch && step.branch.side === side;
  return acts
    .flatMap(({ branch: whole, steps }, a): string[] => {
      const numbers = steps.flatMap((step, s) => (on(step) ? [`${a + 1}.${s + 1}`] : []));
      if (numbers.length === 0) return [];
      if (whole !== undefined) return [`act ${a + 1}`];
      const [from = ''] = numbers;
      return [numbers.length === 1 ? `step ${from}` : `steps ${from} to ${numbers.at(-1) ?? ''}`];
    })
    .join(', ');
}

/** When a way is gone. */
export function whenGone(definition: Definition, { branch, side }: OnSide): string {
  const condition = spokenCondition(definition, definition.branches[branch]?.when ?? '');
  return `${side === 'then' ? 'when' : 'unless'} ${condition}`;
}

/** Where a failure leads, by its number: `step 4.1`, `act 5`. */
export function targetOnPaper(definition: Definition, { kind, name }: Target): string {
  if (kind === 'act') return `act ${definition.acts.findIndex(({ id }) => id === name) + 1}`;
  return `step ${numberOf(definition, name) ?? name}`;
}

/** What each step costs that lies on the cheaper way of its branch: no session passes both. */
export function savedOnTheLongerWay(
  { acts, branches }: Definition,
  cost: (step: Step) => number,
): number {
  const steps = acts.flatMap((act) => act.steps);
  const sum = (branch: string, side: Side): number =>
    steps
      .filter((step) => step.branch?.branch === branch && step.branch.side === side)
      .reduce((total, step) => total + cost(step), 0);
  return Object.keys(branches).reduce(
    (saved, branch) => saved + Math.min(sum(branch, 'then'), sum(branch, 'else')),
    0,
  );
}
