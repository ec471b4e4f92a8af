/**
 * A signing session over nonces that were prepared: one round. The start message names each signer's commitments, so that all
 * sign over the same ones or in different sessions, and no echo is needed.
 * @see docs/spec/threshold.md, "Signing with prepared nonces"
 */
import { openedShare } from '#crypto/frost/commitment';
import type { Group } from '#crypto/frost/group';
import { equal } from '#formats/bytes';
import { InternalError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { NONCE_COINS } from './batch.js';
import { bytesIn, type Exchange, othersOf } from './exchange.js';
import { aggregate, commit, signingKey, signShare } from './frost-rounds.js';
import { nonceName, nonceUse } from './nonce-use.js';
import type { Start } from './start-message.js';

const SHARE = 'signature-share';

/**
 * Runs a signing session in which the seat's seed is that of the prepared pair.
 * @param old - x_i ‖ r_i of this party, borrowed
 * @returns the signature, in the form of the suite's algorithm
 * @throws NegativeError `E_THRESHOLD_CULPRIT`; RefusedError from `exchange.once` when the nonces were used for something else;
 * InternalError `E_BATCH_SEED` when the seed does not make the commitments that the start message names
 */
export async function runPreparedSigning(
  start: Start,
  exchange: Exchange,
  old: SecretBytes | undefined,
): Promise<Uint8Array> {
  const { suite, message, prepared: commitments } = start;
  const { self, roster } = exchange;
  const own = commitments?.find(({ number }) => number === self);
  if (
    old === undefined ||
    message.message === null ||
    commitments === undefined ||
    own === undefined
  ) {
    throw new InternalError({
      code: 'E_THRESHOLD_SHARE',
      message: 'a signer takes part without its share',
    });
  }
  const group = start.group as Group;
  const share = old.use((bytes) => openedShare(bytes, suite));
  const nonces = commit(suite, self, share, exchange.coins(NONCE_COINS));
  try {
    if (
      !equal(nonces.hiding, own.hiding.toBytes()) ||
      !equal(nonces.binding, own.binding.toBytes())
    ) {
      throw new InternalError({
        code: 'E_BATCH_SEED',
        message: 'the seed in this session does not make the nonces that it was opened for',
      });
    }
    await exchange.once(
      nonceName(suite, nonces.hiding, nonces.binding),
      nonceUse(start.terms, commitments),
    );
    const key = signingKey(suite, group);
    const z = signShare(key, self, share, nonces.secret, commitments, message.message);
    await exchange.broadcast(1, SHARE, z);
    const shares = new Map<number, Uint8Array>([[self, z]]);
    for (const [number, body] of exchange.hear(1, SHARE, othersOf(roster, self))) {
      shares.set(number, bytesIn(body, number, 'its signature share'));
    }
    return aggregate(key, commitments, message.message, shares);
  } finally {
    nonces.secret.dispose();
  }
}
