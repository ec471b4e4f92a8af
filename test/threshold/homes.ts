/**
 * People at one machine who cannot read each other's files: each is a user of its own with a home of its own, and works with
 * conclave as it is built, in processes of its own. What one of them writes for the others is carried by the test, as a courier
 * would who can read all envelopes.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll } from 'vitest';
import { main } from '#cli/main';
import { nodeFs } from '#host/fs-port';
import { createHost } from '#host/node-host';
import type { Change, Ended } from '../faults/session.js';
import { needs, root } from '../support/require.js';

/** Numbers that no machine gives to its people. */
const FIRST_USER = 610_000;

/** The program as other users reach it: which node, and where bin and test are. */
interface Program {
  readonly node: string;
  readonly root: string;
}

function runs({ node, root: folder }: Program): boolean {
  const user = { uid: FIRST_USER, gid: FIRST_USER, cwd: '/' };
  return spawnSync(node, [join(folder, 'bin/conclave.js'), '--version'], user).status === 0;
}

/** Here; or, where a folder above is private, a copy that everybody can read. */
function reachable(): Program | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const here = { node: process.execPath, root };
  if (runs(here)) return here;
  const copy = mkdtempSync(join(tmpdir(), 'conclave-program-'));
  chmodSync(copy, 0o755);
  const parts = ['bin', 'dist', 'node_modules', 'package.json', 'test/faults'];
  spawnSync('cp', ['-a', '--parents', ...parts, copy], { cwd: root });
  const there = { node: join(copy, 'node'), root: copy };
  copyFileSync(process.execPath, there.node);
  chmodSync(there.node, 0o755);
  return runs(there) ? there : undefined;
}

const program = reachable();
afterAll(() => {
  if (program && program.root !== root) rmSync(program.root, { recursive: true, force: true });
});

/** The program that the people of this test run. */
export function conclave(): string {
  return join(program?.root ?? root, 'bin/conclave.js');
}

/** Whether this machine lets the test become other users, who can read the program. */
export function separable(): boolean {
  return needs(
    'root',
    program !== undefined,
    'people with homes that are closed to each other are users of the system',
  );
}

/** One person. Paths in `at` are those of the own folder, which nobody else can enter. */
export class Housed {
  readonly number: number;
  readonly folder: string;

  constructor(number: number, folder: string) {
    this.number = number;
    this.folder = folder;
  }

