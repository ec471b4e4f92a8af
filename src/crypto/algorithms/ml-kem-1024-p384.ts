/** The hybrid KEM of ML-KEM-1024 and P-384, from 32-byte seeds; a draft gives it a number in HPKE and no object identifier. */
import type { Descriptor } from '../descriptor.js';
import { implementHybridKem } from '../hybrid-kem.js';
import { descriptors as ecdsa } from './ecdsa.js';
import { descriptors as mlKem } from './ml-kem.js';

const [, , mlKem1024] = mlKem;
const [, p384] = ecdsa;

const mlKem1024P384: Descriptor = {
  name: 'ml-kem-1024+p384',
  profile: '',
  kind: 'kem',
  sizes: { private: 32, public: 1665, ciphertext: 1665, sharedSecret: 32 },
  category: 5,
  bits: 192,
  status: 'standard',
  purposes: ['encapsulate'],
  spec: 'draft-ietf-hpke-pq §4, MLKEM1024-P384; draft-irtf-cfrg-concrete-hybrid-kems §4.2',
  hpkeKem: 0x0051,
  async load() {
    const { ml_kem1024_p384 } = await import('@noble/post-quantum/hybrid.js');
    return implementHybridKem(mlKem1024P384, ml_kem1024_p384, 80, {
      pq: mlKem1024,
      curve: p384,
      label: 'MLKEM1024-P384',
    });
  },
};

/** ML-KEM-1024 with P-384. */
export const descriptors = [mlKem1024P384] as const;
