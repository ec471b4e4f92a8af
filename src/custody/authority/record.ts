/**
 * The key record: everything public that conclave knows of a key, as canonical JSON. It is the associated data of the sealed
 * private key, so that neither can be exchanged for another.
 * @see docs/spec/key-file.md
 */
import type { Purpose } from '#crypto/descriptor';
import type { Infer } from '#formats/schema';
import * as s from '#formats/schema';

/** Mark carried by everything that must not pass for the real thing. */
export type Environment = 'production' | 'rehearsal' | 'dev';

/** Key states of NIST SP 800-57 part 1 rev. 5 §7. */
export type KeyState =
  'pre-activation' | 'active' | 'suspended' | 'deactivated' | 'compromised' | 'destroyed';

/** How the private key is held. */
export type Custody = 'single' | 'shared' | 'threshold' | 'external';

const purposes = [
  'sign',
  'encrypt',
  'encapsulate',
  'agree',
  'mac',
] as const satisfies readonly Purpose[];

/** One event of a key's life: the projection of the audit chain onto this key. */
const historyEntry = s.object({
  event: s.string({ max: 64 }),
  time: s.time(),
  state: s.optional(s.string({ max: 32 })),
  reason: s.optional(s.string({ max: 1024 })),
});

/** Strict reader of key records. */
export const keyRecordSchema = s.object({
  type: s.oneOf('conclave/key-record'),
  version: s.oneOf(1),
  id: s.hex(32),
  name: s.nullable(s.string({ pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, what: 'a key name' })),
  algorithm: s.string({ max: 64 }),
  profile: s.string({ max: 32 }),
  /** Base64 of the raw public key; for symmetric keys of the check value. */
  publicKey: s.base64(),
  created: s.time(),
  purposes: s.array(s.oneOf(...purposes), { max: 8 }),
  /** `sha256:HEX` of the policy, or null. */
  policy: s.nullable(s.string({ pattern: /^sha256:[0-9a-f]{64}$/, what: 'a policy digest' })),
  custody: s.oneOf('single', 'shared', 'threshold', 'external'),
  environment: s.oneOf('production', 'rehearsal', 'dev'),
  /** Account path `org/team/app`, or empty. */
  account: s.string({ pattern: /^(?:[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*)?$/, max: 256 }),
  state: s.oneOf(
    'pre-activation',
    'active',
    'suspended',
    'deactivated',
    'compromised',
    'destroyed',
  ),
  /** `local`, `frost-ed25519`, … */
  protocol: s.string({ max: 64 }),
  /** Draft revision that a draft algorithm or encoding followed, or null. */
  draft: s.nullable(s.string({ max: 64 })),
  tags: s.record(s.string({ max: 256 }), { max: 64 }),
  /** Set once the key is shared: the set and its commitments' root. */
  shares: s.nullable(s.object({ setId: s.hex(32), root: s.hex(32) })),
  destroyAfter: s.nullable(s.time()),
  history: s.array(historyEntry, { max: 4096 }),
});

/** A key record. `publicKey` is bytes here and base64 in JSON. */
export type KeyRecord = Infer<typeof keyRecordSchema>;
