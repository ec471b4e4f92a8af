/**
 * Ed448, pure or as Ed448ph where its hash is asked for, with a context string where there is one, verified as strictly as
 * RFC 8032 allows.
 */
import type { Descriptor } from '../descriptor.js';
import { assertEdwardsKey, prepareBase } from '../edwards.js';
import { assertPrivate } from '../lengths.js';
import { nodeOpinion } from '../second-opinion.js';
import { choose, chooseVerifying } from '../signing-choices.js';

const ed448: Descriptor = {
  name: 'ed448',
  profile: '',
  kind: 'signature',
  sizes: { private: 57, public: 57, signature: 114 },
  category: 0,
  bits: 224,
  status: 'standard',
  purposes: ['sign'],
  spec: 'RFC 8032 §5.2',
  signing: { hashes: ['shake256'], prehash: true, context: true, randomness: 'none' },
  oid: '1.3.101.113',
  pkcs8: 'octet-string',
  jose: { kty: 'OKP', crv: 'Ed448', alg: 'EdDSA', accepts: ['Ed448'] },
  cose: { kty: 1, crv: 7, alg: -8, accepts: [-53] },
  ssh: { type: 'ssh-ed448' },
  async load() {
    const noble = await import('@noble/curves/ed448.js');
    const curve = noble.ed448;
    prepareBase(curve);
    return {
      kind: 'signature',
      generate: (random) => random(57),
      assertPublicKey: (publicKey) => {
        assertEdwardsKey(ed448, curve, publicKey);
      },
      publicKey(secret) {
        assertPrivate(ed448, secret);
        return curve.getPublicKey(secret);
      },
      sign(message, secret, options = {}) {
        assertPrivate(ed448, secret);
        const { hash, context } = choose(ed448, options);
        return (hash === undefined ? curve : noble.ed448ph).sign(message, secret, { context });
      },
      verify(signature, message, publicKey, options = {}) {
        const chosen = chooseVerifying(ed448, options);
        if (chosen === undefined || signature.length !== 114 || publicKey.length !== 57)
          return false;
        try {
          // ZIP 215 rules would accept keys of small order and non-canonical points: one signature, several meanings.
          const { hash, context } = chosen;
          const form = hash === undefined ? curve : noble.ed448ph;
          return form.verify(signature, message, publicKey, { zip215: false, context });
        } catch {
          return false;
        }
      },
      get second() {
        return nodeOpinion(ed448);
      },
    };
  },
};

/** Ed448. */
export const descriptors = [ed448] as const;
