/** What a definition says of a run: how well people must be known, how long a step may take, how a digest is spoken. */
import type { Report, Rules, Survey } from './survey.js';

/** All of it. */
export const runningRules: Rules = (survey, report) => {
  levels(survey, report);
  for (const { step, path } of survey.steps) {
    const { minutes, timeout } = step;
    if (minutes !== undefined && timeout !== undefined && timeout < minutes) {
      report(
        'timeout-short',
        `${path}.timeout`,
        `it is meant to take ${minutes} minutes, and needs an excuse after ${timeout}`,
      );
    }
    if (step.kind === 'human' && step.form !== undefined && step.human !== 'read-back') {
      report('human-form', `${path}.form`, `a step that is "${step.human}" is not spoken`);
    }
  }
  const { environment } = survey.definition;
  if (environment.recheck && environment.require.length === 0) {
    report('recheck-nothing', 'environment.recheck', 'nothing is required that could be checked');
  }
};

/** A level is about an identity: a role that needs none can be known no better than its face. */
function levels({ definition }: Survey, report: Report): void {
  for (const [name, { level, identity }] of Object.entries(definition.roles)) {
    if (level === undefined || identity === 'required') continue;
    report(
      'level-identity',
      `roles.${name}.level`,
      `a level is about an identity; "identity: required" belongs to it`,
    );
  }
}
