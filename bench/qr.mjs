/** A file by codes at 30 percent loss, from bytes to bytes: our parts and our decoder against the library of wallets. */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';

export const title =
  'qr: bytes to bytes at 30 % loss, median of 5 interleaved runs (lower is faster)';
export const peer = '@ngraveio/bc-ur';

const ROUNDS = 5;
const require = createRequire(import.meta.url);
const { UR, UREncoder, URDecoder } = require('@ngraveio/bc-ur');
const load = (path) =>
  import(new URL(`../dist/carriage/transport/${path}.js`, import.meta.url).href);
const sha256 = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest());

/** A generator that loses the same frames for both. */
function losses(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 < 0.3;
  };
}

/** Frames that were shown until all was there, and the time for it. */
function timed(encode, receive, seed) {
  const lost = losses(seed);
  const begin = process.hrtime.bigint();
  let shown = 0;
  for (let done = false; !done; shown++) {
    const text = encode(shown + 1);
    if (!lost()) done = receive(text);
  }
  return { ms: Number(process.hrtime.bigint() - begin) / 1e6, shown };
}

export async function measure() {
  const { FountainEncoder } = await load('fountain-encoder');
  const { encodeUrPart } = await load('ur');
  const { encodeFilePayload } = await load('payload');
  const { Receiver } = await load('receiver');
  const rows = [];
  for (const [length, fragment] of [
    [4 * 1024, 300],
    [20 * 1024, 300],
    [20 * 1024, 70],
  ]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 167 + (i >> 8) * 31) & 0xff);
    const message = encodeFilePayload({ kind: 'file', name: 'file', bytes }, sha256);
    const ours = (seed) => {
      const encoder = new FountainEncoder(message, fragment, sha256);
      const receiver = new Receiver(sha256);
      return timed(
        (number) => encodeUrPart('conclave-file', encoder.part(number)),
        (text) => receiver.take(text, 'frame').status === 'arrived',
        seed,
      );
    };
    const theirs = (seed) => {
      const encoder = new UREncoder(new UR(Buffer.from(message), 'conclave-file'), fragment);
      const decoder = new URDecoder();
      return timed(
        () => encoder.nextPart(),
        (text) => decoder.receivePart(text) && decoder.isComplete(),
        seed,
      );
    };
    const runs = Array.from({ length: ROUNDS }, (_, i) => [ours(i + 1), theirs(i + 1)]);
    const median = (which, member) =>
      runs.map((run) => run[which][member]).sort((a, b) => a - b)[2];
    const name = `${length / 1024} KiB, ${fragment} bytes a frame`;
    const peerMs = median(1, 'ms');
    const peerShown = median(1, 'shown');
    const row = (label, value, whole, target) => ({
      name: label,
      ms: value,
      ratio: value / whole,
      target,
    });
    rows.push(row(`${name}: time of the library`, peerMs, peerMs));
    rows.push(row(`${name}: our time`, median(0, 'ms'), peerMs, 1));
    // What a person waits for is frames, not milliseconds: so many were shown until all was there.
    rows.push(row(`${name}: frames of the library`, peerShown, peerShown));
    rows.push(row(`${name}: our frames`, median(0, 'shown'), peerShown, 1));
  }
  return rows;
}
