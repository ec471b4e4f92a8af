/** The file in which a new key leaves its public side. */
import type { Descriptor } from '#crypto/descriptor';
import { encodeRecord, type KeyRecord } from '#custody/authority/record';
import { utf8 } from '#formats/bytes';
import { encodePem } from '#formats/pem';
import { markText } from './marks.js';

/**
 * How the public key is written, once it is; `undefined` for symmetric keys, which have none. Where no standard has a form for
 * it, it is the record, which everything that takes a public key reads.
 */
export function publicForm(
  descriptor: Descriptor,
  record: KeyRecord,
): (() => Promise<Uint8Array>) | undefined {
  if (descriptor.kind === 'symmetric') return undefined;
  if (descriptor.oid === undefined) {
    if (descriptor.profile === '') return () => Promise.resolve(encodeRecord(record));
    return async () => {
      const { encodeRatifyPublic } = await import('#crypto/encodings/ratify-json');
      return encodeRatifyPublic(record.publicKey);
    };
  }
  return async () => {
    const { encodeSpki } = await import('#crypto/encodings/spki');
    const der = encodeSpki(descriptor, record.publicKey);
    return utf8(encodePem('PUBLIC KEY', der, markText(record.environment)));
  };
}
