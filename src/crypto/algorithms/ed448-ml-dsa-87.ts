/**
 * The hybrid signature of Ed448 and ML-DSA-87 as the IETF composite. The Ratify protocol knows the pair of Ed25519 and ML-DSA-65
 * alone, so there is no `ratify-v1` profile here: nobody could read it.
 */
import type { Descriptor } from '../descriptor.js';
import { shake256 } from '../hash.js';
import { compositeProfile, hybridSizes, loadHybrid, rearrangeSeeds } from '../hybrid-signature.js';
import { descriptors as ed448Descriptors } from './ed448.js';
import { descriptors as mlDsaDescriptors } from './ml-dsa.js';

const [ed448] = ed448Descriptors;
const [, , mlDsa87] = mlDsaDescriptors;
const halves = { ed: ed448, pq: mlDsa87 };

const composite: Descriptor = {
  name: 'ed448+ml-dsa-87',
  profile: 'composite',
  kind: 'signature',
  sizes: hybridSizes(halves),
  category: 5,
  bits: 224,
  status: 'draft',
  purposes: ['sign'],
  signing: { context: true, randomness: 'optional' },
  spec: 'draft-ietf-lamps-pq-composite-sigs §3, id-MLDSA87-Ed448-SHAKE256',
  oid: '1.3.6.1.5.5.7.6.51',
  pkcs8: 'bare',
  rearrange: rearrangeSeeds(halves),
  load: () =>
    loadHybrid(
      composite,
      halves,
      compositeProfile('COMPSIG-MLDSA87-Ed448-SHAKE256', (message) => shake256(64, message)),
    ),
};

/** The hybrid in its one profile. */
export const descriptors = [composite] as const;
