/**
 * Runs the benchmarks: ratios against a peer on the same machine in the same run, with the targets they are held to.
 *
 *   npm run bench            all of them
 *   npm run bench startup    one
 *
 * Ends with 1 when a ratio misses its target.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const known = readdirSync(here)
  .filter((file) => file.endsWith('.mjs') && file !== 'run.mjs')
  .map((file) => file.slice(0, -'.mjs'.length))
  .sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`no such benchmark: ${unknown.join(', ')}; there are: ${known.join(', ')}`);
  process.exit(2);
}

let missed = 0;
for (const name of wanted.length > 0 ? wanted : known) {
  const { title, peer, measure } = await import(`./${name}.mjs`);
  const rows = await measure();
  const width = Math.max(...rows.map((row) => row.name.length));
  console.log(`\n${title}\n`);
  console.log(`${'case'.padEnd(width)}       ms    ratio   target   to ${peer}`);
  for (const { name: label, ms, ratio, target } of rows) {
    const held = target === undefined || ratio <= target;
    if (!held) missed++;
    const columns = [
      label.padEnd(width),
      ms.toFixed(1).padStart(8),
      ratio.toFixed(2).padStart(8),
      (target === undefined ? '' : `≤ ${target.toFixed(target < 2 ? 2 : 1)}`).padStart(8),
      held ? '' : '  missed',
    ];
    console.log(columns.join(' ').trimEnd());
  }
}
process.exitCode = missed === 0 ? 0 : 1;
