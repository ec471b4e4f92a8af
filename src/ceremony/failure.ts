/** Which errors are the ceremony's, and which are only in its way: a full disk, a Ctrl-C, a question that nobody answered. */
import {
  ConclaveError,
  InternalError,
  InterruptedError,
  OutputError,
  TryAgainError,
  UsageError,
} from '#formats/errors';
/**
 * Whether an error is an answer of the step, to be journalled as its failure. Anything else stops the program and leaves the
 * session to be resumed: nothing has been decided about it.
 */
export function isFailure(error: unknown): error is ConclaveError {
  if (!(error instanceof ConclaveError)) return false;
  if (error instanceof InterruptedError || error instanceof TryAgainError) return false;
  if (error instanceof InternalError) return false;
  if (error instanceof OutputError) return error.code === 'E_FILE_EXISTS';
  if (error instanceof UsageError) return !error.code.startsWith('E_ANSWER_');
  return true;
}
