/** What the system's error codes mean to an operator. */
import {
  ConclaveError,
  type ErrorCode,
  MissingInputError,
  OutputError,
  UnavailableError,
} from '#formats/errors';
import { systemCode } from './fs-port.js';

const WRITE_PROBLEMS: Readonly<Record<string, readonly [ErrorCode, string, string]>> = {
  EACCES: ['E_FILE_DENIED', 'permission is denied', 'check the permissions of its folder'],
  EPERM: ['E_FILE_DENIED', 'it is not permitted', 'check the permissions of its folder'],
  EROFS: [
    'E_FILE_READ_ONLY',
    'the medium is read-only',
    'remount it writable, or choose another place',
  ],
  ENOSPC: ['E_FILE_NO_SPACE', 'the medium is full', 'free some space, then run it again'],
  EDQUOT: ['E_FILE_NO_SPACE', 'the quota is used up', 'free some space, then run it again'],
  ENOENT: ['E_FOLDER_MISSING', 'its folder does not exist', 'make the folder first'],
  ENOTDIR: ['E_FOLDER_MISSING', 'a part of its path is not a folder', 'check the path'],
  EEXIST: [
    'E_FILE_EXISTS',
    'it exists already',
    'choose another name, or say --force to replace it',
  ],
  EISDIR: ['E_FILE_IS_FOLDER', 'it is a folder', 'name a file'],
  ELOOP: ['E_FILE_IS_LINK', 'it is a link', 'name the file that it leads to'],
  ENOTEMPTY: ['E_FOLDER_NOT_EMPTY', 'the folder is not empty', 'choose another folder'],
  ENAMETOOLONG: ['E_FILE_NAME_TOO_LONG', 'the name is too long', 'choose a shorter one'],
  EIO: ['E_FILE_IO', 'the medium reports an error', 'try another medium'],
};

/** What to throw when changing `path` (as the operator typed it) failed; our own errors pass unchanged. */
export function writeError(path: string, cause: unknown): ConclaveError {
  if (cause instanceof ConclaveError) return cause;
  const system = systemCode(cause);
  const [code, problem, hint] = WRITE_PROBLEMS[system] ?? [
    'E_FILE_NOT_WRITTEN',
    `the system says ${system === '' ? 'no' : system}`,
    'check the path and the medium',
  ];
  return new OutputError({ code, message: `cannot write ${path}: ${problem}`, hint, cause });
}

/** What to throw when reading `path` (as the operator typed it) failed; our own errors pass unchanged. */
export function readError(path: string, cause: unknown): ConclaveError {
  if (cause instanceof ConclaveError) return cause;
  const system = systemCode(cause);
  if (system === 'ENOENT' || system === 'ENOTDIR') {
    return new MissingInputError({
      code: 'E_FILE_MISSING',
      message: `${path} does not exist`,
      hint: 'check the path',
      cause,
    });
  }
  const problem =
    system === 'EISDIR'
      ? 'it is a folder'
      : system === 'EACCES' || system === 'EPERM'
        ? 'permission is denied'
        : `the system says ${system === '' ? 'no' : system}`;
  return new UnavailableError({
    code: 'E_FILE_UNREADABLE',
    message: `cannot read ${path}: ${problem}`,
    hint: 'check what it is and who may read it',
    cause,
  });
}
