/**
 * A batch: nonce commitments that a member of a group makes ahead, so that signing takes one round. The member keeps one seed for
 * each; a start message names which one each signer takes.
 * @see docs/spec/threshold.md, "Batch"
 */
import { sha256 } from '#crypto/hash';
import type { FrostSuite } from '#crypto/frost/suite';
import { concat, fromHex, utf8 } from '#formats/bytes';
import { encodeCbor } from '#formats/cbor';
import type { SecretBytes } from '#formats/secret-bytes';
import { coinsOf } from './exchange.js';
import { commit, type Nonces } from './frost-rounds.js';

/** Most pairs of one batch: a batch file stays below 32 KB. */
export const MAX_BATCH = 100;

const DOMAIN = utf8('conclave-threshold-batch-v1\0');

/** Label of the coins from which nonces come, in sessions and in batches. */
export const NONCE_COINS = 'nonces';

/** What is public of a batch, and all that its id covers. */
export interface Batch {
  /** As a group record names it. */
  readonly suite: string;
  /** Id of the key record; hex. */
  readonly key: string;
  /** A of the group's share commitments, 32 bytes: it changes with every change of the shares. */
  readonly context: Uint8Array;
  /** Epoch of the group record that its owner had. */
  readonly epoch: number;
  /** The member. */
  readonly number: number;
  /** Id of the member's identity; hex. */
  readonly identity: string;
  /** Raw Ed25519 key that signs for this batch, 32 bytes. */
  readonly ed25519: Uint8Array;
  /** Raw x-wing key that goes with it, 1216 bytes. */
  readonly xWing: Uint8Array;
  /** D ‖ E of each pair, compressed, by index. */
  readonly commitments: readonly Uint8Array[];
}

/** Digest over all that a batch says; 32 bytes. */
export function batchId(batch: Batch): Uint8Array {
  return sha256(
    DOMAIN,
    encodeCbor([
      batch.suite,
      fromHex(batch.key),
      batch.context,
      batch.epoch,
      batch.number,
      fromHex(batch.identity),
      batch.ed25519,
      batch.xWing,
      batch.commitments,
    ]),
  );
}

/** What an identity certifies a batch's keys for. */
export function batchPurpose(suite: string): string {
  return `${suite}/batch`;
}

/**
 * The nonces that a seed and a share make: the same each time, and others for another share.
 * @param seed - 32 bytes, borrowed
 * @returns its secret is the caller's to dispose
 */
export function noncesOf(
  suite: FrostSuite,
  number: number,
  share: bigint,
  seed: SecretBytes,
): Nonces {
  return commit(suite, number, share, coinsOf(seed, NONCE_COINS));
}

/** How a batch writes a pair of commitments. */
export function pairOf({ hiding, binding }: Pick<Nonces, 'hiding' | 'binding'>): Uint8Array {
  return concat(hiding, binding);
}
