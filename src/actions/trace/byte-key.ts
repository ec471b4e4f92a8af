/** A key whose shares are bytes, as a trace sees it: the description of its set, and what proofs about it are made of. */
import { lagrangeFactors, multiply } from '#crypto/math/gf256';
import type { Descriptor } from '#crypto/descriptor';
import { resolve } from '#crypto/registry';
import { fromHex } from '#formats/bytes';
import { InputError, RefusedError } from '#formats/errors';
import type { ByteOpening } from '#protocols/inhead/byte-statement';
import type { PublicSecret } from '#protocols/inhead/statement';
import { secretFirstBlock, shareFirstBlock } from '#protocols/sharing/commitment';
import {
  assertRoot,
  commitmentOf,
  contextOf,
  decodeShareSet,
  secretContextOf,
  type ShareSet,
  structureOf,
  suiteOf,
} from '#protocols/sharing/share-set';
import { indexNumber, quorumsAmong, type ShareIndex } from '#protocols/sharing/structure';

/** A set of shares of a key, whose description is the group record. */
export interface ByteKey {
  readonly kind: 'bytes';
  readonly name: string;
  /** The description as it stands: G. */
  readonly bytes: Uint8Array;
  readonly set: ShareSet;
  readonly descriptor: Descriptor;
  readonly publicKey: Uint8Array;
}

/**
 * The key of a set description.
 * @throws {@link InputError} `E_TRACE_GROUP` for a set that no trace can be of; what the reader of descriptions throws
 * @throws {@link RefusedError} `E_TRACE_ALGORITHM` for a key that cannot sign deterministically
 */
export async function readByteKey(bytes: Uint8Array, name: string): Promise<ByteKey> {
  const { set } = decodeShareSet(bytes, name);
  assertRoot(set, name);
  const { algorithm, profile, publicKey } = set;
  if (algorithm === null || profile === null || publicKey === null) {
    throw noTrace(name, 'its shares are of a file, and a file signs nothing');
  }
  if (set.verifiable !== undefined) {
    throw noTrace(name, 'its shares are of a scalar, in a set without a proof circuit of its own');
  }
  if (set.scheme !== 'envelope' || set.kekCommitment === null) {
    throw noTrace(name, 'SLIP-39 words have no commitments that could be opened');
  }
  const descriptor = await resolve(algorithm, profile);
  const { kind, signing } = descriptor;
  if (kind !== 'signature') throw noTrace(name, `a ${descriptor.name} key signs nothing`);
  if (signing === undefined || signing.randomness === 'always') {
    throw new RefusedError({
      code: 'E_TRACE_ALGORITHM',
      message: `${name} is of a ${descriptor.name} key, which cannot be made to sign without choosing anything`,
      hint: 'a trace is of deterministic signatures, so that the signature carries nothing out of the cage',
    });
  }
  return { kind: 'bytes', name, bytes, set, descriptor, publicKey };
}

/** The shares that some numbers name; undefined unless they are exactly a quorum, ascending. */
export function quorumOfNumbers(
  { set }: ByteKey,
  numbers: readonly number[],
): readonly ShareIndex[] | undefined {
  const indices = numbers.map((number) => ({ group: number >> 8, member: number & 0xff }));
  const known = indices.every((index) => commitmentOf(set, indexNumber(index)) !== undefined);
  const ascending = numbers.every((number, i) => i === 0 || number > (numbers[i - 1] as number));
  if (!known || !ascending) return undefined;
  const [first] = quorumsAmong(structureOf(set), indices) as Iterable<readonly ShareIndex[]>;
  return first?.length === indices.length ? indices : undefined;
}

/** What a proof about a quorum opens, ascending. */
export function byteOpenings({ set }: ByteKey, quorum: readonly ShareIndex[]): ByteOpening[] {
  const groups = [...new Set(quorum.map(({ group }) => group))];
  const ofGroups = lagrangeFactors(groups);
  const suite = suiteOf(set);
  const context = contextOf(set);
  return quorum.map((index) => {
    const members = quorum.filter(({ group }) => group === index.group).map(({ member }) => member);
    const own = lagrangeFactors(members)[members.indexOf(index.member)] as number;
    const number = indexNumber(index);
    return {
      number,
      firstBlock: shareFirstBlock(suite, context, number),
      commitment: commitmentOf(set, number) as Uint8Array,
      factor: multiply(ofGroups[groups.indexOf(index.group)] as number, own),
    };
  });
}

/** K with its first block. The first dealing's A is in it: whoever changes a set does not have the secret. */
export function committedSecret({ set }: ByteKey): PublicSecret {
  return {
    firstBlock: secretFirstBlock(suiteOf(set), secretContextOf(set)),
    commitment: fromHex(set.kekCommitment ?? ''),
  };
}

function noTrace(name: string, why: string): InputError {
  return new InputError({ code: 'E_TRACE_GROUP', message: `${name} has no traces: ${why}` });
}
