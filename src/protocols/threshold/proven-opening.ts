/**
 * Commitments that come with a proof, where a session agreed on that: the digest of the proof is in the confirmation of round 3,
 * the proof itself goes beside it, and nobody acknowledges a record before every proof has verified.
 * @see docs/spec/threshold.md, "Proven openings"
 */
import { type Committed, opensCommitment } from '#crypto/frost/commitment';
import type { GroupPoint } from '#crypto/math/prime-group';
import type { Cbor } from '#formats/cbor';
import { InternalError } from '#formats/errors';
import type { SecretBytes } from '#formats/secret-bytes';
import { blame, blaming } from './culprit.js';
import { bytesIn, type Exchange, partsOf } from './exchange.js';
import type { Start } from './start-message.js';

/** Type of the broadcast of round 3. */
export const CONFIRM = 'confirm';
const HASH_BYTES = 32;

/** What all proofs of a session are about. */
export interface Openings {
  readonly start: Start;
  /** A. */
  readonly a: Uint8Array;
  readonly publicShares: ReadonlyMap<number, GroupPoint>;
}

/** The body of `confirm`. */
export interface Confirmation {
  /** A. */
  readonly context: Uint8Array;
  /** C_i. */
  readonly commitment: Uint8Array;
  /** SHA-256 of the proof's file; undefined where none was agreed on. */
  readonly proof: Uint8Array | undefined;
}

/** Whether a session has its commitments proven. */
export function provesAll({ message }: Start): boolean {
  return message.openings !== undefined;
}

/** The body of a confirmation, in the form that was agreed on. @throws NegativeError `E_THRESHOLD_CULPRIT` */
export function readConfirmation(start: Start, party: number, body: Cbor): Confirmation {
  const what = 'its confirmation';
  const proven = provesAll(start);
  const [context, commitment, proof] = partsOf(body, proven ? 3 : 2, party, what);
  const hash = (value: Cbor | undefined, name: string): Uint8Array => {
    const bytes = bytesIn(value, party, what);
    if (bytes.length !== HASH_BYTES) throw blame([party], `sent ${name} that is not 32 bytes`);
    return bytes;
  };
  return {
    context: bytesIn(context, party, what),
    commitment: hash(commitment, 'a commitment'),
    proof: proven ? hash(proof, 'a digest') : undefined,
  };
}

/**
 * The proof of this party's own commitment; undefined where none was agreed on. {@link assertOwnProof} verifies it before anybody
 * sees it.
 * @param opening - x_i ‖ r_i, borrowed
 */
export async function ownProof(
  openings: Openings,
  exchange: Exchange,
  commitment: Uint8Array,
  opening: SecretBytes,
): Promise<Uint8Array | undefined> {
  const { start, a } = openings;
  if (!provesAll(start)) return undefined;
  const { suite } = start;
  const { self } = exchange;
  const committed = committedBy(openings, self, commitment);
  return await exchange.enclosure(function* () {
    // The steps go on for a while, and a loan does not: the copies live exactly as long as they.
    const secret = opening.use((bytes) => bytes.slice());
    const random = exchange.coins('opening proof')(64);
    try {
      if (!opensCommitment(suite, a, self, secret, commitment)) throw fault();
      return yield* exchange.proofs().prove(committed, secret, random);
    } finally {
      secret.fill(0);
      random.fill(0);
    }
  });
}

/** Verifies the proof that this party is about to send. @throws InternalError `E_OPENING_UNVERIFIED` */
export function assertOwnProof(
  openings: Openings,
  exchange: Exchange,
  commitment: Uint8Array,
  proof: Uint8Array,
): void {
  if (!holds(openings, exchange, exchange.self, commitment, proof)) throw fault();
}

/**
 * Waits for every proof, and verifies them all.
 * @param said - what the others confirmed
 * @returns their proofs, by number
 * @throws NegativeError `E_THRESHOLD_CULPRIT` naming all whose proof does not hold
 */
export function assertProven(
  openings: Openings,
  exchange: Exchange,
  said: ReadonlyMap<number, Confirmation>,
): ReadonlyMap<number, Uint8Array> {
  if (!provesAll(openings.start)) return new Map();
  const digests = new Map([...said].map(([party, { proof }]) => [party, proof as Uint8Array]));
  const proofs = exchange.enclosed(3, digests);
  const culprits = [...proofs]
    .filter(([party, proof]) => {
      const { commitment } = said.get(party) as Confirmation;
      return !holds(openings, exchange, party, commitment, proof);
    })
    .map(([party]) => party);
  if (culprits.length === 0) return proofs;
  throw blame(culprits, 'sent a proof that does not hold for the commitment and the public share');
}

function committedBy(
  { start: { suite }, a, publicShares }: Openings,
  number: number,
  commitment: Uint8Array,
): Committed {
  const publicShare = publicShares.get(number) as GroupPoint;
  return { suite, context: a, number, publicShare, commitment };
}

/** Once for each confirmation: its digest is in it. */
function holds(
  openings: Openings,
  exchange: Exchange,
  party: number,
  commitment: Uint8Array,
  proof: Uint8Array,
): boolean {
  const committed = committedBy(openings, party, commitment);
  return exchange.known('proof', 3, CONFIRM, [party], () =>
    blaming(party, 'a proof that cannot be read', () =>
      exchange.proofs().verify(committed, proof, `proof of party ${party}`),
    ),
  ).ok;
}

function fault(): InternalError {
  return new InternalError({
    code: 'E_OPENING_UNVERIFIED',
    message: 'the proof that was just made does not verify, and nothing was said',
    hint: 'the machine computed wrongly: do not use it again',
  });
}
