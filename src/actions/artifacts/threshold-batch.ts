/** A batch of prepared nonces, as its owner hands it to the others. */
import { toHex } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import {
  assertCertified,
  type BatchFile,
  decodeBatch,
  looksLikeBatch,
  wrongPairs,
} from '../threshold/batch-file.js';
import type { ArtifactKind, Claim } from './artifact.js';

/** The kind `threshold-batch`. */
export const thresholdBatchKind: ArtifactKind = {
  kind: 'threshold-batch',
  detect: (bytes) => looksLikeBatch(bytes),
  show: async (bytes, name) => {
    const { batch, id, identity } = await decodeBatch(bytes, name);
    return {
      kind: 'threshold-batch',
      batch: toHex(id),
      suite: batch.suite,
      key: batch.key,
      epoch: batch.epoch,
      shares: toHex(batch.context),
      party: batch.number,
      identity: identity.id,
      name: identity.name,
      count: batch.commitments.length,
      bytes: bytes.length,
    };
  },
  verify: async (bytes, name) => {
    const file = await decodeBatch(bytes, name);
    const { batch, id, identity } = file;
    const wrong = await wrongPairs(file);
    const refusal = await refusalOf(file, name);
    const claims: readonly Claim[] = [
      {
        claim: 'the identity in it certifies this batch and its keys',
        grade: 'attested',
        ok: refusal === undefined,
        detail: refusal ?? `identity ${identity.id}, batch ${toHex(id)}`,
      },
      {
        claim: 'every commitment is a point of the group',
        grade: 'checked',
        ok: wrong.length === 0,
        detail:
          wrong.length === 0
            ? `${batch.commitments.length} pairs, ${batch.suite}`
            : `not those of pair ${wrong.join(', ')}`,
      },
      {
        claim: 'no pair was used yet',
        grade: 'recorded',
        ok: true,
        detail: 'its owner alone knows, and refuses a second use',
      },
    ];
    const ok = claims.every((each) => each.ok);
    return {
      ok,
      kind: 'threshold-batch',
      summary: ok
        ? `${batch.commitments.length} prepared pairs of nonces of ${identity.name}, member ${batch.number} of key ${batch.key.slice(0, 16)}`
        : 'the batch does not hold',
      claims,
    };
  },
};

async function refusalOf(file: BatchFile, name: string): Promise<string | undefined> {
  try {
    await assertCertified(file, name);
    return undefined;
  } catch (error) {
    if (error instanceof ConclaveError) return error.message;
    throw error;
  }
}
