/** Proofs of openings as files: those that come in beside confirmations, and those that go with a group record. */
import { dirname, join } from 'node:path';
import { type Group, publishedBy } from '#crypto/frost/group';
import { sha256 } from '#crypto/hash';
import { equal, fromHex, toHex } from '#formats/bytes';
import { decodeCbor } from '#formats/cbor';
import { ConclaveError, InputError, NegativeError } from '#formats/errors';
import type { ReceivedMessage } from '#protocols/parties/message';
import {
  decodeOpening,
  MAX_OPENING_BYTES,
  type OpeningFile,
  verifyOpening,
} from '#protocols/inhead/opening-proof';
import { blame } from '#protocols/threshold/culprit';
import { CONFIRM, readConfirmation } from '#protocols/threshold/proven-opening';
import type { Claim } from '../artifacts/artifact.js';
import type { FileSpace } from '../context/context.js';
import type { Arrived, Session, Skipped } from './session.js';

/**
 * Keeps the proofs that somebody's signed confirmation names. Nobody signs the file itself: what nobody named is left alone.
 * @param heard - messages of the session, authenticated
 * @returns what was left alone
 */
export function takeProofs(
  { hold, start }: Pick<Session, 'hold' | 'start'>,
  arrived: readonly Arrived[],
  heard: readonly ReceivedMessage[],
): readonly Skipped[] {
  // Whoever confirms what another confirmed takes nothing from them: it is kept for each, and holds for one at most.
  const named = new Map<string, readonly number[]>();
  for (const { header, body } of heard) {
    if (header.round !== 3 || header.type !== CONFIRM || header.recipient !== null) continue;
    const proof = proofNamedIn(start, header.sender, body);
    if (proof === undefined) continue;
    const digest = toHex(proof);
    named.set(digest, [...(named.get(digest) ?? []), header.sender]);
  }
  return arrived.flatMap(({ file, bytes }): Skipped[] => {
    const digest = sha256(bytes);
    const senders = named.get(toHex(digest)) ?? [];
    if (senders.length === 0) {
      const own = hold.proof(hold.state.self);
      const ours = own !== undefined && equal(own, bytes);
      return [{ file, why: ours ? 'one’s own' : 'no confirmation that is here names this proof' }];
    }
    const lacking = senders.filter((sender) => {
      const kept = hold.proof(sender);
      return kept === undefined || !equal(sha256(kept), digest);
    });
    for (const sender of lacking) hold.keepProof(sender, bytes);
    return lacking.length === 0 ? [{ file, why: 'known already' }] : [];
  });
}

/**
 * SHA-256 of the proof that a confirmation names. One in another form names nothing; the protocol says whose fault that is.
 */
export function proofNamedIn(
  start: Session['start'],
  sender: number,
  body: Uint8Array,
): Uint8Array | undefined {
  try {
    return readConfirmation(start, sender, decodeCbor(body, CONFIRM, { maxDepth: 2 })).proof;
  } catch (error) {
    if (error instanceof ConclaveError) return undefined;
    throw error;
  }
}

/** What the proof that goes beside a confirmation is called. */
export function proofName(session: string, sender: number): string {
  return `${session.slice(0, 8)}-3-opening-from-${sender}.proof`;
}

/** What the proof of a member's commitment is called beside its group record. */
export function openingName(number: number): string {
  return `opening-of-${number}.proof`;
}

/**
 * What is wrong with a proof of a member's commitment; undefined when it is the one that the record names, and it holds.
 */
function problemOf(
  { suite, record, publicShares, context }: Group,
  number: number,
  bytes: Uint8Array,
): string | undefined {
  const { commitment = '', proof = null } = publishedBy(record).get(number) ?? {};
  const publicShare = publicShares.get(number);
  if (publicShare === undefined || toHex(sha256(bytes)) !== proof) {
    return 'is not the proof that the record names';
  }
  const committed = { suite, context, number, publicShare, commitment: fromHex(commitment) };
  let file: OpeningFile;
  try {
    file = decodeOpening(bytes, 'it');
  } catch (error) {
    // Whoever had the record name a file that is none is answered no, as for any other that does not hold.
    if (error instanceof InputError) return `does not hold: ${error.message}`;
    throw error;
  }
  const verdict = verifyOpening(committed, file);
  return verdict.ok ? undefined : `does not hold: ${verdict.reason}`;
}

/**
 * Verifies the proofs that lie beside the confirmations of a session, and writes them beside its record.
 * @returns where they lie then
 * @throws NegativeError `E_THRESHOLD_CULPRIT`, `E_TRANSCRIPT_INCOMPLETE`
 */
export function concludeProofs(
  group: Group,
  { message }: Session['start'],
  folder: string,
  { files }: { readonly files: FileSpace },
): readonly string[] {
  const written: string[] = [];
  for (const { number, proof } of group.record.members) {
    if (typeof proof !== 'string') continue;
    const path = join(folder, proofName(message.session, number));
    if (!files.exists(path)) {
      throw new NegativeError({
        code: 'E_TRANSCRIPT_INCOMPLETE',
        message: `the proof that party ${number} confirmed is not there: ${path}`,
      });
    }
    const bytes = files.read(path, MAX_OPENING_BYTES);
    const problem = problemOf(group, number, bytes);
    if (problem !== undefined) throw blame([number], `sent ${path}, which ${problem}`);
    const beside = join(folder, openingName(number));
    files.write(beside, bytes);
    written.push(beside);
  }
  return written;
}

/**
 * How far it is known that each commitment of a group record opens to the public share beside it.
 * @param path - where the record lies; proofs are looked for beside it
 */
export function commitmentClaim(group: Group, path: string, files: FileSpace): Claim {
  const { record } = group;
  const claim = 'each member’s commitment opens to its public share';
  if (record.version === 1) {
    const detail = 'by its holder; the record comes without proofs';
    return { claim, grade: 'recorded', ok: true, detail };
  }
  const unproven: number[] = [];
  const absent: number[] = [];
  for (const { number, proof } of record.members) {
    if (typeof proof !== 'string') {
      unproven.push(number);
      continue;
    }
    const name = openingName(number);
    const beside = path === '-' ? '' : join(dirname(path), name);
    if (beside === '' || !files.exists(beside)) {
      absent.push(number);
      continue;
    }
    const problem = problemOf(group, number, files.read(beside, MAX_OPENING_BYTES));
    if (problem !== undefined) {
      return { claim, grade: 'proven', ok: false, detail: `${name} ${problem}` };
    }
  }
  if (unproven.length + absent.length === 0) {
    const detail = 'MPC in the head, a proof of each, verified here; soundness 2^-128';
    return { claim, grade: 'proven', ok: true, detail };
  }
  const detail = [
    ...(unproven.length === 0 ? [] : [`no proof of member ${unproven.join(', ')}`]),
    ...(absent.length === 0
      ? []
      : [
          `all parties verified proofs before they acknowledged the record; not beside it now: ${absent
            .map(openingName)
            .join(', ')}`,
        ]),
  ].join('; ');
  return { claim, grade: 'recorded', ok: true, detail };
}
