/**
 * A signing session in two rounds: nonce commitments, then signature shares with an echo of all that was committed. Before a
 * share exists, what its nonces are used for is written down for good. Where the nonces were prepared there is one round.
 * @see docs/spec/threshold.md, "Signing"
 */
import { openedShare } from '#crypto/frost/commitment';
import type { Group } from '#crypto/frost/group';
import type { Cbor } from '#formats/cbor';
import { InternalError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { bytesIn, checkEchoes, echoBody, type Exchange, othersOf, partsOf } from './exchange.js';
import {
  aggregate,
  commit,
  readNonceCommitments,
  type SentCommitment,
  signingKey,
  signShare,
} from './frost-rounds.js';
import { NONCE_COINS } from './batch.js';
import { nonceName, nonceUse } from './nonce-use.js';
import { runPairingSigning } from './pairing-session.js';
import { runPreparedSigning } from './prepared-session.js';
import type { Start } from './start-message.js';

const NONCES = 'nonces';
const SHARE = 'signature-share';

/**
 * Runs a signing session.
 * @param old - x_i ‖ r_i of this party, borrowed
 * @returns the signature, in the form of the suite's algorithm
 * @throws NegativeError `E_THRESHOLD_CULPRIT`; RefusedError from `exchange.once` when the nonces were used for something else
 */
export async function runSigning(
  start: Start,
  exchange: Exchange,
  old: SecretBytes | undefined,
): Promise<Uint8Array> {
  const { suite, message } = start;
  if (suite.scheme === 'pairing') return await runPairingSigning(start, exchange, old);
  if (start.prepared !== undefined) return await runPreparedSigning(start, exchange, old);
  const { self, roster } = exchange;
  const group = start.group as Group;
  const signers = message.contributors;
  if (old === undefined || message.message === null) {
    throw new InternalError({
      code: 'E_THRESHOLD_SHARE',
      message: 'a signer takes part without its share',
    });
  }
  const toSign = message.message;
  const share = old.use((bytes) => openedShare(bytes, suite));

  // Round 1.
  const nonces = commit(suite, self, share, exchange.coins(NONCE_COINS));
  try {
    await exchange.broadcast(1, NONCES, [nonces.hiding, nonces.binding]);
    const sent: SentCommitment[] = [
      { number: self, hiding: nonces.hiding, binding: nonces.binding },
    ];
    for (const [number, body] of exchange.hear(1, NONCES, signers)) {
      const [hiding, binding] = partsOf(body, 2, number, 'its nonce commitments');
      sent.push({
        number,
        hiding: bytesIn(hiding, number, 'its nonce commitments'),
        binding: bytesIn(binding, number, 'its nonce commitments'),
      });
    }
    const commitments = readNonceCommitments(sent, suite);

    // Round 2.
    await exchange.once(
      nonceName(suite, nonces.hiding, nonces.binding),
      nonceUse(start.terms, commitments),
    );
    const key = signingKey(suite, group);
    const own = signShare(key, self, share, nonces.secret, commitments, toSign);
    const echo = exchange.echo(1, NONCES, signers);
    await exchange.broadcast(2, SHARE, [own, echoBody(echo)]);
    const shares = new Map<number, Uint8Array>([[self, own]]);
    const echoes = new Map<number, Cbor>();
    for (const [number, body] of exchange.hear(2, SHARE, othersOf(roster, self))) {
      const [z, heard] = partsOf(body, 2, number, 'its signature share');
      shares.set(number, bytesIn(z, number, 'its signature share'));
      echoes.set(number, heard ?? null);
    }
    // Before anybody is blamed for a share: whether all computed theirs over the same commitments.
    checkEchoes(echo, echoes);
    return aggregate(key, commitments, toSign, shares);
  } finally {
    nonces.secret.dispose();
  }
}
