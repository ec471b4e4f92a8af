/** Revoked wrapping keys of this home. */
import { RefusedError } from '#formats/errors';
import type { ActionContext } from '../context/context.js';

/** Where a revocation is written once. @param digest - `sha256:HEX` of the SPKI */
export function revocationName(digest: string): string {
  return `revoked/${digest.slice('sha256:'.length)}`;
}

/**
 * Refuses revoked wrapping keys.
 * @throws {@link RefusedError} `E_WRAPPING_KEY_REVOKED`
 */
export function assertNotRevoked(
  digests: readonly string[],
  { once }: Pick<ActionContext, 'once'>,
): void {
  const revoked = digests.find((digest) => once?.read(revocationName(digest)) !== undefined);
  if (revoked === undefined) return;
  throw new RefusedError({
    code: 'E_WRAPPING_KEY_REVOKED',
    message: `the wrapping key ${revoked} was revoked here`,
    hint: 'get a new one; a revocation cannot be taken back',
  });
}
