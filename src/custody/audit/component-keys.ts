/**
 * The two keys of an identity that sign statements. Statements need no more of an identity than this, so `audit` does not
 * depend on who keeps identities.
 */
import type { Descriptor } from '#crypto/descriptor';
import { keyId } from '#crypto/key-id';
import type { SecretBytes } from '#formats/secret-bytes';

/** Public signing keys, raw, with the name that problems are told by. */
export interface StatementKeys {
  readonly name: string;
  /** 32 bytes. */
  readonly ed25519: Uint8Array;
  /** 1952 bytes. */
  readonly mlDsa65: Uint8Array;
}

/** Who can sign a statement: an identity with its seeds in memory. */
export interface StatementSigner {
  readonly identity: StatementKeys;
  /** Three 32-byte seeds: ed25519 ‖ ml-dsa-65 ‖ x-wing. */
  readonly seeds: SecretBytes;
}

type Named = Pick<Descriptor, 'name' | 'profile'>;

/** The three algorithms of an identity, in the order of its seeds and of its id. Fixed: another set is another version. */
export const components = {
  ed25519: { name: 'ed25519', profile: '' },
  mlDsa65: { name: 'ml-dsa-65', profile: '' },
  xWing: { name: 'x-wing', profile: '' },
} as const satisfies Record<string, Named>;

/** Length of each seed. */
export const SEED_BYTES = 32;

/** Key ids of the two signing keys: the `keyid` members of their signatures. */
export function signingKeyIds(keys: Pick<StatementKeys, 'ed25519' | 'mlDsa65'>): {
  readonly ed25519: string;
  readonly mlDsa65: string;
} {
  return {
    ed25519: keyId(components.ed25519, keys.ed25519),
    mlDsa65: keyId(components.mlDsa65, keys.mlDsa65),
  };
}
