/** Context strings of signatures, as `--context` gives them to signer and verifier. */
import { utf8 } from '#formats/bytes';
import { UsageError } from '#formats/errors';

/** Payload type of a DSSE envelope over a file that says nothing of its type. */
export const SIGNED_FILE_TYPE = 'application/octet-stream';

/** Longest context of any signature algorithm here (FIPS 204 §5.2). */
const MAX_CONTEXT_BYTES = 255;

/**
 * The bytes of a `--context`, or `undefined` when none was given.
 * @throws {@link UsageError} `E_CONTEXT_TOO_LONG`
 */
export function signingContext(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  const bytes = utf8(text);
  if (bytes.length <= MAX_CONTEXT_BYTES) return bytes;
  throw new UsageError({
    code: 'E_CONTEXT_TOO_LONG',
    message: `a context has at most ${MAX_CONTEXT_BYTES} bytes`,
    hint: 'shorten --context',
  });
}
