/**
 * The files that people write for a ceremony, read strictly: definition, site, participants, answers. Every error starts
 * with file, line and column. This module loads yaml and zod; other rooms import it only when they need it.
 * @see docs/spec/definition.md
 */
import type { z } from 'zod';
import type {
  ActionStep,
  Definition,
  HumanStep,
  OnSide,
  ParameterDefinition,
  Positions,
  RoleDefinition,
  Side,
  Step,
  Target,
} from './definition.js';
import type { TrustLevel } from './entries.js';
import { camelCase } from './names.js';
import { suggestion } from './suggestion.js';
import {
  answersSchema,
  definitionSchema,
  participantsSchema,
  type RawAnswer,
  type RawDefinition,
  type RawStep,
  siteSchema,
} from './schema.js';
import { below, errorAt, type Place, readYaml, type Source } from './yaml.js';
import { InputError } from '#formats/errors';

/** A definition and where its parts stand. */
export interface ParsedDefinition {
  readonly definition: Definition;
  readonly positions: Positions;
}

/** What a site binds: paths and devices of one place, apart from what was reviewed. */
export interface Site {
  /** Where the private identity file of a person lies, relative to the site file. */
  readonly identities: Readonly<Record<string, string>>;
  readonly bindings: Readonly<Record<string, string>>;
  /** Tokens by the names that definitions give them. */
  readonly tokens: Readonly<Record<string, SiteToken>>;
  /** The ceremony that this one continues. */
  readonly previous: { readonly ceremony: string; readonly head: string } | null;
}

/** One token of a site: exactly one of label and serial number. The PIN is asked for where no file is named. */
export interface SiteToken {
  /** Library of the token: an absolute path, a path relative to the site file, or a name. */
  readonly module: string;
  readonly token: string | undefined;
  readonly serial: string | undefined;
  /** Relative to the site file. */
  readonly pinFile: string | undefined;
  /** Whether it is for rehearsals, and for nothing else. */
  readonly rehearsal: boolean;
}

/** A participant as listed before the session. */
export interface ListedParticipant {
  readonly name: string;
  readonly role: string;
  /** Path of the public identity file, relative to the participants file; null for `none`. */
  readonly identity: string | null;
  readonly level: TrustLevel;
}

/** One answer of an answers file; a passphrase is named by its file, relative to the answers file. */
export type ScriptedAnswer =
  | { readonly confirm: boolean }
  | { readonly text: string }
  | { readonly choice: string }
  | { readonly passphraseFile: string };

/** Answers by `act/step` or `act/step/person`. A single one answers every time, a list question by question. */
export type Answers = Readonly<Record<string, ScriptedAnswer | readonly ScriptedAnswer[]>>;

/**
 * A ceremony definition.
 * @param name - the file as the operator typed it
 * @throws InputError `E_YAML_MALFORMED`, `E_YAML_TOO_LARGE`, `E_DEFINITION_MALFORMED`
 */
export function parseDefinition(bytes: Uint8Array, name: string): ParsedDefinition {
  return definitionOf(readYaml(bytes, name));
}

/** A ceremony definition whose YAML was read. @throws InputError `E_DEFINITION_MALFORMED` */
export function definitionOf(source: Source): ParsedDefinition {
  const raw = shaped(definitionSchema, source, 'E_DEFINITION_MALFORMED');
  return { definition: fromRaw(raw, source), positions: source.positions };
}

