/** Opens a session: everything that is decided before the first step, and the first entry that says it. */
import { digest } from '#actions/session/public-side';
import type { Environment } from '#custody/authority/record';
import { toHex } from '#formats/bytes';
import { UsageError } from '#formats/errors';
import type { Definition, ParameterDefinition } from '#script/definition';
import { executionDigest } from '#script/plan';
import type { EntryData, Participant } from '#script/entries';
import type { Site } from '#script/parse';
import { digestText } from './close.js';
import type { CommandContext } from './command.js';
import { reportOf } from './gate.js';

/** Values of parameters by name. */
export type Parameters = EntryData['session.opened']['parameters'];

/** The mark of a session: what a rehearsal makes is a rehearsal's, whatever the class of the ceremony. */
export function environmentOf(definition: Definition, rehearse: boolean): Environment {
  if (rehearse) return 'rehearsal';
  return definition.classification === 'dev' ? 'dev' : 'production';
}

/** `2026-11-23T093000Z`: the start of a session, as folders are named. */
export function stampOf(now: Date): string {
  return `${now.toISOString().slice(0, 19).replaceAll(':', '')}Z`;
}

/**
 * The values of all parameters.
 * @param given - `name=value` as typed
 * @throws UsageError `E_PARAMETER_UNKNOWN`, `E_PARAMETER_VALUE`, `E_PARAMETER_MISSING`
 */
export function parametersOf(definition: Definition, given: readonly string[]): Parameters {
  const values: Record<string, string | number | boolean> = {};
  for (const pair of given) {
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    const parameter = Object.hasOwn(definition.parameters, name)
      ? definition.parameters[name]
      : undefined;
    if (parameter === undefined || at < 0) {
      const known = Object.keys(definition.parameters).join(', ');
      throw new UsageError({
        code: 'E_PARAMETER_UNKNOWN',
        message: `--param ${pair}: the ceremony ${definition.id} has no such parameter`,
        hint: known === '' ? 'it has none' : `give name=value; it has ${known}`,
      });
    }
    if (Object.hasOwn(values, name)) throw unfit(pair, 'it is given twice');
    values[name] = valueOf(pair, pair.slice(at + 1), parameter);
  }
  for (const [name, parameter] of Object.entries(definition.parameters)) {
    if (Object.hasOwn(values, name)) continue;
    if (parameter.default === undefined) {
      throw new UsageError({
        code: 'E_PARAMETER_MISSING',
        message: `the ceremony ${definition.id} needs ${name}: ${parameter.summary}`,
        hint: `give it by --param ${name}=VALUE`,
      });
    }
    values[name] = parameter.default;
  }
  return values;
}

function valueOf(
  pair: string,
  text: string,
  { type, choices }: ParameterDefinition,
): string | number | boolean {
  if (choices !== undefined && !choices.includes(text))
    throw unfit(pair, `expected: one of ${choices.join(', ')}`);
  switch (type) {
    case 'integer':
      if (!/^(?:0|-?[1-9][0-9]{0,14})$/.test(text)) throw unfit(pair, 'expected: a whole number');
      return Number(text);
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw unfit(pair, 'expected: true or false');
      return text === 'true';
    case 'string':
    case 'algorithm':
    case 'path':
      if (text === '') throw unfit(pair, 'its value is empty');
      return text;
  }
}

function unfit(pair: string, problem: string): UsageError {
  return new UsageError({
    code: 'E_PARAMETER_VALUE',
    message: `--param ${pair} does not fit: ${problem}`,
    hint: 'ceremony show tells what the parameters are',
  });
}

/** What the first entry says. */
export interface Opening {
  readonly definition: Definition;
  readonly definitionBytes: Uint8Array;
  readonly rehearse: boolean;
  readonly parameters: Parameters;
  readonly participants: readonly Participant[];
  readonly site: Site;
  /** Head of the last real session of this ceremony directory. */
  readonly last: EntryData['session.opened']['previous'];
  readonly siteBytes: Uint8Array | undefined;
}

/** The first entry of a session. */
export function openingEntry(
  context: CommandContext,
  opening: Opening,
): EntryData['session.opened'] {
  const { definition, definitionBytes, rehearse, parameters, participants, site } = opening;
  const definitionDigest = digestText(definitionBytes);
  return {
    session: `${definition.id}-${stampOf(context.now())}-${toHex(context.random(4))}`,
    ceremony: definition.id,
    title: definition.title,
    classification: definition.classification,
    mode: rehearse ? 'rehearsal' : 'run',
    environment: environmentOf(definition, rehearse),
    definitionDigest,
    executionDigest: executionDigest({ definitionDigest, parameters, participants }, digest),
    siteDigest: opening.siteBytes === undefined ? null : digestText(opening.siteBytes),
    parameters,
    participants: [...participants],
    // Whoever says nothing continues what was held here last; a rehearsal continues nothing.
    previous: site.previous ?? (rehearse ? null : opening.last),
    tool: { version: context.version, digest: context.toolDigest() },
    airGap: reportOf(context),
  };
}
