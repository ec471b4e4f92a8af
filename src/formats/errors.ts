/**
 * Every error that conclave reports on purpose, one class per meaning of the exit code.
 * A leaf of the house: any room may throw these, only `cli/` turns them into text and exit codes.
 */

/** Machine-readable error codes, `E_<SUBJECT>_<WHAT>`; stable, scripts rely on them. */
export type ErrorCode = `E_${string}`;

/** What an error carries; `message` names the input as the operator typed it, `hint` says what to do. */
export interface ErrorInit {
  readonly code: ErrorCode;
  /** Lower case, no full stop, never a secret's value. */
  readonly message: string;
  /** One line: what the operator can do now. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Public data for `--json` consumers. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Base of all errors that conclave throws on purpose. */
export abstract class ConclaveError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  /** Process exit code for this class of error, the table of `help exit-codes`. */
  abstract readonly exitCode: number;

  constructor(init: ErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = new.target.name;
    this.code = init.code;
    this.hint = init.hint;
    this.details = init.details;
  }
}

/** The answer is no: it does not verify, does not authenticate, or the ceremony was aborted. */
export class NegativeError extends ConclaveError {
  readonly exitCode = 1;
}

/** The command line is wrong, or an answer is missing where nothing may prompt. */
export class UsageError extends ConclaveError {
  readonly exitCode = 2;
}

/** The input is malformed: it does not parse under its format's strict rules. */
export class InputError extends ConclaveError {
  readonly exitCode = 65;
}

/** There is no such file, key, ceremony or session. */
export class MissingInputError extends ConclaveError {
  readonly exitCode = 66;
}

/** A module, token or service that the command needs is missing. */
export class UnavailableError extends ConclaveError {
  readonly exitCode = 69;
}

/** A bug in conclave. */
export class InternalError extends ConclaveError {
  readonly exitCode = 70;
}

/** Output cannot be created: it exists already, or the medium refuses it. */
export class OutputError extends ConclaveError {
  readonly exitCode = 73;
}

/** Not yet: a quorum is incomplete, a session was postponed. */
export class TryAgainError extends ConclaveError {
  readonly exitCode = 75;
}

/** Refused: policy, environment, wrong PIN or passphrase, locked store. */
export class RefusedError extends ConclaveError {
  readonly exitCode = 77;
}

/** Interrupted by the person at the keyboard (Ctrl-C). */
export class InterruptedError extends ConclaveError {
  readonly exitCode = 130;
}
