/**
 * npm run quickstart: a whole ceremony with real keys in a temporary home, through the program as installed; says what
 * happened and where the artifacts are, and ends by verifying them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../bin/conclave.js', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'conclave-quickstart-'));
const home = join(work, 'home');
const out = join(work, 'ceremony');
const say = (text = '') => process.stdout.write(`${text}\n`);

say('A ceremony: two of three custodians will be able to bring the key back together.');
say('Its keys are real and marked as development keys; nobody is asked anything.');
say();

conclave(['run', 'quickstart', '--out-dir', out], 'the ceremony did not come to its end');

say();
say(`What it left in ${out}:`);
for (const [name, what] of explained()) say(`  ${name.padEnd(28)}  ${what}`);

const signers = ['administrator', 'witness'].map((name) => join(out, 'identities', `${name}.key`));
say();
say('And now as somebody who was not there, but knows who may have signed:');
say(`  conclave verify ${out} --signer ${signers.join(' ')}`);
say();
conclave(['verify', out, '--signer', ...signers], 'the transcript does not verify');

say();
say(`Everything is in ${work}; the minutes are for people: ${join(out, 'minutes.md')}`);
say('Read on: README.md, docs/ceremonies.md');

/** Runs the program with its output shown; a failure is the end. */
function conclave(words, failure) {
  const { status } = spawnSync(
    process.execPath,
    [program, ...words, '--home', home, '--no-input'],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  if (status === 0) return;
  process.stderr.write(
    `\nquickstart: ${failure} (exit ${status}); everything is still in ${work}\n`,
  );
  process.exit(status ?? 70);
}

/** Files of the ceremony, with the kind that conclave recognises. */
function explained() {
  const files = readdirSync(out, { recursive: true })
    .filter((name) => statSync(join(out, name)).isFile())
    .sort();
  return files.map((name) => [name, kindOf(join(out, name))]);
}

function kindOf(path) {
  if (!existsSync(path)) return '';
  const { stdout, status } = spawnSync(process.execPath, [program, 'show', path, '--json'], {
    encoding: 'utf8',
  });
  if (status === 0) return JSON.parse(stdout).artifacts[0].kind;
  return `${readFileSync(path).length} bytes`;
}