  at(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  /** Who this person is to conclave, and where its things are. */
  own(): readonly string[] {
    return [
      ...['--home', this.at('home'), '--no-input'],
      ...['--identity', this.at('identity.key')],
      ...['--identity-passphrase-file', this.at('passphrase')],
    ];
  }

  /** Runs conclave as this user through the killer, which ends the process where `plan` says. */
  async run(args: readonly string[], plan = 'count'): Promise<Ended> {
    const killer = join(program?.root ?? root, 'test/faults/killer.mjs');
    return await this.start(killer, [plan, this.at('side'), '--', ...args]);
  }

  /** Runs a script of this project as this user. */
  async start(script: string, args: readonly string[]): Promise<Ended> {
    const child = spawn(program?.node ?? process.execPath, [script, ...args], {
      uid: FIRST_USER + this.number,
      gid: FIRST_USER + this.number,
      cwd: this.folder,
      env: { PATH: process.env['PATH'], HOME: this.folder, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    }
    return await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        resolve({ code, signal, output: Buffer.concat(chunks).toString('utf8') });
      });
    });
  }

  /** Runs conclave on this person's files in the process of the test: a second less, where nothing is killed. */
  async goOn(args: readonly string[]): Promise<Ended> {
    const chunks: string[] = [];
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        chunks.push(chunk.toString());
        done();
      },
    }) as never;
    const host = createHost({ fs: { ...nodeFs, fsync: () => undefined } });
    const io = { host, stdout: sink, stderr: sink, env: { NO_COLOR: '1' }, scryptLogN: 10 };
    const code = await main([...args], io);
    return { code, signal: null, output: chunks.join('') };
  }

  /** What the last process that was only counted changed on the disk. */
  changes(): readonly Change[] {
    return JSON.parse(readFileSync(this.at('side', 'changes.json'), 'utf8')) as Change[];
  }

  /** What is there for the others, by name. */
  said(): ReadonlyMap<string, Buffer> {
    const out = this.at('out');
    const names = existsSync(out) ? readdirSync(out).filter((name) => !name.startsWith('.')) : [];
    return new Map(names.map((name) => [name, readFileSync(join(out, name))]));
  }

  /** A file of another's, put where this person finds it. */
  receive(folder: string, name: string, bytes: Uint8Array): string {
    const path = join(this.makeFolder(folder), name);
    writeFileSync(path, bytes);
    chownSync(path, this.#user, this.#user);
    return path;
  }

  /** A folder of this person's, which may be there. */
  makeFolder(name: string): string {
    const folder = this.at(name);
    mkdirSync(folder, { recursive: true });
    chownSync(folder, this.#user, this.#user);
    return folder;
  }

  /** A copy of everything that this person has, in another folder. */
  copy(name: string): Housed {
    const folder = join(this.folder, '..', name);
    spawnSync('cp', ['-a', this.folder, folder]);
    return new Housed(this.number, folder);
  }

  /** What another program makes of a path, run as this user. */
  reads(path: string): { readonly status: number | null; readonly stderr: string } {
    const { status, stderr } = spawnSync('ls', [path], {
      uid: this.#user,
      gid: this.#user,
      cwd: '/',
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    });
    return { status, stderr };
  }

  get #user(): number {
    return FIRST_USER + this.number;
  }

  /** Makes the folder, closed to everybody else. */
  settle(): void {
    for (const folder of [this.folder, this.at('side')]) {
      mkdirSync(folder, { mode: 0o700 });
      chownSync(folder, this.#user, this.#user);
    }
    writeFileSync(this.at('passphrase'), `words of ${this.number}\n`, { mode: 0o600 });
    chownSync(this.at('passphrase'), this.#user, this.#user);
  }
}

/** A street of such people. */
export interface Street {
  readonly people: readonly Housed[];
  /** A folder that all can read, with everybody's public file. */
  readonly square: string;
  remove(): void;
}

/** People with identities, made by themselves. */
export async function street(count: number): Promise<Street> {
  const folder = mkdtempSync(join(tmpdir(), 'conclave-street-'));
  const square = join(folder, 'square');
  mkdirSync(square);
  for (const each of [folder, square]) chmodSync(each, 0o755);
  const people = Array.from({ length: count }, (_, i) => {
    const person = new Housed(i + 1, join(folder, `party-${i + 1}`));
    person.settle();
    return person;
  });
  await Promise.all(
    people.map(async (person) => {
      const ended = await person.run([
        ...[
          'identity',
          'new',
          '--name',
          `Party ${person.number}`,
          '--out',
          person.at('identity.key'),
        ],
        ...[
          '--passphrase-file',
          person.at('passphrase'),
          '--home',
          person.at('home'),
          '--no-input',
        ],
      ]);
      if (ended.code !== 0) throw new Error(ended.output);
      copyFileSync(person.at('identity.key.pub'), publicFile(square, person));
      chmodSync(publicFile(square, person), 0o644);
    }),
  );
  return {
    people,
    square,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Where everybody finds a person's public identity. */
export function publicFile(square: string, { number }: Housed): string {
  return join(square, `party-${number}.pub`);
}

/**
 * Carries what was said to whom it is for, into a folder that is new to them.
 * @returns the names that were carried, each once
 */
export function carry(people: readonly Housed[], folder: string, only: RegExp): readonly string[] {
  const carried = new Set<string>();
  for (const from of people) {
    for (const [name, bytes] of from.said()) {
      if (!only.test(name)) continue;
      for (const to of people) {
        const addressee = /-to-([0-9]+)\.msg$/.exec(name)?.[1];
        if (to === from || (addressee !== undefined && Number(addressee) !== to.number)) continue;
        to.receive(folder, name, bytes);
        carried.add(name);
      }
    }
  }
  return [...carried];
}
