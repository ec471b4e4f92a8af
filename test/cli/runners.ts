/** Two ways to run a transcript: in process, with a given clock and generator, and through the built program. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { main } from '#cli/main';
import { createHost } from '#host/node-host';
import { root } from '../support/require.js';
import type { Runner } from '../support/txtar.js';

/** The time at which every transcript plays. */
export const NOW = new Date('2027-03-01T09:30:00Z');

/** A generator that gives the same bytes in every run: SHA-256 in counter mode. Keeps what it gave. */
export function seededRandom(seed: string): {
  readonly random: (length: number) => Uint8Array;
  readonly given: Uint8Array[];
} {
  let counter = 0;
  const given: Uint8Array[] = [];
  return {
    given,
    random: (length) => {
      const out = new Uint8Array(length);
      for (let at = 0; at < length; at += 32) {
        const block = createHash('sha256').update(`${seed}/${counter++}`).digest();
        out.set(block.subarray(0, Math.min(32, length - at)), at);
      }
      given.push(out.slice());
      return out;
    },
  };
}

/** Collects what a run writes. */
export function sink(): { readonly stream: Writable; readonly bytes: () => Buffer } {
  const parts: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer | string, _encoding, done) {
      parts.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, bytes: () => Buffer.concat(parts) };
}

/** Runs `main` in this process. @param drawn - is told everything that is drawn at random */
export function inProcess(seed: string, drawn?: (bytes: Uint8Array) => void): Runner {
  const source = seededRandom(seed);
  const random = (length: number): Uint8Array => {
    const bytes = source.random(length);
    drawn?.(bytes.slice());
    return bytes;
  };
  return async (argv, { cwd, stdin, env }) => {
    const stdout = sink();
    const stderr = sink();
    const before = process.cwd();
    process.chdir(cwd);
    try {
      const code = await main(argv, {
        host: { ...createHost(), random, now: () => NOW },
        stdout: stdout.stream,
        stderr: stderr.stream,
        readStdin: () => stdin,
        env: { CONCLAVE_HOME: join(cwd, 'home'), ...env },
        scryptLogN: 10,
      });
      return { code, stdout: stdout.bytes(), stderr: stderr.bytes() };
    } finally {
      process.chdir(before);
    }
  };
}

/** Runs the built program. */
export const throughBin: Runner = (argv, { cwd, stdin, env }) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'bin/conclave.js'), ...argv], {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', CONCLAVE_HOME: join(cwd, 'home'), ...env },
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => out.push(part));
    child.stderr.on('data', (part: Buffer) => err.push(part));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({
        code: code ?? (signal === null ? -1 : 128),
        stdout: Buffer.concat(out),
        stderr: Buffer.concat(err),
      });
    });
    child.stdin.end(stdin);
  });
