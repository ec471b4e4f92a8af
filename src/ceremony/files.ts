/**
 * The files of a session as its steps see them: everything that a step writes lies under `artifacts/`, is recorded with its
 * digest, and belongs to that step. A step that is run again may replace what it wrote before, and nothing else.
 */
import { isAbsolute, join, posix } from 'node:path';
import type { FileSpace } from '#actions/context/context';
import { digesting, hexDigest } from '#actions/session/public-side';
import { MissingInputError, OutputError, RefusedError } from '#formats/errors';
import type { HostFiles } from '#host/host';
import type { RecordedArtifact } from '#script/entries';

/** Folder of everything that steps write, relative to the session. */
export const ARTIFACTS = 'artifacts';

/** Larger inputs belong on media of their own. */
const MAX_READ_BYTES = 64 * 1024 * 1024;

/** Where a step's files lie and whose they are. */
export interface SessionFilesOptions {
  readonly files: HostFiles;
  /** The session's folder. */
  readonly session: string;
  /** Instance that wrote an artifact and finished; undefined for leftovers of what did not finish. */
  readonly owner: (path: string) => string | undefined;
  /** The instance that these files are for. */
  readonly instance: string;
  /** Files outside that may be read, by the name under which steps know them. */
  readonly outside: ReadonlyMap<string, string>;
}

/** A step's files, and what it wrote. */
export interface SessionFiles extends FileSpace {
  /** Everything written so far, in the order of paths. */
  written(): readonly RecordedArtifact[];
}

/** The files of one instance of a step. */
export function sessionFiles(options: SessionFilesOptions): SessionFiles {
  const { files, session, owner, instance, outside } = options;
  const written = new Map<string, RecordedArtifact>();

  const inside = (path: string): string => join(session, artifactPath(path));
  /** Where a readable path lies: among the artifacts, or outside where that was allowed by name. */
  const locate = (path: string): string => {
    const bound = outside.get(path);
    if (bound !== undefined) return bound;
    // What lies in a folder that was allowed by name.
    const folder = [...outside.keys()].find((name) => path.startsWith(`${name}/`));
    const below = folder === undefined ? '' : path.slice(folder.length + 1);
    if (folder !== undefined && below !== '' && artifactPath(below) === `${ARTIFACTS}/${below}`) {
      return join(outside.get(folder) as string, below);
    }
    return inside(path);
  };
  const foreign = (path: string): boolean => {
    const relative = artifactPath(path);
    const by = owner(relative);
    return by !== undefined && by !== instance && files.exists(join(session, relative));
  };

  /** Where a file to be read lies. */
  const present = (path: string): string => {
    const at = locate(path);
    if (files.exists(at)) return at;
    throw new MissingInputError({
      code: 'E_FILE_MISSING',
      message: `there is no file ${path} among this session's artifacts`,
      hint: 'a file from outside is named by a parameter of type path, or bound in the site file',
    });
  };
  /** Where a file to be written goes; its folder is made. */
  const own = (path: string): { readonly relative: string; readonly at: string } => {
    const relative = artifactPath(path);
    if (foreign(path)) throw taken(path, owner(relative) ?? '');
    const at = join(session, relative);
    files.makeDirectory(join(at, '..'));
    return { relative, at };
  };

  const read: FileSpace['read'] = (path, maxBytes = MAX_READ_BYTES) =>
    files.read(present(path), maxBytes);
  return {
    read,
    named: {
      exists: (path) => files.exists(isAbsolute(path) ? path : locate(path)),
      read: (path, maxBytes = MAX_READ_BYTES) =>
        isAbsolute(path) ? files.read(path, maxBytes) : read(path, maxBytes),
    },
    source: (path) => files.openSource(present(path)),
    sink: (path, sinkOptions = {}) => {
      const { relative, at } = own(path);
      const sink = files.createSink(at, { ...sinkOptions, overwrite: true });
      const digest = digesting();
      const before = written.get(relative);
      let size = 0;
      return {
        write: (bytes) => {
          sink.write(bytes);
          digest.update(bytes);
          size += bytes.length;
        },
        commit: () => {
          sink.commit();
          written.set(relative, { path: relative, sha256: digest.hex(), size });
        },
        withdraw: () => {
          sink.withdraw?.();
          if (before === undefined) written.delete(relative);
          else written.set(relative, before);
        },
        [Symbol.dispose]: () => {
          sink[Symbol.dispose]();
        },
      };
    },
    write: (path, bytes, writeOptions = {}) => {
      const { relative, at } = own(path);
      files.write(at, bytes, { ...writeOptions, overwrite: true });
      written.set(relative, { path: relative, sha256: hexDigest(bytes), size: bytes.length });
    },
    assertAbsent: (paths) => {
      for (const path of paths) {
        if (foreign(path)) throw taken(path, owner(artifactPath(path)) ?? '');
      }
    },
    exists: (path) => files.exists(locate(path)),
    list: (path) => files.list(locate(path)),
    isDirectory: (path) => files.isDirectory(locate(path)),
    written: () => [...written.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

/**
 * Where a path of a step lies, relative to the session's folder.
 * @throws RefusedError `E_SESSION_PATH` for anything that would leave the artifacts
 */
export function artifactPath(path: string): string {
  const clean = posix.normalize(path);
  // Control characters and backslashes mean different things to different systems; the transcript is read on all of them.
  const odd = /[\u0000-\u001f\u007f\\]/.test(path);
  if (
    odd ||
    path === '-' ||
    path === '' ||
    posix.isAbsolute(clean) ||
    /^\.\.(?:\/|$)/.test(clean)
  ) {
    throw new RefusedError({
      code: 'E_SESSION_PATH',
      message: `a step may not reach ${JSON.stringify(path)}: its files lie under the session's artifacts`,
      hint: 'use a relative path; bind files from outside by a parameter of type path or in the site file',
    });
  }
  return clean === '.' ? ARTIFACTS : posix.join(ARTIFACTS, clean).replace(/\/$/, '');
}

/** All files under a folder, relative to it, forward slashes, sorted. */
export function filesUnder(files: HostFiles, folder: string): readonly string[] {
  if (!files.isDirectory(folder)) return [];
  return [...files.list(folder)]
    .sort()
    .flatMap((name) =>
      files.isDirectory(join(folder, name))
        ? filesUnder(files, join(folder, name)).map((below) => `${name}/${below}`)
        : [name],
    );
}

function taken(path: string, by: string): OutputError {
  return new OutputError({
    code: 'E_FILE_EXISTS',
    message: `${path} was written by the step ${by}`,
    hint: 'give each step of the definition files of its own',
  });
}

/** Plain files under one folder, for what the engine itself keeps beside the artifacts; may overwrite. */
export function folderFiles(files: HostFiles, folder: string): FileSpace {
  const at = (path: string): string => join(folder, artifactPath(path).slice(ARTIFACTS.length));
  return {
    read: (path, maxBytes = MAX_READ_BYTES) => files.read(at(path), maxBytes),
    source: (path) => files.openSource(at(path)),
    write: (path, bytes, options = {}) => {
      files.makeDirectory(join(at(path), '..'), { secret: true });
      files.write(at(path), bytes, { ...options, overwrite: true });
    },
    sink: (path, options = {}) => {
      files.makeDirectory(join(at(path), '..'), { secret: true });
      return files.createSink(at(path), { ...options, overwrite: true });
    },
    assertAbsent: () => undefined,
    exists: (path) => files.exists(at(path)),
    list: (path) => files.list(at(path)),
    isDirectory: (path) => files.isDirectory(at(path)),
  };
}
