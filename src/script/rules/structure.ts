/** Names, roles, quorums, materials, gates: what the definition declares agrees with itself and is used. */
import type { Definition } from '../definition.js';
import { referencesIn } from '../expression.js';
import { parseCondition, parseText, referencesOf, type Reference } from '../expression.js';
import { ADMINISTRATOR, isWitnessRole } from '../people.js';
import { suggestion } from '../suggestion.js';
import { kebabCase } from '../names.js';
import type { PlacedStep, Report, Rules, Survey } from './survey.js';
import { actionOf, soleReference } from './survey.js';
import { madeInTokens, TOKEN_ONLY } from './tokens.js';

/** All of it. */
export const structureRules: Rules = (survey, report) => {
  uniqueIds(survey, report);
  knownRoles(survey, report);
  distinctRoles(survey.definition, report);
  quorums(survey, report);
  quorumsAreTold(survey.definition, report);
  parameters(survey, report);
  identities(survey.definition, report);
  probes(survey, report);
  retries(survey, report);
  unused(survey, report);
  classificationIsTold(survey.definition, report);
};

/** As many bags as are sealed: a missing one stops the ceremony, a spare one is a bag nobody accounts for. */
export const materialRules: Rules = ({ definition, steps }, report) => {
  for (const [name, { count, serial }] of Object.entries(definition.materials)) {
    let used = 0;
    for (const { step, path } of steps) {
      if (step.kind !== 'human' || soleReference(step.value) !== `materials.${name}`) continue;
      used += step.each === undefined ? 1 : (definition.roles[step.each]?.count ?? 0);
      if (serial === 'none')
        report('material-serial', `${path}.value`, `${name} has no serial number to enter`);
    }
    if (used > 0 && used !== count)
      report(
        'material-count',
        `materials.${name}.count`,
        `${used} of ${name} are used, not ${count}`,
      );
  }
};

/** Who reads title and summary must know that nothing of it may be relied on. */
function classificationIsTold(definition: Definition, report: Report): void {
  const told = /\bdev\b/i.test(`${definition.title}\n${definition.summary}`);
  if (definition.classification === 'dev' && !told) {
    report('classification-told', 'classification', 'title or summary must say that this is "dev"');
  }
}

function uniqueIds(survey: Survey, report: Report): void {
  const acts = new Set<string>();
  for (const [i, act] of survey.definition.acts.entries()) {
    if (acts.has(act.id)) report('id-unique', `acts[${i}].id`, `two acts have the id "${act.id}"`);
    acts.add(act.id);
  }
  const steps = new Set<string>();
  for (const { step, path } of survey.steps) {
    if (steps.has(step.id)) report('id-unique', `${path}.id`, `two steps have the id "${step.id}"`);
    steps.add(step.id);
  }
}

function knownRoles(survey: Survey, report: Report): void {
  const { definition } = survey;
  const roles = Object.keys(definition.roles);
  const demand = (role: string, path: string): void => {
    if (!roles.includes(role))
      report('role-unknown', path, `there is no role "${role}"${suggestion(role, roles)}`);
  };
  for (const [name, role] of Object.entries(definition.roles))
    role.distinctFrom.forEach((other, i) => demand(other, `roles.${name}.distinct-from[${i}]`));
  for (const [name, quorum] of Object.entries(definition.quorums))
    demand(quorum.of, `quorums.${name}.of`);
  for (const { step, path } of survey.steps) {
    demand(step.by, `${path}.by`);
    if (step.each !== undefined) demand(step.each, `${path}.each`);
    if (step.needs !== undefined && !Object.hasOwn(definition.quorums, step.needs)) {
      const hint = suggestion(step.needs, Object.keys(definition.quorums));
      report('quorum-unknown', `${path}.needs`, `there is no quorum "${step.needs}"${hint}`);
    }
  }
}

function distinctRoles(definition: Definition, report: Report): void {
  for (const [name, role] of Object.entries(definition.roles)) {
    role.distinctFrom.forEach((other, i) => {
      const path = `roles.${name}.distinct-from[${i}]`;
      if (other === name) report('distinct-self', path, 'a role cannot differ from itself');
      else if (role.distinctFrom.indexOf(other) < i)
        report('distinct-twice', path, `${other} is named twice`);
      const back = definition.roles[other];
      if (back !== undefined && !back.distinctFrom.includes(name)) {
        report(
          'distinct-symmetric',
          path,
          `${name} must differ from ${other}, but ${other} does not name ${name}`,
        );
      }
    });
  }
}

