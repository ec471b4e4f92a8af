/** The sources of the house, read once for all architecture tests. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../support/require.js';

/** Files below a folder of the checkout, as paths from its root with forward slashes. */
export function filesBelow(folder: string, skip: readonly string[] = []): readonly string[] {
  const start = join(root, folder);
  if (statSync(start, { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(start, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (skip.includes(entry.name)) return [];
      if (entry.isDirectory()) return filesBelow(path, skip);
      return entry.isFile() ? [relative(root, join(root, path)).replaceAll('\\', '/')] : [];
    })
    .sort();
}

/** Text of a file of the checkout. */
export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Every TypeScript and JavaScript source of `src/` and `bin/`, by path; what the build generates is left out. */
export function houseSources(): ReadonlyMap<string, string> {
  const files = [...filesBelow('src'), ...filesBelow('bin')].filter(
    (path) => /\.(?:[cm]?[jt]s)$/.test(path) && !path.endsWith('.generated.ts'),
  );
  return new Map(files.map((path) => [path, textOf(path)]));
}

/** The package's `imports`, each pattern with the source it stands for. */
export function importMap(): ReadonlyMap<string, string> {
  const { imports } = JSON.parse(textOf('package.json')) as {
    imports: Record<string, Record<string, string>>;
  };
  return new Map(
    Object.entries(imports).map(([pattern, targets]) => [pattern, targets['conclave-src'] ?? '']),
  );
}
