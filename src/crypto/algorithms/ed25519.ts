/**
 * Ed25519, verified as strictly as RFC 8032 allows: pure, or Ed25519ctx where a context is asked for, or Ed25519ph where its hash
 * is. Only the pure form is in certificates, SSH and most programs.
 */
import type { Descriptor, SignatureHash } from '../descriptor.js';
import { assertEdwardsKey, prepareBase } from '../edwards.js';
import { assertPrivate } from '../lengths.js';
import { nodeOpinion } from '../second-opinion.js';
import { choose, chooseVerifying } from '../signing-choices.js';

const ed25519: Descriptor = {
  name: 'ed25519',
  profile: '',
  kind: 'signature',
  sizes: { private: 32, public: 32, signature: 64 },
  category: 0,
  bits: 128,
  status: 'standard',
  purposes: ['sign'],
  spec: 'RFC 8032 §5.1',
  signing: { hashes: ['sha512'], prehash: true, context: true, randomness: 'none' },
  oid: '1.3.101.112',
  pkcs8: 'octet-string',
  // RFC 9864 names the curve in the algorithm; both spellings are about.
  jose: { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', accepts: ['Ed25519'] },
  cose: { kty: 1, crv: 6, alg: -8, accepts: [-19] },
  ssh: { type: 'ssh-ed25519' },
  awsKeySpec: 'ECC_NIST_EDWARDS25519',
  async load() {
    const noble = await import('@noble/curves/ed25519.js');
    const curve = noble.ed25519;
    prepareBase(curve);
    const formFor = (hash: SignatureHash | undefined, context: Uint8Array): typeof curve => {
      if (hash !== undefined) return noble.ed25519ph;
      // RFC 8032 §8.3 wants a context that is not empty: the empty one is the pure form.
      return context.length === 0 ? curve : noble.ed25519ctx;
    };
    return {
      kind: 'signature',
      generate: (random) => random(32),
      assertPublicKey: (publicKey) => {
        assertEdwardsKey(ed25519, curve, publicKey);
      },
      publicKey(secret) {
        assertPrivate(ed25519, secret);
        return curve.getPublicKey(secret);
      },
      sign(message, secret, options = {}) {
        assertPrivate(ed25519, secret);
        const { hash, context } = choose(ed25519, options);
        return formFor(hash, context).sign(message, secret, { context });
      },
      verify(signature, message, publicKey, options = {}) {
        const chosen = chooseVerifying(ed25519, options);
        if (chosen === undefined) return false;
        if (signature.length !== 64 || publicKey.length !== 32) return false;
        try {
          // ZIP 215 rules would accept keys of small order and non-canonical points: one signature, several meanings.
          const { hash, context } = chosen;
          return formFor(hash, context).verify(signature, message, publicKey, {
            zip215: false,
            context,
          });
        } catch {
          return false;
        }
      },
      get second() {
        return nodeOpinion(ed25519);
      },
    };
  },
};

/** Ed25519. */
export const descriptors = [ed25519] as const;
