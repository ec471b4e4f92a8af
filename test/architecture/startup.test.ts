/** What the built program loads for a command: by structure, so that no clock and no neighbour can blur it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/require.js';

const work = mkdtempSync(join(tmpdir(), 'conclave-startup-'));
const list = join(work, 'loaded.txt');

beforeAll(() => {
  if (!existsSync(join(root, 'dist/cli/main.js'))) {
    throw new Error('the program is not built; run npm run build');
  }
  const hooks = join(work, 'hooks.mjs');
  // Hooks run in a thread of their own, so the list is written line by line.
  writeFileSync(
    hooks,
    `import { appendFileSync } from 'node:fs';
     export async function load(url, context, next) {
       appendFileSync(${JSON.stringify(list)}, url + '\\n');
       return next(url, context);
     }`,
  );
  writeFileSync(
    join(work, 'register.mjs'),
    `import { register } from 'node:module';
     register(${JSON.stringify(pathToFileURL(hooks).href)});`,
  );
});

afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

/** Runs a command and gives what was loaded: rooms' files as `#room/…`, packages by name. */
function loadedBy(...argv: string[]): readonly string[] {
  rmSync(list, { force: true });
  const ran = spawnSync(
    process.execPath,
    [
      '--import',
      pathToFileURL(join(work, 'register.mjs')).href,
      join(root, 'bin/conclave.js'),
      ...argv,
    ],
    { cwd: work, env: { ...process.env, CONCLAVE_HOME: join(work, 'home') }, encoding: 'utf8' },
  );
  expect(ran.stderr).toBe('');
  expect(ran.status).toBe(0);
  return readFileSync(list, 'utf8')
    .split('\n')
    .filter((url) => url.startsWith('file:'))
    .map(nameOf);
}

function nameOf(url: string): string {
  const inside = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  return inside ?? url.slice(pathToFileURL(root).href.length);
}

const HEAVY =
  /^(?:@noble\/|zod$|yaml$|@inquirer\/|ora$|qrcode-terminal$|keytar$|@napi-rs\/|pkcs11js$)/;

/** Files of the gathered program that every command loads. */
const COMMON = /^dist\/program\/(?:main|common|rolldown-runtime)\.js$/;

describe('start-up', () => {
  it.each([[['--version']], [['--help']], [['help', 'verify']], [['completion', 'bash']]])(
    '%j loads nothing heavy, and no action',
    (argv) => {
      const loaded = loadedBy(...argv);
      expect(loaded.filter((name) => HEAVY.test(name))).toEqual([]);
      // The launcher, the common file of the gathered program and the descriptions: no command's own file.
      const files = loaded.filter((name) => name.startsWith('dist/'));
      expect(files.filter((name) => !COMMON.test(name))).toEqual([]);
    },
  );

  it('--version loads the launcher alone', () => {
    expect(loadedBy('--version')).toEqual(['bin/conclave.js']);
  });

  it('key generate loads neither zod nor yaml nor anything of a terminal', () => {
    const loaded = loadedBy('key', 'generate', '--algorithm', 'ed25519', '--no-passphrase');
    const packages = new Set(loaded.filter((name) => !name.startsWith('dist/')));
    expect([...packages].sort()).toEqual([
      '@noble/curves',
      '@noble/hashes',
      'bin/conclave.js',
      'commander',
    ]);
    const files = loaded.filter((name) => name.startsWith('dist/') && !COMMON.test(name));
    expect(files.sort()).toEqual([
      'dist/program/action.js',
      'dist/program/attestor.js',
      'dist/program/key-generate.js',
    ]);
  });

  it('one command loads one action', () => {
    const loaded = loadedBy('key', 'list');
    const files = loaded.filter((name) => name.startsWith('dist/') && !COMMON.test(name));
    expect(files.sort()).toEqual(['dist/program/action.js', 'dist/program/key-list.js']);
  });
});
