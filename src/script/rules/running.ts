/** What a definition says of a run: how well people must be known, how long a step may take, how a digest is spoken. */
import type { Report, Rules, Survey } from './survey.js';

/** The action that makes somebody's identity. */
const NEW_IDENTITY = 'identity.new';

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
    // The record knows enrolment on the way; the engine does not write it, and the ceremony would be held for nothing.
    if (step.kind === 'action' && step.uses === NEW_IDENTITY && step.each !== undefined) {
      report(
        'identity-late',
        `${path}.uses`,
        `nobody takes part by an identity that is made on the way: each ${step.each} makes it before, and is listed with it`,
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
