/**
 * Golden command-line transcripts: one text file holds a script and the files it needs, in the txtar format
 * (`-- name --` begins a file). Each line of the script is one verb:
 *
 *   conclave ARGS…          runs, must exit 0           ! conclave ARGS…   runs, must fail
 *   exit N                  the last exit code          stdin NAME         feeds a file to the next run
 *   stdout PATTERN          matches (regular expression, multi-line)       ! stdout PATTERN   does not
 *   stderr PATTERN          likewise                    cmp A B            equal; A may be stdout or stderr
 *   json PATH VALUE         member of the JSON on standard output; VALUE `*` is anything
 *   exists PATH             ! exists PATH               mode 0600 PATH
 *   env NAME=VALUE          for what follows            replace PATH OLD NEW   changes a file
 *   flip PATH OFFSET        flips one bit of a byte (negative: from the end)
 *   nosecret PATH HOLDER…   the file's content occurs nowhere in what was printed, nor in another file (see canary.ts)
 *
 * Words may be quoted by single quotes; `$WORK` is the working folder, `$ROOT` the checkout; `*` expands to files of the working folder.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { findSecret } from './canary.js';
import { root } from './require.js';

/** A parsed archive. */
export interface Archive {
  readonly script: string;
  readonly files: ReadonlyMap<string, string>;
}

/** What one run of the program left. */
export interface Ran {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** How the program is started: in process, or as a process. */
export type Runner = (
  argv: readonly string[],
  at: {
    readonly cwd: string;
    readonly stdin: Uint8Array;
    readonly env: Readonly<Record<string, string>>;
  },
) => Promise<Ran>;

/** Reads a txtar archive. */
export function parseTxtar(text: string): Archive {
  const files = new Map<string, string>();
  const [script = '', ...parts] = text.split(/^-- (.+?) --\n/m);
  for (let i = 0; i < parts.length; i += 2) files.set(parts[i] as string, parts[i + 1] ?? '');
  return { script, files };
}

/**
 * Runs a script in `work`.
 * @returns the exit codes that occurred
 * @throws Error naming the line of the script and what was printed
 */
export async function runScript(
  archive: Archive,
  work: string,
  run: Runner,
): Promise<ReadonlySet<number>> {
  for (const [name, content] of archive.files) {
    mkdirSync(dirname(join(work, name)), { recursive: true });
    writeFileSync(join(work, name), content);
  }
  const codes = new Set<number>();
  const env: Record<string, string> = {};
  const printed: Buffer[] = [];
  let last: Ran = { code: 0, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  let stdin: Uint8Array = new Uint8Array(0);
  const at = (path: string): string => (isAbsolute(path) ? path : join(work, path));
  const content = (name: string): Buffer =>
    name === 'stdout' ? last.stdout : name === 'stderr' ? last.stderr : readFileSync(at(name));

  for (const [i, line] of archive.script.split('\n').entries()) {
    const [first, ...others] = split(line, work);
    if (first === undefined) continue;
    const negated = first === '!';
    const [verb, ...words] = negated ? others : [first, ...others];
    const fail = (why: string): never => {
      throw new Error(
        `line ${i + 1}: ${line}\n${why}\nexit ${last.code}\nstdout:\n${last.stdout.toString()}\nstderr:\n${last.stderr.toString()}`,
      );
    };
    const demand = (truth: boolean, why: string): void => {
      if (truth === negated) fail(negated ? `not expected: ${why}` : `expected: ${why}`);
    };
    const word = (place: number): string => words[place] ?? fail(`word ${place + 1} is missing`);

    switch (verb) {
      case 'conclave':
        last = await run(words, { cwd: work, stdin, env });
        stdin = new Uint8Array(0);
        printed.push(last.stdout, last.stderr);
        codes.add(last.code);
        demand(last.code === 0, 'exit 0');
        break;
      case 'exit':
        demand(last.code === Number(word(0)), `exit ${word(0)}`);
        break;
      case 'stdin':
        stdin = content(word(0));
        break;
      case 'stdout':
      case 'stderr':
        demand(new RegExp(words.join(' '), 'm').test(content(verb).toString()), `${verb} matches`);
        break;
      case 'json': {
        const found = member(JSON.parse(last.stdout.toString()), word(0));
        const wanted = words.slice(1).join(' ');
        const shown = typeof found === 'string' ? found : JSON.stringify(found);
        demand(
          wanted === '*' ? found !== undefined : shown === wanted,
          `${word(0)} is ${wanted}, found ${shown ?? 'nothing'}`,
        );
        break;
      }
      case 'exists':
        demand(existsSync(at(word(0))), `${word(0)} exists`);
        break;
      case 'mode': {
        const mode = (statSync(at(word(1))).mode & 0o777).toString(8).padStart(4, '0');
        demand(mode === word(0), `mode ${word(0)}, found ${mode}`);
        break;
      }
      case 'cmp':
        demand(content(word(0)).equals(content(word(1))), `${word(0)} equals ${word(1)}`);
        break;
      case 'env': {
        const [name = '', ...value] = word(0).split('=');
        env[name] = value.join('=');
        break;
      }
      case 'replace': {
        const before = content(word(0)).toString();
        if (!before.includes(word(1))) fail(`${word(0)} does not contain ${word(1)}`);
        writeFileSync(at(word(0)), before.replace(word(1), word(2)));
        break;
      }
      case 'flip': {
        const bytes = content(word(0));
        const offset = Number(word(1));
        const place = offset < 0 ? bytes.length + offset : offset;
        bytes[place] = (bytes[place] as number) ^ 1;
        writeFileSync(at(word(0)), bytes);
        break;
      }
      case 'nosecret': {
        const found = findSecret(content(word(0)), words, work, printed);
        demand(found === undefined, `no trace of ${word(0)}; found in ${found ?? ''}`);
        break;
      }
      default:
        fail(`no such verb: ${verb ?? ''}`);
    }
  }
  return codes;
}

/** Words of a line; a comment begins at `#`. */
function split(line: string, work: string): readonly string[] {
  const words: string[] = [];
  for (const [, quoted, bare] of line.matchAll(/'([^']*)'|(#.*$|[^\s']+)/g)) {
    if (bare?.startsWith('#') === true) break;
    const text = (quoted ?? bare ?? '').replaceAll('$WORK', work).replaceAll('$ROOT', root);
    words.push(...(bare?.includes('*') === true && bare !== '*' ? expand(text, work) : [text]));
  }
  return words;
}

function expand(pattern: string, work: string): readonly string[] {
  const cut = pattern.lastIndexOf('/') + 1;
  const folder = join(work, pattern.slice(0, cut));
  if (!existsSync(folder)) return [pattern];
  const names = new RegExp(
    `^${pattern.slice(cut).replace(/[.+]/g, '\\$&').replaceAll('*', '.*')}$`,
  );
  const found = readdirSync(folder).filter((name) => names.test(name));
  return found.length === 0 ? [pattern] : found.sort().map((name) => pattern.slice(0, cut) + name);
}

function member(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((at, name) => {
    if (typeof at !== 'object' || at === null) return undefined;
    return (at as Record<string, unknown>)[name];
  }, value);
}
