/** The chain that `audit show` and `audit verify` are asked about: the home's, or one exported to a file. */
import { MissingInputError } from '#formats/errors';
import type { ActionContext } from '../context/context.js';

/** Longest accepted chain; years of one person's work stay below a hundredth of it. */
const MAX_CHAIN_BYTES = 256 * 1024 * 1024;

/** A chain's bytes and how people call it. */
export interface ChainSource {
  readonly what: string;
  readonly bytes: Uint8Array;
}

/**
 * The named file, or the chain of this home.
 * @throws {@link MissingInputError} `E_FILE_MISSING`; `E_AUDIT_MISSING` where nothing can be recorded
 */
export function readChain(file: string | undefined, context: ActionContext): ChainSource {
  if (file !== undefined) return { what: file, bytes: context.files.read(file, MAX_CHAIN_BYTES) };
  if (context.audit === undefined) {
    throw new MissingInputError({
      code: 'E_AUDIT_MISSING',
      message: 'there is no audit log here',
      hint: 'name the file of one',
    });
  }
  return { what: context.audit.location, bytes: context.audit.read() ?? new Uint8Array(0) };
}
