/** Traces and requests as plain data, for people and programs that do not trust them. */
import { sha256 } from '#crypto/hash';
import { toHex } from '#formats/bytes';
import type { JsonObject } from '#formats/canonical-json';
import { formatTime } from '#formats/time';
import { soundnessBits, soundnessByCounting } from '#protocols/inhead/level';
import { decodeRequest, REQUEST_TYPE } from '#protocols/inhead/request';
import { decodeTrace, suiteName } from '#protocols/inhead/trace-file';
import { messageText } from './asked.js';

/** What a request says. */
export function describeRequest(bytes: Uint8Array, name: string): JsonObject {
  const { nonce, message, group, level, quorum, bind, policy, expires } = decodeRequest(
    bytes,
    name,
  );
  return {
    type: REQUEST_TYPE,
    digest: `sha256:${toHex(sha256(bytes))}`,
    message: messageText(message),
    messageBytes: message.length,
    messageDigest: `sha256:${toHex(sha256(message))}`,
    group: `sha256:${toHex(group)}`,
    level,
    quorum: quorum === undefined ? null : [...quorum],
    bind,
    policy: `sha256:${toHex(policy)}`,
    expires: expires === undefined ? null : formatTime(new Date(1000 * expires)),
    nonce: toHex(nonce),
  };
}

/** What a trace says; of its proof the sizes and the soundness. */
export function describeTrace(bytes: Uint8Array, name: string): JsonObject {
  const trace = decodeTrace(bytes, name);
  const { level, suite, quorum, signature, repetitions, circuitId, proof, shares } = trace;
  return {
    type: 'conclave/trace',
    version: 1,
    level,
    suite: suiteName(suite),
    quorum: [...quorum],
    signatureBytes: signature.length,
    signatureDigest: `sha256:${toHex(sha256(signature))}`,
    publishedShares: shares.length,
    circuit: circuitId,
    repetitions,
    proofBytes: proof.length,
    soundness:
      repetitions === 0
        ? null
        : {
            bits: Math.floor(100 * soundnessBits(repetitions)) / 100,
            byCounting: soundnessByCounting(repetitions),
          },
  };
}