function quorums(survey: Survey, report: Report): void {
  const { definition } = survey;
  const needed = new Set<string>();
  for (const [name, quorum] of Object.entries(definition.quorums)) {
    const { threshold, shares } = quorum;
    const path = `quorums.${name}`;
    const holders = definition.roles[quorum.of]?.count;
    if (threshold > shares) {
      report(
        'quorum-shares',
        `${path}.threshold`,
        `the threshold ${threshold} is more than the ${shares} shares`,
      );
    }
    if (holders !== undefined && holders !== shares) {
      report(
        'quorum-shares',
        `${path}.shares`,
        `there are ${shares} shares, and ${holders} people hold the role ${quorum.of}`,
      );
      report(
        'quorum-shares',
        `roles.${quorum.of}.count`,
        `${holders} people hold this role, and the quorum ${name} has ${shares} shares`,
      );
    }
    if (threshold === shares) needed.add('n-of-n');
    if (threshold === 1) needed.add('threshold-1');
    if (threshold === shares && shares > 1 && !definition.waive.includes('n-of-n')) {
      report(
        'quorum-waiver',
        `${path}.threshold`,
        `${threshold} of ${shares} is lost with any one share; say "waive: [n-of-n]" if that is meant`,
      );
    }
    if (threshold === 1 && !definition.waive.includes('threshold-1')) {
      report(
        'quorum-waiver',
        `${path}.threshold`,
        'each share alone is the secret; say "waive: [threshold-1]" if that is meant',
      );
    }
  }
  if (drafts(survey).length > 0) needed.add('draft');
  if (madeInTokens(survey).length > 0) needed.add(TOKEN_ONLY);
  definition.waive.forEach((waiver, i) => {
    if (definition.waive.indexOf(waiver) < i)
      report('waiver-twice', `waive[${i}]`, `${waiver} is waived twice`);
    else if (!needed.has(waiver))
      report('waiver-unused', `waive[${i}]`, `nothing here needs the waiver ${waiver}`);
  });
}

/** `T of N` as people write it; both numbers count. */
const TOLD = /\b(\d{1,3}) of (\d{1,3})\b/g;

/**
 * The numbers that people are told are those that the program uses: every quorum is spelled out somewhere in the text of the
 * ceremony, and whatever looks like a quorum in the text is one.
 */
function quorumsAreTold(definition: Definition, report: Report): void {
  const entries = Object.entries(definition.quorums);
  const told = new Set<string>();
  const texts: (readonly [string, string])[] = [
    ['title', definition.title],
    ['summary', definition.summary],
    ...definition.acts.flatMap((act, a) => [
      [`acts[${a}].title`, act.title] as const,
      ...act.steps.flatMap((step, s) => [
        [`acts[${a}].steps[${s}].title`, step.title] as const,
        [`acts[${a}].steps[${s}].say`, step.say ?? ''] as const,
      ]),
    ]),
  ];
  for (const [path, text] of texts) {
    for (const match of text.matchAll(TOLD)) {
      const [words, threshold, shares] = match;
      told.add(`${threshold} of ${shares}`);
      const known = entries.some(
        ([, quorum]) => String(quorum.threshold) === threshold && String(quorum.shares) === shares,
      );
      if (!known) {
        report('quorum-told', path, `the text says "${words}", and no quorum is that`, match.index);
      }
    }
  }
  for (const [name, { threshold, shares }] of entries) {
    if (!told.has(`${threshold} of ${shares}`)) {
      report(
        'quorum-told',
        `quorums.${name}.threshold`,
        `no text of this ceremony tells people that the quorum ${name} is ${threshold} of ${shares}`,
      );
    }
  }
}

