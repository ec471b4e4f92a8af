/** Whether a trace holds whose shares are bytes. */
import { equal } from '#formats/bytes';
import { ConclaveError } from '#formats/errors';
import { byteStatement } from '#protocols/inhead/byte-statement';
import { REPETITIONS } from '#protocols/inhead/hash-input';
import { parametersOf } from '#protocols/inhead/level';
import { decodeProof } from '#protocols/inhead/proof';
import type { TraceRequest } from '#protocols/inhead/request';
import type { Statement } from '#protocols/inhead/statement';
import { suiteName, type TraceFile } from '#protocols/inhead/trace-file';
import { type ProofVerdict, verifyStepwise } from '#protocols/inhead/verifier';
import { suiteOf } from '#protocols/sharing/share-set';
import type { Claim } from '../artifacts/artifact.js';
import { quorumText } from './asked.js';
import { type ByteKey, byteOpenings, committedSecret, quorumOfNumbers } from './byte-key.js';
import { policyClaim } from './policy.js';
import { proofText, stepping, UNWATCHED, type Watched } from './progress.js';
import { attested, BYTES_NOT_PROVEN, checked, NEVER_PROVEN, WORDS } from './verdict.js';
import type { TraceVerdict } from './verdict.js';

/** What is checked against what; group record and request are the verifier's own. */
export interface TraceQuestion<K> {
  readonly key: K;
  readonly request: TraceRequest;
  readonly requestBytes: Uint8Array;
  readonly trace: TraceFile;
  /** How errors name the trace. */
  readonly what: string;
}

/** The verdict on a trace whose shares are bytes. */
export async function checkByteTrace(
  question: TraceQuestion<ByteKey>,
  watched: Watched = UNWATCHED,
): Promise<TraceVerdict> {
  const { key, request, trace } = question;
  const quorum = quorumOfNumbers(key, trace.quorum);
  const shares = quorumText(trace.quorum, key.set);
  const misfit =
    levelMisfit(request) ??
    headerMisfit(question, 'bytes', suiteOf(key.set)) ??
    (quorum === undefined ? `shares ${shares} are not exactly a quorum` : undefined);
  const signed = await isSigned(key, request.message, trace.signature);
  const claims: Claim[] = [
    checked(
      WORDS.request,
      misfit === undefined,
      misfit ?? `shares ${shares}, level ${trace.level}`,
    ),
    policyClaim(key, request),
    checked(
      WORDS.valid,
      signed,
      signed ? `by the ${key.descriptor.name} key of ${key.name}` : 'it does not verify',
    ),
  ];
  if (misfit === undefined && quorum !== undefined) {
    const refusal = await proofRefusal(question, quorum, watched);
    const proven = refusal === undefined;
    claims.push(
      checked(
        WORDS.bytesMembership(shares),
        proven,
        refusal ??
          `${REPETITIONS} repetitions, soundness 2^-128; the key was reconstructed in memory`,
      ),
      attested(WORDS.bytesKey, 'by the generation transcript, which is not read here'),
      checked(
        WORDS.freshProof,
        proven,
        refusal ?? 'at this level the signature itself may be older',
      ),
    );
  }
  return {
    ok: claims.every(({ ok }) => ok),
    claims,
    notProven: [...BYTES_NOT_PROVEN, ...NEVER_PROVEN],
  };
}

/** Why shares of bytes have no trace of a request's level: they have one level, and a proof of it must not pass for more. */
export function levelMisfit({ level }: TraceRequest): string | undefined {
  if (level === 'quorum') return undefined;
  return `the request is of level ${level}, and shares of bytes have level quorum only`;
}

/** What of a trace's header is not what the request asks for; undefined when all of it fits. */
export function headerMisfit(
  { request, trace }: Pick<TraceQuestion<unknown>, 'request' | 'trace'>,
  orderBits: number | 'bytes',
  suite: string,
): string | undefined {
  if (trace.level !== request.level)
    return `the trace is of level ${trace.level}, the request of level ${request.level}`;
  if (suiteName(trace.suite) !== suite.replace(/\0+$/, '')) return 'the trace is of another suite';
  const { circuitId, repetitions } = parametersOf(request.level, orderBits);
  if (trace.circuitId !== circuitId || trace.repetitions !== repetitions)
    return 'the trace has another circuit or another number of repetitions';
  const { quorum } = request;
  const same =
    quorum === undefined ||
    (quorum.length === trace.quorum.length && quorum.every((each, i) => each === trace.quorum[i]));
  return same ? undefined : 'another quorum signed than the request names';
}

async function proofRefusal(
  { key, requestBytes, trace, what }: TraceQuestion<ByteKey>,
  quorum: Parameters<typeof byteOpenings>[1],
  watched: Watched,
): Promise<string | undefined> {
  const statement = byteStatement(byteOpenings(key, quorum), committedSecret(key), {
    group: key.bytes,
    request: requestBytes,
    signature: trace.signature,
  });
  return await refusalOf(trace, statement, what, watched);
}

/** Why the proof of a trace is refused, whether it does not parse or does not convince. */
export async function refusalOf(
  { level, quorum, proof }: TraceFile,
  statement: Statement,
  what: string,
  watched: Watched,
): Promise<string | undefined> {
  try {
    const decoded = decodeProof(proof, statement.trace.circuit, REPETITIONS, what);
    const verdict: ProofVerdict = await stepping(
      verifyStepwise(statement, decoded),
      { title: 'verifying', about: proofText(level, quorum.length) },
      watched,
    );
    return verdict.ok ? undefined : verdict.reason;
  } catch (error) {
    if (error instanceof ConclaveError && error.exitCode === 65) return error.message;
    throw error;
  }
}

/** Strict ordinary verification; of ECDSA's two spellings only the one with the smaller s. */
export async function isSigned(
  { descriptor, publicKey }: Pick<ByteKey, 'descriptor' | 'publicKey'>,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const implementation = await descriptor.load();
  if (implementation.kind !== 'signature') return false;
  const options = descriptor.signing?.encodings === undefined ? {} : { lowS: true };
  return implementation.verify(signature, message, publicKey, options);
}

/** Whether a signature file is the signature of a trace. */
export function signatureClaim(file: Uint8Array, { signature }: TraceFile): Claim {
  const same = equal(file, signature);
  return checked(WORDS.sameSignature, same, same ? `${file.length} bytes` : 'they differ');
}
