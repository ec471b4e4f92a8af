/**
 * Builds conclave: writes the command index from the file names, compiles, gathers the program into few files for the
 * launcher, then writes `dist/commands.json` from the compiled descriptions. Does nothing when no source changed.
 *
 *   node scripts/build.mjs                 the whole build
 *   node scripts/build.mjs --index-only    only src/cli/commands.generated.ts, for the type checker and the linter
 *   node scripts/build.mjs --force         even when nothing changed
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const indexFile = join(root, 'src/cli/commands.generated.ts');
const dist = join(root, 'dist');
const stampFile = join(dist, '.build-stamp');

/** Words that group verbs; every other file name is a plain verb. `docs/design.md` lists them. */
const GROUPS = new Set(
  'ceremony key share threshold trace handover hsm keychain qr identity policy audit log airgap'.split(
    ' ',
  ),
);

const flags = new Set(process.argv.slice(2));
writeIndex();
if (!flags.has('--index-only')) await build();

async function build() {
  const sources = sourceFiles();
  const stamp = stampOf(sources);
  if (!flags.has('--force') && upToDate(stamp, sources)) return;

  removeStale(sources);
  rmSync(stampFile, { force: true });
  if (flags.has('--force') || missingOutput(sources))
    rmSync(join(dist, '.tsbuildinfo'), { force: true });
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  if (!existsSync(tsc)) {
    process.stderr.write('build: the compiler is not installed; run npm ci first\n');
    process.exit(69);
  }
  const compiled = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (compiled.status !== 0) process.exit(compiled.status ?? 1);

  await gather();

  const catalogue = await import(pathToFileURL(join(dist, 'cli/catalogue.js')).href);
  const pages = await catalogue.pagesFromCode();
  write(
    join(dist, 'commands.json'),
    JSON.stringify({ version: 1, commands: pages }, null, 1) + '\n',
  );
  write(stampFile, stamp + '\n');
}

/**
 * The same program in few files, for the launcher: Node takes about half a millisecond to find and load a module, and a small
 * command needs some seventy. Readable and unminified; packages stay outside. What every command needs is one file, each
 * command, algorithm-free as it is, another.
 */
async function gather() {
  const { rolldown } = await import('rolldown');
  const folder = join(dist, 'program');
  const beside = `${folder}.${process.pid}.tmp`;
  const bundle = await rolldown({
    input: { main: join(dist, 'cli/main.js') },
    platform: 'node',
    external: (id) => !/^[./#]/.test(id),
    treeshake: false,
    // Most dynamic imports matter for packages only; that rooms come along with the common file is meant.
    checks: { ineffectiveDynamicImport: false },
  });
  await bundle.write({
    dir: beside,
    format: 'esm',
    sourcemap: true,
    chunkFileNames: '[name].js',
    codeSplitting: {
      groups: [
        {
          name: 'common',
          // Codes and age are few commands' business, and their packages would be loaded by all.
          test: /[/\\]dist[/\\](?!carriage[/\\](?:transport|wrapping[/\\]age)|terminal[/\\](?:code|single|scan)|actions[/\\]context[/\\](?:scan|typed))(?:(?:cli|formats|crypto|custody|host|carriage|terminal|actions[/\\]context)[/\\]|actions[/\\]audit[/\\]csv\.)/,
        },
      ],
    },
  });
  await bundle.close();
  rmSync(folder, { recursive: true, force: true });
  renameSync(beside, folder);
}

/** The index: one literal import per file, so that bundlers and readers can follow it. */
function writeIndex() {
  const rows = [
    ...namesIn('src/actions', ['action.ts']).map((name) => row(name, 'action', `#actions/${name}`)),
    ...namesIn('src/ceremony/commands').map((name) =>
      row(name, 'command', `#ceremony/commands/${name}`),
    ),
  ].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  for (const [i, { id }] of rows.entries()) {
    if (rows[i + 1]?.id === id) {
      process.stderr.write(`build: two files claim the command ${id}\n`);
      process.exit(1);
    }
  }
  const text =
    '/** Written by scripts/build.mjs from the file names of actions and ceremony commands; not kept in git. */\n' +
    "import type { IndexRow } from './catalogue.js';\n\n" +
    'export const index: readonly IndexRow[] = [\n' +
    rows.map((entry) => `  ${entry.text},\n`).join('') +
    '];\n';
  if (!existsSync(indexFile) || readFileSync(indexFile, 'utf8') !== text) write(indexFile, text);
}

function row(name, kind, specifier) {
  const dash = name.indexOf('-');
  const group = dash === -1 ? '' : name.slice(0, dash);
  const words = GROUPS.has(group) ? [group, name.slice(dash + 1)] : [name];
  const id = words.join('.');
  const list = words.map((word) => `'${word}'`).join(', ');
  return {
    id,
    text: `{ id: '${id}', words: [${list}], kind: '${kind}', load: () => import('${specifier}') }`,
  };
}

function namesIn(folder, except = []) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !except.includes(entry.name))
    .map((entry) => entry.name.slice(0, -'.ts'.length))
    .sort();
}

function sourceFiles() {
  return readdirSync(join(root, 'src'), { recursive: true })
    .filter((path) => path.endsWith('.ts'))
    .sort();
}

/** Digest of everything that the build reads. */
function stampOf(sources) {
  const hash = createHash('sha256').update(process.version);
  const inputs = [
    ...sources.map((path) => join('src', path)),
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'scripts/build.mjs',
  ];
  for (const path of inputs) {
    const bytes = readFileSync(join(root, path));
    hash.update(`\0${path}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

function upToDate(stamp, sources) {
  return (
    existsSync(stampFile) &&
    readFileSync(stampFile, 'utf8').trim() === stamp &&
    existsSync(join(dist, 'commands.json')) &&
    existsSync(join(dist, 'program/main.js')) &&
    !missingOutput(sources)
  );
}

function missingOutput(sources) {
  return sources.some((path) => !existsSync(join(dist, path.replace(/\.ts$/, '.js'))));
}

/** What was compiled from a source that is gone must not be found by anybody. */
function removeStale(sources) {
  if (!existsSync(dist)) return;
  const wanted = new Set(sources.map((path) => path.replace(/\.ts$/, '')));
  for (const path of readdirSync(dist, { recursive: true })) {
    const stem = /^(.*?)\.(?:js|js\.map|d\.ts)$/.exec(path)?.[1];
    if (stem !== undefined && !/^program[/\\]/.test(stem) && !wanted.has(stem))
      rmSync(join(dist, path), { force: true });
  }
}

/** Whole files only: another build may run beside this one. */
function write(path, text) {
  mkdirSync(join(path, '..'), { recursive: true });
  const beside = `${path}.${process.pid}.tmp`;
  writeFileSync(beside, text);
  renameSync(beside, path);
}
