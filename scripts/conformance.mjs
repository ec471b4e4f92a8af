/**
 * Runs the built program's cryptography over independent test vectors and prints what was run, passed, failed and left out.
 *
 * Vectors: CONCLAVE_VECTORS, default `../shared/vectors`; a folder in it is an area. Modules: `conformance/<area>.mjs`, each
 * exporting `area` and `files`, an array of
 *   { pattern: RegExp, companion?: true, run?: async (path, tools) => tally.result() }
 * where the pattern is tried on the path inside the area. A file without `run` is known but not yet covered; a `companion` is
 * read together with another file and has no row of its own. Results have the members run, passed, failed, notApplicable,
 * reason and failures. Not applicable are cases that cannot be put to the program. What can be put to it and is not offered (a
 * curve, a nonce of another length) must be refused: that is run, and the reason counts it.
 *
 * Usage: node scripts/conformance.mjs [--json FILE] [--area NAME]...
 */
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeTools } from './conformance/tools/tools.mjs';

const NOT_YET = 'not yet covered';
/** What explains vectors but holds none, unless an area's module says otherwise. */
const DOCUMENTATION = /(?:^|\/)(?:SOURCES\.md|LICENSE|README(?:\.md)?)$/;

const root = fileURLToPath(new URL('..', import.meta.url));

async function main() {
  const { values } = parseArgs({
    options: { json: { type: 'string' }, area: { type: 'string', multiple: true } },
  });
  const vectors = resolve(process.env.CONCLAVE_VECTORS ?? join(root, '../shared/vectors'));
  const rows = existsSync(vectors) ? await runAreas(vectors, values.area) : [];
  if (values.json !== undefined) {
    const shown = (name, value) => (name === 'failures' ? undefined : value);
    writeFileSync(values.json, `${JSON.stringify({ areas: rows }, shown, 2)}\n`);
  }
  if (!existsSync(vectors)) {
    console.log(`no test vectors at ${vectors}: nothing was run (set CONCLAVE_VECTORS)`);
    return process.env.CONCLAVE_REQUIRE === 'all' ? 1 : 0;
  }
  print(rows);
  return rows.some((row) => row.failed > 0) ? 1 : 0;
}

async function runAreas(vectors, wanted) {
  const modules = await loadModules();
  const tools = makeTools(root);
  const rows = [];
  for (const area of readdirSync(vectors).sort()) {
    const folder = join(vectors, area);
    if (!statSync(folder).isDirectory()) continue;
    if (wanted !== undefined && !wanted.includes(area)) continue;
    const files = filesUnder(folder).map((path) => relative(folder, path));
    for (const file of files) {
      const row = await runFile(modules.get(area), join(folder, file), file, tools);
      if (row !== undefined) rows.push({ area, file, ...row });
    }
  }
  return rows;
}

async function loadModules() {
  const folder = fileURLToPath(new URL('conformance/', import.meta.url));
  const modules = new Map();
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.mjs'))) {
    const module = await import(new URL(`conformance/${name}`, import.meta.url).href);
    modules.set(module.area, module.files);
  }
  return modules;
}

function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

async function runFile(files, path, name, tools) {
  const entry = files?.find(({ pattern }) => pattern.test(name));
  if (entry?.companion) return undefined;
  if (entry?.run !== undefined) {
    try {
      return await entry.run(path, tools);
    } catch (error) {
      // A file that cannot be read as what its name says is a failure of its own.
      return { ...nothing(''), run: 1, failed: 1, failures: [`could not be run: ${error.stack}`] };
    }
  }
  if (entry === undefined && DOCUMENTATION.test(name)) return undefined;
  if (entry !== undefined || files === undefined) return nothing(NOT_YET);
  return { ...nothing('unknown file'), failed: 1, failures: ['no pattern of its area names it'] };
}

function nothing(reason) {
  return { run: 0, passed: 0, failed: 0, notApplicable: 0, reason, failures: [] };
}

function print(rows) {
  const cells = rows.map((row) => [
    row.area,
    row.file,
    `${row.run}`,
    `${row.passed}`,
    `${row.failed}`,
    `${row.notApplicable}`,
    row.reason,
  ]);
  const head = ['area', 'file', 'run', 'passed', 'failed', 'n/a', 'reason'];
  const widths = head.map((title, i) =>
    Math.max(title.length, ...cells.map((row) => row[i].length)),
  );
  const line = (row) =>
    row
      .map((cell, i) => (i >= 2 && i <= 5 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd();
  for (const row of [head, ...cells]) console.log(line(row));
  const sum = (member) => rows.reduce((total, row) => total + row[member], 0);
  const covered = sum('run') + sum('notApplicable');
  const percent = ((100 * sum('notApplicable')) / Math.max(covered, 1)).toFixed(1);
  console.log(
    `\n${sum('run')} run, ${sum('passed')} passed, ${sum('failed')} failed, ` +
      `${sum('notApplicable')} not applicable (${percent} %), ` +
      `${rows.filter((row) => row.reason === NOT_YET).length} files not yet covered`,
  );
  for (const { area, file, failures } of rows) {
    for (const failure of failures.slice(0, 20)) console.log(`FAILED ${area}/${file}: ${failure}`);
    if (failures.length > 20)
      console.log(`FAILED ${area}/${file}: and ${failures.length - 20} more`);
  }
}

process.exitCode = await main();
