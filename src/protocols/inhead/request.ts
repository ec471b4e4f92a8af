/**
 * The request that goes into the cage: what is to be signed, by which key, at which level, and by whom.
 * @see docs/spec/cold-signing-trace.md, "The request"
 */
import { sha256 } from '#crypto/hash';
import { equal } from '#formats/bytes';
import { type Cbor, decodeCbor, encodeCbor } from '#formats/cbor';
import { InputError } from '#formats/errors';
import { type Level, levelNumber, levelOf } from './level.js';

/** First text in every request. */
export const REQUEST_TYPE = 'conclave/trace-request';

/** Longest message that is carried along. */
export const MAX_MESSAGE_BYTES = 64 * 1024;
const MAX_REQUEST_BYTES = MAX_MESSAGE_BYTES + 4096;
const MAX_SIGNERS = 255;
/** The last second of the year 9999: what is later has no place in the times that people are shown. */
const LATEST_EXPIRY = 253_402_300_799;

/** A request. */
export interface TraceRequest {
  /** 32 random bytes. */
  readonly nonce: Uint8Array;
  /** The exact bytes to be signed. */
  readonly message: Uint8Array;
  /** SHA-256 of the group record as it stands. */
  readonly group: Uint8Array;
  readonly level: Level;
  /** Strictly ascending; undefined where any quorum may sign. */
  readonly quorum: readonly number[] | undefined;
  /** Whether the level `shares` has to bind its signature to this request. */
  readonly bind: boolean;
  /** SHA-256 of the policy. */
  readonly policy: Uint8Array;
  /** Unix time in seconds; undefined for none. */
  readonly expires: number | undefined;
}

/** The one encoding. */
export function encodeRequest(request: TraceRequest): Uint8Array {
  const { nonce, message, group, level, quorum, bind, policy, expires } = request;
  return encodeCbor(
    new Map<number, Cbor>([
      [0, REQUEST_TYPE],
      [1, 1],
      [2, nonce],
      [3, message],
      [4, sha256(message)],
      [5, group],
      [6, levelNumber(level)],
      ...(quorum === undefined ? [] : [[7, [...quorum]] as const]),
      [8, bind],
      [9, policy],
      ...(expires === undefined ? [] : [[10, expires] as const]),
    ]),
  );
}

/** Whether bytes look like a request; cheap, never throws. */
export function looksLikeRequest(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  return /^[\xa9-\xab]\0\x76conclave\/trace-request/.test(head);
}

/**
 * A strictly parsed request.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_CBOR_MALFORMED`, `E_TRACE_REQUEST_MALFORMED`
 */
export function decodeRequest(bytes: Uint8Array, what: string): TraceRequest {
  if (!looksLikeRequest(bytes)) throw malformed(what, 'it does not begin like one');
  const value = decodeCbor(bytes, what, { maxBytes: MAX_REQUEST_BYTES, maxDepth: 2 });
  if (!(value instanceof Map)) throw malformed(what, 'it is no map');
  const rest = new Map(value as ReadonlyMap<number | string, Cbor>);
  const take = (key: number): Cbor | undefined => {
    const member = rest.get(key);
    rest.delete(key);
    return member;
  };
  const bytesOf = (key: number, name: string, length = 32): Uint8Array => {
    const member = take(key);
    if (member instanceof Uint8Array && member.length === length) return member;
    throw malformed(what, `its ${name} is not ${length} bytes`);
  };
  if (take(0) !== REQUEST_TYPE) throw malformed(what, 'it is of another type');
  if (take(1) !== 1) throw malformed(what, 'it is of a version that this conclave does not know');
  const nonce = bytesOf(2, 'nonce');
  const message = take(3);
  if (!(message instanceof Uint8Array) || message.length > MAX_MESSAGE_BYTES)
    throw malformed(what, 'its message is not bytes, or too long');
  if (!equal(bytesOf(4, 'digest'), sha256(message)))
    throw malformed(what, 'its digest is not that of its message');
  const group = bytesOf(5, 'group');
  const number = take(6);
  const level = typeof number === 'number' ? levelOf(number) : undefined;
  if (level === undefined) throw malformed(what, 'its level is not known');
  const quorum = quorumOf(take(7), what);
  const bind = take(8);
  if (typeof bind !== 'boolean') throw malformed(what, 'it does not say whether to bind');
  if (bind && level !== 'shares') throw malformed(what, 'only the level shares is bound by --bind');
  const policy = bytesOf(9, 'policy');
  const expires = take(10);
  if (
    expires !== undefined &&
    (typeof expires !== 'number' || expires < 0 || expires > LATEST_EXPIRY)
  )
    throw malformed(what, 'its expiry is no time');
  if (rest.size > 0) throw malformed(what, 'it has members that are not known');
  return { nonce, message, group, level, quorum, bind, policy, expires };
}

function quorumOf(value: Cbor | undefined, what: string): readonly number[] | undefined {
  if (value === undefined) return undefined;
  const numbers: readonly Cbor[] = Array.isArray(value) ? (value as readonly Cbor[]) : [];
  const ascending = numbers.every(
    (each, i) =>
      typeof each === 'number' &&
      each >= 1 &&
      each <= 0xffff &&
      (i === 0 || each > (numbers[i - 1] as number)),
  );
  if (numbers.length > 0 && numbers.length <= MAX_SIGNERS && ascending) return numbers as number[];
  throw malformed(what, 'its quorum is not a list of ascending numbers');
}

function malformed(what: string, problem: string): InputError {
  return new InputError({
    code: 'E_TRACE_REQUEST_MALFORMED',
    message: `${what} is no request for a trace: ${problem}`,
  });
}
