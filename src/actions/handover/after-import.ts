/** The condition of `--after-import`: nothing is destroyed on anybody's word alone, and never on an old one. */
import { KEY_IMPORTED, readHandover } from '#custody/authority/handover-statement';
import type { KeyRecord } from '#custody/authority/record';
import { equal } from '#formats/bytes';
import { NegativeError, RefusedError } from '#formats/errors';
import type { ActionContext } from '../context/context.js';
import { assertSigned } from './signed.js';
import { challengesFor, readAnswered, readIssued } from './state.js';

const MAX_RECEIPT_BYTES = 1024 * 1024;

/**
 * Asserts that a receipt is the one that `handover verify` gave here for the latest hand-over of this key.
 * @param path - the receipt, as typed
 * @param signers - `--signer`; the identities of this home or session when empty
 * @returns SHA-256 of the receipt
 * @throws {@link RefusedError} `E_RECEIPT_KEY`, `E_RECEIPT_SIGNATURE`, `E_RECEIPT_FOREIGN`, `E_RECEIPT_OLD`; InputError for a
 * file that is no such receipt
 */
export async function assertImported(
  path: string,
  record: KeyRecord,
  signers: readonly string[],
  context: ActionContext,
): Promise<string> {
  const bytes = context.files.read(path, MAX_RECEIPT_BYTES);
  const read = readHandover(KEY_IMPORTED, bytes, path);
  const { said, sha256 } = read;
  const name = record.name ?? record.id.slice(0, 16);
  const refuse = (code: `E_${string}`, problem: string, hint: string): RefusedError =>
    new RefusedError({
      code,
      message: `key ${name} is not destroyed: ${path} ${problem}`,
      hint,
    });
  if (said.key.id !== record.id) {
    throw refuse('E_RECEIPT_KEY', 'is a receipt for another key', 'give the one for this key');
  }
  try {
    await assertSigned(read, said.verifier.id, signers, path, context);
  } catch (error) {
    if (!(error instanceof NegativeError)) throw error;
    const why = error.message.replace(`${path}: `, '');
    throw refuse('E_RECEIPT_SIGNATURE', `does not count: ${why}`, error.hint ?? '');
  }
  const issued = readIssued(said.challenge, context);
  const answer = readAnswered(said.challenge, context);
  if (issued === undefined || answer === undefined || !equal(answer.receipt, bytes)) {
    throw refuse(
      'E_RECEIPT_FOREIGN',
      'was not given here',
      'verify the hand-over where the key is: conclave handover verify',
    );
  }
  if (issued.challenge.container.sha256 !== said.container.sha256) {
    throw refuse(
      'E_RECEIPT_FOREIGN',
      'speaks of another container than its challenge',
      'verify the hand-over again',
    );
  }
  const isSuperseded = challengesFor(record.id, context).some(
    ({ id, serial }) => id !== issued.id && serial >= issued.serial,
  );
  if (isSuperseded) {
    throw refuse(
      'E_RECEIPT_OLD',
      `answers the challenge of ${issued.challenge.created}, and the key was handed over again since`,
      'verify the last hand-over, and give its receipt',
    );
  }
  return sha256;
}
