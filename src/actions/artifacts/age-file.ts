/** age files as `show` and `verify` know them, without any key: header, recipients, length of the payload. */
import { format, describeStanza, payloadLength } from '#carriage/wrapping/age';
import { looksLikeArmor, unarmored } from '#carriage/wrapping/age-armor';
import { readAgeHeader } from '#carriage/wrapping/age-header';
import { knownStanzas } from '#carriage/wrapping/age-stanza';
import { HEAD_BYTES } from '#carriage/wrapping/format';
import { type ByteSource, fill, sourceOf } from '#formats/byte-stream';
import type { JsonObject } from '#formats/canonical-json';
import type { ArtifactKind, ArtifactVerdict } from './artifact.js';

interface Survey {
  readonly armored: boolean;
  readonly recipients: readonly string[];
  readonly payloadBytes: number | undefined;
}

export const ageFileKind: ArtifactKind = {
  kind: 'age-file',
  detect: (bytes) => format.detect(bytes.subarray(0, HEAD_BYTES)),
  show: (bytes, name) => {
    const { armored, recipients, payloadBytes } = survey(sourceOf(bytes), bytes, name);
    const content: JsonObject = {
      type: 'age-encryption.org/v1',
      armored,
      recipients,
      contentBytes: payloadBytes ?? null,
    };
    return Promise.resolve(content);
  },
  verify: (bytes, name) => {
    const { recipients, payloadBytes } = survey(sourceOf(bytes), bytes, name);
    const ok = payloadBytes !== undefined;
    const verdict: ArtifactVerdict = {
      ok,
      kind: 'age-file',
      summary: ok ? 'an age file in good form; who made it, it does not say' : 'it was cut short',
      claims: [
        {
          claim: 'the header is well formed',
          grade: 'checked',
          ok: true,
          detail: `for ${recipients.join(', ')}`,
        },
        {
          claim: 'the payload has a length that it can have',
          grade: 'checked',
          ok,
          detail: ok ? `${payloadBytes} bytes` : 'it was cut short',
        },
        {
          claim: 'it is as it was sealed',
          grade: 'recorded',
          ok,
          detail: 'only a key it is sealed to can tell: conclave unwrap',
        },
      ],
    };
    return Promise.resolve(verdict);
  },
};

function survey(source: ByteSource, bytes: Uint8Array, name: string): Survey {
  const armored = looksLikeArmor(bytes.subarray(0, HEAD_BYTES));
  const { header, rest } = readAgeHeader(armored ? unarmored(source, name) : source, name);
  const recipients = knownStanzas(header.stanzas, name).map(describeStanza);
  const piece = new Uint8Array(64 * 1024);
  let behind = 0;
  for (let length = piece.length; length === piece.length;) {
    length = fill(rest, piece);
    behind += length;
  }
  return { armored, recipients, payloadBytes: payloadLength(behind) };
}
