/**
 * Optional components of the test machine. Where one is missing, its tests are skipped and say so; under
 * `CONCLAVE_REQUIRE=all` a missing component is a failure.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

/** Root of the checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

const told = new Set<string>();

/**
 * Whether tests that need `component` can run here.
 * @throws Error when it is absent and everything is required
 */
export function needs(component: string, present: boolean, why: string): boolean {
  if (present) return true;
  if (process.env['CONCLAVE_REQUIRE'] === 'all') {
    throw new Error(`${component} is required (CONCLAVE_REQUIRE=all) and absent: ${why}`);
  }
  if (!told.has(component)) {
    told.add(component);
    process.stderr.write(`skipped: ${component} is absent: ${why}\n`);
  }
  return false;
}

/** Whether a program can be started. */
export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

/** Folder of the independent test vectors, when there is one. */
export function vectorsDir(): string | undefined {
  const folder = process.env['CONCLAVE_VECTORS'] ?? join(root, '../shared/vectors');
  return existsSync(folder) ? folder : undefined;
}

/** Whether every place is tried where one can be, as in CI, or a sample of them. */
export const thorough =
  process.env['CONCLAVE_REQUIRE'] === 'all' || process.env['CONCLAVE_FAULTS'] === 'all';

/** How many mutations of a valid input a parser is fed: ten thousand as in CI, or a tenth of them. */
export const mutationCount = thorough ? 10_000 : 1_000;

/** Evenly spread ones of many, first and last included. */
export function spread<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length <= count) return items;
  const step = (items.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, i) => items[Math.round(i * step)] as T);
}
