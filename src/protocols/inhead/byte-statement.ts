/**
 * The statement about a key whose shares are bytes: the openings of a quorum's commitments, whose shares interpolate to the secret
 * that K commits to.
 * @see docs/spec/cold-signing-trace.md, "Keys behind a shared key-encryption key"
 */
import { statementHash } from './hash-input.js';
import { levelNumber, parametersOf } from './level.js';
import { makeStatement, type PublicSecret, type Statement } from './statement.js';

/** One of the quorum, as everybody knows it. */
export interface ByteOpening {
  readonly number: number;
  /** First block of its commitment. */
  readonly firstBlock: Uint8Array;
  /** C_i. */
  readonly commitment: Uint8Array;
  /** λ, 1 … 255: the product of its group's and its own Lagrange factor at 0. */
  readonly factor: number;
}

/** What the statement binds besides the openings. */
export interface ByteStatementFields {
  /** G and REQ as they stand. */
  readonly group: Uint8Array;
  readonly request: Uint8Array;
  readonly signature: Uint8Array;
  /** Fewer than the format's only in tests and in published examples. */
  readonly repetitions?: number;
}

/** The statement of a trace over shares of bytes; its level is `quorum`. */
export function byteStatement(
  openings: readonly ByteOpening[],
  secret: PublicSecret,
  { group, request, signature, repetitions }: ByteStatementFields,
): Statement {
  const usual = parametersOf('quorum', 'bytes');
  const parameters = { ...usual, repetitions: repetitions ?? usual.repetitions };
  return makeStatement({
    h0: statementHash({
      ...parameters,
      level: levelNumber('quorum'),
      group,
      request,
      quorum: openings.map(({ number }) => number),
      signature,
      shares: [],
    }),
    parameters,
    shape: { kind: 'bytes', factors: openings.map(({ factor }) => factor) },
    openings: openings.map(({ firstBlock, commitment }) => ({
      firstBlocks: [firstBlock],
      commitment,
      points: [],
    })),
    secret,
  });
}
