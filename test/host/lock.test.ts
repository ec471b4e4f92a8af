import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConclaveError, TryAgainError } from '#formats/errors';
import { createFiles } from '#host/files';
import { type FsPort, nodeFs } from '#host/fs-port';
import { compiled } from '../support/compiled.js';
import { failingAt, systemError } from '../support/disks.js';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const files = createFiles(nodeFs, random);

let code = '';
let folder = '';
let path = '';
const children: ChildProcess[] = [];

beforeAll(() => {
  code = compiled(['host', 'formats']);
});
afterAll(() => {
  rmSync(code, { recursive: true });
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'conclave-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** Runs a script beside the compiled rooms; `said` resolves with its next line. */
function run(
  script: string,
  ...args: string[]
): { child: ChildProcess; said: () => Promise<string> } {
  const file = join(code, `script-${randomBytes(4).toString('hex')}.js`);
  writeFileSync(file, script);
  const child = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  child.stdout.on('data', (data: Buffer) => {
    for (const line of data.toString().trim().split('\n')) {
      const next = waiting.shift();
      if (next === undefined) lines.push(line);
      else next(line);
    }
  });
  const said = (): Promise<string> => {
    const line = lines.shift();
    return line === undefined
      ? new Promise((resolve) => waiting.push(resolve))
      : Promise.resolve(line);
  };
  return { child, said };
}

const HOLD = `
  import { createHost } from '#host/node-host';
  createHost().files.lock(process.argv[2]);
  console.log('held');
  setInterval(() => {}, 1000);
`;

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}

function refusal(work: () => unknown): ConclaveError {
  try {
    work();
  } catch (error) {
    if (error instanceof ConclaveError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('lock', () => {
  it('is exclusive, names its holder, and is free after release', () => {
    const lock = files.lock(path);
    const error = refusal(() => files.lock(path));
    expect(error).toBeInstanceOf(TryAgainError);
    expect([error.code, error.exitCode]).toEqual(['E_LOCKED', 75]);
    expect(error.message).toContain(String(process.pid));
    expect(error.message).toContain(path);
    lock.release();
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
    files.lock(path).release();
  });

  it('is held by a living process and taken over from a killed one', async () => {
    const { child, said } = run(HOLD, path);
    expect(await said()).toBe('held');
    expect(refusal(() => files.lock(path)).message).toContain(String(child.pid));
    child.kill('SIGKILL');
    await ended(child);
    const lock = files.lock(path);
    expect(readFileSync(path, 'utf8')).toContain(`"pid":${process.pid}`);
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('does not take a process for its holder because it has the same number', () => {
    const lock = files.lock(path);
    const holder = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    lock.release();
    writeFileSync(path, JSON.stringify({ ...holder, started: '1' }));
    files.lock(path).release();
  });

  it('takes over after a reboot', () => {
    const lock = files.lock(path);
    const holder = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    lock.release();
    writeFileSync(path, JSON.stringify({ ...holder, boot: 'another' }));
    files.lock(path).release();
    // In another process namespace of this boot the number says nothing: not taken.
    writeFileSync(path, JSON.stringify({ ...holder, pidNamespace: 'pid:[1]' }));
    expect(refusal(() => files.lock(path)).code).toBe('E_LOCKED');
  });

  it('waits with a lock file that is being made, and takes an abandoned one', () => {
    writeFileSync(path, '');
    expect(refusal(() => files.lock(path)).code).toBe('E_LOCKED');
    utimesSync(path, new Date(0), new Date(0));
    files.lock(path).release();
  });

  it('is released by its own holder only', () => {
    const lock = files.lock(path);
    // One digit of the nonce is another one, whatever it was: a fixed digit would at times be the same.
    const other = readFileSync(path, 'utf8').replace(
      /"nonce":"(\w)/,
      (_, digit: string) => `"nonce":"${digit === '0' ? '1' : '0'}`,
    );
    writeFileSync(path, other);
    lock.release();
    expect(readFileSync(path, 'utf8')).toBe(other);
  });

  it('works where there are no hard links', () => {
    const fat: FsPort = {
      ...nodeFs,
      link: () => {
        throw systemError('EPERM');
      },
    };
    const onFat = createFiles(fat, random);
    const lock = onFat.lock(path);
    expect(refusal(() => onFat.lock(path)).code).toBe('E_LOCKED');
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is either got or refused in our words when any call fails', () => {
    for (let at = 0; ; at++) {
      const failing = failingAt(at, 'EIO');
      let lock: { release(): void } | undefined;
      try {
        lock = createFiles(failing.fs, random).lock(path);
      } catch (error) {
        expect(error, failing.names()[at]).toBeInstanceOf(ConclaveError);
      }
      lock?.release();
      rmSync(path, { force: true });
      if (failing.calls() <= at) break;
    }
    expect(readdirSync(folder).filter((name) => !name.endsWith('.tmp'))).toEqual([]);
  });

  it('leaves no right behind when the one who took over was killed before letting go of it', () => {
    const lock = files.lock(path);
    const holder = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    lock.release();
    const right = `${path}.${'5'.repeat(16)}`;
    writeFileSync(right, JSON.stringify({ ...holder, started: '1' }));
    const living = files.lock(`${path}.${'6'.repeat(16)}`);
    writeFileSync(`${path}.${'7'.repeat(16)}`, 'somebody else’s file');
    files.sweep(folder);
    expect(readdirSync(folder).sort()).toEqual([
      `lock.${'6'.repeat(16)}`,
      `lock.${'7'.repeat(16)}`,
    ]);
    living.release();
  });

  it('goes to one of many processes that race for it, over a dead holder too', async () => {
    const dead = run(HOLD, path);
    expect(await dead.said()).toBe('held');
    dead.child.kill('SIGKILL');
    await ended(dead.child);
    const log = join(folder, 'log');
    // Each marks its beginning and its end in one file: two overlapping holders would show.
    const racer = `
      import { appendFileSync } from 'node:fs';
      import { createHost } from '#host/node-host';
      const files = createHost().files;
      console.log('ready');
      process.stdin.once('data', () => {
        let done = 0;
        while (done < 20) {
          let lock;
          try { lock = files.lock(process.argv[2]); } catch (error) {
            if (error.code !== 'E_LOCKED') throw error;
            continue;
          }
          appendFileSync(process.argv[3], 'b' + process.pid + '\\n');
          for (let i = 0; i < 1e4; i++);
          appendFileSync(process.argv[3], 'e' + process.pid + '\\n');
          lock.release();
          done++;
        }
        process.exit(0);
      });
    `;
    const racers = [1, 2, 3, 4].map(() => run(racer, path, log));
    for (const { said } of racers) expect(await said()).toBe('ready');
    for (const { child } of racers) child.stdin?.write('go\n');
    await Promise.all(racers.map(async ({ child }) => ended(child)));
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(4 * 20 * 2);
    for (let i = 0; i < lines.length; i += 2) {
      expect(lines[i]?.replace('b', 'e')).toBe(lines[i + 1]);
    }
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder)).toEqual(['log']);
  });

  it('survives holders that are killed at any moment', async () => {
    const log = join(folder, 'log');
    const looping = `
      import { appendFileSync } from 'node:fs';
      import { createHost } from '#host/node-host';
      const files = createHost().files;
      console.log('ready');
      for (;;) {
        try {
          const lock = files.lock(process.argv[2]);
          appendFileSync(process.argv[3], '.');
          lock.release();
        } catch (error) {
          if (error.code !== 'E_LOCKED') { console.error(error); process.exit(1); }
        }
      }
    `;
    for (let round = 0; round < 6; round++) {
      const { child, said } = run(looping, path, log);
      const other = run(looping, path, log);
      expect(await said()).toBe('ready');
      expect(await other.said()).toBe('ready');
      await new Promise((resolve) => setTimeout(resolve, 20 + round * 3));
      child.kill('SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 10));
      other.child.kill('SIGKILL');
      await Promise.all([ended(child), ended(other.child)]);
      expect(other.child.exitCode).toBeNull();
      files.lock(path).release();
      expect(existsSync(path)).toBe(false);
    }
    files.sweep(folder);
    expect(readdirSync(folder)).toEqual(['log']);
  });
});
