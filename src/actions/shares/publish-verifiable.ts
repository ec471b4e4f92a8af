/** Sharing a key that is a scalar by Feldman's or Pedersen's scheme: dealt, proven, sealed, described. */
import type { Descriptor } from '#crypto/descriptor';
import { keyId } from '#crypto/key-id';
import { fromHex, toHex } from '#formats/bytes';
import { InternalError, UsageError } from '#formats/errors';
import {
  commitmentRoot,
  contextDigest,
  polynomialCommitment,
  shareCommitment,
} from '#protocols/sharing/commitment';
import type { ShareSet } from '#protocols/sharing/share-set';
import { indexName, indexNumber, type Structure } from '#protocols/sharing/structure';
import {
  dealVerifiable,
  decodeCommitments,
  isPublicKey,
  opensVerifiably,
  type VerifiableScheme,
} from '#protocols/sharing/verifiable';
import {
  assertReads,
  commonOf,
  type Shared,
  type ShareOutput,
  type SharingOptions,
} from './publish.js';
import { type Recipient, sealShare } from './seal.js';
import { groupOfAlgorithm, proveScalars } from './verifiable.js';

/**
 * Refuses what cannot be shared so: anything but a key that is a scalar, groups, words.
 * @throws {@link UsageError} `E_VERIFIABLE`
 */
export function assertVerifiable(
  key: Pick<Descriptor, 'name' | 'scalarGroup'> | undefined,
  { groups }: Structure,
  words: boolean,
): void {
  const refuse = (message: string, hint: string): UsageError =>
    new UsageError({ code: 'E_VERIFIABLE', message, hint });
  const without = 'leave out --verifiable: each share has its own commitment without it too';
  if (words) throw refuse('SLIP-39 words are not shared verifiably', 'leave out --format slip39');
  if (groups.length > 1) throw refuse('a scalar is shared among one group', without);
  if (key === undefined) throw refuse('a file is no scalar', without);
  if (key.scalarGroup === undefined) {
    throw refuse(`a key of ${key.name} is no scalar of an elliptic curve`, without);
  }
}

/** Shares the scalar of a key; every quorum is tried, and every share is held against the commitments as its custodian will. */
export async function shareVerifiably(
  scheme: VerifiableScheme,
  options: SharingOptions & { readonly key: NonNullable<SharingOptions['key']> },
): Promise<Shared> {
  const { content, key, structure, environment, recipients, logN, stretching, random } = options;
  const { descriptor, publicKey } = key;
  const group = await groupOfAlgorithm(descriptor.name, 'the key');
  const quorum = structure.groups[0] as Structure['groups'][number];
  const { shares, commitments } = content.secret.use((secret) =>
    dealVerifiable(scheme, secret, quorum, group, random),
  );
  try {
    const points = decodeCommitments(commitments, group, 'the new set');
    const right = shares.every((share) => opensVerifiably(scheme, share, points, group));
    const proof = proveScalars(scheme, shares, content.secret, structure, { group, random });
    if (!right || proof.failed !== undefined) throw notProven();
    if (scheme === 'feldman' && !isPublicKey(commitments[0] as Uint8Array, publicKey))
      throw notProven();
    const setId = random(32);
    const suite = scheme === 'feldman' ? 'feldman1' : 'pedersen';
    const context = contextDigest({ suite, setId, structure, publicKey });
    const own = shares.map(({ index, opening }) =>
      opening.use((bytes) => shareCommitment(suite, context, index, bytes)),
    );
    const root = commitmentRoot(context, polynomialCommitment(suite, context, commitments), own);
    const id = keyId(descriptor, publicKey);
    const verifiable = { scheme, algorithm: descriptor.name, keyId: fromHex(id) };
    const header = { setId, root, epoch: 0, structure, environment, package: undefined };
    const setting = { ...header, verifiable };
    const outputs: ShareOutput[] = [];
    for (const [i, share] of shares.entries()) {
      const recipient = recipients[i] as Recipient;
      const bytes = await sealShare({ share, setting, recipient, logN, stretching, random });
      await assertReads(bytes, recipient, share.opening);
      const file = `share-${indexName(share.index, structure)}.cbor`;
      outputs.push({ index: share.index, file, bytes });
    }
    const set: ShareSet = {
      ...commonOf(options),
      version: 3,
      setId: toHex(setId),
      scheme: 'envelope',
      splits: 'scalar',
      root: toHex(root),
      commitments: shares.map(({ index }, i) => ({
        index: indexNumber(index),
        commitment: toHex(own[i] as Uint8Array),
      })),
      kekCommitment: null,
      slip39: null,
      package: null,
      verifiable: { scheme, commitments },
    };
    return { set, shares: outputs, proof };
  } finally {
    for (const { opening } of shares) opening.dispose();
  }
}

function notProven(): InternalError {
  return new InternalError({
    code: 'E_DEAL_NOT_PROVEN',
    message: 'the new shares are not what their commitments say',
  });
}
