/** What the linter is told in these tests: the real actions, algorithms and probes of the program. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allDescriptors } from '#crypto/registry';
import type { ActionDescription } from '#formats/action';
import { probeNames } from '#host/air-gap';
import { type Finding, lint, type Surroundings } from '#script/lint';
import { type ParsedDefinition, parseDefinition } from '#script/parse';
import { root } from '../support/require.js';

/** Descriptions of all actions, from the files of their folder. */
export async function actionCatalogue(): Promise<readonly ActionDescription[]> {
  const folder = join(root, 'src/actions');
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && name !== 'action.ts');
  const modules = await Promise.all(
    files.map((name) => import(join(folder, name)) as Promise<Record<string, unknown>>),
  );
  return modules.flatMap((module) => Object.values(module).filter(isDescription));
}

/** Algorithms and probes. */
export async function surroundings(): Promise<Surroundings> {
  const descriptors = await allDescriptors();
  return {
    algorithms: descriptors.map(({ name, status }) => ({ name, status })),
    probes: probeNames,
  };
}

/** Text of a shipped file below `ceremonies/`. */
export function shipped(path: string): string {
  return readFileSync(join(root, 'ceremonies', path), 'utf8');
}

/** Names of the shipped ceremonies. */
export const shippedNames: readonly string[] = readdirSync(join(root, 'ceremonies'))
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.slice(0, -5));

/** Lints what was parsed. */
export async function parsedLinter(): Promise<(parsed: ParsedDefinition) => readonly Finding[]> {
  const [actions, around] = await Promise.all([actionCatalogue(), surroundings()]);
  return ({ definition, positions }) => lint(definition, positions, actions, around);
}

/** Parses and lints a text. */
export async function linter(): Promise<(text: string) => readonly Finding[]> {
  const lintParsed = await parsedLinter();
  return (text) => lintParsed(parseDefinition(Buffer.from(text), 'definition.yaml'));
}

function isDescription(value: unknown): value is ActionDescription {
  return typeof value === 'object' && value !== null && 'id' in value && 'inputs' in value;
}
