/** A ceremony in a process of its own, killed or not, and what it leaves behind. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { main } from '#cli/main';
import type { Entry } from '#script/entries';
import { parseEntry } from '#script/entries';
import { parseChainLine } from '#custody/audit/chain';
import { SecretBytes } from '#formats/secret-bytes';
import { nodeFs } from '#host/fs-port';
import { createHost } from '#host/node-host';
import { filesBelow } from '../support/canary.js';
import { root } from '../support/require.js';

/** One change to the disk, as the killer counts them. */
export interface Change {
  readonly operation: string;
  readonly path: string;
  readonly bytes: number;
}

/** Where to die: before a change, or half-way through it. */
export type Place = `${'before' | 'torn'}:${number}`;

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** A secret that the program held. */
export interface KnownSecret {
  readonly label: string;
  readonly bytes: Uint8Array;
}

/** Where the secrets of the session under way in this process are noted. */
const noted = new AsyncLocalStorage<KnownSecret[]>();
for (const maker of ['adopt', 'copyOf'] as const) {
  const make = SecretBytes[maker].bind(SecretBytes);
  SecretBytes[maker] = (bytes, label) => {
    noted.getStore()?.push({ label, bytes: new Uint8Array(bytes) });
    return make(bytes, label);
  };
}

/** One session in a folder of its own: `disk` is what is searched, `side` what the test itself writes. */
export class KilledSession {
  readonly disk: string;
  readonly folder: string;
  readonly #side: string;
  readonly #noted: KnownSecret[] = [];

  constructor(place: string) {
    this.disk = join(place, 'disk');
    this.folder = join(this.disk, 'session');
    this.#side = join(place, 'side');
    mkdirSync(this.disk, { recursive: true });
    mkdirSync(this.#side);
  }

  /**
   * What signal 9 leaves at a place, without another run until there: the disk that this session's recorded run had in that
   * moment, and every secret that it held. A place can be taken once.
   */
  at(place: Place, folder: string): KilledSession {
    const killed = new KilledSession(folder);
    rmdirSync(killed.disk);
    renameSync(join(this.#side, 'disks', place), killed.disk);
    cpSync(join(this.#side, 'secrets'), join(killed.#side, 'secrets'));
    return killed;
  }

  /** Runs conclave in this process, where nobody kills it: a second less than a new one, some two hundred times. */
  async goOn(args: readonly string[]): Promise<Ended> {
    const chunks: string[] = [];
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        chunks.push(chunk.toString());
        done();
      },
    }) as never;
    const host = createHost({ fs: { ...nodeFs, fsync: () => undefined } });
    const code = await noted.run(this.#noted, () =>
      main([...args, '--no-input', '--home', join(this.disk, 'home')], {
        host,
        stdout: sink,
        stderr: sink,
        env: { NO_COLOR: '1' },
        scryptLogN: 10,
      }),
    );
    return { code, signal: null, output: chunks.join('') };
  }

  /** Runs conclave in a process of its own, through the killer. */
  run(plan: string, args: readonly string[]): Promise<Ended> {
    const killer = join(root, 'test/faults/killer.mjs');
    const child = spawn(process.execPath, [killer, plan, this.#side, '--', ...args], {
      cwd: this.disk,
      env: { PATH: process.env['PATH'], HOME: this.disk, CONCLAVE_HOME: join(this.disk, 'home') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        resolve({ code, signal, output: Buffer.concat(chunks).toString('utf8') });
      });
    });
  }

  /** Every change of a run that was only counted. */
  changes(): readonly Change[] {
    return JSON.parse(readFileSync(join(this.#side, 'changes.json'), 'utf8')) as Change[];
  }

  /** Every secret that this session has held so far, each once. */
  secrets(): readonly KnownSecret[] {
    const file = join(this.#side, 'secrets');
    const lines = new Set([
      ...(existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []),
      ...this.#noted.map(({ label, bytes }) => `${label}\t${Buffer.from(bytes).toString('hex')}`),
    ]);
    return [...lines].map((line) => {
      const [label = '', hex = ''] = line.split('\t');
      return { label, bytes: new Uint8Array(Buffer.from(hex, 'hex')) };
    });
  }

  /** Everything on the disk, by path. */
  snapshot(): ReadonlyMap<string, Buffer> {
    return new Map(
      filesBelow(this.disk).map((path) => [path, readFileSync(join(this.disk, path))]),
    );
  }

  /** The whole entries of the journal; a torn last line is left out. */
  entries(): readonly Entry[] {
    const file = join(this.folder, 'journal.jsonl');
    if (!existsSync(file)) return [];
    const text = readFileSync(file, 'latin1');
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => parseEntry(parseChainLine(Buffer.from(line, 'latin1'), file), file));
  }
}
