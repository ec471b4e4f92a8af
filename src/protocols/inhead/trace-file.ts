/**
 * The bytes of a trace: header, quorum, signature, what the level publishes of each signer, and then the proof. Nothing in it is
 * believed: a verifier compares the header with what it expects, and takes group and request from elsewhere.
 * @see docs/spec/cold-signing-trace.md, "The trace"
 */
import { concat, equal, fromUtf8, lengthPrefixed, u16be, utf8 } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { PROOF_SYSTEM, quorumBytes, TRACE_VERSION } from './hash-input.js';
import { type Level, levelNumber, levelOf } from './level.js';

const MAGIC = utf8('conclave/trace');
const HEADER_BYTES = 14 + 2 + 1 + 2 + 2 + 1 + 8;
/** Longest signature: SLH-DSA's are below it. */
const MAX_SIGNATURE_BYTES = 64 * 1024;
const MAX_SIGNERS = 255;
/** Longest file that is read; a trace of the level `nonces` over Ed448 with five signers has 27 MB. */
export const MAX_TRACE_BYTES = 256 * 1024 * 1024;

/** Lengths of the points and scalars that a trace publishes, by suite; none for shares of bytes. */
const PUBLISHED: Readonly<Record<string, readonly [point: number, scalar: number]>> = Object.assign(
  Object.create(null) as object,
  {
    'gf256-v1': [0, 0],
    'ed25519\0': [32, 32],
    'ed448\0\0\0': [57, 57],
    'p256\0\0\0\0': [33, 32],
    secp256k: [33, 32],
    'taproot\0': [33, 32],
    ristr255: [32, 32],
  } as const,
);

/**
 * Lengths of the points and scalars of a suite.
 * @param suite - its eight bytes
 * @returns undefined for none that is known; zeros where shares are bytes
 */
export function publishedLengths(
  suite: Uint8Array,
): readonly [point: number, scalar: number] | undefined {
  return PUBLISHED[latin(suite)];
}

/** What one signer publishes. */
export interface PublishedShare {
  /** D_i, canonical. */
  readonly hiding: Uint8Array;
  /** E_i; undefined where there is one nonce. */
  readonly binding: Uint8Array | undefined;
  /** z_i, big-endian. */
  readonly z: Uint8Array;
}

/** A trace as read. */
export interface TraceFile {
  readonly repetitions: number;
  readonly circuitId: number;
  readonly level: Level;
  /** Eight bytes. */
  readonly suite: Uint8Array;
  /** Strictly ascending. */
  readonly quorum: readonly number[];
  readonly signature: Uint8Array;
  /** Signer by signer; empty where shares are bytes. */
  readonly shares: readonly PublishedShare[];
  /** The proof's own bytes; at level `shares` empty, or what binds the signature to its request. */
  readonly proof: Uint8Array;
}

/** D_i, E_i, z_i as the statement hashes them. */
export function publishedFields(shares: readonly PublishedShare[]): Uint8Array[] {
  return shares.flatMap(({ hiding, binding, z }) =>
    binding === undefined ? [hiding, z] : [hiding, binding, z],
  );
}

/** The one encoding. */
export function encodeTrace(trace: TraceFile): Uint8Array {
  const { repetitions, circuitId, level, suite, quorum, signature, shares, proof } = trace;
  return concat(
    MAGIC,
    u16be(TRACE_VERSION),
    Uint8Array.of(circuitId === 0 ? 0 : PROOF_SYSTEM),
    u16be(repetitions),
    u16be(circuitId),
    Uint8Array.of(levelNumber(level)),
    suite,
    quorumBytes(quorum),
    lengthPrefixed(signature),
    ...publishedFields(shares),
    proof,
  );
}

/** Whether bytes look like a trace; cheap, never throws. */
export function looksLikeTrace(bytes: Uint8Array): boolean {
  // A request begins otherwise: it is CBOR.
  return bytes.length > HEADER_BYTES && equal(bytes.subarray(0, MAGIC.length), MAGIC);
}

/**
 * A strictly parsed trace; its proof is parsed by whoever has the circuit.
 * @param what - how errors name the input
 * @throws {@link InputError} `E_TRACE_MALFORMED`
 */
export function decodeTrace(bytes: Uint8Array, what: string): TraceFile {
  const reader = new Reader(bytes, what);
  if (!looksLikeTrace(bytes)) throw reader.fail('it does not begin like one');
  reader.take(MAGIC.length);
  const version = reader.u16();
  if (version !== TRACE_VERSION) throw reader.fail(`version ${version} is not known`);
  const system = reader.take(1)[0] as number;
  const repetitions = reader.u16();
  const circuitId = reader.u16();
  const level = levelOf(reader.take(1)[0] as number);
  if (level === undefined) throw reader.fail('its level is not known');
  const suite = reader.take(8);
  const lengths = publishedLengths(suite);
  if (lengths === undefined) throw reader.fail('its suite is not known');
  const without = level === 'shares';
  if ((circuitId === 0) !== without || (repetitions === 0) !== without)
    throw reader.fail('its level and its proof do not fit');
  if (system !== (without ? 0 : PROOF_SYSTEM)) throw reader.fail('its proof system is not known');
  const count = reader.u16();
  if (count < 1 || count > MAX_SIGNERS) throw reader.fail('its quorum is empty or too large');
  const quorum = Array.from({ length: count }, () => reader.u16());
  if (quorum.some((number, i) => number <= (quorum[i - 1] ?? 0)))
    throw reader.fail('its quorum is not ascending');
  const signature = reader.prefixed(MAX_SIGNATURE_BYTES);
  const [point, scalar] = lengths;
  const shares =
    point === 0
      ? []
      : quorum.map(() => ({
          hiding: reader.take(point),
          binding: level === 'nonces' ? undefined : reader.take(point),
          z: reader.take(scalar),
        }));
  return {
    repetitions,
    circuitId,
    level,
    suite,
    quorum,
    signature,
    shares,
    proof: reader.rest(),
  };
}

/** A suite's eight bytes without the zeros at their end. */
export function suiteName(suite: Uint8Array): string {
  return fromUtf8(suite).replace(/\0+$/, '');
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw this.fail('it is cut short');
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  u16(): number {
    const [high, low] = this.take(2) as unknown as [number, number];
    return (high << 8) | low;
  }

  prefixed(max: number): Uint8Array {
    const length = (this.u16() << 16) | this.u16();
    if (length < 1 || length > max) throw this.fail('its signature has no possible length');
    return this.take(length);
  }

  rest(): Uint8Array {
    return this.take(this.#bytes.length - this.#at);
  }

  fail(problem: string): InputError {
    return new InputError({
      code: 'E_TRACE_MALFORMED',
      message: `${this.#what} is no trace of conclave: ${problem}`,
    });
  }
}
