/** What a trace proves, in the specification's words and no others; and what it does not. */
import type { Claim } from '../artifacts/artifact.js';

/** The answer about a trace. */
export interface TraceVerdict {
  readonly ok: boolean;
  readonly claims: readonly Claim[];
  /** One sentence each, without a full stop. */
  readonly notProven: readonly string[];
}

/** The words of each claim. */
export const WORDS = {
  valid: 'the signature verifies under the group key for this request’s message',
  request: 'the trace is of this request’s group, level and quorum',
  policy: 'the request’s policy is to sign exactly this message, and the key is bound to no other',
  sameSignature: 'the signature file is byte for byte the one in the trace',
  bytesMembership: (shares: string): string =>
    `the prover knew the openings of the commitments of shares ${shares}, and they interpolate to the secret committed as K`,
  bytesKey: 'the secret committed as K opens the key of this public key',
  shares: (shares: string): string =>
    `shares ${shares} made the partial signatures; a holder of any t shares could have named another quorum`,
  membership: (shares: string): string =>
    `for each of shares ${shares} the prover knew (x, r) opening the commitment published at generation, and x·G is the public ` +
    'share for that same x',
  nonces: (named: boolean): string =>
    `the signature carries no freely chosen bit beyond ${named ? '' : 'the choice of quorum and '}whether to sign: nonces are a ` +
    'fixed function of (x, r, group record, request, quorum)',
  freshProof:
    'the proof was made for this request (its random nonce, policy digest, level, quorum)',
} as const;

/** Printed with every trace. */
export const NEVER_PROVEN: readonly string[] = [
  'that different people were in the room',
  'that the laptop was offline',
  'when it happened',
  'that generation used good randomness: the generation transcript attests that',
];

/** Of keys whose shares are bytes. */
export const BYTES_NOT_PROVEN: readonly string[] = [
  'that this secret made the signature, or that signing was deterministic',
  'that the prover was nobody else who ever held a share and its randomness together, the dealer for one',
];

/** Of keys in shares of a scalar. */
export const SCALAR_NOT_PROVEN: readonly string[] = [
  'that the prover was nobody else who ever held a share and its randomness together, such as an earlier cage’s laptop; after ' +
    'elliptic curves fall, only that the prover knew the randomness',
];

/** What must be done with a signature and its trace before one of them leaves. */
export const HANDLING =
  'the signature leaves the cage alone, after a second, independent device there has verified the trace and found the signature ' +
  'equal to it; the trace is sealed to the auditors’ key and kept secret while the key lives';

/** A claim that was recomputed just now. */
export function checked(claim: string, ok: boolean, detail: string): Claim {
  return { claim, grade: 'checked', ok, detail };
}

/** A claim that rests on a document that this does not read. */
export function attested(claim: string, detail: string): Claim {
  return { claim, grade: 'attested', ok: true, detail };
}

/** What says itself that it is not proven. */
const LEVEL = /: not proven at this level$/;

/** The table for people. */
export function presentVerdict({ ok, claims, notProven }: TraceVerdict, summary: string): string {
  return [
    summary,
    ...claims.map(
      (each) => `  ${each.ok ? 'yes' : 'NO '} ${each.grade}: ${each.claim} (${each.detail})`,
    ),
    ...(ok ? notProven.map((what) => `  ${LEVEL.test(what) ? '' : 'not proven: '}${what}`) : []),
  ].join('\n');
}