/** A site file. @throws InputError `E_YAML_MALFORMED`, `E_YAML_TOO_LARGE`, `E_SITE_MALFORMED` */
export function parseSite(bytes: Uint8Array, name: string): Site {
  const source = readYaml(bytes, name);
  const raw = shaped(siteSchema, source, 'E_SITE_MALFORMED');
  for (const [called, { token, serial }] of Object.entries(raw.tokens ?? {})) {
    if ((token === undefined) !== (serial === undefined)) continue;
    const problem = 'a token is named by "token", its label, or by "serial": one of both';
    throw errorAt(name, source.positions.at(`tokens.${called}`), 'E_SITE_MALFORMED', problem);
  }
  return {
    identities: raw.identities ?? {},
    bindings: raw.bindings ?? {},
    tokens: Object.fromEntries(
      Object.entries(raw.tokens ?? {}).map(([called, bound]) => [
        called,
        {
          module: bound.module,
          token: bound.token,
          serial: bound.serial,
          pinFile: bound['pin-file'],
          rehearsal: bound.rehearsal ?? false,
        },
      ]),
    ),
    previous: raw.previous ?? null,
  };
}

/**
 * A participants file. One person may hold several roles (a line each) unless the definition forbids it, which
 * `peopleProblems` tells; the same line twice is refused.
 * @throws InputError `E_YAML_MALFORMED`, `E_YAML_TOO_LARGE`, `E_PARTICIPANTS_MALFORMED`
 */
export function parseParticipants(bytes: Uint8Array, name: string): readonly ListedParticipant[] {
  const source = readYaml(bytes, name);
  const raw = shaped(participantsSchema, source, 'E_PARTICIPANTS_MALFORMED');
  const refuse = (path: string, problem: string): never => {
    throw errorAt(name, source.positions.at(path), 'E_PARTICIPANTS_MALFORMED', problem);
  };
  const seen = new Set<string>();
  return raw.participants.map((listed, i) => {
    const at = `participants[${i}]`;
    const line = `${listed.role}/${listed.name}`;
    if (seen.has(line))
      return refuse(`${at}.name`, `${listed.name} is listed twice as ${listed.role}`);
    seen.add(line);
    const identity = listed.identity === 'none' ? null : listed.identity;
    if (identity === null && listed.level !== undefined)
      refuse(`${at}.level`, `${listed.name} has no identity for a level to be about`);
    return {
      name: listed.name,
      role: listed.role,
      identity,
      level: identity === null ? 'none' : (listed.level ?? 'tofu'),
    };
  });
}

/** An answers file. @throws InputError `E_YAML_MALFORMED`, `E_YAML_TOO_LARGE`, `E_ANSWERS_MALFORMED` */
export function parseAnswers(bytes: Uint8Array, name: string): Answers {
  const source = readYaml(bytes, name);
  const raw = shaped(answersSchema, source, 'E_ANSWERS_MALFORMED');
  return mapValues(raw.answers, (given): ScriptedAnswer | readonly ScriptedAnswer[] =>
    Array.isArray(given) ? given.map(answerOf) : answerOf(given),
  );
}

/**
 * What the people of an answers file bring along: files for parameters of type `path`, relative to the answers file.
 * @throws what {@link parseAnswers} throws
 */
export function parseBrought(bytes: Uint8Array, name: string): Readonly<Record<string, string>> {
  return shaped(answersSchema, readYaml(bytes, name), 'E_ANSWERS_MALFORMED').brings ?? {};
}

function answerOf(raw: RawAnswer): ScriptedAnswer {
  const { confirm, text, choice, 'passphrase-file': passphraseFile } = raw;
  if (confirm !== undefined) return { confirm };
  if (text !== undefined) return { text };
  if (choice !== undefined) return { choice };
  return { passphraseFile: passphraseFile as string };
}

/** The value under a schema, or the first of its problems in the order of the file. */
function shaped<T extends z.ZodType>(schema: T, source: Source, code: `E_${string}`): z.infer<T> {
  const result = schema.safeParse(source.value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => located(issue, source));
  // A misspelt key is also a missing one; what was typed says more than what was not.
  problems.sort(
    (a, b) =>
      Number(b.typo) - Number(a.typo) ||
      a.place.line - b.place.line ||
      a.place.column - b.place.column,
  );
  const first = problems[0];
  if (first === undefined) throw new InputError({ code, message: `${source.name} is malformed` });
  throw errorAt(source.name, first.place, code, first.message);
}

