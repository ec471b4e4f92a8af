/**
 * The public file of a batch: commitments, the keys that sign for them, and the identity's word for both.
 * @see docs/spec/threshold.md, "Batch"
 */
import { loadSuite } from '#crypto/frost/suite';
import {
  decodeIdentity,
  encodeIdentity,
  type Identity,
  type OpenIdentity,
} from '#custody/authority/identity';
import { certifySessionKeys, verifySessionKeys } from '#custody/authority/session-keys';
import { equal, fromHex, toHex, utf8 } from '#formats/bytes';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { decodeDsse, type DsseEnvelope, encodeDsse } from '#formats/dsse';
import { ConclaveError, InputError, NegativeError } from '#formats/errors';
import { type Batch, batchId, batchPurpose, MAX_BATCH } from '#protocols/threshold/batch';

const TYPE = 'conclave/threshold-batch';
const VERSION = 1;
/** What such a file begins with: an array of twelve, and its type. */
const HEAD = encodeCbor([TYPE, VERSION]).slice(1);
const ARRAY_OF_TWELVE = 0x8c;

/** An identity has 4.5 KB, an envelope 9, a key 1.2, a hundred pairs of Ed448 12. */
export const MAX_BATCH_FILE_BYTES = 64 * 1024;

/** A batch file, nothing of it believed but its form. */
export interface BatchFile {
  readonly batch: Batch;
  /** 32 bytes. */
  readonly id: Uint8Array;
  readonly identity: Identity;
  readonly certificate: DsseEnvelope;
}

/** Whether these bytes say that they are a batch file. */
export function looksLikeBatch(bytes: Uint8Array): boolean {
  return bytes[0] === ARRAY_OF_TWELVE && equal(bytes.slice(1, 1 + HEAD.length), HEAD);
}

/** Has an identity certify a batch's keys and, by its id, all that it says. */
export async function signBatch(batch: Batch, by: OpenIdentity): Promise<Uint8Array> {
  const certificate = await certifySessionKeys(by, {
    session: toHex(batchId(batch)),
    purpose: batchPurpose(batch.suite),
    number: batch.number,
    ed25519: batch.ed25519,
    xWing: batch.xWing,
  });
  return encodeBatch(batch, by.identity, certificate);
}

/** Deterministic CBOR. */
export function encodeBatch(
  batch: Batch,
  identity: Identity,
  certificate: DsseEnvelope,
): Uint8Array {
  return encodeCbor([
    TYPE,
    VERSION,
    batch.suite,
    fromHex(batch.key),
    batch.context,
    batch.epoch,
    batch.number,
    batch.ed25519,
    batch.xWing,
    batch.commitments,
    encodeIdentity(identity),
    utf8(encodeDsse(certificate)),
  ]);
}

/**
 * A batch file. Whether its pairs are points is not looked at: a start message that names a pair is refused where they are not.
 * @see {@link wrongPairs}
 * @throws InputError `E_BATCH_MALFORMED`, and those of the readers of CBOR, identities and envelopes
 */
export async function decodeBatch(bytes: Uint8Array, what: string): Promise<BatchFile> {
  const value = decodeCbor(bytes, what, { maxBytes: MAX_BATCH_FILE_BYTES, maxDepth: 2 });
  if (!Array.isArray(value) || value.length !== 12) throw malformed(what, 'it has other members');
  const [type, version, suite, key, context, epoch, number, ed25519, xWing, pairs, person, word] =
    value as readonly Cbor[];
  if (type !== TYPE || version !== VERSION) throw malformed(what, 'it is of another version');
  if (typeof suite !== 'string') throw malformed(what, 'its suite is no name');
  const commitments = await pairsOf(pairs, suite, what);
  if (!isCount(epoch, 0xffff_ffff)) throw malformed(what, 'its epoch is no count');
  if (!isCount(number, 0xffff)) throw malformed(what, 'its number is none of a member');
  const identity = decodeIdentity(bytesOf(person, what), `${what}: identity`);
  const batch: Batch = {
    suite,
    key: toHex(bytesOf(key, what, 32)),
    context: bytesOf(context, what, 32),
    epoch,
    number,
    identity: identity.id,
    ed25519: bytesOf(ed25519, what, 32),
    xWing: bytesOf(xWing, what, 1216),
    commitments,
  };
  const certificate = decodeDsse(bytesOf(word, what), `${what}: certificate`);
  return { batch, id: batchId(batch), identity, certificate };
}

/**
 * Whether the identity in a batch file certifies its keys and its id.
 * @throws NegativeError `E_BATCH_FORGED`, and those of the certificate
 */
export async function assertCertified(
  { batch, id, identity, certificate }: BatchFile,
  what: string,
): Promise<void> {
  const { keys } = await verifySessionKeys(certificate, [identity], what);
  if (
    keys.session === toHex(id) &&
    keys.purpose === batchPurpose(batch.suite) &&
    keys.number === batch.number &&
    equal(keys.ed25519, batch.ed25519) &&
    equal(keys.xWing, batch.xWing)
  ) {
    return;
  }
  throw new NegativeError({
    code: 'E_BATCH_FORGED',
    message: `${what}: ${identity.name} certified another batch than the one in it`,
    hint: 'the file was changed after it was made; ask for the original',
  });
}

/** Indices of pairs that are not two points of the suite's group. */
export async function wrongPairs({ batch }: BatchFile): Promise<readonly number[]> {
  const { group } = await loadSuite(batch.suite);
  const isPoint = (bytes: Uint8Array): boolean => {
    try {
      group.decode(bytes, 'nonce commitment');
      return true;
    } catch (error) {
      if (error instanceof ConclaveError) return false;
      throw error;
    }
  };
  return [...batch.commitments.entries()].flatMap(([index, pair]) =>
    isPoint(pair.slice(0, group.pointBytes)) && isPoint(pair.slice(group.pointBytes))
      ? []
      : [index],
  );
}

async function pairsOf(
  value: Cbor | undefined,
  suiteName: string,
  what: string,
): Promise<readonly Uint8Array[]> {
  const suite = await loadSuite(suiteName).catch((cause: unknown) => {
    throw malformed(what, 'its suite is not known', cause);
  });
  if (suite.scheme !== 'frost') throw malformed(what, 'its suite has no nonces');
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_BATCH) {
    throw malformed(what, `it has not 1 to ${MAX_BATCH} pairs`);
  }
  const length = 2 * suite.group.pointBytes;
  return (value as readonly Cbor[]).map((each) => bytesOf(each, what, length));
}

function isCount(value: Cbor | undefined, max: number): value is number {
  return typeof value === 'number' && value >= 1 && value <= max;
}

function bytesOf(value: Cbor | undefined, what: string, length?: number): Uint8Array {
  if (value instanceof Uint8Array && (length === undefined || value.length === length)) {
    return value;
  }
  throw malformed(what, 'a member has another type or length');
}

function malformed(what: string, problem: string, cause?: unknown): InputError {
  return new InputError({
    code: 'E_BATCH_MALFORMED',
    message: `${what} is no batch of nonces: ${problem}`,
    cause,
  });
}
