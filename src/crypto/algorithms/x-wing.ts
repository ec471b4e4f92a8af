/** X-Wing, the hybrid KEM of ML-KEM-768 and X25519, from 32-byte seeds. */
import type { Descriptor } from '../descriptor.js';
import { implementHybridKem } from '../hybrid-kem.js';
import { descriptors as mlKem } from './ml-kem.js';
import { descriptors as xdh } from './xdh.js';

const [, mlKem768] = mlKem;
const [x25519] = xdh;

const xWing: Descriptor = {
  name: 'x-wing',
  profile: '',
  kind: 'kem',
  sizes: { private: 32, public: 1216, ciphertext: 1120, sharedSecret: 32 },
  category: 3,
  bits: 128,
  status: 'standard',
  purposes: ['encapsulate'],
  spec: 'draft-connolly-cfrg-xwing-kem §5',
  oid: '1.3.6.1.4.1.62253.25722',
  pkcs8: 'bare',
  hpkeKem: 0x647a,
  async load() {
    const { ml_kem768_x25519 } = await import('@noble/post-quantum/hybrid.js');
    return implementHybridKem(xWing, ml_kem768_x25519, 64, {
      pq: mlKem768,
      curve: x25519,
      // A small drawing.
      label: '\\.//^\\',
    });
  },
};

/** X-Wing. */
export const descriptors = [xWing] as const;