interface Problem {
  readonly place: Place;
  readonly message: string;
  readonly typo: boolean;
}

function located(issue: z.core.$ZodIssue, source: Source): Problem {
  const typo = false;
  const path = issue.path.reduce<string>(
    (at, segment) => below(at, typeof segment === 'symbol' ? String(segment) : segment),
    '',
  );
  const what = path === '' ? 'the file' : path;
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const known = issue.message.replace(/^known: /, '').split(' ');
    return {
      typo: true,
      place: source.positions.key(below(path, key)),
      message: `unknown key "${key}"${suggestion(key, known)}`,
    };
  }
  if (issue.code === 'invalid_key') {
    return {
      typo,
      place: source.positions.key(path),
      message: `the key "${String(issue.path.at(-1))}" is malformed: ${issue.issues[0]?.message ?? issue.message}`,
    };
  }
  if (issue.code === 'invalid_type' && valueAt(source.value, issue.path) === undefined) {
    const missing = String(issue.path.at(-1) ?? '');
    return {
      typo,
      place: source.positions.at(path),
      message: `the key "${missing}" is missing`,
    };
  }
  if (issue.code === 'invalid_value') {
    const typed = valueAt(source.value, issue.path);
    if (typed === undefined) {
      return {
        typo,
        place: source.positions.at(path),
        message: `the key "${String(issue.path.at(-1) ?? '')}" is missing`,
      };
    }
    const allowed = issue.values.map(String);
    const hint = typeof typed === 'string' ? suggestion(typed, allowed) : '';
    const said = issue.message.startsWith('Invalid')
      ? `${allowed.map((value) => JSON.stringify(value)).join(' or ')} was expected${hint}`
      : issue.message;
    return { typo, place: source.positions.at(path), message: `${what}: ${said}` };
  }
  if (issue.code === 'invalid_union') {
    // The branch whose outermost type fits knows best what is wrong.
    const fits = (errors: readonly z.core.$ZodIssue[]): boolean =>
      !errors.some(({ code, path: inner }) => code === 'invalid_type' && inner.length === 0);
    const problems = (issue.errors.find(fits) ?? []).map((inner) =>
      located({ ...inner, path: [...issue.path, ...inner.path] }, source),
    );
    const first = problems.find((problem) => problem.typo) ?? problems[0];
    if (first !== undefined) return first;
  }
  return {
    typo,
    place: source.positions.at(path),
    message: `${what}: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}`,
  };
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, segment) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, segment)
        ? (at as Record<PropertyKey, unknown>)[segment]
        : undefined,
    value,
  );
}

function fromRaw(raw: RawDefinition, source: Source): Definition {
  return {
    conclave: raw.conclave,
    id: raw.id,
    title: raw.title,
    summary: raw.summary.trimEnd(),
    classification: raw.classification,
    unattended: raw.unattended ?? false,
    parameters: mapValues(raw.parameters ?? {}, (parameter): ParameterDefinition => {
      const { type, summary, default: initial, choices } = parameter;
      return {
        type,
        summary,
        ...(initial === undefined ? {} : { default: initial }),
        ...(choices === undefined ? {} : { choices }),
      };
    }),
    roles: mapValues(raw.roles, (role): RoleDefinition => ({
      count: role.count,
      identity: role.identity,
      ...(role.level === undefined ? {} : { level: role.level }),
      distinctFrom: role['distinct-from'] ?? [],
      summary: role.summary,
    })),
    quorums: raw.quorums ?? {},
    materials: raw.materials ?? {},
    environment: {
      require: raw.environment?.require ?? [],
      recheck: raw.environment?.recheck !== undefined,
    },
    waive: raw.waive ?? [],
    branches: mapValues(raw.branches ?? {}, ({ summary, when, gives }) => ({
      summary,
      when,
      gives: gives ?? {},
    })),
    acts: raw.acts.map((act, a) => {
      const whole = act.branch === undefined ? undefined : onSide(act.branch);
      return {
        id: act.id,
        title: act.title,
        ...(whole === undefined ? {} : { branch: whole }),
        steps: act.steps.map((step, s) => stepOf(step, `acts[${a}].steps[${s}]`, source, whole)),
      };
    }),
    after: (raw.after ?? []).map(({ duty, within, branch }) => ({
      duty,
      within,
      ...(branch === undefined ? {} : { branch: onSide(branch) }),
    })),
  };
}

