/** A machine in memory: files that tests can copy, count and make fail, a clock that they set. */
import { randomBytes } from 'node:crypto';
import { dirname, normalize } from 'node:path';
import { sourceOf } from '#formats/byte-stream';
import { concat } from '#formats/bytes';
import { InputError, MissingInputError, OutputError, TryAgainError } from '#formats/errors';
import { probeNames } from '#host/air-gap';
import type { Host, HostFiles } from '#host/host';

/** What one machine's disk holds. */
export class Disk {
  readonly files = new Map<string, Uint8Array>();
  readonly folders = new Set<string>(['/', '.']);
  /** Path to the process that holds the lock. */
  readonly locks = new Map<string, object>();

  /** The disk as it is now; locks of the copied machine's processes are dead. */
  copy(): Disk {
    const disk = new Disk();
    for (const [path, bytes] of this.files) disk.files.set(path, bytes.slice());
    for (const path of this.folders) disk.folders.add(path);
    return disk;
  }

  /** Everything on it, one after another. */
  dump(): Buffer {
    return Buffer.concat([...this.files.values()].map((bytes) => Buffer.from(bytes)));
  }
}

/** One call that changes the disk. */
export interface Change {
  readonly number: number;
  readonly call: 'write' | 'append' | 'truncate' | 'makeDirectory' | 'remove' | 'blank' | 'shred';
  readonly path: string;
}

/** What a test does at a change. */
export interface Faults {
  /** Throws to make the call fail before it had any effect. */
  readonly before?: (change: Change) => void;
  /** Called with the disk as the call left it. */
  readonly after?: (change: Change, disk: Disk) => void;
}

/** A machine over a disk. */
export function memoryHost(
  disk: Disk,
  options: {
    readonly now?: () => Date;
    /** Numbers of chance by default. */
    readonly random?: (length: number) => Uint8Array;
    readonly faults?: Faults;
    readonly airGap?: Host['airGap'];
  } = {},
): Host {
  const process = {};
  let changes = 0;
  const at = (path: string): string => normalize(path).replace(/(?<=.)\/$/, '');
  const changing = <T>(call: Change['call'], path: string, effect: () => T): T => {
    const change = { number: changes++, call, path: at(path) };
    options.faults?.before?.(change);
    const result = effect();
    options.faults?.after?.(change, disk);
    return result;
  };
  const read = (path: string): Uint8Array => {
    const bytes = disk.files.get(at(path));
    if (bytes !== undefined) return bytes;
    throw new MissingInputError({ code: 'E_FILE_MISSING', message: `there is no file ${path}` });
  };
  const files: HostFiles = {
    read: (path, maxBytes = Infinity) => {
      const bytes = read(path);
      if (bytes.length <= maxBytes) return bytes.slice();
      throw new InputError({ code: 'E_FILE_TOO_LARGE', message: `${path} is too large` });
    },
    write: (path, bytes, { overwrite } = {}) => {
      changing('write', path, () => {
        if (overwrite !== true && disk.files.has(at(path)))
          throw new OutputError({ code: 'E_FILE_EXISTS', message: `${path} exists` });
        if (!disk.folders.has(at(dirname(path))))
          throw new OutputError({ code: 'E_FILE_FOLDER', message: `no folder for ${path}` });
        disk.files.set(at(path), bytes.slice());
      });
    },
    openSource: (path) => ({ ...sourceOf(read(path)), [Symbol.dispose]: () => undefined }),
    createSink: (path, writeOptions) => {
      const parts: Uint8Array[] = [];
      let committed = false;
      return {
        write: (bytes) => void parts.push(bytes.slice()),
        commit: () => {
          files.write(path, concat(...parts), writeOptions);
          committed = true;
        },
        withdraw: () => void (committed && disk.files.delete(at(path))),
        [Symbol.dispose]: () => undefined,
      };
    },
    append: (path, bytes) => {
      changing('append', path, () => {
        disk.files.set(at(path), concat(disk.files.get(at(path)) ?? new Uint8Array(0), bytes));
      });
    },
    truncate: (path, length) => {
      changing('truncate', path, () => disk.files.set(at(path), read(path).slice(0, length)));
    },
    exists: (path) => disk.files.has(at(path)) || disk.folders.has(at(path)),
    isDirectory: (path) => disk.folders.has(at(path)),
    list: (path) =>
      [...disk.files.keys(), ...disk.folders]
        .filter((each) => dirname(each) === at(path) && each !== at(path))
        .map((each) => each.slice(at(path).length + (at(path) === '/' ? 0 : 1)))
        .sort(),
    makeDirectory: (path) => {
      if (disk.folders.has(at(path))) return;
      changing('makeDirectory', path, () => {
        for (let each = at(path); !disk.folders.has(each); each = dirname(each))
          disk.folders.add(each);
      });
    },
    remove: (path) => {
      changing('remove', path, () => disk.files.delete(at(path)) || disk.folders.delete(at(path)));
    },
    blank: (path) => {
      const { length } = disk.files.get(at(path)) ?? [];
      changing('blank', path, () => disk.files.set(at(path), new Uint8Array(length)));
    },
    shred: (path) => {
      changing('shred', path, () => disk.files.delete(at(path)));
    },
    sweep: () => undefined,
    lock: (path) => {
      const holder = disk.locks.get(at(path));
      if (holder !== undefined)
        throw new TryAgainError({ code: 'E_LOCKED', message: `${path} is in use` });
      disk.locks.set(at(path), process);
      return { release: () => void disk.locks.delete(at(path)) };
    },
  };
  return {
    files,
    now: options.now ?? (() => new Date()),
    random: options.random ?? ((length) => new Uint8Array(randomBytes(length))),
    airGap:
      options.airGap ??
      (() =>
        probeNames.map((name) => ({
          name,
          result: name === 'clock' ? 'ok' : 'finding',
          detail: `what a test says of ${name}`,
        }))),
  };
}

/** Puts a file from outside onto the disk. */
export function place(disk: Disk, path: string, content: Uint8Array | string): void {
  for (let each = dirname(normalize(path)); !disk.folders.has(each); each = dirname(each))
    disk.folders.add(each);
  disk.files.set(normalize(path), new Uint8Array(Buffer.from(content)));
}

/** The journal's last line when it was just appended to. */
export function lastEntry({ call, path }: Change, now: Disk): string {
  if (call !== 'append' || !path.endsWith('journal.jsonl')) return '';
  const text = Buffer.from(now.files.get(path) ?? []).toString();
  return text.trimEnd().split('\n').at(-1) ?? '';
}
