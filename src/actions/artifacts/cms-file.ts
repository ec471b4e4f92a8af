/** CMS messages as `show` and `verify` know them, without any key: structure and recipients. */
import { format, messageBytes } from '#carriage/wrapping/cms';
import { type CmsMessage, CONTENT_TYPE, decodeCms } from '#carriage/wrapping/cms-message';
import { HEAD_BYTES } from '#carriage/wrapping/format';
import { resolveOid } from '#crypto/registry';
import { toHex } from '#formats/bytes';
import type { ArtifactKind } from './artifact.js';

export const cmsFileKind: ArtifactKind = {
  kind: 'cms-message',
  detect: (bytes) => format.detect(bytes.subarray(0, HEAD_BYTES)),
  show: async (bytes, name) => {
    const message = decodeCms(messageBytes(bytes, name), name);
    return {
      type: 'AuthEnvelopedData',
      content: contentOf(message),
      hint: message.hint ?? null,
      cipher: `AES-${message.keyBytes * 8}-GCM`,
      contentBytes: message.sealed.body.length,
      recipients: await Promise.all(
        message.recipients.map(async ({ kem, keyIdentifier, kekBytes }) => ({
          algorithm: (await resolveOid(kem))[0]?.name ?? kem,
          keyIdentifier: keyIdentifier === undefined ? null : toHex(keyIdentifier),
          wrap: `AES-${kekBytes * 8}-KW`,
        })),
      ),
      otherRecipients: message.others,
    };
  },
  verify: async (bytes, name) => {
    const message = decodeCms(messageBytes(bytes, name), name);
    const names = await Promise.all(
      message.recipients.map(async ({ kem }) => (await resolveOid(kem))[0]?.name ?? kem),
    );
    const mark = message.hint === undefined ? '' : `${message.hint}: `;
    return {
      ok: true,
      kind: 'cms-message',
      summary: `${mark}a CMS message in good form; who made it, it does not say`,
      claims: [
        {
          claim: 'it is well-formed DER',
          grade: 'checked',
          ok: true,
          detail: `${contentOf(message)} for ${names.join(', ') || 'recipients of other kinds'}`,
        },
        {
          claim: 'it is as it was sealed',
          grade: 'recorded',
          ok: true,
          detail: 'only a key it is sealed to can tell: conclave unwrap',
        },
      ],
    };
  },
};

function contentOf({ contentType }: CmsMessage): string {
  if (contentType === CONTENT_TYPE.data) return 'file';
  return contentType === CONTENT_TYPE.keyPackage ? 'key' : contentType;
}
