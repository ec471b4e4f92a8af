/**
 * Rehearses every shipped ceremony with its answers file through the built program, and verifies what each one leaves. Other
 * answers to the same ceremony lie in the folder of its name, as NAME/WAY.yaml; each of them is a rehearsal more.
 * Those in `asShipped` run as people start them, the others with passphrase seals of the lowest cost.
 *
 *   npm run rehearse [-- --json FILE] [-- NAME...]
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' } },
});

const shipped = readdirSync(join(root, 'ceremonies'))
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length))
  .sort();
/** Every rehearsal: a ceremony, or a ceremony and the name of other answers to it. */
const rehearsals = shipped.flatMap((name) => {
  const folder = join(root, 'ceremonies/answers', name);
  const ways = existsSync(folder)
    ? readdirSync(folder).filter((file) => file.endsWith('.yaml'))
    : [];
  return [name, ...ways.sort().map((file) => `${name}/${file.slice(0, -'.yaml'.length)}`)];
});
const unknown = wanted.filter((name) => !rehearsals.includes(name));
if (unknown.length > 0) {
  console.error(`no such ceremony: ${unknown.join(', ')}; there are: ${rehearsals.join(', ')}`);
  process.exit(2);
}

/** What is run through the launcher, seals and all. */
const asShipped = new Set(['quickstart', 'root-key']);

/** Puts on the medium what somebody elsewhere hands out. */
function handOut(name, file, folder) {
  mkdirSync(join(folder, 'medium'));
  copyFileSync(join(root, 'ceremonies/answers', name, file), join(folder, 'medium', file));
  return [];
}

/**
 * Ceremonies that need more than this program: what a far side hands out and how it answers, or devices. `missing` says what
 * cannot be had here.
 */
const farSides = {
  'byok-wrap': {
    before: (folder) => handOut('byok-wrap', 'recipient.pub', folder),
  },
  'hsm-import': {
    missing: tokensMissing,
    before: (folder) => {
      const tokens = ['first', 'second'].map((name) => {
        const made = conclave('hsm-import', folder, 'hsm', 'sandbox', '--token', name, '--json');
        if (made.status !== 0) throw new Error(`hsm sandbox failed: ${made.stderr}`);
        const { pinFile } = JSON.parse(made.stdout);
        return `  ${name}: { module: sandbox, token: ${name}, pin-file: ${JSON.stringify(pinFile)}, rehearsal: true }`;
      });
      writeFileSync(join(folder, 'site.yaml'), `site: 1\ntokens:\n${tokens.join('\n')}\n`);
      return ['--site', join(folder, 'site.yaml')];
    },
  },
  'cloud-import': {
    before: (folder) => handOut('cloud-import', 'wrapping-key.json', folder),
    answer: (folder, artifacts) =>
      farSide(
        ...['import', 'aws', '--key', join(root, 'ceremonies/answers/cloud-import/far-side.pem')],
        ...['--container', join(artifacts, 'cloud.wrapped')],
        ...['--token', join(artifacts, 'cloud.wrapped.token')],
        ...['--challenge', join(artifacts, 'challenge.json'), '--out', join(folder, 'medium')],
      ),
  },
};

const results = (wanted.length > 0 ? wanted : rehearsals).map(rehearse);
if (options.json !== undefined) {
  writeFileSync(options.json, `${JSON.stringify({ rehearsals: results }, null, 2)}\n`);
}
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;

function rehearse(name) {
  const folder = mkdtempSync(join(tmpdir(), `conclave-rehearse-${name.replace('/', '-')}-`));
  const started = Date.now();
  try {
    const missing = farSides[name]?.missing?.(folder);
    if (missing !== undefined && process.env['CONCLAVE_REQUIRE'] !== 'all') {
      console.log(`skipped ${name}: ${missing}`);
      return { name, ok: true, skipped: missing };
    }
    const problem = missing ?? problemOf(name, folder);
    const ok = problem === undefined;
    console.log(
      `${ok ? 'passed' : 'FAILED'}  ${name}  ${((Date.now() - started) / 1000).toFixed(1)} s`,
    );
    if (!ok) console.log(problem.replace(/^/gm, '    '));
    return { name, ok };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What keeps software tokens from working here, or `undefined`. */
function tokensMissing(folder) {
  const tried = conclave('hsm-import', folder, 'hsm', 'list', '--module', 'softhsm2', '--json');
  return tried.status === 69 ? JSON.parse(tried.stdout).error.message : undefined;
}

/** A provider, played by a program of its own. */
function farSide(...args) {
  const program = join(root, 'test/far-side/provider.mjs');
  const played = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  if (played.status !== 0) throw new Error(`the far side failed: ${played.stderr}`);
}

/** What went wrong, or `undefined`. */
function problemOf(name, folder) {
  const answers = join(root, 'ceremonies/answers', `${name}.yaml`);
  if (!existsSync(answers)) return `there is no answers file ceremonies/answers/${name}.yaml`;
  const session = join(folder, 'session');
  const [ceremony] = name.split('/');
  const far = farSides[name];
  const parameters = far?.before(folder) ?? [];
  const start = (...more) =>
    conclave(
      name,
      folder,
      'run',
      ceremony,
      '--rehearse',
      '--answers',
      answers,
      '--out-dir',
      session,
      ...more,
    );
  let run = start(...parameters);
  // A far side answers a challenge that the ceremony made; the ceremony waits for that, and goes on.
  if (far?.answer !== undefined) {
    if (run.status !== 75) return `the run ended with ${run.status}\n${run.stdout}${run.stderr}`;
    far.answer(folder, join(session, 'artifacts'));
    run = start('--resume');
  }
  if (run.status !== 0) return `the run ended with ${run.status}\n${run.stdout}${run.stderr}`;
  if (!existsSync(join(session, 'transcript.json'))) return 'the run left no transcript.json';

  const verify = conclave(name, folder, 'verify', session, '--allow-unpinned', '--json');
  if (verify.status !== 0)
    return `verify ended with ${verify.status}\n${verify.stdout}${verify.stderr}`;
  return JSON.parse(verify.stdout).ok === true
    ? undefined
    : `verify does not say ok\n${verify.stdout}`;
}

/** The program, started for the rehearsal `name`. */
function conclave(name, folder, ...args) {
  const program = asShipped.has(name) ? 'bin/conclave.js' : 'scripts/rehearsed-program.mjs';
  return spawnSync(process.execPath, [join(root, program), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, CONCLAVE_HOME: join(folder, 'home'), HOME: folder, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 300_000,
  });
}
