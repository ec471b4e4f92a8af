/** What an exit code means: the one table behind `help exit-codes`, the man pages and the tests. */
import { ConclaveError } from '#formats/errors';

/** One exit code. */
export interface ExitMeaning {
  readonly code: number;
  /** One or two words. */
  readonly name: string;
  /** One sentence without a full stop. */
  readonly meaning: string;
}

/** Every code that conclave exits with, ascending. */
export const exitCodes: readonly ExitMeaning[] = [
  { code: 0, name: 'done', meaning: 'all of it worked' },
  {
    code: 1,
    name: 'no',
    meaning:
      'the answer is no: it does not verify, does not authenticate, or a ceremony was aborted',
  },
  { code: 2, name: 'usage', meaning: 'the command line is wrong, or an answer is missing' },
  { code: 65, name: 'malformed', meaning: 'an input is malformed' },
  { code: 66, name: 'missing', meaning: 'there is no such input' },
  { code: 69, name: 'unavailable', meaning: 'a module, token or service is missing' },
  { code: 70, name: 'bug', meaning: 'a fault of conclave itself; please report it' },
  { code: 73, name: 'no output', meaning: 'output cannot be created, or exists already' },
  {
    code: 75,
    name: 'not yet',
    meaning: 'a quorum is incomplete, a session was postponed, or something is locked for now',
  },
  {
    code: 77,
    name: 'refused',
    meaning: 'refused by policy, environment, a wrong PIN or passphrase, or a locked store',
  },
  { code: 130, name: 'interrupted', meaning: 'interrupted by the person at the keyboard' },
];

/** The exit code for whatever was thrown; what conclave did not throw on purpose is a bug. */
export function exitCodeOf(error: unknown): number {
  return error instanceof ConclaveError ? error.exitCode : 70;
}
