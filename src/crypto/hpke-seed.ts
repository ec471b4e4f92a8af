/** HPKE's DeriveKeyPair for the post-quantum KEMs, whose private form is a seed. */
import { concat, u16be, utf8 } from '#formats/bytes';
import { shake256 } from './hash.js';

/**
 * `length` bytes of private seed from input keying material (borrowed); the caller wipes them.
 * @param kem - KEM identifier
 * @see draft-ietf-hpke-pq §3, LabeledDerive with SHAKE256
 */
export function deriveSeed(kem: number, ikm: Uint8Array, length: number): Uint8Array {
  const label = utf8('DeriveKeyPair');
  const suite = concat(utf8('KEM'), u16be(kem));
  return shake256(length, ikm, utf8('HPKE-v1'), suite, u16be(label.length), label, u16be(length));
}
