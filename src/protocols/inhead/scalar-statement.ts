/**
 * The statement about a key that a group holds in shares of a scalar: the openings of a quorum's commitments, each the logarithm
 * of its public share, and at level `nonces` that each nonce is a fixed function of the share and of all that is signed.
 * @see docs/spec/cold-signing-trace.md, "Keys in shares of a scalar"
 */
import { firstBlock, randomnessBytes } from '#crypto/frost/commitment';
import type { Group } from '#crypto/frost/group';
import { hasEvenY } from '#crypto/frost/suite';
import type { FrostSuite } from '#crypto/frost/suite';
import { sha256 } from '#crypto/hash';
import type { GroupPoint } from '#crypto/math/prime-group';
import { concat, fromHex, lengthPrefixed, u16be, utf8 } from '#formats/bytes';
import { quorumBytes, statementHash, TRACE_VERSION } from './hash-input.js';
import { type Level, levelNumber, parametersOf } from './level.js';
import { nonceHashes, type ScalarSize } from './shape.js';
import { makeStatement, type Statement } from './statement.js';
import { publishedFields, type PublishedShare } from './trace-file.js';

const TAG_NONCE_CONTEXT = utf8('conclave/trace-n');
const TAG_NONCE = utf8('conclave/trace-p');

/** Everything that a signature, its nonces and its proof are bound to, besides the signature itself. */
export interface ScalarContext {
  readonly group: Group;
  /** G and REQ as they stand. */
  readonly groupBytes: Uint8Array;
  readonly request: Uint8Array;
  /** The exact bytes signed. */
  readonly message: Uint8Array;
  readonly level: Level;
  /** Exactly t, ascending, all of them members. */
  readonly quorum: readonly number[];
}

/** A signature with what its level publishes of each signer, in the order of the quorum. */
export interface ScalarSignature {
  readonly signature: Uint8Array;
  readonly shares: readonly PublishedShare[];
}

/** Lengths of a suite. */
export function scalarSize(suite: FrostSuite): ScalarSize {
  return {
    scalarBytes: suite.scalarBytes,
    randomnessBytes: randomnessBytes(suite),
    orderBits: suite.group.order.toString(2).length,
  };
}

/** The key as it signs: for BIP 340 the one of the two with even y. */
export function signingKey({ suite, key }: Pick<Group, 'suite' | 'key'>): GroupPoint {
  return suite.evenY && !hasEvenY(key) ? key.negate() : key;
}

/** n0: all that can change λ_i or the challenge. Keyed by less, two quorums that sign one request would give shares away. */
export function nonceContext(context: ScalarContext): Uint8Array {
  const { group, groupBytes, request, message, level, quorum } = context;
  return sha256(
    TAG_NONCE_CONTEXT,
    Uint8Array.of(TRACE_VERSION),
    group.suite.code,
    Uint8Array.of(levelNumber(level)),
    lengthPrefixed(groupBytes),
    lengthPrefixed(request),
    quorumBytes(quorum),
    signingKey(group).toBytes(),
    lengthPrefixed(message),
  );
}

/** First blocks of a signer's nonce hashes, by purpose from 1. */
export function nonceBlocks(suite: FrostSuite, n0: Uint8Array, number: number): Uint8Array[] {
  return Array.from({ length: nonceHashes(scalarSize(suite)) }, (_, i) =>
    concat(TAG_NONCE, n0, u16be(number), suite.code, Uint8Array.of(i + 1), new Uint8Array(5)),
  );
}

/** h0 of a trace over shares of a scalar. */
export function scalarStatementHash(
  context: ScalarContext,
  { signature, shares }: ScalarSignature,
  repetitions?: number,
): Uint8Array {
  const { group, groupBytes, request, level, quorum } = context;
  const usual = parametersOf(level, scalarSize(group.suite).orderBits);
  return statementHash({
    ...usual,
    repetitions: repetitions ?? usual.repetitions,
    level: levelNumber(level),
    group: groupBytes,
    request,
    quorum,
    signature,
    shares: publishedFields(shares),
  });
}

/**
 * The statement of levels `quorum` and `nonces`.
 * @param nonces - D_i decoded, in the order of the quorum
 * @param repetitions - fewer than the format's only in tests and in published examples
 */
export function scalarStatement(
  context: ScalarContext,
  signed: ScalarSignature,
  nonces: readonly GroupPoint[],
  repetitions?: number,
): Statement {
  const { group, level, quorum } = context;
  const { suite, record, publicShares } = group;
  const size = scalarSize(suite);
  const usual = parametersOf(level, size.orderBits);
  const withNonces = level === 'nonces';
  const n0 = withNonces ? nonceContext(context) : new Uint8Array(0);
  return makeStatement({
    h0: scalarStatementHash(context, signed, repetitions),
    parameters: { ...usual, repetitions: repetitions ?? usual.repetitions },
    shape: { kind: 'scalar', size, openings: quorum.length, nonces: withNonces },
    openings: quorum.map((number, i) => ({
      firstBlocks: [
        firstBlock(suite, group.context, number),
        ...(withNonces ? nonceBlocks(suite, n0, number) : []),
      ],
      commitment: fromHex(
        record.members.find((member) => member.number === number)?.commitment ?? '',
      ),
      points: [
        publicShares.get(number) as GroupPoint,
        ...(withNonces ? [nonces[i] as GroupPoint] : []),
      ],
    })),
    group: suite.group,
  });
}