function parameters(survey: Survey, report: Report): void {
  for (const [name, parameter] of Object.entries(survey.definition.parameters)) {
    const path = `parameters.${name}`;
    const { type, choices, default: initial } = parameter;
    if (choices !== undefined && type !== 'string' && type !== 'algorithm') {
      report('parameter-choices', `${path}.choices`, `a parameter of type ${type} has no choices`);
    }
    if (type === 'algorithm') {
      for (const [i, choice] of (choices ?? []).entries())
        knownAlgorithm(survey, choice, `${path}.choices[${i}]`, report);
    }
    if (initial === undefined) continue;
    const expected = type === 'integer' ? 'number' : type === 'boolean' ? 'boolean' : 'string';
    if (typeof initial !== expected) {
      report('parameter-default', `${path}.default`, `the default is not of the type ${type}`);
    } else if (choices !== undefined && !choices.includes(String(initial))) {
      report('parameter-default', `${path}.default`, 'the default is none of the choices');
    } else if (type === 'algorithm') {
      knownAlgorithm(survey, String(initial), `${path}.default`, report);
    } else if (
      (type === 'string' || type === 'path') &&
      typeof initial === 'string' &&
      choices === undefined &&
      survey.algorithms?.has(initial) === true
    ) {
      report(
        'parameter-type',
        `${path}.type`,
        `the default is an algorithm; declare "type: algorithm", so that it is checked`,
      );
    }
  }
  for (const { name, path } of drafts(survey)) {
    if (
      survey.definition.classification === 'production' &&
      !survey.definition.waive.includes('draft')
    ) {
      report('algorithm-draft', path, `${name} follows a draft; production needs "waive: [draft]"`);
    }
  }
}

function knownAlgorithm(survey: Survey, name: string, path: string, report: Report): void {
  if (survey.algorithms?.has(name) === false) {
    const hint = suggestion(name, survey.algorithms.keys());
    report('algorithm-unknown', path, `there is no algorithm "${name}"${hint}`);
  }
}

/** Draft algorithms that the definition names, by default, choice or input. */
function drafts(survey: Survey): readonly { readonly name: string; readonly path: string }[] {
  const named: { name: unknown; path: string }[] = [];
  for (const [name, { type, default: initial, choices }] of Object.entries(
    survey.definition.parameters,
  )) {
    if (type !== 'algorithm') continue;
    named.push({ name: initial, path: `parameters.${name}.default` });
    (choices ?? []).forEach((choice, i) =>
      named.push({ name: choice, path: `parameters.${name}.choices[${i}]` }),
    );
  }
  for (const placed of survey.steps) {
    const inputs = actionOf(survey, placed)?.inputs ?? {};
    if (placed.step.kind !== 'action') continue;
    for (const [input, value] of Object.entries(placed.step.with)) {
      if (inputs[input]?.type === 'algorithm')
        named.push({ name: value, path: `${placed.path}.with.${kebabCase(input)}` });
    }
  }
  return named.flatMap(({ name, path }) =>
    typeof name === 'string' && survey.algorithms?.get(name) === 'draft' ? [{ name, path }] : [],
  );
}

function identities(definition: Definition, report: Report): void {
  const roles = Object.entries(definition.roles);
  const administrator = definition.roles[ADMINISTRATOR];
  if (administrator === undefined) {
    report('role-missing', 'roles', `every ceremony has the role ${ADMINISTRATOR}`);
  }
  const witnesses = roles.filter(([name]) => isWitnessRole(name));
  if (witnesses.length === 0) {
    report('role-missing', 'roles', 'every ceremony has a role witness');
  }
  if (definition.classification !== 'production') return;
  if (administrator?.identity === 'optional') {
    report(
      'identity-required',
      `roles.${ADMINISTRATOR}.identity`,
      `in production the ${ADMINISTRATOR} signs the transcript: "identity: required"`,
    );
  }
  const [first] = witnesses;
  if (first !== undefined && witnesses.every(([, { identity }]) => identity === 'optional')) {
    report(
      'identity-required',
      `roles.${first[0]}.identity`,
      'in production at least one witness signs the transcript: "identity: required"',
    );
  }
  for (const [name] of witnesses) {
    if (administrator?.distinctFrom.includes(name) === false) {
      report(
        'distinct-witness',
        `roles.${ADMINISTRATOR}`,
        `in production nobody witnesses their own work: the ${ADMINISTRATOR} must be distinct-from ${name}`,
      );
    }
  }
}

function probes(survey: Survey, report: Report): void {
  const { require } = survey.definition.environment;
  require.forEach((probe, i) => {
    const path = `environment.require[${i}]`;
    if (survey.probes?.includes(probe) === false) {
      const hint = suggestion(probe, survey.probes);
      report('probe-unknown', path, `there is no probe "${probe}"${hint}`);
    } else if (require.indexOf(probe) < i) {
      report('probe-twice', path, `${probe} is required twice`);
    }
  });
  if (require.length === 0 && survey.definition.classification === 'production') {
    report(
      'probe-missing',
      'environment',
      'a production ceremony requires probes of the air gap: "environment: { require: [...] }"',
    );
  }
}

