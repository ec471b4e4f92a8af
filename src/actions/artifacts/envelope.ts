/** Custody envelopes as `show` and `verify` know them, without the key-encryption key. */
import { decodeEnvelope, looksLikeEnvelope } from '#carriage/wrapping/envelope';
import { allDescriptors } from '#crypto/registry';
import type { ArtifactKind, Claim } from './artifact.js';

export const envelopeKind: ArtifactKind = {
  kind: 'envelope',
  detect: (bytes) => looksLikeEnvelope(bytes),
  async show(bytes, name) {
    const { header, wrappedDek, wrappedKey } = decodeEnvelope(bytes, name);
    const { id, kem } = header.kek;
    return {
      ...header,
      kek: {
        id,
        kem: `0x${kem.toString(16).padStart(4, '0')}`,
        algorithm: (await kekAlgorithm(kem)) ?? 'not known here',
      },
      wrappedDekBytes: wrappedDek.length,
      wrappedKeyBytes: wrappedKey.length,
    };
  },
  async verify(bytes, name) {
    const { custody, environment, kek, key } = decodeEnvelope(bytes, name).header;
    const algorithm = (await kekAlgorithm(kek.kem)) ?? 'unknown';
    const claims: Claim[] = [
      {
        claim: 'the envelope is well formed, in its one spelling',
        grade: 'checked',
        ok: true,
        detail: `${key.algorithm} key ${key.id.slice(0, 16)} under ${algorithm} key ${kek.id.slice(0, 16)}`,
      },
      {
        claim: `the key is in ${custody === 'self' ? 'its owner’s own' : 'somebody else’s'} custody`,
        grade: 'recorded',
        ok: true,
        detail: 'as whoever made the envelope says',
      },
      {
        claim: 'it is as it was sealed',
        grade: 'recorded',
        ok: true,
        detail: 'only a key it is sealed to can tell: conclave unwrap',
      },
    ];
    const mark =
      environment === 'production' ? '' : `${environment.toUpperCase()}, not for production: `;
    return {
      ok: true,
      kind: 'envelope',
      summary: `${mark}an envelope in good form (${custody} custody); who made it, it does not say`,
      claims,
    };
  },
};

async function kekAlgorithm(kem: number): Promise<string | undefined> {
  return (await allDescriptors()).find(({ hpkeKem }) => hpkeKem === kem)?.name;
}