/** `BRANCH.SIDE`, whose form was looked at. */
function onSide(text: string): OnSide {
  const [branch = '', side] = text.split('.');
  return { branch, side: side as Side };
}

/** What a step does when it fails; `step NAME` and `act NAME` lead elsewhere. */
function failureOf(text = 'abort'): Pick<Step, 'onFailure' | 'elsewhere'> {
  const [kind = '', name] = text.split(' ');
  if (name === undefined) return { onFailure: kind as 'abort' | 'retry' | 'deviate' | 'postpone' };
  return { onFailure: 'elsewhere', elsewhere: { kind: kind as Target['kind'], name } };
}

function stepOf(raw: RawStep, path: string, source: Source, act: OnSide | undefined): Step {
  const refuse = (key: string, problem: string): never => {
    throw errorAt(
      source.name,
      key === '' ? source.positions.at(path) : source.positions.key(below(path, key)),
      'E_DEFINITION_MALFORMED',
      `step ${raw.id}: ${problem}`,
    );
  };
  if (raw.uses !== undefined && raw.do !== undefined)
    refuse('do', 'it has both "uses" and "do": a step is either an action or a human step');
  if (raw.branch !== undefined && act !== undefined)
    refuse('branch', 'its act lies on a branch already');
  const side = raw.branch === undefined ? act : onSide(raw.branch);
  const common = {
    id: raw.id,
    title: raw.title,
    by: raw.by,
    ...(raw.each === undefined ? {} : { each: raw.each }),
    ...(raw.when === undefined ? {} : { when: raw.when }),
    ...(raw.needs === undefined ? {} : { needs: raw.needs }),
    ...(raw.minutes === undefined ? {} : { minutes: raw.minutes }),
    ...(raw.timeout === undefined ? {} : { timeout: raw.timeout }),
    ...(raw.say === undefined ? {} : { say: raw.say.trimEnd() }),
    ...(side === undefined ? {} : { branch: side }),
    retry: raw.retry ?? 0,
    ...failureOf(raw['on-failure']),
  } as const;
  if (raw.uses !== undefined) {
    for (const key of ['value', 'choices', 'form'] as const)
      if (raw[key] !== undefined) refuse(key, `"${key}" belongs to human steps`);
    if (raw.effect === undefined) return refuse('uses', 'an action step must declare its "effect"');
    const step: ActionStep = {
      ...common,
      kind: 'action',
      uses: raw.uses,
      effect: raw.effect,
      with: Object.fromEntries(
        Object.entries(raw.with ?? {}).map(([key, value]) => [camelCase(key), value]),
      ),
    };
    return step;
  }
  if (raw.do === undefined) return refuse('', 'it needs "uses" (an action) or "do" (a human step)');
  if (raw.with !== undefined) refuse('with', '"with" belongs to action steps');
  const step: HumanStep = {
    ...common,
    kind: 'human',
    human: raw.do,
    effect: raw.effect ?? 'none',
    ...(raw.value === undefined ? {} : { value: raw.value }),
    ...(raw.choices === undefined ? {} : { choices: raw.choices }),
    ...(raw.form === undefined ? {} : { form: raw.form }),
  };
  return step;
}

function mapValues<T, U>(
  from: Readonly<Record<string, T>>,
  change: (value: T) => U,
): Readonly<Record<string, U>> {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, change(value)]));
}