function retries(survey: Survey, report: Report): void {
  for (const { step, path } of survey.steps) {
    if (step.onFailure === 'retry' && step.retry === 0)
      report(
        'retry-count',
        `${path}.on-failure`,
        '"on-failure: retry" needs "retry:" of 1 or more',
      );
    if (step.onFailure === 'abort' && step.retry > 0)
      report('retry-count', `${path}.retry`, '"retry:" needs "on-failure: retry" or "deviate"');
    if (step.onFailure === 'postpone' && step.effect === 'irreversible')
      report(
        'retry-irreversible',
        `${path}.on-failure`,
        'postponed, an irreversible step would be begun again',
      );
    if (step.retry > 0 && step.effect === 'irreversible')
      report('retry-irreversible', `${path}.retry`, 'an irreversible step is never repeated');
  }
}

/** What is declared is used: a role nobody acts in or a parameter nobody reads is a slip, or a trap for the reviewer. */
function unused(survey: Survey, report: Report): void {
  const { definition } = survey;
  const used = new Set<string>();
  const use = (root: string, name: string): unknown => used.add(`${root}.${name}`);
  for (const placed of survey.steps) {
    const { step } = placed;
    for (const { root, names } of allReferences(placed)) {
      use(root, names[0] ?? '');
      if (root === 'steps') used.add(`steps.${names.slice(0, 2).join('.')}`);
    }
    use('roles', step.by);
    if (step.each !== undefined) use('roles', step.each);
    if (step.needs !== undefined) use('quorums', step.needs);
    if (step.kind !== 'action') continue;
    const inputs = actionOf(survey, placed)?.inputs ?? {};
    for (const [input, value] of Object.entries(step.with))
      if (inputs[input]?.type === 'role') use('roles', String(value));
  }
  for (const { root, names } of [
    ...referencesOfBranches(definition),
    ...referencesOfDuties(definition),
  ]) {
    use(root, names[0] ?? '');
    if (root === 'steps') used.add(`steps.${names.slice(0, 2).join('.')}`);
  }
  const demand = (root: string, what: string, names: readonly string[]): void => {
    for (const name of names)
      if (!used.has(`${root}.${name}`))
        report('unused', `${root}.${name}`, `the ${what} ${name} is never used`);
  };
  for (const { step, path } of survey.steps) {
    if (step.kind === 'human' && step.human === 'seal' && !used.has(`steps.${step.id}.serial`))
      report('serial-untold', `${path}.do`, `nobody is told \${{ steps.${step.id}.serial }} again`);
  }
  demand('parameters', 'parameter', Object.keys(definition.parameters));
  demand('roles', 'role', Object.keys(definition.roles));
  demand('quorums', 'quorum', Object.keys(definition.quorums));
  demand('materials', 'material', Object.keys(definition.materials));
}

/** Every reference of the branches that parses. */
function referencesOfBranches({ branches }: Definition): readonly Reference[] {
  return Object.values(branches).flatMap(({ when, gives }) => {
    try {
      const given = Object.values(gives).flatMap((sides) => Object.values(sides));
      return [
        ...referencesOf(parseCondition(when)),
        ...referencesIn(given).map((it) => it.reference),
      ];
    } catch {
      return [];
    }
  });
}

/** Every reference of the duties that parses. */
function referencesOfDuties({ after }: Definition): readonly Reference[] {
  return after.flatMap(({ duty }) => {
    try {
      return referencesIn(duty).map((it) => it.reference);
    } catch {
      return [];
    }
  });
}

/** Every reference of a step that parses; what does not is reported elsewhere. */
export function allReferences({ step }: PlacedStep): readonly Reference[] {
  const found: Reference[] = [];
  const attempt = (read: () => readonly Reference[]): void => {
    try {
      found.push(...read());
    } catch {
      // Malformed texts are the reference rules' business.
    }
  };
  const { say, when } = step;
  if (say !== undefined)
    attempt(() => parseText(say).flatMap((part) => ('reference' in part ? [part.reference] : [])));
  if (when !== undefined) attempt(() => referencesOf(parseCondition(when)));
  const values = step.kind === 'action' ? Object.values(step.with) : [step.value ?? ''];
  for (const value of values) attempt(() => referencesIn(value).map(({ reference }) => reference));
  return found;
}
