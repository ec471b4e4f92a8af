/** Hybrid containers as `show` and `verify` know them, without any key: frame, header, lengths. */
import { readFrame } from '#carriage/wrapping/container';
import { looksLikeContainer } from '#carriage/wrapping/container';
import { TAG_LENGTH } from '#crypto/aead';
import { allDescriptors } from '#crypto/registry';
import { type ByteSource, fill, sourceOf } from '#formats/byte-stream';
import type { JsonObject } from '#formats/canonical-json';
import type { ArtifactKind, ArtifactVerdict, Claim } from './artifact.js';

/** Bytes of the commitment before the chunks. */
const COMMITMENT_BYTES = 32;

/** A container of any length, read once from front to back. */
interface Survey {
  readonly content: JsonObject;
  /** What is wrong with its lengths. */
  readonly problem: string | undefined;
  readonly size: string;
  readonly mark: string;
  readonly to: string;
}

export const containerKind: ArtifactKind = {
  kind: 'container',
  detect: (bytes) => looksLikeContainer(bytes),
  show: (bytes, name) => showContainer(sourceOf(bytes), name),
  verify: (bytes, name) => verifyContainer(sourceOf(bytes), name),
};

/** What a container says, for `show`. */
export async function showContainer(source: ByteSource, name: string): Promise<JsonObject> {
  return (await survey(source, name)).content;
}

/** What can be checked of a container without a key. */
export async function verifyContainer(source: ByteSource, name: string): Promise<ArtifactVerdict> {
  const { problem, size, mark, to } = await survey(source, name);
  const claims: Claim[] = [
    {
      claim: 'the header is well formed, in its one spelling',
      grade: 'checked',
      ok: true,
      detail: to,
    },
    {
      claim: 'every part has its length',
      grade: 'checked',
      ok: problem === undefined,
      detail: problem ?? size,
    },
    {
      claim: 'it is as it was sealed',
      grade: 'recorded',
      ok: problem === undefined,
      detail: 'only a key it is sealed to can tell: conclave unwrap',
    },
  ];
  return {
    ok: problem === undefined,
    kind: 'container',
    summary:
      problem === undefined
        ? `${mark}a container in good form; who made it, it does not say`
        : `${mark}${problem}`,
    claims,
  };
}

async function survey(source: ByteSource, name: string): Promise<Survey> {
  const { header, rest } = readFrame(source, name);
  const { body, chunk, content, created, environment, epoch, key, recipients } = header;
  const known = await allDescriptors();
  const algorithmOf = (kem: number): string =>
    known.find(({ hpkeKem }) => hpkeKem === kem)?.name ?? 'not known here';
  const behind = count(rest);
  const before =
    recipients.reduce((sum, { bytes }) => sum + bytes, 0) + (chunk === null ? 0 : COMMITMENT_BYTES);
  const chunks = chunksOf(behind - before, chunk);
  const listed = recipients.map(({ id, kem }) => ({
    id,
    kem: `0x${kem.toString(16).padStart(4, '0')}`,
    algorithm: algorithmOf(kem),
  }));
  return {
    content: {
      type: header.type,
      version: header.version,
      environment,
      content,
      key,
      created,
      epoch,
      suite: { kdf: 'HKDF-SHA256', aead: 'AES-256-GCM' },
      body,
      ...(chunk === null ? {} : { chunkBytes: chunk }),
      chunks: chunks?.count ?? null,
      contentBytes: chunks?.bytes ?? null,
      recipients: listed,
    },
    problem: chunks === undefined ? 'it was cut short' : undefined,
    size:
      chunks === undefined
        ? ''
        : `${chunks.bytes} bytes in ${chunks.count} ${chunks.count === 1 ? 'piece' : 'pieces'}`,
    mark: environment === 'production' ? '' : `${environment.toUpperCase()}, not for production: `,
    to: `a ${content} for ${listed.map(({ id, algorithm }) => `${algorithm} key ${id.slice(0, 16)}`).join(', ')}`,
  };
}

/** How many pieces that many sealed bytes are, and what they hold; `undefined` when they cannot be whole. */
function chunksOf(
  sealed: number,
  chunk: number | null,
): { readonly count: number; readonly bytes: number } | undefined {
  if (sealed < TAG_LENGTH) return undefined;
  if (chunk === null) return { count: 1, bytes: sealed - TAG_LENGTH };
  const pieces = Math.ceil(sealed / (chunk + TAG_LENGTH));
  const last = sealed - (pieces - 1) * (chunk + TAG_LENGTH) - TAG_LENGTH;
  if (last < 0 || (last === 0 && pieces > 1)) return undefined;
  return { count: pieces, bytes: (pieces - 1) * chunk + last };
}

function count(source: ByteSource): number {
  const piece = new Uint8Array(256 * 1024);
  let total = 0;
  for (;;) {
    const length = fill(source, piece);
    total += length;
    if (length < piece.length) return total;
  }
}
