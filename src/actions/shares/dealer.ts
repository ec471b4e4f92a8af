/** Whether the dealer's signature on a set description holds, where the dealer's identity is at hand. */
import { verifyDetached } from '#custody/audit/statement';
import type { Identity } from '#custody/authority/identity';
import { NegativeError } from '#formats/errors';
import { SHARE_SET_PAYLOAD_TYPE } from '#protocols/sharing/share-set';
import type { ActionContext } from '../context/context.js';
import type { NamedSet } from './sources.js';

/** What can be said of the dealer, one phrase in one of the two lists. */
export interface DealerCheck {
  readonly checked: readonly string[];
  readonly notChecked: readonly string[];
}

/**
 * Verifies the dealer's signature when this home knows the dealer.
 * @throws {@link NegativeError} `E_SHARE_SET_SIGNATURE` when it does not verify
 */
export async function checkDealer(
  set: NamedSet | undefined,
  identities: Pick<ActionContext['identities'], 'list'>,
): Promise<DealerCheck> {
  if (set === undefined) return { checked: [], notChecked: [] };
  const { dealer } = set.file.set;
  if (dealer === null || set.file.signatures.length === 0) {
    return { checked: [], notChecked: [`who made ${set.name}: it is unsigned`] };
  }
  const known = (await identities.list()).find(({ id }) => id === dealer);
  if (known === undefined) {
    return {
      checked: [],
      notChecked: [`the signature of ${set.name}: its dealer’s identity is not here`],
    };
  }
  if (!(await isSigned(set, known))) {
    throw new NegativeError({
      code: 'E_SHARE_SET_SIGNATURE',
      message: `${set.name}: the signature of ${known.name}, who dealt it, does not verify`,
      hint: 'it was changed after it was signed; use another custodian’s copy',
    });
  }
  return { checked: [`${set.name} is signed by ${known.name}`], notChecked: [] };
}

async function isSigned({ file }: NamedSet, dealer: Identity): Promise<boolean> {
  const { signedBytes, signatures } = file;
  const verdict = await verifyDetached(SHARE_SET_PAYLOAD_TYPE, signedBytes, signatures, [dealer]);
  return verdict.signedBy.length === 1 && verdict.problems.length === 0;
}
