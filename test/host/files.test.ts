import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConclaveError } from '#formats/errors';
import { utf8 } from '#formats/bytes';
import { isTemporaryName } from '#host/file-calls';
import { createFiles } from '#host/files';
import { type FsPort, nodeFs } from '#host/fs-port';
import { failingAt, systemError } from '../support/disks.js';

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const OLD = utf8('old content');
const NEW = utf8('new content, which is longer');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'conclave-files-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const files = createFiles(nodeFs, random);

function thrownBy(work: () => unknown): ConclaveError {
  try {
    work();
  } catch (error) {
    if (error instanceof ConclaveError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** Runs `work` once per system call that it makes, with that call failing. */
function atEveryCall(
  prepare: () => void,
  work: (fs: FsPort) => void,
  check: (failed: boolean, call: string) => void,
  options: { readonly code: string; readonly andAfter?: boolean; readonly partial?: boolean },
): number {
  for (let at = 0; ; at++) {
    prepare();
    const failing = failingAt(at, options.code, options);
    let failed = false;
    try {
      work(failing.fs);
    } catch (error) {
      if (!(error instanceof ConclaveError)) throw error;
      failed = true;
    }
    check(failed, failing.names()[at] ?? 'none');
    if (failing.calls() <= at) return at;
  }
}

describe('write', () => {
  it('gives the modes that were asked for', () => {
    const [secret, open] = [join(folder, 's'), join(folder, 'p')];
    files.write(secret, NEW, { secret: true });
    files.write(open, NEW);
    expect(statSync(secret).mode & 0o777).toBe(0o600);
    expect(statSync(open).mode & 0o777).toBe(0o644);
    expect(readdirSync(folder)).toEqual(['p', 's']);
  });

  it('does not replace a file unless told so', () => {
    const path = join(folder, 'f');
    files.write(path, OLD);
    const error = thrownBy(() => {
      files.write(path, NEW);
    });
    expect([error.code, error.exitCode]).toEqual(['E_FILE_EXISTS', 73]);
    expect(error.message).toContain(path);
    files.write(path, NEW, { overwrite: true });
    expect(readFileSync(path)).toEqual(Buffer.from(NEW));
  });

  it('does not replace a file that appears while it writes', () => {
    const path = join(folder, 'f');
    const racing: FsPort = {
      ...nodeFs,
      link: (from, to) => {
        writeFileSync(to, OLD);
        linkSync(from, to);
      },
    };
    const error = thrownBy(() => {
      createFiles(racing, random).write(path, NEW);
    });
    expect(error.code).toBe('E_FILE_EXISTS');
    expect(readFileSync(path)).toEqual(Buffer.from(OLD));
    expect(readdirSync(folder)).toEqual(['f']);
  });

  it('works where there are no hard links', () => {
    const fat: FsPort = {
      ...nodeFs,
      link: () => {
        throw systemError('EPERM');
      },
    };
    const path = join(folder, 'f');
    createFiles(fat, random).write(path, NEW);
    expect(readFileSync(path)).toEqual(Buffer.from(NEW));
    expect(
      thrownBy(() => {
        createFiles(fat, random).write(path, OLD);
      }).code,
    ).toBe('E_FILE_EXISTS');
    expect(readdirSync(folder)).toEqual(['f']);
  });

  it('writes through a link to the file behind it', () => {
    writeFileSync(join(folder, 'target'), OLD);
    symlinkSync('target', join(folder, 'link'));
    files.write(join(folder, 'link'), NEW, { overwrite: true });
    expect(readFileSync(join(folder, 'target'))).toEqual(Buffer.from(NEW));
    expect(readdirSync(folder)).toEqual(['link', 'target']);
  });

  it('leaves devices where they are', () => {
    files.write('/dev/null', NEW);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('continues short writes', () => {
    const slow: FsPort = {
      ...nodeFs,
      write: (fd, bytes, offset) => nodeFs.write(fd, bytes.subarray(0, offset + 1), offset),
    };
    createFiles(slow, random).write(join(folder, 'f'), NEW);
    expect(readFileSync(join(folder, 'f'))).toEqual(Buffer.from(NEW));
  });

  for (const code of ['EIO', 'ENOSPC', 'EACCES', 'EROFS']) {
    for (const andAfter of [false, true]) {
      it(`leaves old or new when any call fails by ${code}${andAfter ? ' and nothing works any more' : ''}`, () => {
        const path = join(folder, 'f');
        const calls = atEveryCall(
          () => {
            writeFileSync(path, OLD);
          },
          (fs) => {
            createFiles(fs, random).write(path, NEW, { overwrite: true, secret: true });
          },
          (failed, call) => {
            const content = readFileSync(path);
            const isOld = content.equals(OLD);
            expect(isOld || content.equals(NEW), call).toBe(true);
            if (!failed) expect(isOld, call).toBe(false);
            const left = readdirSync(folder).filter((name) => name !== 'f');
            expect(left.every(isTemporaryName), call).toBe(true);
            if (!andAfter && call !== 'unlink') expect(left, call).toEqual([]);
            files.sweep(folder);
            expect(readdirSync(folder)).toEqual(['f']);
          },
          { code, andAfter, partial: true },
        );
        expect(calls).toBeGreaterThan(6);
      });
    }
  }

  it('leaves nothing or all of a new file when any call fails', () => {
    const path = join(folder, 'f');
    const calls = atEveryCall(
      () => {
        rmSync(path, { force: true });
      },
      (fs) => {
        createFiles(fs, random).write(path, NEW);
      },
      (failed, call) => {
        if (existsSync(path)) expect(readFileSync(path), call).toEqual(Buffer.from(NEW));
        else expect(failed, call).toBe(true);
        files.sweep(folder);
      },
      { code: 'ENOSPC', partial: true, andAfter: true },
    );
    expect(calls).toBeGreaterThan(6);
  });

  it('says what the trouble is', () => {
    const problems: readonly [string, string, string][] = [
      ['ENOSPC', 'E_FILE_NO_SPACE', 'full'],
      ['EROFS', 'E_FILE_READ_ONLY', 'read-only'],
      ['EACCES', 'E_FILE_DENIED', 'permission'],
    ];
    for (const [code, ours, words] of problems) {
      const fs: FsPort = {
        ...nodeFs,
        write: () => {
          throw systemError(code);
        },
      };
      const path = join(folder, 'x');
      const error = thrownBy(() => {
        createFiles(fs, random).write(path, NEW);
      });
      expect([error.code, error.exitCode]).toEqual([ours, 73]);
      expect(error.message).toContain(path);
      expect(error.message).toContain(words);
      expect(readdirSync(folder)).toEqual([]);
    }
    expect(
      thrownBy(() => {
        files.write(join(folder, 'no/such/folder'), NEW);
      }).code,
    ).toBe('E_FOLDER_MISSING');
  });
});

describe('append', () => {
  it('adds to the end and makes private files', () => {
    const path = join(folder, 'log');
    files.append(path, OLD);
    files.append(path, NEW);
    expect(readFileSync(path)).toEqual(Buffer.concat([OLD, NEW]));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('takes back what it could not finish', () => {
    const path = join(folder, 'log');
    atEveryCall(
      () => {
        writeFileSync(path, OLD);
      },
      (fs) => {
        createFiles(fs, random).append(path, NEW);
      },
      (failed, call) => {
        const content = readFileSync(path);
        // A failing close comes after the fsync: the bytes are there, only nobody was told.
        if (failed && call !== 'close') expect(content, call).toEqual(Buffer.from(OLD));
        else expect(content, call).toEqual(Buffer.concat([OLD, NEW]));
      },
      { code: 'ENOSPC', partial: true },
    );
  });
});

describe('read', () => {
  it('gives the whole content, of files and of what has no size', () => {
    const path = join(folder, 'big');
    const content = randomBytes(300_000);
    writeFileSync(path, content);
    expect(Buffer.from(files.read(path))).toEqual(content);
    expect(files.read('/proc/self/mountinfo').length).toBeGreaterThan(0);
  });

  it('refuses what is larger than allowed before taking it in', () => {
    const path = join(folder, 'big');
    writeFileSync(path, randomBytes(1000));
    let reads = 0;
    const counting: FsPort = {
      ...nodeFs,
      read: (fd, buffer, offset) => {
        reads++;
        return nodeFs.read(fd, buffer, offset);
      },
    };
    const error = thrownBy(() => createFiles(counting, random).read(path, 999));
    expect([error.code, error.exitCode, reads]).toEqual(['E_FILE_TOO_LARGE', 65, 0]);
    expect(files.read(path, 1000).length).toBe(1000);
    expect(thrownBy(() => files.read('/dev/zero', 10_000)).code).toBe('E_FILE_TOO_LARGE');
  });

  it('says what is missing or unreadable', () => {
    expect(thrownBy(() => files.read(join(folder, 'none'))).exitCode).toBe(66);
    expect(thrownBy(() => files.read(folder)).code).toBe('E_FILE_UNREADABLE');
  });
});

describe('the rest', () => {
  it('makes private folders with their parents', () => {
    files.makeDirectory(join(folder, 'a/b'), { secret: true });
    expect(statSync(join(folder, 'a/b')).mode & 0o777).toBe(0o700);
    files.makeDirectory(join(folder, 'a/b'), { secret: true });
  });

  it('truncates, removes, shreds', () => {
    const path = join(folder, 'f');
    files.write(path, NEW);
    linkSync(path, join(folder, 'second-name'));
    files.truncate(path, 3);
    expect(readFileSync(path).length).toBe(3);
    files.shred(path);
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(join(folder, 'second-name'))).toEqual(Buffer.alloc(3));
    files.remove(join(folder, 'second-name'));
    expect(readdirSync(folder)).toEqual([]);
  });

  it('does not list what a killed run left, and sweeps it', () => {
    files.write(join(folder, 'f'), NEW);
    const dying = failingAt(3, 'EIO', { andAfter: true });
    expect(() => {
      createFiles(dying.fs, random).write(join(folder, 'g'), NEW);
    }).toThrow(ConclaveError);
    expect(readdirSync(folder)).toHaveLength(2);
    expect(files.list(folder)).toEqual(['f']);
    files.sweep(folder);
    expect(readdirSync(folder)).toEqual(['f']);
  });

  it('takes away what a killed run left of a file, when that file is written again, and nothing of the living', () => {
    const path = join(folder, 'f');
    const left = (pid: number, target = 'f'): string =>
      join(folder, `.${target}.conclave-${pid.toString(16).padStart(8, '0')}00000000.tmp`);
    // Ended, and collected: its number is nobody's for now.
    const gone = spawnSync(process.execPath, ['-e', '0']).pid;
    for (const each of [left(gone), left(process.ppid), left(gone, 'g')]) writeFileSync(each, NEW);
    const sink = files.createSink(path, { secret: true });
    expect(
      [left(gone), left(process.ppid), left(gone, 'g')].map((each) => existsSync(each)),
    ).toEqual([...[false, true, true]]);
    sink.write(NEW);
    sink.commit();
    sink[Symbol.dispose]();
    writeFileSync(left(gone), NEW);
    files.write(path, NEW, { overwrite: true, secret: true });
    expect(existsSync(left(gone))).toBe(false);
    expect(readFileSync(path)).toEqual(Buffer.from(NEW));
  });

  it('leaves a living process what it is writing, when a folder is swept', () => {
    const name = (pid: number): string =>
      `.lock.conclave-${pid.toString(16).padStart(8, '0')}0a0b0c0d.tmp`;
    // The last ones are the number of no process: nothing is kept for it.
    for (const pid of [process.ppid, process.pid, 0x7ffffff0, 0xfffffff0]) {
      writeFileSync(join(folder, name(pid)), 'begun');
    }
    files.sweep(folder);
    expect(readdirSync(folder)).toEqual([name(process.ppid)]);
    expect(readFileSync(join(folder, name(process.ppid)), 'utf8')).toBe('begun');
  });

  it('sweeps a second name without touching the file that got it already', () => {
    const path = join(folder, 'f');
    const dying: FsPort = {
      ...nodeFs,
      unlink: () => {
        throw systemError('EIO');
      },
    };
    createFiles(dying, random).write(path, NEW);
    expect(readdirSync(folder)).toHaveLength(2);
    files.sweep(folder);
    expect(readdirSync(folder)).toEqual(['f']);
    expect(readFileSync(path)).toEqual(Buffer.from(NEW));
  });
});
