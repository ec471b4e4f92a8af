/**
 * Identities: three keys of one person, used for nothing but signing statements and opening what is sealed to that person.
 * @see docs/spec/identity.md
 */
import type { SecretBytes } from '#formats/secret-bytes';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';

/** Strict reader of an identity's public file. */
export const identitySchema = s.object({
  type: s.oneOf('conclave/identity'),
  version: s.oneOf(1),
  /** SHA-256 over the three component key ids; see `identityId`. */
  id: s.hex(32),
  name: s.string({ max: 128, pattern: /^\S(?:.*\S)?$/, what: 'a name' }),
  created: s.time(),
  environment: s.oneOf('production', 'rehearsal', 'dev'),
  /** Raw public keys. */
  ed25519: s.base64(32),
  mlDsa65: s.base64(1952),
  xWing: s.base64(1216),
});

/** An identity's public side. */
export type Identity = Infer<typeof identitySchema>;

/** An identity with its private side in memory: three 32-byte seeds in one secret, ed25519 ‖ ml-dsa-65 ‖ x-wing. */
export interface OpenIdentity extends Disposable {
  readonly identity: Identity;
  readonly seeds: SecretBytes;
}
