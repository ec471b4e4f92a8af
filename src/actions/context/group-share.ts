/**
 * A share of a group key as it rests: the sealed part of an ordinary key file whose record says `threshold`. Deterministic CBOR
 * [1, group record, number, x_i ‖ r_i].
 * @see docs/spec/threshold.md, "Share at rest"
 */
import { opensCommitment, openedShare, openingBytes } from '#crypto/frost/commitment';
import { decodeGroup, encodeGroup, type Group, type GroupRecord } from '#crypto/frost/group';
import type { KeyRecord } from '#custody/authority/record';
import { fromHex } from '#formats/bytes';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { InputError, NegativeError } from '#formats/errors';
import { SecretBytes } from '#formats/secret-bytes';

const MAX_BYTES = 512 * 1024;

/** A share, open. Disposing wipes it. */
export interface OpenGroupShare extends Disposable {
  readonly group: Group;
  /** The holder's number. */
  readonly number: number;
  /** x_i ‖ r_i. */
  readonly opening: SecretBytes;
}

/** A share with the record of its key. Disposing wipes the share. */
export interface GroupKeyShare extends Disposable {
  readonly record: KeyRecord;
  readonly share: OpenGroupShare;
}

/** The sealed part; the caller disposes it. */
export function encodeGroupShare(
  group: GroupRecord,
  number: number,
  opening: SecretBytes,
): SecretBytes {
  return opening.use((bytes) =>
    SecretBytes.adopt(encodeCbor([1, encodeGroup(group), number, bytes]), 'share of a group key'),
  );
}

/**
 * A share from the sealed part of its file, checked: it opens its commitment and its public share, and the group is the record's.
 * @param secret - borrowed
 * @throws InputError `E_GROUP_SHARE_MALFORMED`; NegativeError `E_GROUP_SHARE_WRONG`
 */
export async function decodeGroupShare(
  secret: SecretBytes,
  record: KeyRecord,
  what: string,
): Promise<OpenGroupShare> {
  const { groupBytes, number, opening: kept } = partsOf(secret, what);
  try {
    const group = await decodeGroup(groupBytes, `${what}: group record`);
    const { suite } = group;
    const member = group.record.members.find((each) => each.number === number);
    const fits =
      member !== undefined &&
      group.record.key === record.id &&
      kept.length === openingBytes(suite) &&
      kept.use((bytes) => {
        const share = openedShare(bytes, suite);
        return (
          share > 0n &&
          share < suite.group.order &&
          suite.group.base
            .multiply(share)
            .equals(group.publicShares.get(number) ?? suite.group.identity) &&
          opensCommitment(suite, group.context, number, bytes, fromHex(member.commitment))
        );
      });
    if (!fits) {
      throw new NegativeError({
        code: 'E_GROUP_SHARE_WRONG',
        message: `${what}: the share is not the one that its group record commits to`,
        hint: 'the file is damaged or was exchanged; take your copy, or have the share repaired',
      });
    }
    return {
      group,
      number,
      opening: kept,
      [Symbol.dispose]: () => {
        kept.dispose();
      },
    };
  } catch (error) {
    kept.dispose();
    throw error;
  }
}

/** The opening in a sealed part, unchecked; the caller disposes it. @throws InputError `E_GROUP_SHARE_MALFORMED` */
export function openingIn(secret: SecretBytes, what: string): SecretBytes {
  return partsOf(secret, what).opening;
}

function partsOf(
  secret: SecretBytes,
  what: string,
): { readonly groupBytes: Uint8Array; readonly number: number; readonly opening: SecretBytes } {
  const value = secret.use((bytes) =>
    decodeCbor(bytes, what, { maxBytes: MAX_BYTES, maxDepth: 1 }),
  );
  const parts = Array.isArray(value) ? (value as readonly Cbor[]) : [];
  const [version, groupBytes, number, opening] = parts;
  if (
    parts.length === 4 &&
    version === 1 &&
    groupBytes instanceof Uint8Array &&
    typeof number === 'number' &&
    opening instanceof Uint8Array
  ) {
    return { groupBytes, number, opening: SecretBytes.adopt(opening, 'share of a group key') };
  }
  for (const part of parts) if (part instanceof Uint8Array) part.fill(0);
  throw new InputError({
    code: 'E_GROUP_SHARE_MALFORMED',
    message: `${what} holds no share of a group key`,
  });
}
