/**
 * A signing session where signatures of shares add up: one round, in which each signer says its share of the signature. Each is
 * checked by itself under the public share of its signer, so that whoever sent a wrong one is named.
 * @see docs/spec/threshold.md, "Signing by pairings"
 */
import { openedShare } from '#crypto/frost/commitment';
import type { Group } from '#crypto/frost/group';
import { loadPairingShares } from '#crypto/frost/pairing';
import type { GroupPoint } from '#crypto/math/prime-group';
import { InternalError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { blame } from './culprit.js';
import { lagrangeOf } from './dealing.js';
import { bytesIn, type Exchange, othersOf } from './exchange.js';
import type { Start } from './start-message.js';

const SHARE = 'signature-share';

/**
 * Runs a signing session.
 * @param old - x_i ‖ r_i of this party, borrowed
 * @throws NegativeError `E_THRESHOLD_CULPRIT`
 */
export async function runPairingSigning(
  { suite, message, group }: Start,
  exchange: Exchange,
  old: SecretBytes | undefined,
): Promise<Uint8Array> {
  const { self, roster } = exchange;
  const toSign = message.message;
  if (old === undefined || toSign === null) {
    throw new InternalError({
      code: 'E_THRESHOLD_SHARE',
      message: 'a signer takes part without its share',
    });
  }
  const signing = await loadPairingShares(suite);
  const own = signing.sign(
    old.use((bytes) => openedShare(bytes, suite)),
    toSign,
  );
  await exchange.broadcast(1, SHARE, own);
  const shares = new Map<number, Uint8Array>([[self, own]]);
  for (const [number, body] of exchange.hear(1, SHARE, othersOf(roster, self))) {
    shares.set(number, bytesIn(body, number, 'its signature share'));
  }
  return await addedUp(group as Group, toSign, shares);
}

/**
 * The signature of a quorum from what each of it said.
 * @throws NegativeError `E_THRESHOLD_CULPRIT` naming everybody whose share is wrong
 */
export async function addedUp(
  { suite, publicShares }: Group,
  message: Uint8Array,
  shares: ReadonlyMap<number, Uint8Array>,
): Promise<Uint8Array> {
  const signing = await loadPairingShares(suite);
  const wrong = [...shares]
    .filter(
      ([number, share]) => !signing.verify(publicShares.get(number) as GroupPoint, message, share),
    )
    .map(([number]) => number);
  if (wrong.length > 0) throw blame(wrong, 'sent a wrong signature share');
  return signing.combine(shares, lagrangeOf([...shares.keys()], suite));
}
