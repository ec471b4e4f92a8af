/**
 * Writes man/*.1 from the built descriptions. With --check it writes nothing and fails when a page is out of date.
 *
 *   node scripts/build.mjs && node scripts/man.mjs [--check]
 */
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pagesFromCode } from '../dist/cli/catalogue.js';
import { manualPages } from '../dist/cli/man.js';

const folder = fileURLToPath(new URL('../man/', import.meta.url));
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const check = process.argv.includes('--check');

const wanted = new Map(
  manualPages(await pagesFromCode(), version).map(({ file, text }) => [file, text]),
);
const stale = readdirSync(folder).filter((file) => file.endsWith('.1') && !wanted.has(file));
const changed = [...wanted].filter(([file, text]) => {
  const path = join(folder, file);
  return !existsSync(path) || readFileSync(path, 'utf8') !== text;
});

if (check) {
  for (const file of [...stale, ...changed.map(([name]) => name)]) {
    process.stderr.write(`man/${file} is out of date; run node scripts/man.mjs\n`);
  }
  process.exitCode = stale.length + changed.length === 0 ? 0 : 1;
} else {
  for (const file of stale) rmSync(join(folder, file));
  for (const [file, text] of changed) writeFileSync(join(folder, file), text);
}
