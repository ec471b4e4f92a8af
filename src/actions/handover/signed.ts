/** Whether a statement of a hand-over was signed by the one who says so in it, and whether that is somebody who counts here. */
import { verifyEnvelope } from '#custody/audit/statement';
import type { Identity } from '#custody/authority/identity';
import type { ReadHandover } from '#custody/authority/handover-statement';
import { NegativeError } from '#formats/errors';
import { pinnedIdentities } from '../artifacts/pinned.js';
import type { ActionContext } from '../context/context.js';

/**
 * The identity that signed.
 * @param signerId - who signs, as the statement says
 * @param pinned - `--signer`; without any, the identities of this home or session
 * @throws {@link NegativeError} `E_HANDOVER_SIGNATURE`
 */
export async function assertSigned<T>(
  { envelope }: ReadHandover<T>,
  signerId: string,
  pinned: readonly string[],
  what: string,
  context: ActionContext,
): Promise<Identity> {
  const { identities } = await pinnedIdentities(
    { signers: pinned, participants: undefined, allowUnpinned: false },
    context,
  );
  const { signedBy, problems } = await verifyEnvelope(envelope, identities);
  const signer = signedBy.find(({ id }) => id === signerId);
  if (signer !== undefined && problems.length === 0) return signer;
  throw new NegativeError({
    code: 'E_HANDOVER_SIGNATURE',
    message: `${what}: ${problems[0] ?? 'it is not signed by anybody whose signature counts here'}`,
    hint: 'name whoever must have signed it by --signer PUB',
  });
}
