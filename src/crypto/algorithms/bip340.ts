/**
 * Schnorr signatures of Bitcoin's Taproot over secp256k1: public keys are the x of their point, signatures are R's x and s. The
 * key is the one that signs: an output key, already tweaked where BIP 341 wants it so.
 */
import { InputError } from '#formats/errors';
import { toNumber } from '../big-numbers.js';
import type { Descriptor } from '../descriptor.js';
import { assertPrivate, assertPublic } from '../lengths.js';
import { choose, chooseVerifying } from '../signing-choices.js';

const AUXILIARY_BYTES = 32;

const bip340: Descriptor = {
  name: 'bip340',
  profile: '',
  kind: 'signature',
  sizes: { private: 32, public: 32, signature: 64 },
  category: 0,
  bits: 128,
  status: 'standard',
  purposes: ['sign'],
  spec: 'BIP 340',
  signing: { randomness: 'optional' },
  async load() {
    const { schnorr } = await import('@noble/curves/secp256k1.js');
    const publicKey = (secret: Uint8Array): Uint8Array => {
      assertPrivate(bip340, secret);
      try {
        return schnorr.getPublicKey(secret);
      } catch {
        throw new InputError({
          code: 'E_KEY_INVALID',
          message: 'this is not a valid bip340 private key: zero, or beyond the order',
        });
      }
    };
    return {
      kind: 'signature',
      assertPublicKey(key) {
        assertPublic(bip340, key);
        try {
          schnorr.utils.lift_x(toNumber(key));
        } catch (cause) {
          throw new InputError({
            code: 'E_KEY_INVALID',
            message: 'this is not a valid bip340 public key: no point of the curve has this x',
            cause,
          });
        }
      },
      generate(random) {
        const seed = random(48);
        try {
          return schnorr.utils.randomSecretKey(seed);
        } finally {
          seed.fill(0);
        }
      },
      publicKey,
      sign(message, secret, options = {}) {
        publicKey(secret);
        choose(bip340, options);
        const auxiliary = options.random?.(AUXILIARY_BYTES) ?? new Uint8Array(AUXILIARY_BYTES);
        return schnorr.sign(message, secret, auxiliary);
      },
      verify(signature, message, key, options = {}) {
        if (chooseVerifying(bip340, options) === undefined) return false;
        if (signature.length !== 64 || key.length !== 32) return false;
        try {
          return schnorr.verify(signature, message, key);
        } catch {
          return false;
        }
      },
    };
  },
};

/** BIP 340. */
export const descriptors = [bip340] as const;
