/**
 * BLS signatures on BLS12-381, minimal public keys: 48 bytes in G1, signatures of 96 bytes in G2. The suite `basic` is the one of
 * the draft that needs nothing besides; Ethereum's verifiers expect `possession`, Tezos's `augmented`.
 */
import type { bls12_381 } from '@noble/curves/bls12-381.js';
import { concat, u16be, utf8 } from '#formats/bytes';
import { InputError } from '#formats/errors';
import { fromNumber, toNumber } from '../big-numbers.js';
import type { BlsSuite, Descriptor, Implementation } from '../descriptor.js';
import { hkdfExpand, hkdfExtract, sha256 } from '../hash.js';
import { assertPrivate, assertPublic } from '../lengths.js';
import { choose, chooseVerifying } from '../signing-choices.js';

/** Domain separation tags (draft-irtf-cfrg-bls-signature §4.2). */
const TAGS: Readonly<Record<BlsSuite, string>> = {
  basic: 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_',
  augmented: 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_AUG_',
  possession: 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_',
};

const bls: Descriptor = {
  name: 'bls12-381',
  profile: '',
  kind: 'signature',
  sizes: { private: 32, public: 48, signature: 96 },
  category: 0,
  bits: 120,
  status: 'standard',
  purposes: ['sign'],
  spec: 'draft-irtf-cfrg-bls-signature §2 and §4, minimal-pubkey-size',
  signing: { suites: ['basic', 'augmented', 'possession'], randomness: 'none' },
  load: async () => implement((await import('@noble/curves/bls12-381.js')).bls12_381),
};

const KEYGEN_SALT = utf8('BLS-SIG-KEYGEN-SALT-');

function implement(curve: typeof bls12_381): Implementation {
  const { longSignatures, fields, G1 } = curve;
  const order = fields.Fr.ORDER;

  /** KeyGen of the draft (§2.3), from 32 bytes of input keying material. */
  function deriveScalar(ikm: Uint8Array): Uint8Array {
    const material = concat(ikm, Uint8Array.of(0));
    try {
      for (let salt = sha256(KEYGEN_SALT); ; salt = sha256(salt)) {
        const prk = hkdfExtract('sha256', salt, material);
        const okm = hkdfExpand('sha256', prk, u16be(48), 48);
        const scalar = toNumber(okm) % order;
        prk.fill(0);
        okm.fill(0);
        if (scalar !== 0n) return fromNumber(scalar, 32);
      }
    } finally {
      material.fill(0);
    }
  }

  /** noble would reduce a scalar beyond the order, and one key would have two spellings. */
  function assertScalar(secret: Uint8Array): void {
    assertPrivate(bls, secret);
    const scalar = toNumber(secret);
    if (scalar > 0n && scalar < order) return;
    throw new InputError({
      code: 'E_KEY_INVALID',
      message: 'this is not a valid bls12-381 private key: zero, or beyond the order',
    });
  }

  function publicKey(secret: Uint8Array): Uint8Array {
    assertScalar(secret);
    return longSignatures.getPublicKey(secret).toBytes();
  }

  const hashed = (
    suite: BlsSuite,
    message: Uint8Array,
    key: () => Uint8Array,
  ): ReturnType<typeof longSignatures.hash> =>
    longSignatures.hash(
      suite === 'augmented' ? concat(key(), message) : message,
      utf8(TAGS[suite]),
    );

  return {
    kind: 'signature',
    // KeyValidate (draft-irtf-cfrg-bls-signature §2.5).
    assertPublicKey(publicKey) {
      assertPublic(bls, publicKey);
      let isKey: boolean;
      try {
        const point = G1.Point.fromBytes(publicKey);
        isKey = !point.is0() && point.isTorsionFree();
      } catch {
        isKey = false;
      }
      if (isKey) return;
      throw new InputError({
        code: 'E_KEY_INVALID',
        message: 'this is not a valid bls12-381 public key: it is no point of the subgroup',
      });
    },
    generate(random) {
      const ikm = random(32);
      try {
        return deriveScalar(ikm);
      } finally {
        ikm.fill(0);
      }
    },
    publicKey,
    sign(message, secret, options = {}) {
      assertScalar(secret);
      const { suite = 'basic' } = choose(bls, options);
      const point = hashed(suite, message, () => publicKey(secret));
      return longSignatures.Signature.toBytes(longSignatures.sign(point, secret));
    },
    verify(signature, message, publicKey, options = {}) {
      const chosen = chooseVerifying(bls, options);
      if (chosen === undefined || signature.length !== 96 || publicKey.length !== 48) return false;
      try {
        // KeyValidate (§2.5) and the subgroup check of the signature (§2.7): without them keys cancel each other out.
        const key = G1.Point.fromBytes(publicKey);
        const point = longSignatures.Signature.fromBytes(signature);
        if (key.is0() || !key.isTorsionFree() || point.is0() || !point.isTorsionFree())
          return false;
        const { suite = 'basic' } = chosen;
        return longSignatures.verify(
          point,
          hashed(suite, message, () => publicKey),
          key,
        );
      } catch {
        return false;
      }
    },
  };
}

/** BLS12-381, minimal public keys. */
export const descriptors = [bls] as const;
